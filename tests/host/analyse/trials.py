"""Runs with a known truth, made in memory and fast: many seeded trials of one experiment, for the coverage of stated intervals.

The block follows a fixed course (baseline, ramp, soak, cooling, final reading; or light at one temperature). The samples age in equivalent
time with an activation energy that is drawn anew for each trial from what the analysis assumes, quench reversibly when hot, and are read
by pulses with photon noise, read noise and an excitation that wanders from pulse to pulse and drifts over the run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from remnant.analyse.folder import Pulse, RunData
from remnant.analyse.stress import ACTIVATION_KJ_PER_MOL, ACTIVATION_U_KJ_PER_MOL

MONITOR_DARK = 200.0
REFERENCE_DEGC, RAMP_K_PER_MIN = 25.0, 5.0
_BEGIN_S, _STEP_S, _TAIL_S = 120.0, 20.0, 1500.0
_GAS = 8.314462618e-3

Decay = Callable[[np.ndarray], np.ndarray]


def mono(tau_h: float) -> Decay:
    return lambda s: np.exp(-s / tau_h)


def bi(w: float, tau_1_h: float, tau_2_h: float) -> Decay:
    return lambda s: w * np.exp(-s / tau_1_h) + (1 - w) * np.exp(-s / tau_2_h)


def stretched(tau_h: float, beta: float) -> Decay:
    return lambda s: np.exp(-((np.maximum(s, 0.0) / tau_h) ** beta))


@dataclass(frozen=True)
class Experiment:
    """What all trials share. decays: cell -> law in equivalent hours since the baseline."""

    decays: dict[str, Decay]
    light: bool = False
    soak_degc: float = 80.0
    duration_h: float = 5.0
    readings: int = 24
    pulses: int = 8
    bright_counts: float = 30000.0
    outlier_share: float = 0.0
    quench: float = 0.6

    @functools.cached_property
    def zero_s(self) -> float:
        """Run time in s at which the stress begins."""
        return _BEGIN_S if self.light else _BEGIN_S + (self.soak_degc - REFERENCE_DEGC) / RAMP_K_PER_MIN * 60

    @functools.cached_property
    def t_s(self) -> np.ndarray:
        return np.arange(0.0, self.zero_s + self.duration_h * 3600 + _TAIL_S, _STEP_S)

    @functools.cached_property
    def block_degc(self) -> np.ndarray:
        if self.light:
            return np.full(len(self.t_s), REFERENCE_DEGC)
        up = np.clip(REFERENCE_DEGC + (self.t_s - _BEGIN_S) * RAMP_K_PER_MIN / 60, REFERENCE_DEGC, self.soak_degc)
        end_s = self.zero_s + self.duration_h * 3600
        down = np.maximum(self.soak_degc - (self.t_s - end_s) * RAMP_K_PER_MIN / 60, REFERENCE_DEGC)
        return np.where(self.t_s <= end_s, up, down)

    @functools.cached_property
    def probe_s(self) -> np.ndarray:
        """Run times of the readings: baseline, those under stress, final."""
        first, last = self.zero_s + 120.0, self.zero_s + self.duration_h * 3600 - 10.0
        return np.concatenate(([60.0], np.linspace(first, last, self.readings), [self.t_s[-1] - 20.0]))

    @functools.cached_property
    def telemetry(self) -> dict[str, np.ndarray]:
        end_s = self.zero_s + self.duration_h * 3600
        lit = self.light & (self.t_s >= self.zero_s) & (self.t_s <= end_s)
        light = np.where(lit, 10.0, 0.0)
        setpoint = np.where(self.t_s <= end_s, self.block_degc, REFERENCE_DEGC)
        return {
            "t_s": self.t_s,
            "setpoint_degC": setpoint,
            "temp_degC": self.block_degc,
            "lamp_duty_pct": np.where(lit, 20.0, 0.0),
            "irradiance_mW_per_cm2": light * 1e-3,  # so weak that it warms nothing: that uncertainty does not scatter
            "exposure_J_per_cm2": np.cumsum(light) * _STEP_S / 1000 + 1e-9 * self.t_s,
        }

    def aged_h(self, activation_kj: float) -> np.ndarray:
        """Equivalent hours since run start, on the grid of the telemetry."""
        if self.light:
            rate = self.telemetry["lamp_duty_pct"] > 0
        else:
            rate = np.exp(-activation_kj / _GAS * (1 / (self.block_degc + 273.15) - 1 / (self.soak_degc + 273.15)))
        return np.concatenate(([0.0], np.cumsum((rate[1:] * 1.0 + rate[:-1]) / 2))) * _STEP_S / 3600


@dataclass(frozen=True)
class Truth:
    """base_h, zero_h, final_h: equivalent time at the baseline, at t = 0, at the final reading."""

    experiment: Experiment
    base_h: float
    zero_h: float
    final_h: float

    def remnant(self, cell: str, t_h: float) -> float:
        """Fraction left at stress time t_h."""
        return float(self.experiment.decays[cell](np.array(t_h + self.zero_h - self.base_h)))

    def final(self, cell: str) -> float:
        return float(self.experiment.decays[cell](np.array(self.final_h - self.base_h)))

    def time_to(self, cell: str, level: float) -> float:
        """Stress time in h at which the fraction is left."""
        return float(brentq(lambda t: self.remnant(cell, t) - level, self.base_h - self.zero_h, 1e4))


def trial(what: Experiment, seed: int) -> tuple[RunData, Truth]:
    """Return one run and its truth."""
    rng = np.random.default_rng(seed)
    aged = what.aged_h(rng.normal(ACTIVATION_KJ_PER_MOL, ACTIVATION_U_KJ_PER_MOL))
    base_h, zero_h = (float(np.interp(t, what.t_s, aged)) for t in (what.probe_s[0], what.zero_s))
    s_h = np.interp(what.probe_s, what.t_s, aged) - base_h
    if what.light:  # the lamp came on somewhere in the step of the telemetry that shows it
        s_h = np.maximum(s_h + (rng.random() - 0.5) * _STEP_S / 3600 * (s_h > 0), 0.0)
    degc = np.interp(what.probe_s, what.t_s, what.block_degc)
    hot = degc > REFERENCE_DEGC + 1
    names = ["baseline"] + ["hot"] * what.readings + ["final"]
    drift = np.linspace(1.0, 0.95, len(s_h))[:, None]  # the LED ages: the monitor sees it
    pulses = []
    shape = (len(s_h), what.pulses)
    for cell, decay in what.decays.items():
        level = what.bright_counts * decay(s_h) * np.where(hot, what.quench, 1.0)
        excitation = drift * (1 + rng.normal(0, 0.002, shape))
        monitor = 12000 * excitation + MONITOR_DARK
        emitted = level[:, None] * excitation
        dark = 600 + rng.normal(0, 5, shape)
        lit = 600 + emitted + rng.normal(0, 1, shape) * np.sqrt(0.12 * (emitted + 600))
        if what.outlier_share:
            lit = lit + (rng.random(shape) < what.outlier_share) * level[:, None] * rng.choice([-0.5, 0.5], shape)
        for i, t_s in enumerate(what.probe_s):
            pulses += [
                Pulse(t_s, 0, names[i], cell, cell, degc[i], d, e, m, 1e-6)
                for d, e, m in zip(dark[i].tolist(), lit[i].tolist(), monitor[i].tolist(), strict=True)
            ]
    manifest = {"monitor_dark_u16": MONITOR_DARK, "status": "completed"}
    final_h = float(s_h[-1] + base_h)
    return RunData(manifest=manifest, telemetry=what.telemetry, pulses=pulses), Truth(what, base_h, zero_h, final_h)
