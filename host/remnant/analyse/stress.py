"""When did the stress begin and end, and what was it? Decided from telemetry, because that is what happened.

t = 0 is the moment the stress began: for heat the first telemetry row at which the setpoint stands at its soak value and the block is
within 1 K of it; for light the first row with the lamp on. The end is the last such row. Stress time stops at the end: a reading taken
after cooling down is placed at the end of the stress. Where telemetry shows neither, the manifest says what the plan was about: a liquid
acts from the beginning of the first step that dispenses it, time from the baseline on, both to the end of the run.

Heating up and cooling down age the sample too. Their share is expressed as *equivalent time* at the soak temperature,

    s = integral of exp(-Ea / R (1/T - 1/T_soak)) dt,

with an activation energy of 109 +- 30 kJ/mol: liang2023 fig. 5 shows the control at ~20 % after 2400 h ambient (a) and, at 80 degC,
at ~40 % after 1 h and ~10 % after 5 h (c), so ~20 % near 2.6 h; R ln(2400/2.6) / (1/298 K - 1/353 K) = 109 kJ/mol. The width is ours: other
samples differ, the encapsulated one lies higher. Valid while the mechanism is the same over the ramp; light needs none of this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .folder import RunData, number

ACTIVATION_KJ_PER_MOL = 109.0
ACTIVATION_U_KJ_PER_MOL = 30.0
SOAK_BAND_K = 1.0
HEAT_RISE_MIN_K = 5.0  # a setpoint this far above the first reading is a stress, not a reference temperature
_GAS_CONSTANT_KJ = 8.314462618e-3
_LAMP_ON_FRACTION = 0.05
_DISPENSE = ("infuse", "flow", "parallel")


@dataclass(frozen=True)
class Stress:
    """kind: "heat", "light", "heat and light", "liquid", "time" or "none"; times in s since run start, None when the stress never began.

    reference_degc: temperature of the first reading; soak_degc: the setpoint of the soak (None for light alone).
    """

    kind: str
    began_s: float | None
    ended_s: float | None
    time_zero: str
    reference_degc: float | None
    soak_degc: float | None
    soak_rows: np.ndarray
    lamp_rows: np.ndarray
    began_u_s: float = 0.0  # telemetry comes in steps: the beginning is known to one of them
    pauses: tuple[tuple[float, float], ...] = ()  # (from, to) in s since run start: a reset took the stress away until it was back

    @property
    def has_heat(self) -> bool:
        return "heat" in self.kind

    def stress_s(self, t_s: float) -> float:
        """Return stress time in s for a run time in s: 0 at the beginning, standing still in pauses and after the end."""
        if self.began_s is None:
            return 0.0
        until = min(t_s, self.ended_s) if self.ended_s is not None else t_s
        return until - self.began_s - sum(max(0.0, min(until, to) - begun) for begun, to in self.pauses)


def find_stress(data: RunData, reference_degc: float | None) -> Stress:
    """Return what stressed the samples, by telemetry alone."""
    t = data.column("t_s")
    nothing = np.zeros(len(t), dtype=bool)
    if not len(t):
        return Stress("none", None, None, "no telemetry: time counts from run start", reference_degc, None, nothing, nothing)
    setpoint, temp = data.column("setpoint_degC"), data.column("temp_degC")
    soak_degc, soak_rows, at_soak = None, nothing, nothing
    lamp_rows = _lamp_on(data)
    highest = _highest(setpoint)
    reference = reference_degc if reference_degc is not None else temp[np.isfinite(temp)][0] if np.isfinite(temp).any() else math.nan
    if highest is not None and highest - reference >= HEAT_RISE_MIN_K:
        at_soak = (np.abs(setpoint - highest) < 0.05) & (np.abs(temp - highest) <= SOAK_BAND_K)
        soak_degc = highest
        if at_soak.any():
            first, last = np.flatnonzero(at_soak)[[0, -1]]
            soak_rows = nothing.copy()
            soak_rows[first : last + 1] = np.abs(setpoint[first : last + 1] - highest) < 0.05
    heat, light = bool(soak_rows.any()), bool(lamp_rows.any())
    kind = "heat and light" if heat and light else "heat" if heat or soak_degc is not None else "light" if light else "none"
    if kind == "none":
        kind, began_s, zero = _unseen(data)
        if began_s is not None:
            ended_s = max([float(t[-1]), *(pulse.t_s for pulse in data.pulses)])
            all_rows = (t >= began_s) & (t <= ended_s)
            return Stress(kind, began_s, ended_s, zero, reference_degc, None, nothing, nothing, pauses=_pauses(data, all_rows))
    rows = soak_rows if kind.startswith("heat") else lamp_rows
    if not rows.any():
        why = "the soak temperature was not reached" if kind == "heat" else "no stress was seen"
        return Stress(kind, None, None, f"{why}: time counts from run start", reference_degc, soak_degc, soak_rows, lamp_rows)
    first, last = np.flatnonzero(rows)[[0, -1]]
    stressed = at_soak if kind.startswith("heat") else lamp_rows
    if heat and light:
        stressed = at_soak & lamp_rows
    zero = f"block within {SOAK_BAND_K:g} K of its soak setpoint" if kind.startswith("heat") else "lamp on"
    step_s = float(t[first] - t[first - 1]) if first else 0.0
    began_u_s = step_s / math.sqrt(12)
    return Stress(
        kind,
        float(t[first]),
        float(t[last]),
        f"t = 0: {zero}",
        reference_degc,
        soak_degc,
        soak_rows,
        lamp_rows,
        began_u_s,
        _pauses(data, stressed),
    )


def _unseen(data: RunData) -> tuple[str, float | None, str]:
    """Return (kind, began in s or None, what t = 0 is) of a stress that telemetry does not show."""
    told, steps = data.manifest.get("stress"), data.manifest.get("steps")
    if told == "liquid":
        for step in steps if isinstance(steps, list) else []:
            if isinstance(step, dict) and step.get("word") in _DISPENSE and math.isfinite(number(step.get("began_s"))):
                return "liquid", float(step["began_s"]), f"t = 0: {step.get('name')} began"
    elif told == "time" and data.pulses:
        named = [pulse.t_s for pulse in data.pulses if pulse.name == "baseline"]
        first = min(pulse.t_s for pulse in data.pulses)
        return "time", max(named) if named else first, "t = 0: the baseline was read"
    return "none", None, ""


def interrupted_at(data: RunData) -> list[float]:
    """Run times in s at which a reset or a power cut interrupted the run, as the manifest tells them."""
    told = data.manifest.get("interruptions")
    times = [number(entry.get("t_s")) for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    return sorted(t for t in times if math.isfinite(t))


def _pauses(data: RunData, stressed: np.ndarray) -> tuple[tuple[float, float], ...]:
    """From the last row under stress before an interruption to the first one after it; an interruption outside of the stress is none."""
    t = data.column("t_s")
    rows = np.flatnonzero(stressed)
    found: list[tuple[float, float]] = []
    for at_s in interrupted_at(data):
        before, after = rows[t[rows] <= at_s], rows[t[rows] > at_s]
        if before.size and after.size and (not found or t[before[-1]] >= found[-1][1]):
            found.append((float(t[before[-1]]), float(t[after[0]])))
    return tuple(found)


def equivalent_s(data: RunData, from_s: float, to_s: float, soak_degc: float) -> tuple[float, float]:
    """Return (equivalent time in s at the soak temperature between two run times, its standard uncertainty from Ea)."""
    if to_s <= from_s or len(data.known("temp_degC")[0]) < 2:
        return 0.0, 0.0
    inner_s, inner_degc = data.between("temp_degC", from_s, to_s)
    grid = np.concatenate(([from_s], inner_s, [to_s]))
    kelvin = np.concatenate(([data.at("temp_degC", from_s)], inner_degc, [data.at("temp_degC", to_s)])) + 273.15
    inverse = 1 / kelvin - 1 / (soak_degc + 273.15)
    times = [
        float(np.trapezoid(np.exp(-(ACTIVATION_KJ_PER_MOL + shift) / _GAS_CONSTANT_KJ * inverse), grid))
        for shift in (0.0, -ACTIVATION_U_KJ_PER_MOL, ACTIVATION_U_KJ_PER_MOL)
    ]
    return times[0], abs(times[1] - times[2]) / 2


def _lamp_on(data: RunData) -> np.ndarray:
    """Rows with the stress lamp on: by duty, or by irradiance above 5 % of its highest where no duty was recorded."""
    duty = data.column("lamp_duty_pct")
    if np.isfinite(duty).any():
        return np.nan_to_num(duty) > 0
    light = np.nan_to_num(data.column("irradiance_mW_per_cm2"))
    return light > max(_LAMP_ON_FRACTION * float(light.max(initial=0.0)), 0.01)


def _highest(setpoint: np.ndarray) -> float | None:
    known = setpoint[np.isfinite(setpoint)]
    return float(known.max()) if known.size else None
