"""How far a run is: by the planned length of its steps and the board's own time, so that virtual time needs no special case."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from remnant_protocol import messages as m

from ..plan import StepInfo


@dataclass(frozen=True)
class Progress:
    """fraction: 0..1; step: text of the step; board_s: board time since the start; temp_c, irradiance_mw_per_cm2: last reading;
    left_s: wall time left, None while nobody can tell; history_pages: that are still to come from the board's flash."""

    fraction: float
    step: str
    board_s: float
    temp_c: float | None
    irradiance_mw_per_cm2: float | None
    left_s: float | None
    history_pages: int = 0


_ENDS_A_QUESTION = (m.OPERATOR_ANSWERED, m.CONDITION_MET, m.STEP_ENDED, m.WAIT_TIMED_OUT, m.RUN_INTERRUPTED, m.RUN_ENDED)


class Follower:
    """Folds records into a Progress. asked: what an operator is asked at the moment, with the number of the question; None: nothing."""

    def __init__(self, steps: Sequence[StepInfo], prompts: Sequence[str] = ()):
        """steps: of the plan; none when it is not known. prompts: what an operator may be asked."""
        self._prompts = dict(enumerate(prompts))
        self._questions = 0
        self.asked: tuple[int, str] | None = None
        self._steps = {step.index: step for step in steps}
        self._planned_s = {step.index: max(step.planned_s / step.times, 0.1) for step in steps}  # of one pass
        self._total_s = sum(self._planned_s[step.index] * step.times for step in steps) or 1.0
        self._before_s = 0.0
        self._step: int | None = None
        self._step_began_s = 0.0
        self._started_s: float | None = None
        self._board_s = 0.0
        self._earlier_s = 0.0  # board time of the boots before this one
        self._wall_began = time.monotonic()
        self._fraction_began = 0.0  # where this host began to follow
        self._temp_c: float | None = None
        self._irradiance: float | None = None

    def record(self, fields: list[Any]) -> None:
        """Take one record of the run."""
        board_s = fields[2] + fields[3] / 1e6 + self._earlier_s
        if board_s < self._board_s:  # the board has started anew: its time in the dark does not count
            self._earlier_s += self._board_s - board_s
            board_s = self._board_s
        self._board_s = board_s
        if fields[0] == m.TELEMETRY:
            self._temp_c, self._irradiance = fields[7] / 1000, fields[10] / 1000
        elif fields[0] == m.EVENT:
            if fields[4] == m.RUN_STARTED:
                self._started_s = self._board_s
            elif fields[4] == m.OPERATOR_WANTED:
                self._questions += 1
                self.asked = (self._questions, self._prompts.get(fields[5], f"question {fields[5]} of its plan"))
            elif fields[4] in _ENDS_A_QUESTION:
                self.asked = None
            if fields[4] == m.STEP_BEGAN:
                self._step, self._step_began_s = fields[5], self._board_s
            elif fields[4] == m.STEP_ENDED and fields[5] == self._step:
                self._before_s += self._planned_s.get(fields[5], 0.0)
                self._step = None

    def from_here(self) -> None:
        """What was done until now was done while nobody looked: it tells nothing about the time that is left."""
        self._wall_began = time.monotonic()
        self._fraction_began = self.progress().fraction

    def progress(self) -> Progress:
        done_s = self._before_s
        if self._step is not None:
            done_s += min(self._board_s - self._step_began_s, self._planned_s.get(self._step, 0.0))
        fraction = min(done_s / self._total_s, 1.0)
        wall_s = time.monotonic() - self._wall_began
        done_here = fraction - self._fraction_began
        left_s = wall_s * (1 - fraction) / done_here if done_here > 0.005 else None
        step = self._steps[self._step].text if self._step in self._steps else ""
        board_s = self._board_s - self._started_s if self._started_s is not None else 0.0
        return Progress(fraction, step, board_s, self._temp_c, self._irradiance, left_s)
