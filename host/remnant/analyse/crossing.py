"""Time at which remnant PL crosses a level (T80, T50), by interpolation between readings; no model of the decay.

The crossing lies between the last reading above and the first reading that is below and stays there (the next one is below too). It is
found on a monotone cubic (PCHIP) through the readings. Where neighbours differ by less than 4 of their own uncertainties, a straight line
is fitted over as many neighbours as it takes. Its uncertainty adds up: readings / slope, the common part / slope, and how far straight
interpolation lies from the cubic (curvature).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root_scalar

from .estimates import Crossing

_CLEAR_SIGMAS = 4.0


@dataclass(frozen=True)
class CrossPoint:
    """t_h; remnant and its uncertainties in percent of the baseline."""

    t_h: float
    pct: float
    u_independent_pct: float
    u_common_pct: float


def crossing(points: list[CrossPoint], end_h: float, level_pct: float) -> Crossing:
    """Return the crossing of points in order of time; the first is the baseline."""
    if len(points) < 2:
        return Crossing(level_pct, "no readings")
    below = [p.pct < level_pct for p in points]
    index = next((i for i in range(1, len(points)) if below[i] and (i + 1 == len(points) or below[i + 1])), None)
    if index is None:
        last = points[-1]
        near = math.hypot(last.u_independent_pct, last.u_common_pct) * 2
        note = "the last reading is within 2 u of the level" if last.pct - near < level_pct else ""
        return Crossing(level_pct, "not reached", beyond_h=end_h, note=note)
    left, right = _widen(points, index)
    window = points[left : right + 1]
    t = np.array([p.t_h for p in window])
    if len(window) == 2:
        at, slope, u_own, u_shape = _between(points, index, level_pct)
    else:
        at, slope, u_own, u_shape = _straight(window, t, level_pct)
    if at < 0:
        return Crossing(level_pct, "before t = 0", note="lost while heating up, before the soak temperature was reached")
    u_common = level_pct / 100 * points[index].u_common_pct / max(points[index].pct / 100, 1e-9)
    u_t = math.hypot(math.hypot(u_own, u_common) / abs(slope), u_shape) if slope else None
    return Crossing(level_pct, "reached", at, u_t)


def _widen(points: list[CrossPoint], index: int) -> tuple[int, int]:
    """Return the window around the crossing over which the fall is clear against the noise."""
    left, right = index - 1, index
    while True:
        fall = points[left].pct - points[right].pct
        noise = math.hypot(points[left].u_independent_pct, points[right].u_independent_pct)
        if fall >= _CLEAR_SIGMAS * noise or (left == 0 and right == len(points) - 1):
            return left, right
        left, right = max(left - 1, 0), min(right + 1, len(points) - 1)


def _between(points: list[CrossPoint], index: int, level: float) -> tuple[float, float, float, float]:
    """Return (t_h, slope in %/h, own uncertainty in %, uncertainty of shape in h) between two clear neighbours."""
    from scipy.interpolate import PchipInterpolator  # slow to load, needed where no fit describes the readings

    a, b = points[index - 1], points[index]
    slope = (b.pct - a.pct) / (b.t_h - a.t_h)
    share = (a.pct - level) / (a.pct - b.pct)
    straight = a.t_h + share * (b.t_h - a.t_h)
    near = points[max(index - 3, 0) : index + 3]
    cubic = PchipInterpolator([p.t_h for p in near], [p.pct for p in near])
    at = a.t_h
    if a.pct > level:
        at = float(root_scalar(lambda t: float(cubic(t)) - level, bracket=(a.t_h, b.t_h), method="brentq").root)
    local = float(cubic(at, 1)) or slope
    local = local if abs(local) > 0.1 * abs(slope) else slope
    return at, local, math.hypot((1 - share) * a.u_independent_pct, share * b.u_independent_pct), abs(at - straight)


def _straight(window: list[CrossPoint], t: np.ndarray, level: float) -> tuple[float, float, float, float]:
    """As `_between`, from a weighted straight line."""
    y = np.array([p.pct for p in window])
    floor = max(float(np.median([p.u_independent_pct for p in window])), 1e-6)
    weight = 1 / np.maximum([p.u_independent_pct for p in window], floor) ** 2
    centre = float(np.sum(weight * t) / weight.sum())
    spread = float(np.sum(weight * (t - centre) ** 2))
    slope = float(np.sum(weight * (t - centre) * y) / spread)
    mean = float(np.sum(weight * y) / weight.sum())
    if slope >= 0:
        return float(t[-1]), 0.0, 0.0, 0.0
    at = min(max(centre + (level - mean) / slope, float(t[0])), float(t[-1]))
    u_own = math.sqrt(1 / weight.sum() + (at - centre) ** 2 / spread)
    return at, slope, u_own, 0.0
