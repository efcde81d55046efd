"""Runs that are taken up again: `attach` follows what the board is at, `resume` has a paused or interrupted run go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..link import find_ports
from ..rig import Rig, open_rig
from ..run import Interruption, Person, RunResult, attach, fetch, find_interruption, folder_of, resume
from .bars import Bars, hms
from .output import Output
from .person import Interrupts, operator_of

NAME = "run"


def port_of(spec: str | None) -> str:
    """The port that is meant; without a word the only USB port there is. Raises RigError(PORT_NOT_FOUND)."""
    if spec:
        return spec
    ports = [port.path for port in find_ports() if port.serial_number]
    if len(ports) == 1:
        return ports[0]
    told = f"{len(ports)} of them could be it" if ports else "there is none on USB"
    raise RigError(codes.PORT_NOT_FOUND, where="", text=f"which port the rig is on is not said, and {told}. Use --rig")


def attached(spec: str, out: Path, output: Output) -> RunResult:
    """Follow the run on a board to its end, or fetch what it still has of the last one. Raises RigError."""

    async def follow(rig: Rig, person: Person) -> RunResult:
        await rig.board.started()
        kept = folder_of(rig, out)
        output.say(f"following into {kept.folder}" if kept else "a run that no folder here knows: a new one is made")
        return await attach(rig, out, person)

    return asyncio.run(_with_person(spec, output, follow))


@dataclass(frozen=True)
class Looked:
    """What `resume` finds on a board. interruption: None when the run is only paused or going on."""

    interruption: Interruption | None
    lines: list[str]
    paused: bool


def looked_at(spec: str, out: Path, output: Output) -> Looked:
    """Fetch what the board has, and tell where its run stands. Raises RigError(RESUME_NOTHING)."""

    async def look(rig: Rig, person: Person) -> Looked:
        board = rig.board
        status = await board.started()
        welcome = board.welcome
        assert welcome
        if not welcome.run_id:
            raise RigError(codes.RESUME_NOTHING, where=board.path)
        if not welcome.interrupted:
            return Looked(None, [], status.state == m.PAUSED)
        kept = folder_of(rig, out)
        await (fetch(rig, kept, person) if kept else attach(rig, out, person))
        kept = folder_of(rig, out)
        found = find_interruption(kept.folder, kept.run_id) if kept else None
        if kept is None or found is None:
            raise RigError(
                codes.RESUME_NOTHING, where=board.path, text="no record of the interrupted run has come, so it cannot be resumed"
            )
        return Looked(found, _told(kept.folder, kept.manifest, found, status.temp_mc / 1000), False)

    return asyncio.run(_with_person(spec, output, look))


def resumed(spec: str, out: Path, output: Output, looked: Looked, dark_s: int | None) -> RunResult:
    """Have it go on and follow it. dark_s: for a run whose last boot this host has not seen. Raises RigError as the board refuses."""

    async def go_on(rig: Rig, person: Person) -> RunResult:
        await rig.board.started()
        found = looked.interruption
        if found is None:
            if looked.paused:
                await rig.board.command(m.RESUME)
            return await attach(rig, out, person)
        kept = folder_of(rig, out)
        dark = dark_s if dark_s is not None else found.dark_s()
        if kept is None or dark is None:
            text = "how long the run was dark is not known: this host has not seen it go. Say it with --dark SECONDS"
            raise RigError(codes.RESUME_WINDOW, where=rig.board.path, text=text)
        return await resume(rig, kept, person, dark, found.exposure_mj_per_cm2)

    return asyncio.run(_with_person(spec, output, go_on))


async def _with_person(spec: str, output: Output, do: Callable[[Rig, Person], Awaitable[Any]]) -> Any:
    with Bars(output, [NAME]) as bars:
        interrupts = Interrupts(bars.say)
        interrupts.listen()
        async with open_rig(spec, as_it_is=True) as rig:
            interrupts.boards.append(rig.board)
            person = Person(interrupts.stop, interrupts.cut, bars.say, lambda progress: bars.show(NAME, progress))
            person.operator = operator_of(bars.say, False, output.json)
            return await do(rig, person)


def _told(folder: Path, manifest: dict[str, Any], found: Interruption, temp_c: float) -> list[str]:
    """What happened, for a person who has to decide."""
    step = next((step["text"] for step in manifest["steps"] if step["index"] == found.step), "unknown")
    when = "at a time this host does not know"
    dark = found.dark_s()
    if found.utc_s is not None:
        when = f"{datetime.fromtimestamp(found.utc_s).strftime('%Y-%m-%d %H:%M:%S')}, {hms(dark or 0)} ago"
    cooled = "unknown" if found.temp_c is None else f"{found.temp_c:.1f} degC then, {temp_c:.1f} degC now"
    window = "unknown" if found.window_s is None else hms(found.window_s) if found.window_s else "never"
    return [
        f"run          {manifest['title']} ({folder})",
        f"interrupted  {when}, at run time {hms(found.t_s)}",
        f"in step      {found.step}: {step}",
        f"temperature  {cooled}",
        f"exposure     {found.exposure_mj_per_cm2 / 1000:.3f} J/cm2 so far",
        f"resumable    within {window}" if window != "never" else "resumable    never, says its plan",
    ]
