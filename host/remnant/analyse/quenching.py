"""Reversible thermal quenching: what a reading taken hot would have been at the reference temperature.

PL falls when the sample is hot and comes back when it cools. A plan brackets the soak with readings at the reference temperature:

    baseline (reference) | heating up | hot readings 1 .. n | cooling down | final (reference)

Two pairs could give q = PL(hot)/PL(reference):

* the start pair, hot_1 / baseline, is off by all that ages between the two, the whole heating up included. A control that follows a
  stretched exponential loses a tenth or more there, when it decays fastest.
* the end pair, hot_n / final, is off only by the ageing between the last hot reading and the final one, when decay is slowest.

So q is the end pair, corrected for that rest: q = d hot_n / final, with d = f(s_final) / f(s_n), where f is the decay fitted to the hot
readings alone (their shape does not depend on q) and s is equivalent time at the soak temperature, integrated over the cooling
from telemetry. Where no model describes the readings, d is the slope of ln PL over the last six. The uncertainty holds: both readings,
the fit, the spread between models and that slope, the activation energy, temperature.

Without a final reading (stopped, fault, board lost) the start pair is used: f is extrapolated back to the baseline, q = f(0) / baseline.
That leans on the model where there is no reading, so half of the correction is added as uncertainty, and the result says so. With too few
hot readings for a fit nothing is corrected: remnant PL is then relative to the first hot reading.

Limits: q is one number for a cell at its soak temperature. It is assumed not to change while the sample ages. Small differences of
temperature between hot readings are corrected with the mean slope ln q / (T_hot - T_reference), and the whole correction is added as
uncertainty because the local slope is steeper. The sample is assumed to lag the block by up to 20 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .kinetics import Attempt, Readings, Solution, best, solve_all
from .pulses import Reading
from .results import Quenching

REFERENCE_SLOPE_PER_K = 0.005  # relative change of PL with temperature near the reference, assumed: no pair measures it there
_MODEL_SPREAD_AICC = 10.0  # models within this of the best say how far the shape is known
_START_CORRECTION_SHARE = 0.5
_SLOPE_READINGS = 6


@dataclass(frozen=True)
class Timed:
    """A reading with its equivalent time s_h since the baseline, s_u_h its uncertainty, and relative uncertainties.

    u_signal: pulses; u_lag_k: how far the sample may trail the block, K; u_lamp_k: how far the lamp may have warmed it, K.
    """

    reading: Reading
    s_h: float
    s_u_h: float
    u_signal: float
    u_lag_k: float
    u_lamp_k: float = 0.0


def quenching_of(baseline: Timed, hot: list[Timed], final: Timed | None, cooling_u_h: float) -> tuple[Quenching, list[Attempt]]:
    """Return (q, the fits to the hot readings it leans on) for hot readings in order of time.

    cooling_u_h: uncertainty of the equivalent time between last hot and final reading.
    """
    if not hot:
        return Quenching("not needed"), []
    attempts = _shape_of(hot, _start_slope(baseline, hot[0]))
    return _quenching(baseline, hot, final, cooling_u_h, attempts), attempts


def _start_slope(baseline: Timed, first: Timed) -> float:
    return _slope(first.reading.signal / baseline.reading.signal, first.reading.temp_degc - baseline.reading.temp_degc)


def _quenching(baseline: Timed, hot: list[Timed], final: Timed | None, cooling_u_h: float, attempts: list[Attempt]) -> Quenching:
    first, last = hot[0], hot[-1]
    start_ratio = first.reading.signal / baseline.reading.signal
    facts = {
        "reference_degc": baseline.reading.temp_degc,
        "start_ratio": start_ratio,
        "heating_up_equivalent_h": first.s_h,
        "u_heating_up_equivalent_h": first.s_u_h,
    }
    solutions = [solution for _, solution, _ in attempts if solution is not None]
    chosen = best(attempts)
    if final is not None and final.reading.signal > 0:
        poor = any(solution is chosen and status != "ok" for _, solution, status in attempts)
        ln_d, u_ln_d, source, note = _decay_between(solutions, chosen, poor, hot, final, cooling_u_h)
        ratio = last.reading.signal / final.reading.signal * math.exp(ln_d)
        slope = _slope(ratio, last.reading.temp_degc - final.reading.temp_degc)
        u_reference = REFERENCE_SLOPE_PER_K * math.hypot(final.u_lag_k, final.reading.temp_degc - baseline.reading.temp_degc)
        u_ln_q = math.hypot(last.u_signal, final.u_signal, u_ln_d, slope * last.u_lag_k, u_reference)
        return Quenching(
            "end pair",
            ratio,
            ratio * u_ln_q,
            last.reading.temp_degc,
            decay_between_pct=100 * (1 - math.exp(ln_d)),
            u_decay_between_pct=100 * u_ln_d,
            decay_model=source,
            note=note,
            **facts,
        )
    return _start_pair(baseline, first, solutions, chosen, _start_slope(baseline, first), facts)


def slope_per_k(quenching: Quenching) -> float:
    """Return d ln PL / dT in 1/K, the mean between reference and soak; 0 when unknown."""
    if quenching.ratio is None or quenching.hot_degc is None or quenching.reference_degc is None:
        return 0.0
    return _slope(quenching.ratio, quenching.hot_degc - quenching.reference_degc)


def _start_pair(
    baseline: Timed, first: Timed, solutions: list[Solution], chosen: Solution | None, slope: float, facts: dict[str, Any]
) -> Quenching:
    start_ratio, temp_degc = facts["start_ratio"], first.reading.temp_degc
    if chosen is None:
        u_base = math.hypot(first.u_signal, slope * first.u_lag_k)
        note = (
            "no final reading and too few hot ones to fit a decay: ageing while heating up is not corrected, so remnant PL is "
            "relative to the first hot reading"
        )
        return Quenching("start pair, uncorrected", start_ratio, start_ratio * u_base, temp_degc, note=note, **facts)

    def ln_at_baseline(p: np.ndarray, solution: Solution = chosen) -> float:
        return float(p[solution.layout.amplitude])  # ln of the fit at s = 0, in units of the first hot signal

    ln_0 = ln_at_baseline(chosen.p)
    ln_f = _ln(chosen.shape(first.s_h))
    spread = _spread([ln_at_baseline(s.p, s) for s in _comparable(solutions, chosen)])
    u_ln_q = math.hypot(chosen.uncertainty(ln_at_baseline), spread, _START_CORRECTION_SHARE * ln_f)
    ratio = start_ratio * math.exp(ln_0)  # the fit is in units of the first hot signal
    note = (
        "no final reading at the reference temperature: q from the start pair, corrected for ageing while heating up by extrapolating the "
        f"{chosen.law.name} fit; less certain than the end pair"
    )
    return Quenching(
        "start pair",
        ratio,
        ratio * u_ln_q,
        temp_degc,
        decay_between_pct=100 * (1 - math.exp(ln_f)),
        u_decay_between_pct=100 * math.hypot(spread, _START_CORRECTION_SHARE * ln_f),
        decay_model=chosen.law.name,
        note=note,
        **facts,
    )


def _shape_of(hot: list[Timed], slope: float) -> list[Attempt]:
    """Fit the decay of the hot signals alone, amplitude free, in units of the first."""
    scale = hot[0].reading.signal
    y = np.array([t.reading.signal / scale for t in hot])
    u = np.array([max(math.hypot(t.u_signal, slope * t.u_lag_k), 1e-5) for t in hot]) * np.abs(y)
    s_h = np.array([t.s_h for t in hot])
    return solve_all(Readings(s_h, y, np.maximum(u, 1e-6), np.full(len(hot), hot[0].s_u_h), np.ones(len(hot), dtype=bool)))


def _decay_between(
    solutions: list[Solution], chosen: Solution | None, poor: bool, hot: list[Timed], final: Timed, cooling_u_h: float
) -> tuple[float, float, str, str]:
    """Return (ln d, its standard uncertainty, what it comes from, a note where that is poor)."""
    last = hot[-1]
    gap_h = max(final.s_h - last.s_h, 0.0)
    if chosen is None:
        if len(hot) < 2 or hot[0].s_h >= last.s_h or min(hot[0].reading.signal, last.reading.signal) <= 0:
            return 0.0, 0.0, "", "one hot reading: ageing between it and the final reading is unknown and not corrected"
        rate = math.log(last.reading.signal / hot[0].reading.signal) / (last.s_h - hot[0].s_h)
        ln_d = min(rate * gap_h, 0.0)
        note = "too few hot readings for a fit: ageing towards the final reading from their mean slope, known to 100 %"
        return ln_d, abs(ln_d), "mean slope", note

    def ln_d_of(p: np.ndarray, solution: Solution = chosen, gap: float = gap_h) -> float:
        return _ln(solution.shape(last.s_h + gap, p)) - _ln(solution.shape(last.s_h, p))

    by_fit = ln_d_of(chosen.p)
    slope, u_slope = _last_slope(hot)
    by_slope = min(slope * gap_h, 0.0)
    spread = _spread([ln_d_of(s.p, s) for s in _comparable(solutions, chosen)])
    if poor:
        u_own, spread = u_slope * gap_h, max(spread, abs(by_fit - by_slope) / 2)
    else:
        u_own = chosen.uncertainty(ln_d_of)
    ln_d = by_slope if poor else by_fit
    u_cooling = abs(ln_d) * cooling_u_h / gap_h if gap_h else 0.0
    return ln_d, math.hypot(u_own, spread, u_cooling), "last slope" if poor else chosen.law.name, ""


def _last_slope(hot: list[Timed]) -> tuple[float, float]:
    """Return (d ln PL / ds in 1/h over the last hot readings, its standard uncertainty), weighted straight line."""
    last = hot[-_SLOPE_READINGS:]
    s = np.array([t.s_h for t in last])
    y = np.log([t.reading.signal for t in last])
    weight = 1 / np.array([max(t.u_signal, 1e-5) for t in last]) ** 2
    away = s - np.sum(weight * s) / weight.sum()
    spread = float(np.sum(weight * away**2))
    return (float(np.sum(weight * away * y)) / spread, 1 / math.sqrt(spread)) if spread > 0 else (0.0, 0.0)


def _comparable(solutions: list[Solution], chosen: Solution) -> list[Solution]:
    if chosen.aicc is None:
        return solutions
    return [s for s in solutions if s.aicc is not None and s.aicc - chosen.aicc <= _MODEL_SPREAD_AICC]


def _spread(values: list[float]) -> float:
    """Half the range between models, taken as a standard uncertainty."""
    return (max(values) - min(values)) / 2 if values else 0.0


def _slope(ratio: float, rise_k: float) -> float:
    return math.log(ratio) / rise_k if ratio > 0 and abs(rise_k) > 1 else 0.0


def _ln(values: np.ndarray) -> float:
    return math.log(max(float(values[0]), 1e-12))
