"""Carry out one compiled plan on one rig and leave its folder complete.

completed: the program came to its end. stopped: by a person, or by the plan because the host was gone. fault: the board latched one.
interrupted: the board was reset and nobody resumed the run. board lost: the board went away; what it had told until then is in the folder.
In every case the tables and the manifest are written.
"""

from __future__ import annotations

import asyncio
import csv
import json
import secrets
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..plan import Compiled
from ..record import Journal, finish
from ..record.finish import BOARD_LOST, COMPLETED, FAULT, STOPPED, write_whole
from ..rig import Rig
from .follow import Following, Person
from .manifest import now, of_plan, refuse_full_disk, rig_toml
from .progress import Follower, Progress


@dataclass(frozen=True)
class RunResult:
    """status: completed | stopped | fault | interrupted | board lost; error: what ended a run that did not complete, None else."""

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
    say: Callable[[str], None] | None = None,
    operator: Callable[[str], Awaitable[None]] | None = None,
) -> RunResult:
    """Run it. Set `stop` to end it in order, `cut` to take the outputs off at once. run_id: 16 bytes, random when not given; say: told
    what a person should know. operator: is awaited with what the plan asks of a person; without it only `say` tells it.

    Raises RigError when it cannot be started (there is no folder then); once started it always returns.
    """
    run_id = run_id or secrets.token_bytes(16)
    board = rig.board
    assert board.welcome
    refuse_full_disk(folder)
    await board.upload(compiled.data)
    manifest = of_plan(compiled, rig, run_id, title, plan_text, plan_name, inputs or {})
    folder.mkdir(parents=True, exist_ok=False)
    person = Person(stop or asyncio.Event(), cut or asyncio.Event(), say or (lambda _text: None), on_progress, operator)
    journal, refused = None, True
    try:
        write_whole(folder / "plan.yaml", plan_text.encode())
        write_whole(folder / "program.msgpack", compiled.data)
        write_whole(folder / "rig.toml", rig_toml(rig).encode())
        journal = Journal(folder, keeper=board, run_id=run_id)
        number = board.new_id()
        journal.note("manifest", manifest)
        journal.note("start", {"id": number, "run_id": run_id.hex(), "boot_id": board.welcome.boot_id})
        await asyncio.to_thread(journal.flush)  # before START: whoever comes after us sends the same id
        async with Following(rig, journal, lambda: Follower(compiled.steps, compiled.prompts), person) as following:
            error = await begun(following, m.START, run_id, number=number)
            refused = False
            error = error or await following.to_the_end()
    except BaseException:
        if journal:
            await asyncio.to_thread(journal.close)
        if refused:
            shutil.rmtree(folder)
        raise
    return await concluded(folder, manifest, error)


async def begun(following: Following, op: int, *arguments: Any, number: int | None = None) -> RigError | None:
    """Begin, or take up, a run. Returns the error when nobody knows whether the board has taken it; raises RigError when it has not."""
    try:
        await following.started(op, *arguments, number=number)
    except RigError as error:
        if error.code in (codes.BOARD_LOST, codes.NO_ANSWER):
            return error
        raise
    return None


async def concluded(folder: Path, manifest: dict[str, Any], error: RigError | None) -> RunResult:
    """Write tables and manifest; `error`: why the host stopped following, None when the run is over."""
    manifest["ended_utc"] = now()
    try:
        manifest = await asyncio.to_thread(finish, folder, manifest)
    except OSError as failed:
        text = f"the tables of {folder} cannot be written ({failed.strerror or failed}). Make room, then `remnant report {folder}`"
        manifest["status"] = BOARD_LOST
        return RunResult(BOARD_LOST, folder, manifest, RigError(codes.JOURNAL_FAILED, where=str(folder), text=text))
    status = manifest["status"]
    if status == FAULT:
        error = RigError(manifest["end_code"], *_facts(folder))
    elif status in (COMPLETED, STOPPED):
        pass  # an error left over says that not everything could be fetched
    elif error is None:
        error = RigError(codes.BOARD_LOST, where=str(folder))
    return RunResult(status, folder, manifest, error)


def _facts(folder: Path) -> tuple[Any, ...]:
    """where, value, limit of the run's FAULT record."""
    with (folder / "events.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "fault":
                detail = json.loads(row["detail"])
                return (f"{float(row['t_s']):.1f} s", detail["value"], detail["limit"])
    return (None, None, None)
