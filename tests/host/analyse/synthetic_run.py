"""A run folder whose truth is known: temperature, ageing, thermal quenching and photon noise, made without any code under test.

The sample ages in equivalent time with its own activation energy (90 kJ/mol, inside what the analysis assumes: 109 +- 30) and quenches as
I(T) = 1 / (1 + a exp(-E / kT)). The sample stands at the block's temperature (the lag is switched on where a test asks for it).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

MONITOR_DARK = 200.0
ACTIVATION_KJ = 90.0
_GAS = 8.314462618e-3
TELEMETRY_S = 10.0


def stretched(tau_h: float, beta: float) -> Callable[[float], float]:
    return lambda s_h: math.exp(-((max(s_h, 0.0) / tau_h) ** beta))


def mono(tau_h: float) -> Callable[[float], float]:
    return stretched(tau_h, 1.0)


def bi(w: float, tau_1_h: float, tau_2_h: float) -> Callable[[float], float]:
    return lambda s_h: w * math.exp(-s_h / tau_1_h) + (1 - w) * math.exp(-s_h / tau_2_h)


def second_order(rate_per_h: float) -> Callable[[float], float]:
    """None of the models of the analysis."""
    return lambda s_h: 1 / (1 + rate_per_h * max(s_h, 0.0))


CONTROL = stretched(1.165, 0.5726)  # 40 % at 1 h, 10 % at 5 h
TEMPLATED = mono(14.0)  # 70 % at 5 h


@dataclass
class Truth:
    """remnant(cell, t_h): true remnant (fraction) at stress time; final(cell): at the final reading, after cooling down;
    quench: true PL(soak)/PL(reference)."""

    decays: dict[str, Callable[[float], float]]
    zero_h: float
    quench: float
    final_h: float
    base_h: float  # equivalent time that had passed at the baseline: a stretched exponential loses 0.4 % in 60 s at 25 degC

    def remnant(self, cell: str, t_h: float) -> float:
        return self.decays[cell](t_h + self.zero_h) / self.decays[cell](self.base_h)

    def final(self, cell: str) -> float:
        return self.decays[cell](self.final_h) / self.decays[cell](self.base_h)


@dataclass
class Synthetic:
    """What to make. stop_at_h: run time at which the record ends; light: lamp instead of heat."""

    seed: int = 1
    decays: dict[str, Callable[[float], float]] = field(default_factory=lambda: {"A": TEMPLATED, "B": CONTROL})
    soak_degc: float = 80.0
    duration_h: float = 5.0
    every_h: float = 1 / 6
    pulses: int = 16
    stop_at_h: float | None = None
    light: bool = False
    lag_s: float = 0.0
    lamp_warms_k: float = 0.0
    status: str = "completed"
    compare: list[dict] = field(default_factory=list)
    simulated: bool = True
    title: str = "Thermal stability at 80 degC"


def sample_of(cell: str) -> str:
    return {"A": "templated", "B": "control"}.get(cell, cell)


def quench(temp_degc: float) -> float:
    """PL(T)/PL(25 degC), about 0.6 at 80 degC."""

    def level(kelvin: float) -> float:
        return 1 / (1 + 4000 * math.exp(-0.25 / (8.617333e-5 * kelvin)))

    return level(temp_degc + 273.15) / level(298.15)


def make_run(folder: Path, what: Synthetic) -> Truth:
    """Write the folder; return the truth behind it."""
    rng = np.random.default_rng(what.seed)
    folder.mkdir(parents=True, exist_ok=True)
    soak = 25.0 if what.light else what.soak_degc
    ramp_s = (soak - 25.0) / 5.0 * 60
    begin_s = 120.0
    zero_s = begin_s + ramp_s
    end_s = zero_s + what.duration_h * 3600
    total_s = end_s + (1500.0 if not what.light else 30.0)

    def block(t_s: np.ndarray) -> np.ndarray:
        up = np.clip(25 + (t_s - begin_s) * 5 / 60, 25, soak)
        cool = 22 + (soak - 22) * np.exp(-np.maximum(t_s - end_s, 0) / 300)
        return np.where(t_s <= end_s, up, np.maximum(cool, 25.0))

    fine = np.arange(0.0, total_s + 1, 1.0)
    if what.light:
        rate = ((fine >= begin_s) & (fine <= end_s)).astype(float)
    else:
        kelvin = block(fine) + 273.15
        rate = np.exp(-ACTIVATION_KJ / _GAS * (1 / kelvin - 1 / (soak + 273.15)))
    aged_h = np.concatenate(([0.0], np.cumsum((rate[1:] + rate[:-1]) / 2))) / 3600

    telemetry_t = np.arange(0.0, total_s, TELEMETRY_S)
    cut_s = total_s if what.stop_at_h is None else what.stop_at_h * 3600
    rows = []
    exposure = 0.0
    for t in telemetry_t[telemetry_t <= cut_s]:
        lit = what.light and begin_s <= t <= end_s
        irradiance = 10.0 + rng.normal(0, 0.02) if lit else 0.0
        exposure += irradiance * TELEMETRY_S / 1000 + 2e-6
        setpoint = 25.0 if t < begin_s or t > end_s else min(25 + (t - begin_s) * 5 / 60, soak)
        rows.append(
            {
                "t_s": round(float(t), 3),
                "board_time_us": int(t * 1e6),
                "state": "RUNNING",
                "step": 0,
                "setpoint_degC": round(float(setpoint), 3),
                "temp_degC": round(float(block(np.array(t))) + float(rng.normal(0, 0.02)), 3),
                "heater_duty_pct": 20.0,
                "lamp_duty_pct": 20.0 if lit else 0.0,
                "irradiance_mW_per_cm2": round(irradiance, 4),
                "exposure_J_per_cm2": round(exposure, 4),
                "tick_late_us": 100,
            }
        )
    _write(folder / "telemetry.csv", rows)

    times = [("baseline", 60.0)]
    hot_name = "lit" if what.light else "hot"
    times += [(hot_name, zero_s + i * what.every_h * 3600 + 5.0) for i in range(int(round(what.duration_h / what.every_h)))]
    times += [(hot_name, end_s - 5.0), ("final", total_s - 10.0)]
    probes = []
    for index, (name, t) in enumerate(times):
        if t > cut_s:
            break
        temp = float(block(np.array(t)))
        sample_temp = float(block(np.array(t - what.lag_s))) + (what.lamp_warms_k if name == "lit" else 0.0)
        for cell, decay in what.decays.items():
            bright = 30000 * decay(float(np.interp(t, fine, aged_h))) * quench(sample_temp)
            for pulse in range(what.pulses):
                monitor = 12000 * (1 + rng.normal(0, 0.001)) + MONITOR_DARK
                dark = 600 + rng.normal(0, 5)
                lit = 600 + bright * (monitor - MONITOR_DARK) / 12000 + rng.normal(0, math.sqrt((bright + 600) * 0.12) + 5)
                probes.append(
                    {
                        "t_s": t,
                        "board_time_us": int(t * 1e6),
                        "seq": index,
                        "probe": 0 if name == "baseline" else 2 if name == "final" else 1,
                        "name": name,
                        "cell": cell,
                        "sample": sample_of(cell),
                        "temp_degC": round(temp, 3),
                        "pulse": pulse,
                        "dark_counts": round(dark),
                        "lit_counts": round(lit),
                        "monitor_counts": round(monitor),
                        "probe_exposure_J_per_cm2": 0.0016,
                    }
                )
    _write(folder / "probes.csv", probes)
    empty = {"board_time_us": 0, "step": "", "code": ""}
    ended = {"t_s": cut_s, "seq": 9, "kind": "run_ended", "detail": json.dumps({"by": what.status})}
    _write(folder / "events.csv", [{"t_s": 0.0, "seq": 1, "kind": "run_started", "detail": "{}"} | empty, ended | empty])
    manifest = {
        "remnant_version": "0",
        "status": what.status,
        "simulated": what.simulated,
        "run_id": "r-" + str(what.seed),
        "title": what.title,
        "source": "liang2023 fig. 5b" if what.light else "liang2023 fig. 5c",
        "cells": {letter: {"index": i, "sample": sample_of(letter), "model": None} for i, letter in enumerate(what.decays)},
        "plan": {"name": "uv-365" if what.light else "heat-80", "sha256": "0" * 64, "inputs": {"duration": "5 h"}},
        "steps": [
            {"index": 0, "name": "baseline", "text": "probe at 25 degC", "planned_s": 60, "began_s": 0.0, "ended_s": 61.0},
            {"index": 1, "name": "soak", "text": "80 degC for 5 h", "planned_s": 18000, "began_s": zero_s, "ended_s": min(end_s, cut_s)},
        ],
        "compare": what.compare,
        "gaps": [],
        "records": {"count": len(rows)},
        "board": {"name": "virtual", "uid": "V1"},
        "monitor_dark_u16": MONITOR_DARK,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    zero_s = begin_s if what.light else zero_s
    return Truth(
        what.decays,
        float(np.interp(zero_s, fine, aged_h)),
        quench(soak),
        float(np.interp(total_s - 10.0, fine, aged_h)),
        float(np.interp(60.0, fine, aged_h)),
    )


def _write(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["t_s"])
        writer.writeheader()
        writer.writerows(rows)
