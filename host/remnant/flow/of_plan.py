"""The flow synthesis that a plan describes: where it lets two liquids flow together, and what that makes.

A plan is one when it names the pumps `antisolvent` and `precursor` (with their `liquid`; toluene and DMF where it does not say) and has a
`flow` of both. The step named `collect` is the one that is kept, else the last of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..plan import Plan
from ..plan.steps import FlowStep, ParallelStep, PrimeStep, RepeatStep
from .production import Production, produced
from .reactor import RESIDENCE_TIMES, Condition, condition

ANTISOLVENT, PRECURSOR = "antisolvent", "precursor"
COLLECT = "collect"
_NL_PER_MIN = 1e6 / 60  # in a mL/h


@dataclass(frozen=True)
class Synthesis:
    """The step that is kept: its number, flows in nL/min by pump name, seconds; let_pass_s: how long the same flows go to waste before, in
    steps from number first_step on. production.mg: in what is asked for."""

    step: int
    first_step: int
    flows_nl_per_min: dict[str, int]
    collected_s: float
    let_pass_s: float
    condition: Condition
    production: Production

    @property
    def settled(self) -> bool:
        """True when at least 3 residence times pass before anything is collected."""
        return self.let_pass_s >= self.condition.settle_s

    def lines(self) -> list[str]:
        """Return what a person should know before the run, in sentences."""
        made = self.condition
        passed = self.let_pass_s / made.residence_s
        flows = f"{made.antisolvent_ml_per_h:g} + {made.precursor_ml_per_h:g} mL/h, {made.ratio:.1f} : 1 by volume"
        found = [
            f"flow: {flows}: Re {made.reynolds:.0f} ({made.regime}), residence time {made.residence_s:.2f} s; {self.let_pass_s:g} s "
            f"({passed:.1f} residence times) pass before collecting for {self.collected_s:g} s",
            f"yield: {self.production.g_per_h:.3f} g/h ({self.production.times_batch:.1f} times the batch method), "
            f"{self.production.mg:.3f} mg collected, diluted 1 : {made.dilution:.1f}; calculated after liang2023",
            f"assumed: {made.assumed}",
        ]
        if not self.settled:
            found.append(
                f"warning: less than {RESIDENCE_TIMES} residence times ({made.settle_s:.2f} s) pass before collecting; let more pass"
            )
        return found


def synthesis_of(plan: Plan) -> Synthesis | None:
    """Return the synthesis of a plan, None when it is none. Raises RigError(PLAN_INVALID) for a liquid whose properties are not known."""
    steps = list(flat(plan.steps))
    kept = _kept(steps)
    if kept is None or (step := steps[kept]).for_ is None:
        return None
    flows = {name: int(step.flow[name]) for name in (ANTISOLVENT, PRECURSOR)}
    first = kept
    while first and isinstance(steps[first - 1], FlowStep) and steps[first - 1].flow == step.flow and steps[first - 1].then == "keep":
        first -= 1
    collected_s = step.for_ / 1000
    named: dict[str, Any] = {name: plan.pumps[name].liquid for name in flows if plan.pumps[name].liquid}
    made = condition(flows[ANTISOLVENT] / _NL_PER_MIN, flows[PRECURSOR] / _NL_PER_MIN, **named)
    let_pass_s = sum((steps[at].for_ or 0) / 1000 for at in range(first, kept))
    production = produced(made.precursor_ml_per_h, made.precursor_ml_per_h * collected_s / 3600)
    return Synthesis(kept, first, flows, collected_s, let_pass_s, made, production)


def flat(steps: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the steps in the order of their numbers, those inside repeat once."""
    for step in steps:
        if isinstance(step, RepeatStep):
            yield from flat(step.repeat.do)
        else:
            yield step


def primes(step: Any) -> bool:
    """True for a step that only fills tubing."""
    return isinstance(step, PrimeStep) or (isinstance(step, ParallelStep) and all(isinstance(one, PrimeStep) for one in step.parallel))


def _kept(steps: list[Any]) -> int | None:
    found = None
    for number, step in enumerate(steps):
        if isinstance(step, FlowStep) and set(step.flow) >= {ANTISOLVENT, PRECURSOR}:
            found = number
            if step.name == COLLECT:
                break
    return found
