"""Every step of a plan with its path in the file, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .model import Plan
from .source import Path_
from .steps import MEANWHILE, ParallelStep, RepeatStep
from .words import Words


def steps_of(plan: Plan) -> Iterator[tuple[Path_, Words]]:
    """Yield (path, step) for every step, also those inside repeat, every and parallel."""
    yield from _steps(plan.steps, ("steps",))


def _steps(steps: tuple[Any, ...], path: Path_) -> Iterator[tuple[Path_, Words]]:
    for at, step in enumerate(steps):
        here = (*path, at)
        yield here, step
        if isinstance(step, RepeatStep):
            yield from _steps(step.repeat.do, (*here, "repeat", "do"))
        elif isinstance(step, ParallelStep):
            yield from _steps(step.parallel, (*here, "parallel"))
        elif isinstance(step, MEANWHILE) and step.every:
            yield from _steps(step.every.do, (*here, "every", "do"))
