"""The table of a campaign: for each point its condition, what flowed, what that makes, and what a spectrometer said of it.

A point is a flow synthesis when its plan names the pumps `antisolvent` and `precursor` and has a flow of both; the one named `collect` is
what is kept, else the last of them. Volumes of that step: requested (flow x time), accepted (the nearest whole number of steps), measured
(steps that left the pin, between its beginning and its end).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..flow import Condition, Production, condition, produced
from ..plan import Plan
from ..plan.steps import FlowStep, ParallelStep, PrimeStep, RepeatStep
from ..record.finish import COMPLETED
from .document import Campaign, PointRun
from .measured import Pumped, read_pumped
from .runner import plan_of
from .spectra import Spectrum, attached

ANTISOLVENT, PRECURSOR = "antisolvent", "precursor"
COLLECT = "collect"
_NL_PER_MIN = 1e6 / 60  # in a mL/h


@dataclass(frozen=True)
class Volume:
    """Of one pump in the step that is kept, in mL."""

    requested_ml: float
    accepted_ml: float
    measured_ml: float

    @property
    def deviation_pct(self) -> float:
        """Measured against requested."""
        return 100 * (self.measured_ml / self.requested_ml - 1) if self.requested_ml else 0.0


@dataclass(frozen=True)
class Synthesis:
    """What flowed in one point. begun_apart_us: between the starts of the two pumps; let_pass_s: how long the same flows went to waste
    before; all_ml: by pump name (requested, measured, primed) over the whole run."""

    condition: Condition
    production: Production
    volumes: dict[str, Volume]
    all_ml: dict[str, tuple[float, float, float]]
    begun_apart_us: int | None
    let_pass_s: float
    collected_s: float


@dataclass(frozen=True)
class Row:
    """One point. synthesis: None for a plan without flows, or a run that did not complete."""

    point: PointRun
    synthesis: Synthesis | None
    spectra: tuple[Spectrum, ...]


def rows(campaign: Campaign) -> list[Row]:
    """Return a row for each point. Raises RigError(STORE_CORRUPT) for a folder of a completed run that cannot be read."""
    spectra, _ = attached(campaign)
    return [
        Row(point, _synthesis(campaign, point), tuple(spectrum for spectrum in spectra if spectrum.point == point.number))
        for point in campaign.points
    ]


def _synthesis(campaign: Campaign, point: PointRun) -> Synthesis | None:
    if point.status != COMPLETED:
        return None
    plan, compiled = plan_of(campaign, point, {})
    kept = _kept(plan)
    if kept is None:
        return None
    index, step, flows = kept
    pumped = read_pumped(campaign.folder / point.folder)
    time = next((time for time in pumped.steps if time.step == index), None)
    if time is None or step.for_ is None:
        return None
    volumes, everything = {}, {}
    for name in (ANTISOLVENT, PRECURSOR):
        number = plan.pump_number(name)
        volumes[name] = _volume(pumped, number, flows[name] * step.for_ / 60_000, time.began_s, time.ended_s)
        liquid = compiled.liquids[number]
        primed = sum(_infused(pumped, number, i) for i, each in enumerate(_flat(plan.steps)) if _primes(each))
        measured = pumped.infused_nl(number) - primed
        everything[name] = (liquid.dispensed_nl / 1e6, measured / 1e6, primed / 1e6)
    made = _condition(plan, flows)
    before = _same_flows_before(plan, step)
    first = next(time for time in pumped.steps if time.step == index - len(before))
    starts = [pumped.started_us(plan.pump_number(name), first.began_s) for name in (ANTISOLVENT, PRECURSOR)]
    apart = None if None in starts else abs(starts[0] - starts[1])  # type: ignore[operator]
    let_pass_s = sum((earlier.for_ or 0) / 1000 for earlier in before)
    yielded = produced(flows[PRECURSOR] / _NL_PER_MIN, volumes[PRECURSOR].measured_ml)
    return Synthesis(made, yielded, volumes, everything, apart, let_pass_s, step.for_ / 1000)


def _volume(pumped: Pumped, pump: int, requested_nl: float, from_s: float, to_s: float) -> Volume:
    per_step = pumped.pumps[pump].nl_per_step
    accepted = round(requested_nl / per_step) * per_step if per_step else 0.0
    return Volume(requested_nl / 1e6, accepted / 1e6, pumped.infused_nl(pump, from_s, to_s) / 1e6)


def _infused(pumped: Pumped, pump: int, step: int) -> float:
    return sum(pumped.infused_nl(pump, time.began_s, time.ended_s) for time in pumped.steps if time.step == step)


def _primes(step: Any) -> bool:
    return isinstance(step, PrimeStep) or (isinstance(step, ParallelStep) and all(isinstance(one, PrimeStep) for one in step.parallel))


def _condition(plan: Plan, flows: dict[str, int]) -> Condition:
    liquids = {name: plan.pumps[name].liquid for name in (ANTISOLVENT, PRECURSOR)}
    named: dict[str, Any] = {name: liquid for name, liquid in liquids.items() if liquid}
    return condition(flows[ANTISOLVENT] / _NL_PER_MIN, flows[PRECURSOR] / _NL_PER_MIN, **named)


def _flat(steps: tuple[Any, ...]) -> Iterator[Any]:
    """The steps in the order of their numbers."""
    for step in steps:
        if isinstance(step, RepeatStep):
            yield from _flat(step.repeat.do)
        else:
            yield step


def _kept(plan: Plan) -> tuple[int, FlowStep, dict[str, int]] | None:
    """Return (number, step, flow of each pump in nL/min) of the flow that is collected, None when the plan has none of two liquids."""
    found = None
    for index, step in enumerate(_flat(plan.steps)):
        if isinstance(step, FlowStep) and set(step.flow) >= {ANTISOLVENT, PRECURSOR}:
            flows = {name: int(step.flow[name]) for name in (ANTISOLVENT, PRECURSOR)}
            if step.name == COLLECT:
                return index, step, flows
            found = index, step, flows
    return found


def _same_flows_before(plan: Plan, kept: FlowStep) -> list[FlowStep]:
    """Return the steps right before the one that is kept that let the same flows pass without a stop."""
    steps = list(_flat(plan.steps))
    at = steps.index(kept)
    found = []
    while at and isinstance(steps[at - 1], FlowStep) and steps[at - 1].flow == kept.flow and steps[at - 1].then == "keep":
        at -= 1
        found.append(steps[at])
    return found
