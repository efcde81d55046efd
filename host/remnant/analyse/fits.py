"""What the fits say: parameters and rates with 95 % intervals, the curve with its band, the time to a level with its interval.

A time is where the preferred fit reaches the level. Which law is preferred is itself uncertain, so the interval is averaged over the laws
that describe the readings (Fletcher and Turek, J. Agric. Biol. Environ. Stat. 2012, 17, 38-51): with P_i(s) the probability, after law i,
that the level is not yet reached at s, and w_i its Akaike weight, it runs from sum w_i P_i = 0.975 to sum w_i P_i = 0.025. With one law
that is where the edges of its 95 % band cross the level. A law with more parameters than the preferred one counts as 3 of AICc worse, as
the preference for the simpler one does: without it T80 of single exponentials is inside in 98 % of trials, with it in 94 to 97 %.

A level that the readings do not reach is censored: the time lies above the end of the readings, or above the lower end of the interval
where that comes earlier. Fits are followed beyond the readings only to close an interval that began within them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import stdtr

from .confidence import LEVEL, coverage_factor
from .kinetics import Attempt, Solution, best
from .laws import Quantity
from .results import Crossing, Fit, Parameter

LEVELS_PCT = (95.0, 80.0, 50.0)
_CURVE_POINTS = 120
_MORE_PARAMETERS_AICC = 3.0
_WEIGHT_MIN = 0.01  # laws with less do not move an interval
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


def time_to(attempts: list[Attempt], level_pct: float, zero_s_h: float, end_t_h: float) -> Crossing | None:
    """Return the stress time at which a level is reached, with its 95 % interval; None where the preferred fit is poor.

    zero_s_h: equivalent time at t = 0; end_t_h: stress time of the last reading.
    """
    chosen = best(attempts)
    fine = [s for _, s, status in attempts if s is not None and status == "ok"]
    if chosen is None or chosen not in fine:
        return None
    weighted = _weighted(fine, chosen)
    method = " and ".join(s.law.name for _, s in weighted) + " fit"
    last = min(float(chosen.data.s_h.max()), end_t_h + zero_s_h)

    def unreached(s_h: float, target: float) -> float:
        return sum(w * _above(s, s_h, level_pct / 100) for w, s in weighted) - target

    low = _root(unreached, 0.5 + LEVEL / 2, 0.0, last)
    at = _root(lambda s_h, _: float(chosen.shape(s_h)[0]) - level_pct / 100, 0.0, 0.0, last)
    if at is None:
        end_h = last - zero_s_h
        bound = end_h if low is None else min(low - zero_s_h, end_h)
        return Crossing(level_pct, "not reached", beyond_h=end_h, low_h=bound, method=method)
    if at < zero_s_h:
        return Crossing(level_pct, "before t = 0", note="lost while heating up, before the soak temperature was reached", method=method)
    high = _root(unreached, 0.5 - LEVEL / 2, 0.0 if low is None else low, _BEYOND_READINGS * last)
    f, u = chosen.band(np.array([at * 0.999, at, at * 1.001]))
    slope = float(f[2] - f[0]) / (0.002 * at)
    u_t = float(u[1]) / abs(slope) if slope else None
    low_h = (at if low is None else min(low, at)) - zero_s_h
    high_h = None if high is None else max(high, at) - zero_s_h
    return Crossing(level_pct, "reached", at - zero_s_h, u_t, low_h=low_h, high_h=high_h, method=method)


def _weighted(fine: list[Solution], chosen: Solution) -> list[tuple[float, Solution]]:
    """Return (Akaike weight, fit), those that matter, the preferred one first."""
    if chosen.aicc is None:
        return [(1.0, chosen)]
    raw = [
        (math.exp(-(s.aicc - chosen.aicc + (_MORE_PARAMETERS_AICC if s.law.parameters > chosen.law.parameters else 0.0)) / 2), s)
        for s in fine
        if s.aicc is not None
    ]
    total = sum(w for w, _ in raw)
    kept = [(w, s) for w, s in raw if w > _WEIGHT_MIN * total]
    total = sum(w for w, _ in kept)
    return sorted(((w / total, s) for w, s in kept), key=lambda pair: pair[1] is not chosen)


def _above(solution: Solution, s_h: float, level: float) -> float:
    """The probability that the level is not yet reached at s_h."""
    f, u = solution.band(s_h)
    if u[0] <= 0:
        return 1.0 if f[0] > level else 0.0
    return float(stdtr(solution.freedom, (f[0] - level) / u[0]))


def _root(off: Callable[[float, float], float], target: float, from_h: float, to_h: float) -> float | None:
    """Where a falling function passes 0; from_h where it is below already, None where it is not yet at to_h."""
    if off(from_h, target) <= 0:
        return from_h
    if off(to_h, target) > 0:
        return None
    return float(root_scalar(off, args=(target,), bracket=(from_h, to_h), method="brentq", rtol=1e-9).root)
