"""What a plan asks of the pumps: operations for doses and flows, and the account of what they add up to."""

from __future__ import annotations

from typing import Any

from remnant_protocol import messages as m
from remnant_protocol import program as p

from .compiled import Liquid
from .model import Plan
from .steps import FlowStep, InfuseStep, ParallelStep, PrimeStep, WithdrawStep

_DISPENSED, _PRIMED, _WITHDRAWN = 0, 1, 2

DOSES = (InfuseStep, WithdrawStep, PrimeStep)


def dose_of(step: Any, plan: Plan) -> tuple[int, int, int, int]:
    """Return (pump from 1, volume in nL, flow, what kind) of an infuse, withdraw or prime."""
    if isinstance(step, PrimeStep):
        pump = plan.pump_number(step.prime.pump)
        return pump, int(step.prime.volume or dead_volume(plan, pump) or 0), int(step.prime.flow), _PRIMED
    dose = step.infuse if isinstance(step, InfuseStep) else step.withdraw
    kind = _DISPENSED if isinstance(step, InfuseStep) else _WITHDRAWN
    return plan.pump_number(dose.pump), int(dose.volume), int(dose.flow), kind


def doses_of(step: Any, plan: Plan) -> list[tuple[int, int, int, int]]:
    """Return the doses of a step: one, those of a parallel, or none."""
    inner = step.parallel if isinstance(step, ParallelStep) else (step,) if isinstance(step, DOSES) else ()
    return [dose_of(each, plan) for each in inner]


def dose_s(step: Any, plan: Plan) -> float:
    """Return the seconds that the doses of a step take."""
    return max((volume / flow * 60 for _, volume, flow, _ in doses_of(step, plan)), default=0.0)


def dead_volume(plan: Plan, pump: int) -> int | None:
    found = [entry.dead_volume for entry in plan.pumps.values() if entry.pump == pump and entry.dead_volume is not None]
    return int(found[0]) if found else None


def flows_of(step: FlowStep, plan: Plan) -> dict[int, int]:
    """Return {pump from 1: flow in nL/min} of a flow step."""
    return {plan.pump_number(key): int(flow) for key, flow in step.flow.items()}


class Account:
    """What each pump is asked for. times: how often what is added now is done."""

    def __init__(self, plan: Plan):
        self._plan = plan
        self._volumes: dict[int, list[int]] = {}
        self.times = 1

    def operations(self, step: Any) -> list[Any]:
        """Return the operations of an infuse, withdraw, prime or parallel, and count it."""
        doses = doses_of(step, self._plan)
        together = isinstance(step, ParallelStep)
        operations, mask = [], 0
        for pump, volume, flow, kind in doses:
            self.add(pump, volume, kind)
            mask |= 1 << (pump - 1)
            operations.append([m.DISPENSE, pump - 1, -volume if kind == _WITHDRAWN else volume, flow, not together])
        return operations + ([[p.WAIT, [p.PUMPS_DONE, mask], 0, p.TIMEOUT_FAULT]] if together else [])

    def flow(self, volumes_nl: dict[int, int]) -> None:
        """Count what flows add up to, signed."""
        for pump, volume in volumes_nl.items():
            self.add(pump, abs(volume), _DISPENSED if volume > 0 else _WITHDRAWN)

    def add(self, pump: int, volume_nl: int, kind: int) -> None:
        self._volumes.setdefault(pump, [0, 0, 0])[kind] += volume_nl * self.times

    def kept(self) -> dict[int, list[int]]:
        """Return the account as it stands, for `back_to` and `repeated`."""
        return {pump: list(volumes) for pump, volumes in self._volumes.items()}

    def back_to(self, kept: dict[int, list[int]]) -> None:
        self._volumes = kept

    def repeated(self, kept: dict[int, list[int]], rounds: int, most_nl: dict[int, int]) -> None:
        """What was added since `kept` is one round of `rounds`; no pump gives more than `most_nl` of it says."""
        for pump, volumes in self._volumes.items():
            before = kept.get(pump, [0, 0, 0])
            for kind in range(3):
                added = (volumes[kind] - before[kind]) * rounds
                if pump in most_nl:
                    added = min(added, most_nl[pump] * self.times)
                volumes[kind] = before[kind] + added

    def liquids(self) -> dict[int, Liquid]:
        named = {entry.pump: (name, entry) for name, entry in self._plan.pumps.items()}
        found = {}
        for pump in sorted({*named, *self._volumes}):
            name, entry = named.get(pump, (None, None))
            dispensed, primed, withdrawn = self._volumes.get(pump, [0, 0, 0])
            liquid, dead, holds = (entry.liquid, entry.dead_volume, entry.holds) if entry else (None, None, None)
            found[pump] = Liquid(
                pump, name, liquid, dispensed, primed, withdrawn, None if dead is None else int(dead), None if holds is None else int(holds)
            )
        return found
