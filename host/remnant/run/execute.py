"""Carry out one compiled plan on one rig and leave its folder complete.

completed: the program came to its end. stopped: by a person. fault: the board latched one. board lost: the board went away; what it had
told until then is in the folder. In every case the tables and the manifest are written.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..plan import Compiled
from ..record import Journal, finish
from ..record.finish import write_whole
from ..rig import Rig
from .progress import Follower, Progress

PROGRESS_EVERY_S = 0.2
STOP_WITHIN_S = 5.0
MANIFEST_VERSION = 1


@dataclass(frozen=True)
class RunResult:
    """status: completed | stopped | fault | board lost; error: what ended a run that did not complete, None else."""

    status: str
    folder: Path
    manifest: dict[str, Any]
    error: RigError | None


async def execute(
    compiled: Compiled,
    rig: Rig,
    folder: Path,
    *,
    title: str,
    plan_text: str,
    plan_name: str,
    inputs: dict[str, str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: asyncio.Event | None = None,
    cut: asyncio.Event | None = None,
) -> RunResult:
    """Run it. Set `stop` to end it in order, `cut` to take the outputs off at once.

    Raises RigError when it cannot be started; once started it always returns.
    """
    stop, cut = stop or asyncio.Event(), cut or asyncio.Event()
    folder.mkdir(parents=True, exist_ok=False)
    run_id = secrets.token_bytes(16)
    board = rig.board
    assert board.welcome
    manifest = _manifest(compiled, rig, run_id, title, plan_text, plan_name, inputs or {})
    write_whole(folder / "plan.yaml", plan_text.encode())
    write_whole(folder / "program.msgpack", compiled.data)
    write_whole(folder / "rig.toml", _rig_toml(rig).encode())
    journal = Journal(folder, board.link.committed)
    journal.boot_id, journal.run_id = board.welcome.boot_id, run_id
    journal.note("manifest", manifest)
    rig.records_to(journal.write)
    follower = Follower(compiled)
    ended = asyncio.get_running_loop().create_future()

    def listen(_seq: int, fields: list[Any]) -> None:
        follower.record(fields)
        if fields[0] == m.EVENT and fields[4] == m.RUN_ENDED and not ended.done():
            ended.set_result(fields)

    error = None
    try:
        await board.upload(compiled.data)
        board.listen(listen)
        await board.command(m.START, run_id)
        error = await _follow(board, ended, follower, on_progress, stop, cut)
        if error is None and journal.failure:
            error = journal.failure
    finally:
        board.unlisten(listen)
        rig.records_to(None)
        journal.close()
        manifest["ended_utc"] = _now()
        manifest = await asyncio.to_thread(finish, folder, manifest)
    if manifest["status"] == "fault" and error is None:
        error = RigError(manifest["end_code"] or 0, *_facts(folder))
    return RunResult(manifest["status"], folder, manifest, error)


async def _follow(board, ended, follower, on_progress, stop, cut) -> RigError | None:
    """Wait for the end of the run; hand a stop or a cut on once each. Returns the error of a lost board."""
    wishes = {asyncio.create_task(stop.wait()): m.STOP, asyncio.create_task(cut.wait()): m.CUT}
    give_up_at = None
    try:
        while not ended.done():
            if on_progress:
                on_progress(follower.progress())
            waiting = {ended, board.lost, *wishes}
            done, _ = await asyncio.wait(waiting, timeout=PROGRESS_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            if board.lost in done:
                return board.lost.result()
            for task in done & set(wishes):
                give_up_at = asyncio.get_running_loop().time() + STOP_WITHIN_S
                try:
                    await board.command(wishes.pop(task))
                except RigError as error:
                    return error
            if give_up_at and asyncio.get_running_loop().time() > give_up_at:
                return None
        if on_progress:
            on_progress(follower.progress())
        return None
    finally:
        for task in wishes:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _facts(folder: Path) -> tuple[Any, ...]:
    """where, value, limit of the run's FAULT record."""
    import csv

    with (folder / "events.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "fault":
                detail = json.loads(row["detail"])
                return (f"{float(row['t_s']):.1f} s", detail["value"], detail["limit"])
    return (None, None, None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _manifest(
    compiled: Compiled, rig: Rig, run_id: bytes, title: str, plan_text: str, plan_name: str, inputs: dict[str, str]
) -> dict[str, Any]:
    from hashlib import sha256

    welcome = rig.board.welcome
    assert welcome
    return {
        "manifest_version": MANIFEST_VERSION,
        "remnant_version": version("remnant"),
        "protocol": f"{welcome.major}.{welcome.minor}",
        "status": "board lost",
        "simulated": welcome.simulated,
        "simulation": rig.simulation,
        "run_id": run_id.hex(),
        "title": title,
        "source": compiled.source,
        "stress": compiled.stress,
        "cells": {letter: {"index": c.index, "sample": c.sample, "model": c.model} for letter, c in compiled.cells.items()},
        "started_utc": _now(),
        "ended_utc": None,
        "board": {
            "name": welcome.board,
            "uid": welcome.uid,
            "firmware_hash": f"{welcome.firmware_hash:08x}",
            "boot_id": welcome.boot_id,
            "reset_cause": welcome.reset_cause,
        },
        "plan": {"name": plan_name, "sha256": sha256(plan_text.encode()).hexdigest(), "inputs": inputs, "duration_s": compiled.duration_s},
        "steps": [
            {"index": s.index, "name": s.name, "text": s.text, "planned_s": s.planned_s, "times": s.times} for s in compiled.steps
        ],
        "probes": [{"id": p.id, "name": p.name, "reference_c": p.reference_c, "hot": p.hot} for p in compiled.probes],
        "compare": compiled.compare,
        "telemetry_ms": compiled.telemetry_ms,
        "monitor_dark_u16": rig.board.description.get("monitor_dark_u16", 0),
        "probe_pulse_us": rig.board.description.get("probe_pulse_us", 0),
        "schema_version": 1,
    }


def _rig_toml(rig: Rig) -> str:
    """What the board says of itself, kept with the run."""
    welcome = rig.board.welcome
    assert welcome
    lines = ["[board]", f'name = "{welcome.board}"', f'uid = "{welcome.uid}"', f'port = "{"virtual" if rig.simulation else rig.board.path}"']
    lines += ["", "[description]", *(f"{key} = {value}" for key, value in sorted(rig.board.description.items()))]
    return "\n".join(lines) + "\n"
