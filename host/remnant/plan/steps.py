"""The steps of a plan, as frozen models: one class for what a step is, one for what it needs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from .quantity import Band, ExposureTarget, LampIrradiance, Portion, PumpFlow, Rate, Setpoint, SignedFlow, WaitTime, problem
from .stops import StopWhen
from .words import Name, Pulses, PumpKey, PumpReference, Text, Times, TriggerNumber, Words


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
    for_: WaitTime | None = Field(None, alias="for", description="How long; or say `trigger` or `operator`.", examples=["10 min"])
    trigger: TriggerNumber | None = Field(None, description="Until this trigger input is active.", examples=[1])
    operator: Text | None = Field(
        None, description="Until a person has done this and said so (Enter, or `remnant continue`).", examples=["Put the film in"]
    )
    at_most: WaitTime = Field(
        "24 h",  # type: ignore[assignment]
        validate_default=True,
        alias="at most",
        description="With `trigger` or `operator`: when so much time has passed in vain, it is a fault.",
        examples=["10 min"],
    )

    @model_validator(mode="after")
    def _one_end(self) -> Wait:
        said = [word for word, value in (("for", self.for_), ("trigger", self.trigger), ("operator", self.operator)) if value is not None]
        if len(said) != 1:
            what = "none of for, trigger, operator" if not said else " and ".join(said)
            raise problem(f"it says {what}.", "Write one: for: 10 min, or trigger: 1, or operator: Put the film in.")
        if self.for_ is not None and "at_most" in self.model_fields_set:
            raise problem("it says for and at most.", "`at most` belongs to trigger and operator; take it out.")
        return self


class Dispense(Words):
    pump: PumpReference = Field(description="A name of `pumps`, or a number from 1.", examples=["antisolvent"])
    volume: Portion = Field(description="How much.", examples=["2 mL"])
    flow: PumpFlow = Field(description="How fast.", examples=["5000 mL/h"])


class Every(Words):
    period: WaitTime = Field(description="From one beginning to the next.", examples=["10 min"])
    do: tuple[BodyStep, ...] = Field(  # pyright: ignore[reportInvalidTypeForm] - built below from STEPS
        min_length=1, description="What to do, at once and then each period.", examples=[["probe"]]
    )


class Prime(Words):
    pump: PumpReference = Field(description="A name of `pumps`, or a number from 1.", examples=["antisolvent"])
    volume: Portion | None = Field(None, description="How much; without it the pump's `dead volume`.", examples=["0.5 mL"])
    flow: PumpFlow = Field(description="How fast.", examples=["60 mL/h"])


class Trigger(Words):
    output: TriggerNumber = Field(description="The trigger output, from 1.", examples=[1])
    for_: WaitTime = Field(alias="for", description="How long it is active.", examples=["16 min"])
    wait: bool = Field(True, strict=True, description="Wait for its end; false: go on at once.", examples=[True])


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
    wait: Wait = Field(description="Let time pass, or wait for a trigger or a person; nothing is switched.")
    every: Every | None = Field(None, description="What to do meanwhile.")
    stop_when: StopWhen | None = Field(None, alias="stop when")
    name: Name | None = None


class RepeatStep(Words):
    repeat: Repeat = Field(description="Do steps several times.")


class InfuseStep(Words):
    infuse: Dispense = Field(description="Push liquid out, and wait until it is out.")
    name: Name | None = None


class WithdrawStep(Words):
    withdraw: Dispense = Field(description="Draw liquid in, and wait until it is in.")
    name: Name | None = None


class PrimeStep(Words):
    prime: Prime = Field(description="Fill the tubing: push liquid out to waste; counted apart from what is dispensed.")
    name: Name | None = None


class FlowStep(Words):
    flow: dict[PumpKey, SignedFlow] = Field(
        min_length=1,
        description="Pumps and their flows, all started in one tick; a negative flow withdraws.",
        examples=[{"antisolvent": "5000 mL/h", "precursor": "60 mL/h"}],
    )
    for_: WaitTime | None = Field(None, alias="for", description="How long; then all stop in one tick.", examples=["30 s"])
    every: Every | None = Field(None, description="What to do meanwhile.")
    stop_when: StopWhen | None = Field(None, alias="stop when")
    then: Literal["stop", "keep"] = Field("stop", description="keep: the flows go on into the next step, which is a flow too.")
    name: Name | None = None


class ParallelStep(Words):
    parallel: tuple[Together, ...] = Field(  # pyright: ignore[reportInvalidTypeForm] - built below from STEPS
        min_length=1,
        description="infuse, withdraw and prime of several pumps, started in one tick; ends when all are done.",
        examples=[[{"infuse": {"pump": 1, "volume": "1 mL", "flow": "60 mL/h"}}]],
    )
    name: Name | None = None


class TriggerStep(Words):
    trigger: Trigger = Field(description="Switch a trigger output on for a time, e.g. a sonicator.")
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
    "prime": PrimeStep,
    "flow": FlowStep,
    "parallel": ParallelStep,
    "trigger": TriggerStep,
    "note": NoteStep,
}
BODY = ("probe", "wait", "infuse", "withdraw", "prime", "parallel", "trigger", "note")  # what may stand under `every`
TOGETHER = ("infuse", "withdraw", "prime")  # and under `parallel`


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
Together = _union(TOGETHER)
MEANWHILE = (SoakStep, ExposeStep, WaitStep, FlowStep)  # what may carry `every` and `stop when`


for _model in (Every, Repeat, *STEPS.values()):
    _model.model_rebuild()
