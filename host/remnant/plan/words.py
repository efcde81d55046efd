"""What the plan language is made of: a mapping that refuses unknown words, plain text, counts, names of cells and pumps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from .nearest import did_you_mean
from .quantity import Range, known, problem

BESIDE = ("every", "stop when", "name", "for", "then")  # keys that stand beside a step's word, where it takes them
CELLS = ("A", "B", "C", "D")  # a cell's letter is its channel: A is channel 0


class Words(BaseModel):
    """A mapping of the language: only its own words, never changed after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain_text(text: str) -> str:
    if not text.isprintable():
        raise problem("contains control characters.", "Write it as one line of plain text.")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain_text)]
Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_plain_text)]


def count(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise problem(f"'{value}' is not a whole number.", "Write e.g. 16.")
    return value


Pulses = Annotated[int, Range(at_least=1, at_most="probe_pulses_max"), BeforeValidator(count, json_schema_input_type=int | str)]
Times = Annotated[int, Range(at_least=1, at_most=65535), BeforeValidator(count, json_schema_input_type=int | str)]


TriggerNumber = Annotated[int, Range(at_least=1, at_most=2), BeforeValidator(count, json_schema_input_type=int | str)]
CellLetter = Literal["A", "B", "C", "D"]


def cell_there(letter: str, info: ValidationInfo) -> str:
    cells = known(info).cells
    if cells is not None and letter not in cells:
        raise problem(
            f"cell {letter} is not in this plan.",
            f"Name it under cells: {{{letter}: ...}}, or use one of: {', '.join(sorted(cells)) or 'none yet'}.",
        )
    return letter


def pump_number(number: int, info: ValidationInfo) -> int:
    count = known(info).limits.get("pumps")
    if number < 1 or (count is not None and number > count):
        have = f"pumps 1 to {count}" if count else "no pumps" if count == 0 else "pumps from 1 up"
        raise problem(f"pump {number} does not exist: the board has {have}.", "Use one of these." if count else "Use a rig with pumps.")
    return number


def _pump_there(pump: Any, info: ValidationInfo) -> Any:
    if isinstance(pump, bool) or not isinstance(pump, int | str):
        raise problem(f"'{pump}' names no pump.", "Write a pump's number (1) or its name.")
    if isinstance(pump, int):
        return pump_number(pump, info)
    names = known(info).pumps
    if info.context is not None and pump not in names:
        listed = f"Named here: {', '.join(names)}." if names else f"Name it: pumps: {{{pump}: {{pump: 1}}}}."
        raise problem(f"no pump is named '{pump}'.", did_you_mean(pump, names, listed))
    return pump


def pump_key_there(key: str, info: ValidationInfo) -> str:
    if key in BESIDE and key not in known(info).pumps:
        raise problem(f"'{key}' is no pump.", f"'{key}' stands beside 'flow', in a line of its own at the same depth.")
    _pump_there(int(key) if key.isdecimal() and len(key) < 10 and key not in known(info).pumps else key, info)
    return key


PumpKey = Annotated[str, AfterValidator(pump_key_there)]  # a pump where it is a key: its name, or its number as it is written
PumpReference = Annotated[int | str, BeforeValidator(_pump_there, json_schema_input_type=int | str)]
