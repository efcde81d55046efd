"""Runs from the command line: plans to folders, progress bars, Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..plan import Compiled, Plan, compile_plan
from ..plan import load as load_plan
from ..rig import open_rig
from ..run import Progress, RunResult, execute
from .limits import limits_of
from .output import Output

PLAIN_EVERY_S = 5.0


@dataclass(frozen=True)
class Wish:
    """One run that is asked for."""

    name: str
    text: str
    plan: Plan
    compiled: Compiled
    inputs: dict[str, str]
    folder: Path
    spec: str
    scenario: dict[str, Any]


def prepare(plan_name: str, inputs: dict[str, str], out: Path, spec: str, scenario: dict[str, Any]) -> Wish:
    """Check and compile a plan. Raises PlanError."""
    from .. import library

    limits = limits_of("virtual")
    plan = load_plan(plan_name, inputs, limits)
    compiled = compile_plan(plan, limits)
    path = library.path(plan_name) if plan_name in library.names() else Path(plan_name)
    if spec == "virtual":
        channels: list[str | None] = [None] * 4
        for cell in compiled.cells.values():
            channels[cell.index] = cell.model or "fresh"
        scenario = {"cells": channels, **scenario}
    name = Path(plan_name).stem
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = out / f"{name}-{stamp}"
    number = 2
    while folder.exists():
        folder = out / f"{name}-{stamp}-{number}"
        number += 1
    return Wish(name, path.read_text(encoding="utf-8"), plan, compiled, inputs, folder, spec, scenario)


class Board:
    """Progress of several runs: bars with time left on a terminal, a line now and then elsewhere."""

    def __init__(self, output: Output, names: list[str]):
        self._output = output
        self._said = dict.fromkeys(names, 0.0)
        self._bars = None
        if sys.stdout.isatty() and not output.json:
            from rich.progress import BarColumn, Progress as Bars, TaskProgressColumn, TextColumn

            self._bars = Bars(
                TextColumn("{task.description:<12}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[told]}"), transient=False
            )
            self._tasks = {name: self._bars.add_task(name, total=1.0, told="") for name in names}

    def __enter__(self) -> Board:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def show(self, name: str, progress: Progress) -> None:
        told = _told(progress)
        if self._bars:
            self._bars.update(self._tasks[name], completed=progress.fraction, told=told)
        elif time.monotonic() - self._said[name] > PLAIN_EVERY_S or (progress.fraction >= 1.0 and self._said[name] >= 0):
            self._said[name] = time.monotonic() if progress.fraction < 1.0 else float("-inf")
            if progress.fraction < 1.0 or self._said[name] < 0:
                self._output.say(f"{name:<12} {progress.fraction:4.0%}  {told}")


def _told(progress: Progress) -> str:
    parts = [f"t {_hours(progress.board_s)}"]
    if progress.temp_c is not None:
        parts.append(f"{progress.temp_c:.1f} degC")
    if progress.irradiance_mw_per_cm2:
        parts.append(f"{progress.irradiance_mw_per_cm2:.1f} mW/cm2")
    if progress.left_s is not None and progress.fraction < 1.0:
        parts.append(f"{_hours(progress.left_s)} left")
    return "  ".join(parts)


def _hours(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    h, minutes = divmod(minutes, 60)
    return f"{h}:{minutes:02}:{s:02}"


def run_all(wishes: list[Wish], output: Output) -> list[RunResult]:
    """Run them side by side, each on a rig of its own. Ctrl-C once stops in order, twice takes the outputs off at once."""
    return asyncio.run(_run_all(wishes, output))


async def _run_all(wishes: list[Wish], output: Output) -> list[RunResult]:
    stop, cut = asyncio.Event(), asyncio.Event()

    def interrupted() -> None:
        if stop.is_set():
            output.say("Ctrl-C again: outputs off at once.")
            cut.set()
        else:
            output.say("Ctrl-C: stopping in order, outputs go off. Once more to cut them at once.")
            stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, interrupted)
    with Board(output, [wish.name for wish in wishes]) as board:
        return list(await asyncio.gather(*(_run(wish, board, output, stop, cut) for wish in wishes)))


async def _run(wish: Wish, board: Board, output: Output, stop: asyncio.Event, cut: asyncio.Event) -> RunResult:
    async with open_rig(wish.spec, **(wish.scenario if wish.spec == "virtual" else {})) as rig:
        if rig.simulation:
            output.say(f"{wish.name}: SIMULATED, virtual board on {rig.simulation['interpreter']}")
        return await execute(
            wish.compiled,
            rig,
            wish.folder,
            title=wish.plan.title,
            plan_text=wish.text,
            plan_name=wish.name,
            inputs=wish.inputs,
            on_progress=lambda progress: board.show(wish.name, progress),
            stop=stop,
            cut=cut,
        )
