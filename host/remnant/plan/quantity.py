"""The value types of a plan: integers in wire units that parse themselves from "80 degC", each field with its range beside it.

A range is either fixed (`Range(above=0)`) or named by the board's limits (`Range(at_most="temp_max_mc")`); the limits come with the
validation context, so that every field of a plan is checked in one pass and no file can widen what the board allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

from remnant import units
from remnant_protocol.program import IRRADIANCE_MIN_UW_PER_CM2

_NUMBER = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?"
INPUT_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,31}"


@dataclass(frozen=True)
class Known:
    """What a field is judged against: the board's limits (LIMITS of its board.py; empty: unknown) and the names that this plan declares."""

    limits: Mapping[str, int] = field(default_factory=dict)
    cells: frozenset[str] | None = None
    pumps: Mapping[str, Any] = field(default_factory=dict)


def known(info: ValidationInfo) -> Known:
    return info.context if isinstance(info.context, Known) else Known()


def problem(text: str, hint: str = "") -> PydanticCustomError:
    """Return an error that carries our own words through pydantic."""
    return PydanticCustomError("plan", "{text} {hint}", {"text": text, "hint": hint})


class Quantity(int):
    """An integer in the wire unit of its `kind`, written in a plan as text with a unit."""

    kind: ClassVar[units.Kind]

    def __str__(self) -> str:
        return units.show(int(self), self.kind)

    __repr__ = __str__

    @classmethod
    def parse(cls, value: Any) -> Quantity:
        """Return `value` ("80 degC", or a quantity of this kind) as a quantity; raises the pydantic error that says what to write."""
        if isinstance(value, cls):
            return value
        try:
            return cls(units.parse(value, cls.kind))
        except units.QuantityError as err:
            raise problem(err.text, err.hint) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=core_schema.to_string_ser_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return cls.json_schema()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of such a quantity as it is written."""
        kind = cls.kind
        return {
            "type": "string",
            "pattern": rf"^(\${INPUT_NAME}|\s*{_NUMBER}\s*[^0-9\s].*)$",
            "description": f"{kind.noun[0].upper()}{kind.noun[1:]} with its unit ({', '.join(kind.accepted)}) or an input ($name).",
            "examples": [kind.example],
        }


class Temperature(Quantity):
    """Millidegrees Celsius."""

    kind = units.TEMPERATURE


class TemperatureDifference(Quantity):
    """Millidegrees Celsius between two temperatures."""

    kind = units.TEMPERATURE_DIFFERENCE


class Duration(Quantity):
    """Milliseconds."""

    kind = units.DURATION


class RampRate(Quantity):
    """Millidegrees Celsius per minute."""

    kind = units.RAMP


class Irradiance(Quantity):
    """Microwatts per square centimetre at the sample."""

    kind = units.IRRADIANCE


class Exposure(Quantity):
    """Millijoules per square centimetre at the sample."""

    kind = units.EXPOSURE


class Volume(Quantity):
    """Nanolitres."""

    kind = units.VOLUME


class Flow(Quantity):
    """Nanolitres per minute."""

    kind = units.FLOW


class Ratio(Quantity):
    """Permille."""

    kind = units.RATIO


@dataclass(frozen=True)
class Range:
    """The range of a field: numbers in its wire unit, or names of board limits. `above` excludes its bound."""

    above: int | None = None
    at_least: int | str | None = None
    at_most: int | str | None = None

    def check(self, value: Any, info: ValidationInfo) -> Any:
        """Return `value`, or raise the pydantic error that names value, limit and what to choose."""
        if value is None:
            return value
        limits = known(info).limits
        shown = type(value) if isinstance(value, Quantity) else str
        if self.above is not None and value <= self.above:
            bound = "zero" if self.above == 0 else shown(self.above)
            raise problem(f"{value} is not above {bound}.", f"Choose more than {bound}{self._example(value)}.")
        for bound, too_low in ((self.at_least, True), (self.at_most, False)):
            limit = limits.get(bound) if isinstance(bound, str) else bound
            if limit is None or (value >= limit if too_low else value <= limit):
                continue
            whose = "the board's limit" if isinstance(bound, str) else "the limit"
            side, choice = ("below", "more") if too_low else ("above", "less")
            raise problem(f"{value} is {side} {whose} of {shown(limit)}.", f"Choose {shown(limit)} or {choice}.")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self.check, handler(source))

    @staticmethod
    def _example(value: Any) -> str:
        return f", e.g. {value.kind.example}" if isinstance(value, Quantity) else ""


_WAIT = Range(above=0, at_most="wait_max_ms")

Setpoint = Annotated[Temperature, Range(at_least="temp_min_mc", at_most="temp_max_mc")]
Band = Annotated[TemperatureDifference, Range(at_least=100, at_most=20_000)]
WaitTime = Annotated[Duration, _WAIT]
Rate = Annotated[RampRate, Range(above=0, at_most="ramp_max_mc_per_min")]
LampIrradiance = Annotated[Irradiance, Range(above=0, at_least=IRRADIANCE_MIN_UW_PER_CM2, at_most="irradiance_max_uw_per_cm2")]
ExposureTarget = Annotated[Exposure, Range(above=0, at_most=2**31 - 1)]
Portion = Annotated[Volume, Range(above=0, at_most=2**31 - 1)]
PumpFlow = Annotated[Flow, Range(above=0, at_most="flow_max_nl_per_min")]


def _either_way(flow: Flow, info: ValidationInfo) -> Flow:
    if not flow:
        raise problem("0 mL/h is no flow.", "Leave the pump out, or write more than zero.")
    Range(at_most="flow_max_nl_per_min").check(Flow(abs(flow)), info)
    return flow


SignedFlow = Annotated[Flow, AfterValidator(_either_way)]
Remnant = Annotated[Ratio, Range(above=0, at_most=2000)]
