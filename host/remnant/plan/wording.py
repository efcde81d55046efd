"""One line of plain text for each step: what the progress display, the manifest and the report call it."""

from __future__ import annotations

from .steps import ExposeStep, InfuseStep, NoteStep, ProbeStep, RampStep, SoakStep, WaitStep, WithdrawStep
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
        return f"wait for {step.wait.for_}"
    if isinstance(step, InfuseStep | WithdrawStep):
        word, dispense = ("infuse", step.infuse) if isinstance(step, InfuseStep) else ("withdraw", step.withdraw)
        return f"{word} {dispense.volume} at {dispense.flow} with pump {dispense.pump}"
    if isinstance(step, NoteStep):
        return step.note
    raise TypeError(f"no words for {type(step).__name__}")


def _meanwhile(step: SoakStep | ExposeStep) -> str:
    text = ""
    if step.every:
        text += f", every {step.every.period}: {', '.join(word_of(inner) for inner in step.every.do)}"
    for condition, value in (step.stop_when or {}).items():
        text += f", stop when {condition} {value}"
    return text


def word_of(step: Words) -> str:
    """Return the word that a step begins with: "ramp", "soak" ..."""
    return type(step).__name__.removesuffix("Step").lower()
