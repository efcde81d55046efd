"""Runs from the command line: plans to folders, rigs side by side, Ctrl-C."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .. import library
from ..plan import Compiled, Plan, compile_plan
from ..plan import load as load_plan
from ..rig import Rig, open_rig
from ..run import Person, Progress, RunResult, execute, fetch, folder_of, may_be_resumed
from ..virtual import LIMITS_OF, SIMULATED
from .bars import Bars
from .limits import limits_of
from .output import Output
from .person import Interrupts, operator_of

VIRTUAL = "virtual"
EMULATED = "emulated"


@dataclass(frozen=True)
class Wish:
    """One run that is asked for: the plan as written (`source`: path or library name), where it goes, on which rig; give_up: an interrupted
    run that the board still has."""

    name: str
    source: str
    inputs: dict[str, str]
    folder: Path
    spec: str = VIRTUAL
    scenario: dict[str, Any] = field(default_factory=dict)
    give_up: bool = False


def folder_for(out: Path, name: str) -> Path:
    """Return a folder in `out` that does not exist yet: name and local time, and a number when that is taken."""
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    taken = 1
    folder = out / stem
    while folder.exists():
        taken += 1
        folder = out / f"{stem}-{taken}"
    return folder


def plan_name(source: str) -> str:
    """Return what a plan is called in folders and tables: its name in the library, or the file's without its ending."""
    return source if source in library.names() else Path(source).stem


def compiled_plan(source: str, inputs: dict[str, str], limits: dict[str, int]) -> tuple[Plan, Compiled]:
    """Check a plan against the limits of the board that is to run it. Raises PlanError."""
    plan = load_plan(source, inputs, limits)
    return plan, compile_plan(plan, limits)


def run_all(wishes: list[Wish], output: Output) -> list[RunResult]:
    """Run them side by side, each on a rig of its own. Ctrl-C once stops in order, twice takes the outputs off at once.

    Every plan is checked before anything starts. Raises PlanError, RigError, KeyboardInterrupt (before a run has started).
    """
    for wish in wishes:
        compiled_plan(wish.source, wish.inputs, limits_of(LIMITS_OF[wish.spec]) if wish.spec in LIMITS_OF else {})
    return asyncio.run(_run_all(wishes, output, simulation({wish.spec for wish in wishes}, output)))


def simulation(specs: set[str], output: Output) -> dict[str, Any]:
    """Say which rigs are simulated and return what a virtual one is started with."""
    interpreter = None
    if VIRTUAL in specs:
        from ..virtual.interpreter import find

        interpreter = find()  # may fetch one: here Ctrl-C still means what it always means
        output.say(f"SIMULATED: virtual board, firmware on {interpreter.description}")
    if EMULATED in specs:
        output.say("SIMULATED: emulated RP2040 with the real MicroPython image; the first time takes two minutes to fetch and build it")
    return {"interpreter": interpreter}


class Interrupted(Exception):
    """Ctrl-C came before the run had started."""


class Show(Protocol):
    """Where a run shows how far it is (Bars, or the part of a campaign's)."""

    @property
    def json(self) -> bool: ...
    def say(self, text: str) -> None: ...
    def show(self, name: str, progress: Progress) -> None: ...


async def _run_all(wishes: list[Wish], output: Output, virtual: dict[str, Any]) -> list[RunResult]:
    with Bars(output, [wish.name for wish in wishes]) as bars:
        interrupts = Interrupts(bars.say)
        interrupts.listen()
        results = await asyncio.gather(*(run_one(wish, bars, virtual, interrupts) for wish in wishes), return_exceptions=True)
    for result in results:
        if isinstance(result, Interrupted):
            raise KeyboardInterrupt
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]


async def run_one(wish: Wish, bars: Show, virtual: dict[str, Any], interrupts: Interrupts) -> RunResult:
    """Run one wish on a rig of its own. Raises Interrupted, PlanError, RigError; then `stop` of the interrupts is set too."""
    try:
        facts: dict[str, Any] = {}
        if wish.spec in SIMULATED:
            _, compiled = compiled_plan(wish.source, wish.inputs, limits_of(LIMITS_OF[wish.spec]))
            facts = {**scenario_of(compiled), **wish.scenario, **virtual}
        async with open_rig(wish.spec, as_it_is=wish.spec not in SIMULATED, **facts) as rig:
            interrupts.boards.append(rig.board)
            if not rig.by_hand:
                await rig.board.ready()
                await _fetch_what_is_left(wish, rig, bars, interrupts)
                _refuse_to_give_up(wish, rig)
            if interrupts.stop.is_set():
                raise Interrupted
            if not rig.by_hand:
                rig.forget_records()
            plan, compiled = compiled_plan(wish.source, wish.inputs, rig.board.description)
            return await execute(
                compiled,
                rig,
                wish.folder,
                title=plan.title,
                plan_text=plan.text,
                plan_name=wish.name,
                inputs={name: str(value) for name, value in plan.inputs_used.items()},
                on_progress=lambda progress: bars.show(wish.name, progress),
                stop=interrupts.stop,
                cut=interrupts.cut,
                say=bars.say,
                operator=operator_of(bars.say, wish.spec in SIMULATED, bars.json),
            )
    except Exception:
        interrupts.stop.set()  # runs that were asked for together stand together
        raise


async def _fetch_what_is_left(wish: Wish, rig: Rig, bars: Show, interrupts: Interrupts) -> None:
    """An earlier run on this board, whose end no host has seen, gets what the board still has of it before that is forgotten."""
    welcome = rig.board.welcome
    assert welcome
    if welcome.first_seq == welcome.next_seq and not welcome.history_pages:
        return
    kept = folder_of(rig, wish.folder.parent)
    if kept is None or kept.ended:
        return
    bars.say(f"the board still has records of an earlier run: fetching them into {kept.folder}")
    result = await fetch(rig, kept, Person(interrupts.stop, interrupts.cut, bars.say))
    bars.say(f"{result.status}: {kept.folder}")


def _refuse_to_give_up(wish: Wish, rig: Rig) -> None:
    """Raises RigError(RUN_WAITS) when a new run would end one that a person may still want."""
    welcome = rig.board.welcome
    assert welcome
    if not welcome.interrupted or wish.give_up:
        return
    kept = folder_of(rig, wish.folder.parent)
    if kept is None or may_be_resumed(kept.folder):
        raise RigError(codes.RUN_WAITS, where=str(kept.folder) if kept else f"{welcome.run_id.hex()}, in no folder of {wish.folder.parent}")


def scenario_of(compiled: Compiled) -> dict[str, Any]:
    """Return what a virtual rig holds for a plan.

    cells: the model that the plan names, a fresh sample where it names none. liquids: by pump, [liquid, nL that go to waste].
    """
    channels: list[str | None] = [None] * 4
    for cell in compiled.cells.values():
        channels[cell.index] = cell.model or "fresh"
    held: list[list[str | int | None]] = [[None, 0] for _ in range(max(compiled.liquids, default=0))]
    for pump, liquid in compiled.liquids.items():
        held[pump - 1] = [liquid.liquid, liquid.primed_nl]
    return {"cells": channels, "liquids": held}
