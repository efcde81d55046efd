"""What may end a step early: the keys of `stop when`, each with the quantity that belongs to it; the first that is met ends the step."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from .quantity import Duration, Exposure, Quantity, Range, Ratio, Temperature, Volume, problem
from .words import cell_there, pump_key_there

REMNANT_BELOW = re.compile(r"remnant PL of ([A-Z]) below")
VOLUME_OF = re.compile(r"volume of (.+)")
TIME = "time"
EXPOSURE = "radiant exposure"
SETTLED = "temperature settled at"

_I32 = 2**31 - 1
_KINDS: tuple[tuple[re.Pattern[str], type[Quantity], Range, str], ...] = (
    (REMNANT_BELOW, Ratio, Range(above=0, at_most=2000), "^remnant PL of [A-D] below$"),
    (VOLUME_OF, Volume, Range(above=0, at_most=_I32), "^volume of .+$"),
    (re.compile(TIME), Duration, Range(above=0, at_most="wait_max_ms"), "^time$"),
    (re.compile(EXPOSURE), Exposure, Range(above=0, at_most=_I32), "^radiant exposure$"),
    (re.compile(SETTLED), Temperature, Range(at_least="temp_min_mc", at_most="temp_max_mc"), "^temperature settled at$"),
)
_EXAMPLES = "remnant PL of A below: 80 %, radiant exposure: 100 J/cm2, time: 4 h, volume of 1: 2 mL, temperature settled at: 25 degC"
_SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "patternProperties": {pattern: kind.json_schema() for _, kind, _, pattern in _KINDS},
}


def _key(key: str, info: ValidationInfo) -> str:
    if match := REMNANT_BELOW.fullmatch(key):
        cell_there(match[1], info)
    elif match := VOLUME_OF.fullmatch(key):
        pump_key_there(match[1], info)
    elif key not in (TIME, EXPOSURE, SETTLED):
        raise problem(f"'{key}' is no condition.", f"Write one or more of: {_EXAMPLES}.")
    return key


def _with_keys(value: Any) -> Any:
    """A value is judged by its key, which pydantic does not hand to it."""
    return {key: (key, item) for key, item in value.items()} if isinstance(value, dict) else value


def _quantity(pair: tuple[str, Any], info: ValidationInfo) -> Any:
    key, value = pair
    for pattern, kind, allowed, _ in _KINDS:
        if pattern.fullmatch(key):
            return allowed.check(kind.parse(value), info)
    return value  # the key has its problem already


StopWhen = Annotated[
    dict[Annotated[str, AfterValidator(_key)], Annotated[Any, PlainValidator(_quantity)]],
    BeforeValidator(_with_keys),
    WithJsonSchema(_SCHEMA),
    Field(
        min_length=1,
        description="What ends the step early: the first of these that is met.",
        examples=[{"remnant PL of A below": "10 %"}],
    ),
]
