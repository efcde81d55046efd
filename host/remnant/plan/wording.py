"""One line of plain text for each step: what the progress display, the manifest and the report call it."""

from __future__ import annotations

from .steps import (
    ExposeStep,
    FlowStep,
    InfuseStep,
    NoteStep,
    ParallelStep,
    PrimeStep,
    ProbeStep,
    RampStep,
    SoakStep,
    TriggerStep,
    WaitStep,
    WithdrawStep,
)
from .words import Words


def sentence(step: Words) -> str:
    """Return what a step does: "soak at 80 degC for 5 h, every 10 min: probe"."""
    if isinstance(step, RampStep):
        return f"ramp to {step.ramp.to}" + (f" at {step.ramp.rate}" if step.ramp.rate else "")
    if isinstance(step, SoakStep):
        return f"soak at {step.soak.at} for {step.soak.for_}{_meanwhile(step)}"
    if isinstance(step, ExposeStep):
        expose = step.expose
        until = f"for {expose.for_}" if expose.for_ is not None else f"until {expose.until}"
        at = f" at {expose.at}" if expose.at is not None else ""
        return f"expose to {expose.irradiance} {until}{at}{_meanwhile(step)}"
    if isinstance(step, ProbeStep):
        probe = step.probe
        at = f" at {probe.at}" if probe.at is not None else ""
        return f"probe{' ' + probe.name if probe.name else ''}{at}, {probe.pulses} pulses"
    if isinstance(step, WaitStep):
        return f"wait for {_awaited(step)}{_meanwhile(step)}"
    if isinstance(step, TriggerStep):
        trigger = step.trigger
        return f"trigger output {trigger.output} for {trigger.for_}{'' if trigger.wait else ', without waiting'}"
    if isinstance(step, NoteStep):
        return step.note
    return _dosing(step)


def _dosing(step: Words) -> str:
    if isinstance(step, InfuseStep | WithdrawStep):
        word, dispense = ("infuse", step.infuse) if isinstance(step, InfuseStep) else ("withdraw", step.withdraw)
        return f"{word} {dispense.volume} at {dispense.flow} with pump {dispense.pump}"
    if isinstance(step, PrimeStep):
        prime = step.prime
        return f"prime pump {prime.pump} with {prime.volume or 'its dead volume'} at {prime.flow}"
    if isinstance(step, FlowStep):
        flows = ", ".join(f"{pump} {flow}" for pump, flow in step.flow.items())
        lasts = f" for {step.for_}" if step.for_ is not None else ""
        return f"flow {flows}{lasts}{_meanwhile(step)}{', then keep flowing' if step.then == 'keep' else ''}"
    if isinstance(step, ParallelStep):
        return "in parallel: " + ", ".join(_dosing(inner) for inner in step.parallel)
    raise TypeError(f"no words for {type(step).__name__}")


def _awaited(step: WaitStep) -> str:
    wait = step.wait
    if wait.for_ is not None:
        return str(wait.for_)
    what = f"trigger input {wait.trigger}" if wait.trigger is not None else f"the operator: {wait.operator}"
    return f"{what} (at most {wait.at_most})"


def _meanwhile(step: SoakStep | ExposeStep | WaitStep | FlowStep) -> str:
    text = ""
    if step.every:
        text += f", every {step.every.period}: {', '.join(word_of(inner) for inner in step.every.do)}"
    for condition, value in (step.stop_when or {}).items():
        text += f", stop when {condition} {value}"
    return text


def word_of(step: Words) -> str:
    """Return the word that a step begins with: "ramp", "soak" ..."""
    return type(step).__name__.removesuffix("Step").lower()
