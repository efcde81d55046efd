"""Carry out one compiled plan on one rig and leave its folder complete.

completed: the program came to its end. stopped: by a person. fault: the board latched one. board lost: the board went away; what it had
told until then is in the folder. In every case the tables and the manifest are written.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..board import Board
from ..plan import Compiled
from ..record import Journal, finish
from ..record.finish import BOARD_LOST, COMPLETED, FAULT, STOPPED, write_whole
from ..rig import Rig
from .progress import Follower, Progress

PROGRESS_EVERY_S = 0.2
STOP_WITHIN_S = 5.0
SILENT_S = 5.0
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
    run_id: bytes | None = None,
) -> RunResult:
    """Run it. Set `stop` to end it in order, `cut` to take the outputs off at once. run_id: 16 bytes, random when not given.

    Raises RigError when it cannot be started (there is no folder then); once started it always returns.
    """
    stop, cut = stop or asyncio.Event(), cut or asyncio.Event()
    run_id = run_id or secrets.token_bytes(16)
    board = rig.board
    assert board.welcome
    await board.upload(compiled.data)
    manifest = _manifest(compiled, rig, run_id, title, plan_text, plan_name, inputs or {})
    folder.mkdir(parents=True, exist_ok=False)
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

    board.listen(listen)
    started, error = False, None
    try:
        await board.command(m.START, run_id)
        started = True
        error = await _follow(board, journal, ended, follower, on_progress, stop, cut)
    finally:
        board.unlisten(listen)
        rig.records_to(None)
        await asyncio.to_thread(journal.close)
        if started:
            manifest["ended_utc"] = _now()
            manifest = await asyncio.to_thread(finish, folder, manifest)
        else:
            shutil.rmtree(folder)
    if manifest["status"] == FAULT:
        error = RigError(manifest["end_code"], *_facts(folder))
    elif manifest["status"] == BOARD_LOST and error is None:
        error = RigError(codes.BOARD_LOST, where=board.path)
    return RunResult(manifest["status"], folder, manifest, None if manifest["status"] in (COMPLETED, STOPPED) else error)


async def _follow(
    board: Board,
    journal: Journal,
    ended: asyncio.Future,
    follower: Follower,
    on_progress: Callable[[Progress], None] | None,
    stop: asyncio.Event,
    cut: asyncio.Event,
) -> RigError | None:
    """Wait for the end of the run; hand a stop or a cut on once each. Returns the error of a lost board or of a disk that takes no more.

    A board that says nothing for SILENT_S is asked, and lost when it does not answer. When the journal fails the board keeps the records it
    can, so the run is stopped: what cannot be recorded need not be done.
    """
    loop = asyncio.get_running_loop()
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
            try:
                for task in done & set(wishes):
                    give_up_at = loop.time() + STOP_WITHIN_S
                    await board.command(wishes.pop(task))
                if journal.failure:
                    await board.command(m.STOP)
                    return journal.failure
                if board.silent_s() > SILENT_S:
                    await board.ping()
            except RigError as error:
                return RigError(codes.BOARD_LOST, where=board.path) if error.code == codes.NO_ANSWER else error
            if give_up_at and loop.time() > give_up_at:
                return RigError(codes.NO_ANSWER, where=board.path, limit=STOP_WITHIN_S)
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


def _version() -> str:
    try:
        return version("remnant")
    except PackageNotFoundError:  # started from its sources
        return "source"


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
        "remnant_version": _version(),
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
        "steps": [{"index": s.index, "name": s.name, "text": s.text, "planned_s": s.planned_s, "times": s.times} for s in compiled.steps],
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
    port = rig.simulation["rig"] if rig.simulation else rig.board.path
    lines = ["[board]", *(f"{key} = {json.dumps(value)}" for key, value in (("name", welcome.board), ("uid", welcome.uid), ("port", port)))]
    lines += ["", "[description]", *(f"{key} = {json.dumps(value)}" for key, value in sorted(rig.board.description.items()))]
    return "\n".join(lines) + "\n"
