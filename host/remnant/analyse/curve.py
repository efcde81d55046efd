"""Remnant PL of one cell: readings to curve, headline, crossings and fits.

    remnant(t) = signal(t) / signal(baseline)                  at the reference temperature
    remnant(t) = signal(t) / (q signal(baseline))              read hot, q from `quenching`

Uncertainty: a reading's own part (pulses, temperature) is independent from point to point. The baseline and q are common: they scale
the whole curve and are carried beside it, in every total. The baseline enters as it is, 100 % by definition; its uncertainty is in all
other points. The fits take the signals themselves, baseline and final reading among them, with q as one of their unknowns (`kinetics`).

T95, T80 and T50 are those of the preferred fit where it describes the readings, else interpolated between readings.

The headline is what was left when the final reading was taken: heating up and cooling down aged the sample too and are in it, as they
are in any published number. On the time axis it stands at the end of the stress.

A lit sample may be warmer than the block by up to 0.05 K per mW/cm2 (assumed), which quenches PL by 0.5 % per K (assumed): that is in the
uncertainty common to the lit readings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .confidence import coverage_factor
from .crossing import CrossPoint, crossing
from .fits import LEVELS_PCT, describe, time_to
from .folder import RunData
from .kinetics import Attempt, Readings, solve_all
from .pulses import OUTLIER_SIGMAS, Reading
from .quenching import REFERENCE_SLOPE_PER_K, Timed, quenching_of, slope_per_k
from .results import CellResult, Crossing, CurvePoint, Headline, Quenching
from .stress import Stress, equivalent_s

SAME_TEMPERATURE_K = 2.0
SAMPLE_LAG_S = 20.0  # the sample follows the block by at most this; the rig's own lag is not known from the run folder
LAMP_WARMS_K_PER_MW_PER_CM2 = 0.05  # at most, sample above block; assumed, the rig does not see it
_LAG_WINDOW_S = 60.0
_FAR_LESS_CERTAIN = 4.0
_UNKNOWN_NOISE = 0.01  # relative, for readings of a single pulse where nothing tells their scatter


@dataclass(frozen=True)
class _Judged:
    """A reading placed: how it was read, its remnant (fraction) and relative uncertainties."""

    timed: Timed
    how: str
    t_h: float
    remnant: float | None
    independent: float
    common: float
    total: float
    fitted: bool


def analyse_cell(cell: str, readings: list[Reading], stress: Stress, data: RunData) -> CellResult:
    """Return everything that is said of one cell; readings in order of time, at least one."""
    notes: list[str] = []
    if any(r.se is None for r in readings):
        notes.append("readings of a single pulse: their scatter is not known from themselves")
    if bad := sum(r.bad_pulses for r in readings):
        notes.append(f"{bad} pulses without excitation (monitor not above its dark count) were left out")
    if odd := sum(r.outliers for r in readings):
        notes.append(
            f"{odd} pulses lie more than {OUTLIER_SIGMAS:g} robust standard deviations from their reading's median and were rejected"
        )
    if unsure := sum(r.unsure for r in readings):
        notes.append(f"{unsure} far pulses were kept: more than a third of their reading is far, so it is not known which are right")
    usable = [r for r in readings if r.signal > 0]
    if len(usable) < len(readings):
        notes.append(f"{len(readings) - len(usable)} readings show no emission above dark; they are listed, not used")
    baseline = _baseline(usable, stress, notes)
    if baseline is None:
        points = [_point(_Judged(_timed(r, r, stress, data), "between", 0.0, None, 0.0, 0.0, 0.0, False), stress, data) for r in readings]
        return _nothing_said(cell, readings[0].sample, "no reading with emission: remnant PL cannot be said", points, notes)
    timed = [_timed(r, baseline, stress, data) for r in usable]
    base = next(t for t in timed if t.reading is baseline)
    hot = [t for t in timed if _how(t.reading, baseline, stress) == "hot"]
    after_hot = [t for t in timed if hot and t.reading.t_s > hot[-1].reading.t_s]
    final = next((t for t in after_hot if _how(t.reading, baseline, stress) == "reference"), None)
    cooling_u_h = _equivalent_h(hot[-1].reading, final.reading, stress, data)[1] if hot and final else 0.0
    quenching, by_hot = quenching_of(base, hot, final, cooling_u_h)
    if quenching.note:
        notes.append(quenching.note)
    judged = [_judge(t, base, hot, final, quenching, stress) for t in timed]
    if any(j.how == "between" for j in judged):
        notes.append("readings between reference and soak temperature are listed, not related to the baseline")
    zero_s_h = _zero_equivalent_h(baseline, stress, data)
    points = [_point(j, stress, data) for j in judged]
    attempts = _attempts(judged, base, quenching, by_hot, stress)
    end_h = max((j.t_h for j in judged if j.fitted), default=0.0)
    fits = describe(attempts, zero_s_h, end_h)
    t95, t80, t50 = (
        (time_to(attempts, level, zero_s_h, end_h) if stress.began_s is not None else None) or _between(judged, level, zero_s_h, stress)
        for level in LEVELS_PCT
    )
    headline = _headline(judged, quenching, stress)
    return CellResult(cell, readings[0].sample, headline, quenching, points, t95, t80, t50, fits, notes)


def unread_cell(cell: str, sample: str) -> CellResult:
    """Return what is said of a cell of the plan that has no usable reading."""
    return _nothing_said(cell, sample, "no usable reading was recorded: remnant PL cannot be said", [], [])


def _nothing_said(cell: str, sample: str, why: str, points: list[CurvePoint], notes: list[str]) -> CellResult:
    t95, t80, t50 = (crossing([], 0.0, level) for level in LEVELS_PCT)
    return CellResult(cell, sample, Headline(None, None, None, why), Quenching("unknown"), points, t95, t80, t50, [], notes)


def _baseline(usable: list[Reading], stress: Stress, notes: list[str]) -> Reading | None:
    """The last reading named baseline before the stress, else the last one before it, else the first of all."""
    if not usable:
        return None
    before = [r for r in usable if stress.began_s is None or r.t_s <= stress.began_s]
    cold = [r for r in before if stress.soak_degc is None or abs(r.temp_degc - stress.soak_degc) > SAME_TEMPERATURE_K]
    named = [r for r in cold if r.name == "baseline"]
    if stress.began_s is None:
        return (named or usable)[0]
    if not cold:
        notes.append("no reading before the stress began: remnant PL is relative to the first reading")
        return usable[0]
    reference = stress.reference_degc
    same = [r for r in cold if reference is None or abs(r.temp_degc - reference) <= SAME_TEMPERATURE_K]
    return (named or same or cold)[-1]


def _how(reading: Reading, baseline: Reading, stress: Stress) -> str:
    if reading is baseline or not math.isfinite(reading.temp_degc) or not math.isfinite(baseline.temp_degc):
        return "reference"
    if not stress.has_heat or abs(reading.temp_degc - baseline.temp_degc) <= SAME_TEMPERATURE_K:
        return "reference"
    if stress.soak_degc is not None and abs(reading.temp_degc - stress.soak_degc) <= SAME_TEMPERATURE_K:
        return "hot"
    return "between"


def _timed(reading: Reading, baseline: Reading, stress: Stress, data: RunData) -> Timed:
    se = reading.se_best
    u_signal = se / reading.signal if se is not None and reading.signal > 0 else _UNKNOWN_NOISE
    rise_k = data.at("temp_degC", reading.t_s) - data.at("temp_degC", reading.t_s - _LAG_WINDOW_S)
    lag_k = abs(rise_k) / _LAG_WINDOW_S * SAMPLE_LAG_S if math.isfinite(rise_k) else 0.0
    if stress.has_heat and stress.soak_degc is not None:
        s_h, s_u_h = _equivalent_h(baseline, reading, stress, data)
    else:
        s_h, s_u_h = max(stress.stress_s(reading.t_s), 0.0) / 3600, stress.began_u_s / 3600
    light = data.between("irradiance_mW_per_cm2", reading.t_s - _LAG_WINDOW_S, reading.t_s)[1]
    lamp_k = LAMP_WARMS_K_PER_MW_PER_CM2 * float(light.max(initial=0.0))
    return Timed(reading, s_h, s_u_h, u_signal, lag_k, lamp_k)


def _equivalent_h(earlier: Reading, later: Reading, stress: Stress, data: RunData) -> tuple[float, float]:
    if stress.soak_degc is None or later.t_s <= earlier.t_s:
        return 0.0, 0.0
    s, u = equivalent_s(data, earlier.t_s, later.t_s, stress.soak_degc)
    return s / 3600, u / 3600


def _zero_equivalent_h(baseline: Reading, stress: Stress, data: RunData) -> float:
    """Equivalent time between the baseline and t = 0: ageing while heating up."""
    if not stress.has_heat or stress.soak_degc is None or stress.began_s is None or stress.began_s <= baseline.t_s:
        return 0.0
    return equivalent_s(data, baseline.t_s, stress.began_s, stress.soak_degc)[0] / 3600


def _judge(timed: Timed, base: Timed, hot: list[Timed], final: Timed | None, quenching: Quenching, stress: Stress) -> _Judged:
    reading, baseline = timed.reading, base.reading
    how, t_h = _how(reading, baseline, stress), stress.stress_s(reading.t_s) / 3600
    if reading is baseline:
        return _Judged(timed, how, t_h, 1.0, 0.0, 0.0, 0.0, False)
    common = math.hypot(base.u_signal, REFERENCE_SLOPE_PER_K * base.u_lag_k)
    ratio = reading.signal / baseline.signal
    if how == "reference":
        offset = reading.temp_degc - baseline.temp_degc
        offset = offset if math.isfinite(offset) else 0.0
        own = math.hypot(timed.u_signal, REFERENCE_SLOPE_PER_K * timed.u_lag_k, REFERENCE_SLOPE_PER_K * offset)
        common = math.hypot(common, REFERENCE_SLOPE_PER_K * timed.u_lamp_k)
        return _Judged(timed, how, t_h, ratio, own, common, math.hypot(own, common), True)
    if how == "hot" and quenching.ratio and quenching.u_ratio is not None and quenching.hot_degc is not None:
        slope = slope_per_k(quenching)
        shift = slope * (reading.temp_degc - quenching.hot_degc)
        own = math.hypot(timed.u_signal, slope * timed.u_lag_k, shift)
        u_q = quenching.u_ratio / quenching.ratio
        common = math.hypot(common, u_q, slope * timed.u_lamp_k)
        in_pair = timed is {"end pair": hot[-1], "start pair, uncorrected": hot[0]}.get(quenching.method)
        # a reading of the pair is in q as well and cancels in its own point
        total = math.sqrt(max(common**2 - own**2, 0.0)) if in_pair else math.hypot(own, common)
        return _Judged(timed, how, t_h, ratio / quenching.ratio * math.exp(-shift), own, common, total, True)
    return _Judged(timed, "between", t_h, None, 0.0, 0.0, 0.0, False)


def _point(j: _Judged, stress: Stress, data: RunData) -> CurvePoint:
    r, pct = j.timed.reading, None if j.remnant is None else 100 * j.remnant
    exposure = None
    recorded = data.at("exposure_J_per_cm2", r.t_s)
    if math.isfinite(recorded):
        exposure = recorded
    return CurvePoint(
        t_h=stress.stress_s(r.t_s) / 3600,
        run_t_h=r.t_s / 3600,
        name=r.name,
        how=j.how,
        temp_degc=r.temp_degc if math.isfinite(r.temp_degc) else None,
        signal=r.signal,
        signal_se=r.se,
        pulses=r.pulses,
        outliers=r.outliers,
        remnant_pct=pct,
        u_pct=None if pct is None else pct * j.total,
        u_independent_pct=None if pct is None else pct * j.independent,
        u_common_pct=None if pct is None else pct * j.common,
        exposure_j_per_cm2=exposure,
    )


def _headline(judged: list[_Judged], quenching: Quenching, stress: Stress) -> Headline:
    after = [j for j in judged[1:] if j.remnant is not None and j.t_h > 0]
    if not after or stress.began_s is None:
        return Headline(None, None, None, "no reading after the stress began: remnant PL cannot be said")
    cold = [j for j in after if j.how == "reference"]
    last_hot = max((j.timed.reading.t_s for j in after if j.how == "hot"), default=-math.inf)
    closing = [j for j in cold if j.timed.reading.t_s > last_hot]
    chosen = closing[-1] if closing else after[-1]
    if chosen.how == "reference":
        how = "final over baseline, both at the reference temperature"
    else:
        how = f"last hot reading, quenching from the {quenching.method}: no final reading at the reference temperature"
    pct = 100 * chosen.remnant if chosen.remnant is not None else math.nan
    half = coverage_factor(chosen.timed.reading.freedom or None) * pct * chosen.total
    return Headline(pct, pct * chosen.total, chosen.t_h, how, max(pct - half, 0.0), pct + half)


def _attempts(judged: list[_Judged], base: Timed, quenching: Quenching, by_hot: list[Attempt], stress: Stress) -> list[Attempt]:
    """Fit the signals: the baseline, what was read hot (one unknown factor), what was read at the reference temperature."""
    used = [j for j in judged if j.timed is base or (j.fitted and j.remnant is not None and j.timed.s_h > 0)]
    if len(used) < 2:
        return []
    q = quenching.ratio or 1.0
    y = np.array([(j.remnant or 0.0) * (q if j.how == "hot" else 1.0) for j in used])
    own = np.array([base.u_signal if j.timed is base else j.independent for j in used])
    hot = np.array([j.how == "hot" for j in used])
    q_u = None
    if not stress.has_heat:  # the lamp may warm the sample: what is read lit has a factor that is nearly 1
        lamp_k = np.array([j.timed.u_lamp_k for j in used])
        hot, q_u = lamp_k > lamp_k[0], REFERENCE_SLOPE_PER_K * float(lamp_k.max())
    s_h = np.array([j.timed.s_h for j in used])
    s_u_h = np.array([j.timed.s_u_h for j in used]) * (s_h > 0)
    known = base.reading.se_best is not None
    freedom = (base.reading.freedom or None) if known else None
    return solve_all(Readings(s_h, y, np.maximum(np.maximum(own, 1e-5) * y, 1e-6), s_u_h, hot, q_u, freedom), by_hot)


def _between(judged: list[_Judged], level: float, zero_s_h: float, stress: Stress) -> Crossing:
    """The time to a level between readings, where no fit describes them."""
    between = _crossing(judged, level, zero_s_h, stress)
    if between.t_h is None or between.u_t_h is None:
        return replace(between, low_h=between.beyond_h, method="interpolation")
    half = coverage_factor() * between.u_t_h
    return replace(between, low_h=between.t_h - half, high_h=between.t_h + half, method="interpolation")


def _crossing(judged: list[_Judged], level: float, zero_s_h: float, stress: Stress) -> Crossing:
    """Crossing of the curve from the baseline (placed at t = -zero_s_h) on; the final reading only where no hot one stands beside it.

    A reading far less certain than the rest, such as the first one after a ramp, may bend the curve: the crossing is the mean of those with
    and without it, half their difference goes into the uncertainty.
    """
    usual = float(np.median([j.independent for j in judged if j.independent > 0] or [0.0]))
    every = crossing(*_cross_points(judged, zero_s_h, math.inf, stress), level)
    clear = crossing(*_cross_points(judged, zero_s_h, _FAR_LESS_CERTAIN * usual, stress), level) if usual else every
    if every.t_h is None or clear.t_h is None:
        return every
    u = [c.u_t_h for c in (every, clear) if c.u_t_h is not None]
    return replace(every, t_h=(every.t_h + clear.t_h) / 2, u_t_h=math.hypot(max(u), (every.t_h - clear.t_h) / 2) if u else None)


def _cross_points(judged: list[_Judged], zero_s_h: float, u_max: float, stress: Stress) -> tuple[list[CrossPoint], float]:
    """Return (points with their own relative uncertainty up to u_max, stress time of the last)."""
    points = [CrossPoint(-zero_s_h, 100.0, 0.0, 0.0)]
    for j in judged:
        if j.remnant is not None and j.independent <= u_max and j.timed.s_h > 0 and j.t_h > points[-1].t_h:
            pct = 100 * j.remnant
            points.append(CrossPoint(j.t_h, pct, pct * j.independent, pct * j.common))
    end_h = points[-1].t_h if stress.began_s is not None else 0.0
    return (points if len(points) > 1 else []), max(end_h, 0.0)
