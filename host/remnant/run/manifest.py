"""What is known of a run before it begins, or of one that is found going on: the manifest that `record.finish` completes."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from ..plan import Compiled
from ..rig import Rig

MANIFEST_VERSION = 2
FREE_BYTES_MIN = 10_000_000  # a 48 h run at 10 s takes 2 MB, its tables and report as much again


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refuse_full_disk(folder: Path) -> None:
    """Raises RigError(STORE_FULL) when the disk of a folder that is to be made has less than FREE_BYTES_MIN."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < FREE_BYTES_MIN:
        text = f"the disk of {folder} has {free / 1e6:.1f} MB left and a run needs {FREE_BYTES_MIN / 1e6:.0f} MB; nothing was started"
        raise RigError(codes.STORE_FULL, where=str(folder), value=free, limit=FREE_BYTES_MIN, text=text)


def of_plan(
    compiled: Compiled, rig: Rig, run_id: bytes, title: str, plan_text: str, plan_name: str, inputs: dict[str, str]
) -> dict[str, Any]:
    """Of a run that is about to be started."""
    return {
        **_of_board(rig, run_id),
        "title": title,
        "source": compiled.source,
        "test_protocol": compiled.protocol,
        "stress": compiled.stress,
        "cells": {letter: asdict(cell) for letter, cell in compiled.cells.items()},
        "plan": {"name": plan_name, "sha256": sha256(plan_text.encode()).hexdigest(), "inputs": inputs, "duration_s": compiled.duration_s},
        "steps": [asdict(step) for step in compiled.steps],
        "probes": [asdict(probe) for probe in compiled.probes],
        "prompts": compiled.prompts,
        "liquids": [asdict(liquid) for liquid in compiled.liquids.values()],
        "compare": compiled.compare,
        "telemetry_ms": compiled.telemetry_ms,
    }


def of_stranger(rig: Rig, run_id: bytes) -> dict[str, Any]:
    """Of a run that goes on on the board and that this host knows nothing of."""
    return {
        **_of_board(rig, run_id),
        "title": "a run that was found on the board",
        "source": None,
        "test_protocol": None,
        "stress": None,
        "cells": {},
        "plan": {"name": None, "sha256": None, "inputs": {}, "duration_s": None},
        "steps": [],
        "probes": [],
        "prompts": [],
        "liquids": [],
        "compare": [],
        "telemetry_ms": None,
    }


def _of_board(rig: Rig, run_id: bytes) -> dict[str, Any]:
    welcome = rig.board.welcome
    assert welcome
    try:
        remnant_version = version("remnant")
    except PackageNotFoundError:  # started from its sources
        remnant_version = "source"
    return {
        "manifest_version": MANIFEST_VERSION,
        "remnant_version": remnant_version,
        "protocol": f"{welcome.major}.{welcome.minor}",
        "status": "board lost",
        "simulated": welcome.simulated,
        "simulation": rig.simulation,
        "run_id": run_id.hex(),
        "started_utc": now(),
        "ended_utc": None,
        "board": {
            "name": welcome.board,
            "uid": welcome.uid,
            "firmware_hash": f"{welcome.firmware_hash:08x}",
            "boot_id": welcome.boot_id,
            "reset_cause": welcome.reset_cause,
        },
        "monitor_dark_u16": rig.board.description.get("monitor_dark_u16", 0),
        "probe_pulse_us": rig.board.description.get("probe_pulse_us", 0),
        "schema_version": 2,
    }


def rig_toml(rig: Rig) -> str:
    """What the board says of itself, kept with the run."""
    welcome = rig.board.welcome
    assert welcome
    port = rig.simulation["rig"] if rig.simulation else rig.board.path
    lines = ["[board]", *(f"{key} = {json.dumps(value)}" for key, value in (("name", welcome.board), ("uid", welcome.uid), ("port", port)))]
    lines += ["", "[description]", *(f"{key} = {json.dumps(value)}" for key, value in sorted(rig.board.description.items()))]
    return "\n".join(lines) + "\n"
