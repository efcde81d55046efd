"""What the fits say: parameters and rates with 95 % intervals, the time to a level with its interval, the curve with its band.

The interval of a time is where the band of the fit (95 %, point by point) crosses the level: the lower edge first, the upper edge last. A
level that the readings do not reach is censored: the time lies above the end of the readings, or above the crossing of the lower edge where
that comes earlier. A fit is followed beyond the readings only to close an interval that began within them.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from .confidence import coverage_factor
from .kinetics import Attempt, Solution, best
from .laws import Quantity
from .results import Crossing, Fit, Parameter

LEVELS_PCT = (95.0, 80.0, 50.0)
_CURVE_POINTS = 120
_BEYOND_READINGS = 3.0  # times the span of the readings: an upper bound further off than this is no bound


def describe(attempts: list[Attempt], zero_s_h: float, end_t_h: float) -> list[Fit]:
    """Return the fits as results. zero_s_h: equivalent time at t = 0; end_t_h: stress time up to which the curve is drawn."""
    chosen = best(attempts)
    lowest = min((s.aicc for _, s, _ in attempts if s is not None and s.aicc is not None), default=math.nan)
    return [
        Fit(law.name, law.formula, status) if s is None else _described(s, status, s is chosen, lowest, zero_s_h, end_t_h)
        for law, s, status in attempts
    ]


def _described(s: Solution, status: str, preferred: bool, lowest: float, zero_s_h: float, end_t_h: float) -> Fit:
    grid = np.linspace(-zero_s_h, max(end_t_h, 0.0), _CURVE_POINTS)
    f, u = s.band(grid + zero_s_h)
    half = coverage_factor(s.freedom) * u
    t95, t80, t50 = (time_to(s, level, zero_s_h, end_t_h) if status == "ok" else None for level in LEVELS_PCT)
    return Fit(
        model=s.law.name,
        formula=s.law.formula,
        status=status,
        parameters=[interval(s, q) for q in s.law.named],
        rates=[interval(s, q) for q in s.law.rates],
        readings=len(s.data.y),
        chi2_reduced=s.chi2 / s.dof,
        aicc=s.aicc,
        delta_aicc=None if s.aicc is None else s.aicc - lowest,
        preferred=preferred,
        t95=t95,
        t80=t80,
        t50=t50,
        residual_t_h=(s.data.s_h - zero_s_h).tolist(),
        residuals=((s.data.y - s.fitted()) / s.data.u).tolist(),
        curve_t_h=grid.tolist(),
        curve_pct=(100 * f).tolist(),
        curve_low_pct=(100 * np.maximum(f - half, 0.0)).tolist(),
        curve_high_pct=(100 * (f + half)).tolist(),
    )


def interval(solution: Solution, quantity: Quantity) -> Parameter:
    """Return a quantity of the fit with its 95 % interval, taken on the scale on which it is symmetric."""
    at = quantity.of(solution.p)
    half = coverage_factor(solution.freedom) * solution.uncertainty(quantity.of)
    return Parameter(quantity.name, quantity.unit, *(quantity.back(x) for x in (at, at - half, at + half)))


def time_to(solution: Solution, level_pct: float, zero_s_h: float, end_t_h: float) -> Crossing:
    """Return the stress time at which the fit reaches a level, with its 95 % interval. end_t_h: stress time of the last reading."""
    level, method = level_pct / 100, f"{solution.law.name} fit"
    factor = coverage_factor(solution.freedom)
    last = min(float(solution.data.s_h.max()), end_t_h + zero_s_h)

    def off(s_h: float, edge: float) -> float:
        f, u = solution.band(s_h)
        return float(f[0] + edge * factor * u[0]) - level

    low = _root(off, -1.0, 0.0, last)
    at = _root(off, 0.0, 0.0 if low is None else low, last)
    if at is None:
        end_h = last - zero_s_h
        bound = end_h if low is None else min(low - zero_s_h, end_h)
        return Crossing(level_pct, "not reached", beyond_h=end_h, low_h=bound, method=method)
    if at < zero_s_h:
        return Crossing(level_pct, "before t = 0", note="lost while heating up, before the soak temperature was reached", method=method)
    high = _root(off, 1.0, at, _BEYOND_READINGS * last)
    f, u = solution.band(np.array([at * 0.999, at, at * 1.001]))
    slope = float(f[2] - f[0]) / (0.002 * at)
    u_t = float(u[1]) / abs(slope) if slope else None
    high_h = None if high is None else high - zero_s_h
    return Crossing(level_pct, "reached", at - zero_s_h, u_t, low_h=(at if low is None else low) - zero_s_h, high_h=high_h, method=method)


def _root(off, edge: float, from_h: float, to_h: float) -> float | None:
    if off(from_h, edge) <= 0:
        return from_h
    if off(to_h, edge) > 0:
        return None
    return float(brentq(off, from_h, to_h, args=(edge,), rtol=1e-9))
