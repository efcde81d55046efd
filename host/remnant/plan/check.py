"""What can only be judged when the whole plan stands: names used twice, steps that contradict each other, periods that cannot be kept.

Ranges of single values are beside their fields in `model`; nothing here repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remnant import units

from .check_pumps import Pumps
from .dosing import dose_s, doses_of
from .model import Plan
from .quantity import Duration
from .source import Document, Path_
from .steps import MEANWHILE, ExposeStep, FlowStep, ProbeStep, SoakStep, TriggerStep, WaitStep
from .stops import EXPOSURE, REMNANT_BELOW, TIME, VOLUME_OF
from .timing import PROBE_S
from .walk import steps_of


def whole(plan: Plan, document: Document, limits: Mapping[str, int]) -> None:
    """Put a problem into `document` for everything that does not fit together."""
    probe_names: dict[str, int] = {}
    cells_missed = False
    pumps = Pumps(plan, document)
    for path, step in steps_of(plan):
        pumps.look_at(step, path)
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
        elif isinstance(step, MEANWHILE):
            _check_every(step, plan, document, path)
            _check_stops(step, plan, document, path)


def body_s(steps: tuple[Any, ...], plan: Plan) -> float:
    """Return the least seconds that one round of steps under `every` takes."""
    seconds = 0.0
    for step in steps:
        if isinstance(step, ProbeStep):
            seconds += PROBE_S
        elif isinstance(step, WaitStep):
            seconds += (step.wait.for_ or 0) / 1000
        elif isinstance(step, TriggerStep):
            seconds += step.trigger.for_ / 1000 if step.trigger.wait else 0
        else:
            seconds += dose_s(step, plan)
    return seconds


def _lasts(step: Any) -> Duration | None:
    """Return how long a step says that it goes on."""
    if isinstance(step, SoakStep):
        return step.soak.for_
    if isinstance(step, ExposeStep):
        return step.expose.for_
    return step.wait.for_ if isinstance(step, WaitStep) else step.for_


def _check_every(step: Any, plan: Plan, document: Document, path: Path_) -> None:
    every, lasts = step.every, _lasts(step)
    if "every" in path and (every or step.stop_when):
        word = "every" if every else "stop when"
        document.add((*path, word), f"{word} cannot stand inside another every.", "Use repeat, or a step of its own.", key=True)
        return
    if not every:
        return
    if lasts is not None and every.period > lasts:
        document.add((*path, "every", "period"), f"period {every.period} is longer than the step ({lasts}).", f"Choose {lasts} or less.")
    round_s = body_s(every.do, plan)
    if round_s * 1000 > every.period:
        took = Duration(round(round_s * 1000))
        document.add(
            (*path, "every", "period"),
            f"what is done each period takes {units.show(took, units.DURATION)}, longer than its {every.period}.",
            f"Choose {units.show(took, units.DURATION)} or more.",
        )


def _check_stops(step: Any, plan: Plan, document: Document, path: Path_) -> None:
    stops = step.stop_when or {}
    body = step.every.do if step.every else ()
    if any(REMNANT_BELOW.fullmatch(key) for key in stops) and not any(isinstance(inner, ProbeStep) for inner in body):
        document.add(
            (*path, "stop when"), "stop when: this step never probes.", "Add every: {period: 10 min, do: [probe]} beside it.", key=True
        )
    if EXPOSURE in stops and not isinstance(step, ExposeStep):
        where = (*path, "stop when", EXPOSURE)
        document.add(where, f"{EXPOSURE}: the lamp is off in this step.", "Use expose, with `at` for the temperature.", key=True)
    moved = {dose[0] for inner in body for dose in doses_of(inner, plan)}
    if isinstance(step, FlowStep):
        moved |= {plan.pump_number(key) for key in step.flow}
        if step.for_ is None and not any(key == TIME or VOLUME_OF.fullmatch(key) for key in stops):
            hint = "Write for: 30 s beside it, or stop when: {volume of 1: 2 mL}."
            document.add(path, "flow: it does not say when it ends.", hint, key=True)
    for key in stops:
        match = VOLUME_OF.fullmatch(key)
        if match and plan.pump_number(match[1]) not in moved:
            hint = "Name a pump of its flow, or of a dose under every."
            document.add((*path, "stop when", key), f"{key}: nothing in this step moves that pump.", hint, key=True)
