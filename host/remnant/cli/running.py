"""Runs from the command line: plans to folders, rigs side by side, Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import library
from ..plan import Compiled, Plan, compile_plan
from ..plan import load as load_plan
from ..rig import open_rig
from ..run import RunResult, execute
from ..virtual import LIMITS_OF, SIMULATED
from .bars import Bars
from .limits import limits_of
from .output import Output

VIRTUAL = "virtual"
EMULATED = "emulated"


@dataclass(frozen=True)
class Wish:
    """One run that is asked for: the plan as written (`source`: path or library name), where it goes, on which rig."""

    name: str
    source: str
    inputs: dict[str, str]
    folder: Path
    spec: str = VIRTUAL
    scenario: dict[str, Any] = field(default_factory=dict)


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
    interpreter = None
    if any(wish.spec == VIRTUAL for wish in wishes):
        from ..virtual.interpreter import find

        interpreter = find()  # may fetch one: here Ctrl-C still means what it always means
        output.say(f"SIMULATED: virtual board, firmware on {interpreter.description}")
    if any(wish.spec == EMULATED for wish in wishes):
        output.say("SIMULATED: emulated RP2040 with the real MicroPython image; the first time takes two minutes to fetch and build it")
    return asyncio.run(_run_all(wishes, output, {"interpreter": interpreter}))


class _Interrupted(Exception):
    """Ctrl-C came before the run had started."""


async def _run_all(wishes: list[Wish], output: Output, virtual: dict[str, Any]) -> list[RunResult]:
    stop, cut = asyncio.Event(), asyncio.Event()
    with Bars(output, [wish.name for wish in wishes]) as bars:

        def interrupted() -> None:
            if stop.is_set():
                bars.say("Ctrl-C again: outputs off at once.")
                cut.set()
            else:
                bars.say("Ctrl-C: stopping in order, outputs go off. Press it again to cut them at once.")
                stop.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: there Ctrl-C ends the host, and the board goes on as its plan says
                loop.add_signal_handler(number, interrupted)
        results = await asyncio.gather(*(_run(wish, bars, virtual, stop, cut) for wish in wishes), return_exceptions=True)
    for result in results:
        if isinstance(result, _Interrupted):
            raise KeyboardInterrupt
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]


async def _run(wish: Wish, bars: Bars, virtual: dict[str, Any], stop: asyncio.Event, cut: asyncio.Event) -> RunResult:
    try:
        facts: dict[str, Any] = {}
        if wish.spec in SIMULATED:
            _, compiled = compiled_plan(wish.source, wish.inputs, limits_of(LIMITS_OF[wish.spec]))
            facts = {"cells": _samples(compiled), **wish.scenario, **virtual}
        async with open_rig(wish.spec, **facts) as rig:
            if stop.is_set():
                raise _Interrupted
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
                stop=stop,
                cut=cut,
            )
    except Exception:
        stop.set()  # runs that were asked for together stand together
        raise


def _samples(compiled: Compiled) -> list[str | None]:
    """Return what a virtual rig holds in its cells: the model that the plan names, a fresh sample where it names none."""
    channels: list[str | None] = [None] * 4
    for cell in compiled.cells.values():
        channels[cell.index] = cell.model or "fresh"
    return channels
