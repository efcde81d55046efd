"""Quantities as people write them ("5 degC/min", "10 mW/cm2") to the integers of the wire and back.

pint knows the units; it is loaded when the first quantity is read, and asked once for each spelling of a unit. The number and the unit
are told apart here, so that pint never evaluates a text that came from a file. Both micro signs are read; only ASCII is written.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A dimension with its wire unit: `per_base` wire units make one pint `base` unit.

    `shown`: pairs (wire units in one, ASCII unit), largest first; the last one serves whatever no other fits.
    `accepted`: spellings named in messages. Anything else that pint knows of the same dimension is read as well.
    """

    noun: str
    base: str
    per_base: int
    wire: str
    accepted: tuple[str, ...]
    example: str
    shown: tuple[tuple[float, str], ...]
    offset: bool = False


TEMPERATURE = Kind(
    "a temperature", "kelvin", 1000, "millidegrees Celsius", ("degC", "K", "degF"), "80 degC", ((1000, "degC"),), offset=True
)
TEMPERATURE_DIFFERENCE = Kind(
    "a temperature difference", "kelvin", 1000, "millidegrees Celsius", ("degC", "K", "degF"), "1 degC", ((1000, "degC"),)
)
DURATION = Kind(
    "a duration",
    "second",
    1000,
    "milliseconds",
    ("ms", "s", "min", "h", "d"),
    "5 h",
    ((3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")),
)
RAMP = Kind(
    "a ramp rate",
    "kelvin / minute",
    1000,
    "millidegrees Celsius per minute",
    ("degC/min", "K/min", "degC/s"),
    "5 degC/min",
    ((1000, "degC/min"),),
)
IRRADIANCE = Kind(
    "an irradiance",
    "microwatt / centimeter ** 2",
    1,
    "uW/cm2",
    ("mW/cm2", "W/m2", "uW/cm2"),
    "10 mW/cm2",
    ((1000, "mW/cm2"), (1, "uW/cm2")),
)
EXPOSURE = Kind(
    "a radiant exposure",
    "millijoule / centimeter ** 2",
    1,
    "mJ/cm2",
    ("J/cm2", "mJ/cm2", "Wh/m2"),
    "100 J/cm2",
    ((1000, "J/cm2"), (1, "mJ/cm2")),
)
VOLUME = Kind("a volume", "nanoliter", 1, "nanolitres", ("mL", "uL", "L"), "2 mL", ((1_000_000, "mL"), (1000, "uL"), (1, "nL")))
FLOW = Kind(
    "a flow", "nanoliter / minute", 1, "nanolitres per minute", ("mL/h", "mL/min", "uL/min"), "5000 mL/h", ((1_000_000 / 60, "mL/h"),)
)
RATIO = Kind("a ratio", "dimensionless", 1000, "permille", ("%",), "80 %", ((10, "%"),))

_NOUNS = {
    "[temperature]": "a temperature",
    "[time]": "a duration",
    "[temperature] / [time]": "a ramp rate",
    "[mass] / [time] ** 3": "an irradiance",
    "[mass] / [time] ** 2": "a radiant exposure",
    "[length] ** 3": "a volume",
    "[length] ** 3 / [time]": "a flow",
    "dimensionless": "a ratio",
    "[length]": "a length",
    "[length] ** 2": "an area",
    "[mass]": "a mass",
    "[current]": "an electric current",
    "[current] * [time]": "an electric charge",
    "[mass] * [length] ** 2 / [time] ** 2": "an energy",
    "[mass] * [length] ** 2 / [time] ** 3": "a power",
    "[mass] / [length] ** 3": "a density",
    "[length] / [time]": "a speed",
    "[mass] / [length] / [time] ** 2": "a pressure",
    "[substance]": "an amount of substance",
    "[substance] / [length] ** 3": "a concentration",
    "1 / [time]": "a frequency",
}
_ZERO_CELSIUS_IN_MILLIKELVIN = 273_150
# pint reads any prefix before any unit ("hh" is a hectohour); these are the ones that a chemist writes on purpose
# fmt: off
_ATOMS = frozenset((
    "degree_Celsius", "delta_degree_Celsius", "kelvin", "degree_Fahrenheit", "delta_degree_Fahrenheit", "microsecond", "millisecond",
    "second", "minute", "hour", "day", "week", "nanoliter", "microliter", "milliliter", "centiliter", "deciliter", "liter",
    "cubic_centimeter", "millimeter", "centimeter", "meter", "microwatt", "milliwatt", "watt", "kilowatt", "milliwatt_hour", "watt_hour",
    "microjoule", "millijoule", "joule", "kilojoule", "percent", "permille",
))
# fmt: on
_LARGEST = 2**53  # beyond it a float no longer counts single units
_TEXT_MAX = 64  # no quantity is longer; a text that is longer is not shown whole

_QUANTITY = re.compile(r"\s*(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*(?P<unit>.*?)\s*", re.DOTALL)
_UNIT = re.compile(r"[A-Za-z%]{1,24}(?:\^-?[1-9])?(?:\s*[/*. ]\s*[A-Za-z%]{1,24}(?:\^-?[1-9])?){0,3}")
_SPELLINGS = str.maketrans(
    {
        "\u00b5": "u",
        "\u03bc": "u",
        "\u2103": "degC",
        "\u00b0": "deg",
        "\u00b2": "2",
        "\u00b3": "3",
        "\u207b": "-",
        "\u00b9": "1",
        "\u00b7": " ",
        "\u2212": "-",
    }
)


class QuantityError(ValueError):
    """A text that is not the quantity that was asked for: `text` says what it is, `hint` what to write."""

    def __init__(self, text: str, hint: str):
        super().__init__(f"{text} {hint}".strip())
        self.text = text
        self.hint = hint


def parse(text: object, kind: Kind) -> int:
    """Return `text` ("80 degC") in whole wire units of `kind` (80000), rounded to the nearest.

    Raises QuantityError when the number, the unit or its dimension is not what `kind` asks for.
    """
    number, unit = _split(text, kind)
    dimension, factor, zero_kelvin = _unit(unit)
    if dimension is None:
        raise QuantityError(f"{_quoted(text)} has a unit that is not known: '{unit}'.", _advice(unit, kind))
    if dimension != _dimension(kind.base):
        what = _NOUNS.get(dimension, "of another dimension")
        raise QuantityError(
            f"{_ascii(text)} is {what}; {kind.noun} is needed, e.g. {kind.example}.", _advice(unit, kind) if unit == "C" else ""
        )
    wire = (number * factor + (zero_kelvin if kind.offset else 0.0)) * kind.per_base
    if kind.offset:
        wire -= _ZERO_CELSIUS_IN_MILLIKELVIN
    if not abs(wire) < _LARGEST:
        raise QuantityError(f"{_ascii(text)} is beyond any number a rig can hold.", f"Write {kind.noun}, e.g. {kind.example}.")
    return round(wire)


def dimension_of(text: object) -> str | None:
    """Return the noun of what `text` is ("a temperature"), or None when it is no quantity with a known unit."""
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) and len(text) <= _TEXT_MAX else None
    if not match or not match["unit"]:
        return None
    dimension = _unit(_normal(match["unit"]))[0]
    return _NOUNS.get(dimension, dimension) if dimension else None


def show(value: int, kind: Kind) -> str:
    """Return `value` (wire units of `kind`) in ASCII with the unit that reads best: 80000 -> "80 degC", 600000 ms -> "10 min"."""
    if not value:
        return f"0 {kind.shown[0][1]}"
    for scale, unit in kind.shown:
        if value % scale == 0 and abs(value) < scale * 10_000:
            return f"{value // scale} {unit}"
    scale, unit = next((pair for pair in kind.shown if abs(value) >= pair[0]), kind.shown[-1])
    return f"{value / scale:.6g} {unit}"


def _split(text: object, kind: Kind) -> tuple[float, str]:
    if isinstance(text, bool) or text is None or not isinstance(text, str | int | float):
        raise QuantityError(f"{_quoted(text)} is not {kind.noun}.", _write(kind))
    if not isinstance(text, str):
        raise QuantityError(
            f"{_quoted(text)} has no unit; {kind.noun} needs one of {', '.join(kind.accepted)}.", f"Write e.g. {kind.example}."
        )
    match = _QUANTITY.fullmatch(text.translate(_SPELLINGS)) if len(text) <= _TEXT_MAX else None
    if not match:
        raise QuantityError(f"{_quoted(text)} is not {kind.noun}.", _write(kind))
    unit = _normal(match["unit"])
    if not unit:
        raise QuantityError(
            f"{_quoted(text)} has no unit; {kind.noun} needs one of {', '.join(kind.accepted)}.", f"Write e.g. {kind.example}."
        )
    if re.match(r",\d", unit):
        raise QuantityError(f"{_quoted(text)} has a decimal comma.", f"Write a point: {_ascii(text).replace(',', '.', 1)}.")
    if re.search(r"\d\s*[A-Za-z]", unit.replace("^", "")) and not _UNIT.fullmatch(unit):
        raise QuantityError(f"{_quoted(text)} is more than one number with one unit.", _write(kind))
    return float(match["number"]), unit


def _write(kind: Kind) -> str:
    return f"Write a number with one of the units {', '.join(kind.accepted)}, e.g. {kind.example}."


def _advice(unit: str, kind: Kind) -> str:
    nearest = {"C": ["degC"], "deg": ["degC"]}.get(unit) or difflib.get_close_matches(unit, kind.accepted, 1, 0.4)
    listed = f"Units of {kind.noun}: {', '.join(kind.accepted)}."
    return f"Did you mean '{nearest[0]}'? {listed}" if nearest and nearest[0] in kind.accepted else listed


def _normal(unit: str) -> str:
    """Return one spelling for "mW/cm2", "mW cm-2" and "mW/cm**2"."""
    unit = unit.translate(_SPELLINGS).strip().replace("**", "^")
    return re.sub(r"(?<=[A-Za-z])(-?[1-9])(?![0-9])", r"^\1", unit)


@cache
def _registry() -> Any:
    import pint  # the only place that loads it: 0.4 s that a command without quantities does not pay

    return pint.UnitRegistry(on_redefinition="ignore")


@lru_cache(maxsize=1024)
def _dimension(unit: str) -> str:
    return str(_registry().parse_units(unit).dimensionality)


@lru_cache(maxsize=1024)
def _unit(unit: str) -> tuple[str | None, float, float]:
    """Return (dimension, factor to our base unit of that dimension, its zero in kelvin), or (None, 0, 0) for no known unit."""
    if not _UNIT.fullmatch(unit):
        return None, 0.0, 0.0
    registry = _registry()
    try:
        units = registry.parse_units(unit, as_delta=False)
        dimension = str(units.dimensionality)
        if dimension != "[temperature]":
            units = registry.parse_units(unit)
    except (AttributeError, AssertionError, ValueError, TypeError):
        return None, 0.0, 0.0  # an unknown unit is an AttributeError to pint; on a few texts its parser asserts
    one = registry.Quantity(1.0, units)
    if dimension == "[temperature]":
        zero = registry.Quantity(0.0, units).to("kelvin").magnitude
        return dimension, one.to("kelvin").magnitude - zero, zero
    if dimension not in _BASES:
        return dimension, 1.0, 0.0
    if not _ATOMS.issuperset(atom for atom, _ in one.unit_items()):
        return None, 0.0, 0.0
    return dimension, one.to(_BASES[dimension]).magnitude, 0.0


_BASES = {
    "[time]": DURATION.base,
    "[temperature] / [time]": RAMP.base,
    "[mass] / [time] ** 3": IRRADIANCE.base,
    "[mass] / [time] ** 2": EXPOSURE.base,
    "[length] ** 3": VOLUME.base,
    "[length] ** 3 / [time]": FLOW.base,
    "dimensionless": RATIO.base,
}


def _ascii(text: object) -> str:
    """Return `text` in one short ASCII line."""
    line = str(text).translate(_SPELLINGS)
    line = line.encode("ascii", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r").strip()
    return line if len(line) <= _TEXT_MAX else line[: _TEXT_MAX - 3] + "..."


def _quoted(text: object) -> str:
    return f"'{_ascii(text)}'"
