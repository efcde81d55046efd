"""The steps of a plan, as frozen models: one class for what a step is, one for what it needs."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from .quantity import Band, ExposureTarget, LampIrradiance, Portion, PumpFlow, Rate, Remnant, Setpoint, WaitTime, problem
from .words import Name, Pulses, PumpReference, Text, Times, Words, cell_there

REMNANT_BELOW = re.compile(r"remnant PL of ([A-Z]) below")


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
    do: tuple[BodyStep, ...] = Field(  # pyright: ignore[reportInvalidTypeForm] - built below from STEPS
        min_length=1, description="What to do, at once and then each period.", examples=[["probe"]]
    )


def _condition(key: str, info: ValidationInfo) -> str:
    match = REMNANT_BELOW.fullmatch(key)
    if not match:
        raise problem(f"'{key}' is no condition.", "Write e.g. remnant PL of A below: 10 %.")
    cell_there(match[1], info)
    return key


StopWhen = Annotated[
    dict[Annotated[str, AfterValidator(_condition)], Remnant],
    Field(
        min_length=1, description="What ends the step early: the first of these that is met.", examples=[{"remnant PL of A below": "10 %"}]
    ),
]


class Repeat(Words):
    times: Times = Field(description="How often.", examples=[10])
    do: tuple[Step, ...] = Field(  # pyright: ignore[reportInvalidTypeForm] - built below from STEPS
        min_length=1, description="The steps to repeat.", examples=[["probe"]]
    )


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


for _model in (Every, Repeat, *STEPS.values()):
    _model.model_rebuild()
