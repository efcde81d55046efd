"""Errors as a person meets them: one clear message each, and the exit code that goes with it.

Every error of the project is a `RigError` with a code of `remnant_protocol.errors`. The words of a code (its sentence and the next
step) stand once, in `remnant_protocol.error_words`; a plan's problems carry their own words, because they name file, line and column.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

__all__ = ["Exit", "PlanError", "Problem", "RigError", "exit_code", "explain"]

_FAULT_CODES = frozenset(
    {
        codes.PUMP_STALLED,
        codes.PUMP_TRAVEL_END,
        codes.SENSOR_OPEN,
        codes.SENSOR_SHORT,
        codes.SENSOR_STALE,
        codes.SENSOR_SLOPE,
        codes.OVER_TEMPERATURE,
        codes.HEATER_DEAD,
        codes.SENSOR_DETACHED,
        codes.HEATER_STUCK_ON,
        codes.SENSORS_DISAGREE,
        codes.HEATER_OVERSHOOT,
        codes.LAMP_NOT_LIT,
        codes.WAIT_TIMEOUT,
        codes.INTERLOCK_OPEN,
        codes.STOP_PRESSED,
        codes.CAUSE_REMAINS,
        codes.TASK_FAILED,
        codes.TICK_LATE,
    }
)
_PLAN_SUBSYSTEM = 6


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    USAGE = 2
    PLAN = 3
    DEVICE = 4
    FAULT = 5
    INTERRUPTED = 130


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a plan: where (line and column count from 1; 0: the whole file), what with value and limit, what to do next."""

    file: str
    line: int
    column: int
    text: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.text}{' ' + self.hint if self.hint else ''}"


class PlanError(RigError):
    """A plan that cannot be run, with all its problems in the order of the file; `code` is PLAN_INVALID."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.text))
        super().__init__(codes.PLAN_INVALID, where=self.problems[0].file if self.problems else None)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def explain(err: BaseException) -> str:
    """Return what a person reads: "E305 heater: <what, where, value, limit>. <next step>", a line for each problem of a plan."""
    if isinstance(err, PlanError):
        return str(err)
    if not isinstance(err, RigError):
        return f"{type(err).__name__}: {err}"
    name, sentence, hint = _words(err.code)
    if err.text:
        sentence = err.text
    elif sentence:
        sentence = sentence.format(where=_shown(err.where), value=_shown(err.value), limit=_shown(err.limit))
    else:
        facts = [f"{label} {fact}" for label, fact in (("at", err.where), ("value", err.value), ("limit", err.limit)) if fact is not None]
        sentence = f"{name}{' (' + ', '.join(facts) + ')' if facts else ''}"
    words = [_closed(part) for part in (sentence, hint) if part]
    return f"E{err.code} {err.subsystem}: {' '.join(words)}"


def exit_code(err: BaseException) -> Exit:
    """Return the exit code of a command that ended with `err`."""
    if isinstance(err, KeyboardInterrupt):
        return Exit.INTERRUPTED
    if not isinstance(err, RigError):
        return Exit.DEVICE
    if err.code in _FAULT_CODES:
        return Exit.FAULT
    if err.code // 100 == _PLAN_SUBSYSTEM:
        return Exit.PLAN
    return Exit.DEVICE


def _words(code: int) -> tuple[str, str, str]:
    """Return (name, sentence, hint) of a code; a code that the table does not know keeps its number as its name."""
    from remnant_protocol import error_words  # read only when an error is shown

    return error_words.WORDS.get(code, (f"error {code}", "", ""))


def _shown(fact) -> str:
    return "unknown" if fact is None else str(fact)


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "`")) else sentence + "."
