"""What can only be judged when the whole plan stands: names used twice, steps that contradict each other, periods that cannot be kept.

Ranges of single values are beside their fields in `model`; nothing here repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remnant import units

from .model import Plan
from .quantity import Duration
from .source import Document
from .steps import ExposeStep, InfuseStep, ProbeStep, SoakStep, WaitStep, WithdrawStep
from .timing import PROBE_S
from .walk import steps_of


def whole(plan: Plan, document: Document, limits: Mapping[str, int]) -> None:
    """Put a problem into `document` for everything that does not fit together."""
    probe_names: dict[str, int] = {}
    cells_missed = False
    for path, step in steps_of(plan):
        if isinstance(step, ProbeStep):
            name = step.probe.name
            if name in probe_names:
                document.add(
                    (*path, "probe", "name"),
                    f"a probe is named '{name}' already, in line {probe_names[name]}.",
                    "Give each probe its own name.",
                )
            elif name:
                probe_names[name] = document.place((*path, "probe", "name")).line
            if not plan.cells and not cells_missed:
                cells_missed = True
                document.add(path, "probe: the plan has no cells to read.", "Name what they hold, e.g. cells: {A: PS-capped CsPbBr3}.")
        elif isinstance(step, SoakStep | ExposeStep):
            _check_every(step, document, path)


def body_s(steps: tuple[Any, ...]) -> float:
    """Return the least seconds that one round of steps under `every` takes."""
    seconds = 0.0
    for step in steps:
        if isinstance(step, ProbeStep):
            seconds += PROBE_S
        elif isinstance(step, WaitStep):
            seconds += step.wait.for_ / 1000
        elif isinstance(step, InfuseStep | WithdrawStep):
            dispense = step.infuse if isinstance(step, InfuseStep) else step.withdraw
            seconds += dispense.volume / dispense.flow * 60
    return seconds


def _check_every(step: SoakStep | ExposeStep, document: Document, path: tuple) -> None:
    every, lasts = step.every, step.soak.for_ if isinstance(step, SoakStep) else step.expose.for_
    if step.stop_when and not (every and any(isinstance(inner, ProbeStep) for inner in every.do)):
        document.add(
            (*path, "stop when"), "stop when: this step never probes.", "Add every: {period: 10 min, do: [probe]} beside it.", key=True
        )
    if not every:
        return
    if lasts is not None and every.period > lasts:
        document.add((*path, "every", "period"), f"period {every.period} is longer than the step ({lasts}).", f"Choose {lasts} or less.")
    round_s = body_s(every.do)
    if round_s * 1000 > every.period:
        took = Duration(round(round_s * 1000))
        document.add(
            (*path, "every", "period"),
            f"what is done each period takes {units.show(took, units.DURATION)}, longer than its {every.period}.",
            "Choose a longer period.",
        )
