"""Pumps over the whole plan: one name each, one task at a time, no dose larger than what is in the syringe."""

from __future__ import annotations

from typing import Any

from .dosing import dead_volume, doses_of
from .model import Plan
from .quantity import Volume
from .source import Document, Path_
from .steps import FlowStep, ParallelStep, PrimeStep, RepeatStep, WithdrawStep


class Pumps:
    """Puts problems of pumps into `document`: of their names at once, of steps as they are looked at."""

    def __init__(self, plan: Plan, document: Document):
        self._plan = plan
        self._document = document
        first: dict[int, str] = {}
        for name, entry in plan.pumps.items():
            if entry.pump in first:
                text = f"pump {entry.pump} has a name already: '{first[entry.pump]}'."
                document.add(("pumps", name), text, "Give each pump one name.", key=True)
            first.setdefault(entry.pump, name)
            if entry.holds is not None and entry.dead_volume is not None and entry.dead_volume >= entry.holds:
                text = f"dead volume {entry.dead_volume} is not less than what the syringe holds ({entry.holds})."
                document.add(("pumps", name, "dead volume"), text, f"Choose less than {entry.holds}.")
        self._holds = {entry.pump: (name, entry.holds) for name, entry in plan.pumps.items() if entry.holds is not None}

    def look_at(self, step: Any, path: Path_) -> None:
        if isinstance(step, FlowStep):
            self._flow(step, path)
        elif isinstance(step, ParallelStep):
            self._parallel(step, path)
        else:
            self._dose(step, path)

    def _flow(self, step: FlowStep, path: Path_) -> None:
        plan, document = self._plan, self._document
        used: dict[int, str] = {}
        for key in step.flow:
            number = plan.pump_number(key)
            if number in used:
                text = f"'{key}' and '{used[number]}' are one pump, {number}."
                document.add((*path, "flow", key), text, "Name each pump once.", key=True)
            used.setdefault(number, key)
        for at, inner in enumerate(step.every.do if step.every else ()):
            for dose in doses_of(inner, plan):
                if dose[0] in used:
                    text = f"pump '{used[dose[0]]}' is flowing in this step and cannot dose."
                    document.add((*path, "every", "do", at), text, "Use another pump, or a step of its own.")
        if step.then == "keep" and not all(isinstance(after, FlowStep) for after in self._after(path)):
            document.add((*path, "then"), "keep: the next step is no flow, so the pumps would go on unseen.", "Write then: stop.")

    def _after(self, path: Path_) -> list[Any]:
        """Return what may follow the step at `path` (None: nothing); the last one of a repeat has its first one and what follows both."""
        steps: Any = self._plan.steps
        for part in path[1:-1]:
            steps = steps[part] if isinstance(part, int) else getattr(steps, part)
        at = path[-1]
        assert isinstance(at, int)
        if at + 1 < len(steps):
            after = steps[at + 1]
            while isinstance(after, RepeatStep):
                after = after.repeat.do[0]
            return [after]
        return [steps[0], *self._after(path[:-3])] if path[-3:-1] == ("repeat", "do") else [None]

    def _parallel(self, step: ParallelStep, path: Path_) -> None:
        used: set[int] = set()
        for at, inner in enumerate(step.parallel):
            number = doses_of(inner, self._plan)[0][0]
            if number in used:
                text = f"parallel: pump {number} has a task here already."
                self._document.add((*path, "parallel", at), text, "One task for each pump; put the other into a step of its own.")
            used.add(number)

    def _dose(self, step: Any, path: Path_) -> None:
        if isinstance(step, WithdrawStep):
            return  # what fits in is the syringe's own, which the rig knows
        for number, volume, _, _ in doses_of(step, self._plan):
            if isinstance(step, PrimeStep) and step.prime.volume is None and dead_volume(self._plan, number) is None:
                text = "prime: no volume, and the pump has no dead volume."
                self._document.add(path, text, "Write volume: 0.5 mL, or dead volume: 0.2 mL at the pump.", key=True)
            word = next(iter(type(step).model_fields))
            if number in self._holds and volume > self._holds[number][1]:
                name, holds = self._holds[number]
                text = f"{Volume(volume)} are more than pump '{name}' holds ({holds})."
                self._document.add((*path, word, "volume"), text, f"Choose {holds} or less, or refill it with withdraw in between.")
