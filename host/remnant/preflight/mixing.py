"""Flow synthesis foreseen: what each flow of antisolvent and precursor makes in the tube behind the Y-connector."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remnant_protocol.errors import RigError

from ..flow import condition, produced
from ..plan import Plan
from ..plan.steps import FlowStep
from .places import Places

ANTISOLVENT, PRECURSOR = "antisolvent", "precursor"  # the names that pumps of a synthesis have
_NL_PER_MIN_IN_ML_PER_H = 1e6 / 60


@dataclass(frozen=True)
class Mixing:
    """Flows in mL/h, Reynolds number and ratio dimensionless, times in s. assumed: tube and properties behind it, in words."""

    step: int
    antisolvent_ml_per_h: float
    precursor_ml_per_h: float
    ratio: float
    reynolds: float
    regime: str
    residence_s: float
    collect_after_s: float
    yield_g_per_h: float
    assumed: str


def mixings(plan: Plan, places: Places) -> Iterator[Mixing | str]:
    """Yield one for each pair of flows, at the first step that has it; a note where a property is not known."""
    if not {ANTISOLVENT, PRECURSOR} <= set(plan.pumps):
        return
    named: dict[str, Any] = {name: liquid for name in (ANTISOLVENT, PRECURSOR) if (liquid := plan.pumps[name].liquid)}
    seen = set()
    for index, step in places.steps:
        if not isinstance(step, FlowStep) or not {ANTISOLVENT, PRECURSOR} <= set(step.flow):
            continue
        antisolvent, precursor = (abs(int(step.flow[name])) / _NL_PER_MIN_IN_ML_PER_H for name in (ANTISOLVENT, PRECURSOR))
        flows = (antisolvent, precursor)
        if flows in seen or not all(flows):
            continue
        seen.add(flows)
        try:
            made = condition(antisolvent, precursor, **named)
        except RigError as error:
            yield f"no Reynolds number for step {index}: {error.text or error}."
            return
        yield Mixing(
            step=index,
            antisolvent_ml_per_h=round(antisolvent, 3),
            precursor_ml_per_h=round(precursor, 3),
            ratio=round(made.ratio, 4),
            reynolds=round(made.reynolds, 1),
            regime=made.regime,
            residence_s=round(made.residence_s, 4),
            collect_after_s=round(made.settle_s, 4),
            yield_g_per_h=round(produced(precursor).g_per_h, 6),
            assumed=made.assumed,
        )
