"""The plan as a person writes it, as frozen models: every word of the language is a field here, with its range and description.

`README.md` beside this file shows each word with an example; `plan.schema.json` is generated from these models.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    model_validator,
)

from .quantity import (
    Band,
    Duration,
    ExposureTarget,
    LampIrradiance,
    Portion,
    PumpFlow,
    Range,
    Rate,
    Ratio,
    Remnant,
    Setpoint,
    WaitTime,
    known,
    problem,
)

CELLS = ("A", "B", "C", "D")  # a cell's letter is its channel: A is channel 0
REMNANT_BELOW = re.compile(r"remnant PL of ([A-Z]) below")


class Words(BaseModel):
    """A mapping of the language: only its own words, never changed after it was checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=True)


def _plain_text(text: str) -> str:
    if not text.isprintable():
        raise problem("contains control characters.", "Write it as one line of plain text.")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain_text)]
Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_plain_text)]


def _count(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise problem(f"'{value}' is not a whole number.", "Write e.g. 16.")
    return value


Pulses = Annotated[int, Range(at_least=1, at_most="probe_pulses_max"), BeforeValidator(_count, json_schema_input_type=int | str)]
Times = Annotated[int, Range(at_least=1, at_most=65535), BeforeValidator(_count, json_schema_input_type=int | str)]


# -- what the plan is about


class Cell(Words):
    """What one cell holds."""

    sample: Text = Field(description="What is in the cell.", examples=["PS-capped CsPbBr3"])
    model: Literal["templated", "control", "fresh"] | None = Field(
        None, description="Which sample of the physics model a virtual rig puts into the cell; real rigs ignore it."
    )


CellWords = Annotated[
    Cell, BeforeValidator(lambda value: {"sample": value} if isinstance(value, str) else value, json_schema_input_type=str | Cell)
]
CellLetter = Literal["A", "B", "C", "D"]


def _cell_there(letter: str, info: ValidationInfo) -> str:
    cells = known(info).cells
    if cells is not None and letter not in cells:
        raise problem(
            f"cell {letter} is not in this plan.",
            f"Name it under cells: {{{letter}: ...}}, or use one of: {', '.join(sorted(cells)) or 'none yet'}.",
        )
    return letter


def _cell_on_board(cells: dict[str, Cell], info: ValidationInfo) -> dict[str, Cell]:
    count = known(info).limits.get("cells")
    beyond = [letter for letter in cells if count is not None and CELLS.index(letter) >= count]
    if beyond:
        raise problem(f"cell {beyond[0]} is beyond the board's {count} cells.", f"Use {', '.join(CELLS[:count])}.")
    return cells


class Input(Words):
    """A value that a run may change: `remnant run plan.yaml --set name=value`."""

    default: str | int | float | bool = Field(description="The value without --set.", examples=["80 degC"])
    min: str | int | float | None = Field(None, description="The lowest value that --set may give.", examples=["40 degC"])
    max: str | int | float | None = Field(None, description="The highest value that --set may give.", examples=["100 degC"])


def _pump_number(number: int, info: ValidationInfo) -> int:
    count = known(info).limits.get("pumps")
    if number < 1 or (count is not None and number > count):
        have = f"pumps 1 to {count}" if count else "no pumps" if count == 0 else "pumps from 1 up"
        raise problem(f"pump {number} does not exist: the board has {have}.", "Use one of these." if count else "Use a rig with pumps.")
    return number


class Pump(Words):
    """A name for one of the board's pumps."""

    pump: Annotated[int, AfterValidator(_pump_number), BeforeValidator(_count)] = Field(
        description="The pump's number on the board, from 1.", examples=[1]
    )


def _pump_there(pump: Any, info: ValidationInfo) -> Any:
    if isinstance(pump, bool) or not isinstance(pump, int | str):
        raise problem(f"'{pump}' names no pump.", "Write a pump's number (1) or its name.")
    if isinstance(pump, int):
        return _pump_number(pump, info)
    names = known(info).pumps
    if info.context is not None and pump not in names:
        listed = f"Named here: {', '.join(names)}." if names else f"Name it: pumps: {{{pump}: {{pump: 1}}}}."
        raise problem(f"no pump is named '{pump}'.", listed)
    return pump


PumpReference = Annotated[int | str, BeforeValidator(_pump_there, json_schema_input_type=int | str)]


def _percent(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        percent = float(value)
    else:
        percent = Ratio.parse(value) / 10
    if not 0 <= percent <= 1000:
        raise problem(f"{percent:g} % is outside 0 to 1000 %.", "Write it in percent of the start, e.g. 70 %.")
    return percent


Percent = Annotated[float, BeforeValidator(_percent, json_schema_input_type=str | float)]


class Compare(Words):
    """A published value, shown beside the measured one."""

    cell: Annotated[CellLetter, AfterValidator(_cell_there)] = Field(description="The cell it is compared with.")
    at: Annotated[Duration, Range(above=0)] = Field(description="Time since the stress began.", examples=["5 h"])
    published: Text = Field(description="The value as printed.", examples=["~70 %"])
    value: Percent | None = Field(None, description="The value in percent, or null where no number is printed.", examples=["70 %"])
    scatter: Percent | None = Field(None, description="How far (+-, percentage points) the printed value may be read.")
    source: Text = Field(description="Where it is printed.", examples=["liang2023 fig. 5c"])


# -- steps


class Ramp(Words):
    to: Setpoint = Field(description="The temperature to go to.", examples=["80 degC"])
    rate: Rate | None = Field(
        None, description="How fast the setpoint moves; without it, it jumps. Cooling is passive.", examples=["5 degC/min"]
    )


class Soak(Words):
    at: Setpoint = Field(description="The temperature to hold.", examples=["80 degC"])
    for_: WaitTime = Field(alias="for", description="How long, counted from when the temperature has settled.", examples=["5 h"])
    within: Band = Field("1 degC", validate_default=True, description="Settled means: inside this band around `at` ...")  # type: ignore[assignment]
    settle: WaitTime = Field("30 s", validate_default=True, description="... for this long without a break.")  # type: ignore[assignment]


class Expose(Words):
    irradiance: LampIrradiance = Field(description="At the sample.", examples=["10 mW/cm2"])
    for_: WaitTime | None = Field(None, alias="for", description="How long; or say `until`.", examples=["48 h"])
    until: ExposureTarget | None = Field(None, description="The radiant exposure to add; or say `for`.", examples=["100 J/cm2"])
    at: Setpoint | None = Field(None, description="The temperature to hold; without it the heater is left as it is.", examples=["25 degC"])

    @model_validator(mode="after")
    def _one_end(self) -> Expose:
        if (self.for_ is None) == (self.until is None):
            what = "neither for nor until" if self.for_ is None else "both for and until"
            raise problem(f"it says {what}.", "Write one: for: 48 h, or until: 100 J/cm2.")
        return self


class Probe(Words):
    name: Name | None = Field(None, description="What the reading is called in the data.", examples=["baseline"])
    at: Setpoint | None = Field(
        None, description="Go to this temperature first; without it the reading is taken as the sample is.", examples=["25 degC"]
    )
    pulses: Pulses = Field(16, validate_default=True, description="Excitation pulses to average.", examples=[16])


class Wait(Words):
    for_: WaitTime = Field(alias="for", description="How long.", examples=["10 min"])


class Dispense(Words):
    pump: PumpReference = Field(description="A name of `pumps`, or a number from 1.", examples=["antisolvent"])
    volume: Portion = Field(description="How much.", examples=["2 mL"])
    flow: PumpFlow = Field(description="How fast.", examples=["5000 mL/h"])


class Every(Words):
    period: WaitTime = Field(description="From one beginning to the next.", examples=["10 min"])
    do: tuple[BodyStep, ...] = Field(min_length=1, description="What to do, at once and then each period.", examples=[["probe"]])


def _condition(key: str, info: ValidationInfo) -> str:
    match = REMNANT_BELOW.fullmatch(key)
    if not match:
        raise problem(f"'{key}' is no condition.", "Write e.g. remnant PL of A below: 10 %.")
    _cell_there(match[1], info)
    return key


StopWhen = Annotated[
    dict[Annotated[str, AfterValidator(_condition)], Remnant],
    Field(
        min_length=1, description="What ends the step early: the first of these that is met.", examples=[{"remnant PL of A below": "10 %"}]
    ),
]


class Repeat(Words):
    times: Times = Field(description="How often.", examples=[10])
    do: tuple[Step, ...] = Field(min_length=1, description="The steps to repeat.")


class RampStep(Words):
    ramp: Ramp = Field(description="Move the temperature and wait until it is there.")
    name: Name | None = None


class SoakStep(Words):
    soak: Soak = Field(description="Hold a temperature.")
    every: Every | None = Field(None, description="What to do meanwhile.")
    stop_when: StopWhen | None = Field(None, alias="stop when")
    name: Name | None = None


class ExposeStep(Words):
    expose: Expose = Field(description="Light on, for a time or up to a radiant exposure, then off.")
    every: Every | None = Field(None, description="What to do meanwhile.")
    stop_when: StopWhen | None = Field(None, alias="stop when")
    name: Name | None = None


class ProbeStep(Words):
    probe: Annotated[Probe, BeforeValidator(lambda value: {} if value is None else value, json_schema_input_type=Probe | None)] = Field(
        description="Read the photoluminescence of every cell."
    )


class WaitStep(Words):
    wait: Wait = Field(description="Let time pass; nothing is switched.")
    name: Name | None = None


class RepeatStep(Words):
    repeat: Repeat = Field(description="Do steps several times.")


class InfuseStep(Words):
    infuse: Dispense = Field(description="Push liquid out, and wait until it is out.")
    name: Name | None = None


class WithdrawStep(Words):
    withdraw: Dispense = Field(description="Draw liquid in, and wait until it is in.")
    name: Name | None = None


class NoteStep(Words):
    note: Text = Field(description="A line for the record.", examples=["lid closed"])


STEPS: dict[str, type[Words]] = {
    "ramp": RampStep,
    "soak": SoakStep,
    "expose": ExposeStep,
    "probe": ProbeStep,
    "wait": WaitStep,
    "repeat": RepeatStep,
    "infuse": InfuseStep,
    "withdraw": WithdrawStep,
    "note": NoteStep,
}
BODY = ("probe", "wait", "infuse", "withdraw", "note")  # what may stand under `every`


def tag_of(word: str) -> str:
    """Return the name pydantic gives the branch of a step; never a word that a plan can hold at that place."""
    return f"<{word}>"


def _word(value: Any) -> str | None:
    """Return the branch of the step that `value` is, by the one step word in it."""
    if isinstance(value, Words):
        return next((tag_of(word) for word, model in STEPS.items() if isinstance(value, model)), None)
    if value == "probe":
        return tag_of("probe")
    words = [word for word in STEPS if word in value] if isinstance(value, dict) else []
    return tag_of(words[0]) if len(words) == 1 else None


def _branch(word: str) -> Any:
    model = STEPS[word]
    if word == "probe":  # the bare word is a probe with everything at its default
        return Annotated[
            ProbeStep,
            BeforeValidator(
                lambda value: {"probe": {}} if value == "probe" else value, json_schema_input_type=Literal["probe"] | ProbeStep
            ),
            Tag(tag_of(word)),
        ]
    return Annotated[model, Tag(tag_of(word))]


def _union(words: Any) -> Any:
    branches = [_branch(word) for word in words]
    union = branches[0]
    for branch in branches[1:]:
        union = union | branch
    return Annotated[union, Discriminator(_word)]


Step = _union(STEPS)
BodyStep = _union(BODY)


# -- the whole


class OnFault(Words):
    """What each output does when the board meets a fault. The faulty output itself always goes off."""

    heater: Literal["off", "keep"] = "off"
    lamp: Literal["off", "keep"] = "off"
    pumps: Literal["stop", "keep"] = "stop"


class HostLost(Words):
    """What the board does when the host is gone for longer than `after`."""

    then: Literal["continue", "hold", "stop"] = Field("continue", description="continue: go on; hold: stay in the step; stop: end the run.")
    after: Annotated[Duration, Range(at_least=1000, at_most=65_535_000)] = Field(
        "60 s", validate_default=True, description="How long the host may be away."
    )  # type: ignore[assignment]


class Record(Words):
    period: Annotated[Duration, Range(at_least="telemetry_min_ms", at_most=3_600_000)] = Field(
        description="From one telemetry record to the next.", examples=["1 s"]
    )


class Plan(Words):
    """A Remnant plan."""

    version: Annotated[
        Literal["1"],
        BeforeValidator(lambda value: "1" if value == 1 and value is not True else value, json_schema_input_type=Literal["1", 1]),
    ] = Field(description="The version of the plan language.")
    title: Text = Field(description="What this run is.", examples=["Thermal stability at 80 degC"])
    source: Text | None = Field(None, description="Where the test comes from.", examples=["liang2023 fig. 5c"])
    inputs: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")], Input] = Field(
        default_factory=dict, description="Values that a run may change."
    )
    cells: Annotated[dict[CellLetter, CellWords], AfterValidator(_cell_on_board)] = Field(
        default_factory=dict, description="What the cells hold."
    )
    pumps: dict[Name, Pump] = Field(default_factory=dict, description="Names for the board's pumps.")
    steps: tuple[Step, ...] = Field(min_length=1, description="What happens, in order.")
    on_fault: OnFault = Field(default_factory=OnFault, alias="on fault")
    host_lost: Annotated[
        HostLost,
        BeforeValidator(
            lambda value: {"then": value} if isinstance(value, str) else value,
            json_schema_input_type=Literal["continue", "hold", "stop"] | HostLost,
        ),
    ] = Field(default_factory=HostLost, alias="host lost", description="What happens when the host is gone.")
    record: Record | None = Field(
        None, description="How often telemetry is recorded; without it 1 s in runs up to 6 h, 10 s in longer ones."
    )
    compare: tuple[Compare, ...] = Field((), description="Published values to show beside the measured ones.")

    _document: Any = PrivateAttr(None)
    _inputs: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> str:
        """The name of the file the plan was read from."""
        return self._document.file if self._document else "<plan>"

    @property
    def text(self) -> str:
        """The plan as it was written."""
        return self._document.text if self._document else ""

    @property
    def inputs_used(self) -> dict[str, Any]:
        """The value of each input in this run, as written."""
        return dict(self._inputs)


for _model in (Every, Repeat, Plan, *STEPS.values()):
    _model.model_rebuild()
