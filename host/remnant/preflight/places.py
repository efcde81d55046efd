"""Where a step of the program stands in the plan's file."""

from __future__ import annotations

from ..errors import Problem
from ..plan import Plan
from ..plan.steps import RepeatStep
from ..plan.walk import steps_of

_INNER = {"every", "parallel"}  # words whose steps are no steps of the program


class Places:
    """Makes problems that point at a step, by the number it has in the program. steps: (number, step) in their order."""

    def __init__(self, plan: Plan):
        self._plan = plan
        steps = [(path, step) for path, step in steps_of(plan) if not (isinstance(step, RepeatStep) or _INNER.intersection(path))]
        self._paths = [path for path, _ in steps]
        self.steps = list(enumerate(step for _, step in steps))

    def problem(self, index: int | None, text: str, hint: str = "") -> Problem:
        """Return a problem at a step; index None: at the plan as a whole."""
        document = self._plan._document
        if document is None or index is None or index >= len(self._paths):
            return Problem(self._plan.file, 0, 0, text, hint)
        place = document.place(self._paths[index])
        return Problem(self._plan.file, place.line, place.column, text, hint)

    def cell(self, letter: str, text: str, hint: str = "") -> Problem:
        """Return a problem at a cell."""
        document = self._plan._document
        if document is None:
            return Problem(self._plan.file, 0, 0, text, hint)
        place = document.place(("cells", letter), key=True)
        return Problem(self._plan.file, place.line, place.column, text, hint)
