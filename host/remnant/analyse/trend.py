"""A straight line through a few values of which each has its own uncertainty: ln k against 1/T or against ln of the irradiance.

Runs differ by more than the uncertainty inside of each (another film, another day). That scatter between runs is estimated with the line
(Paule and Mandel, J. Res. Natl. Bur. Stand. 1982, 87, 377-385) and stands in every weight, 1/(u^2 + s^2); the scale of all weights
comes from the residuals, and intervals are Student's with n - 2 degrees of freedom (Knapp and Hartung, Stat. Med. 2003, 22, 2693-2710).
Two runs have no residual: the line is then as sure as their own uncertainties, and says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root_scalar

from .confidence import coverage_factor


@dataclass(frozen=True)
class Line:
    """y = mean_y + slope (x - mean_x). between: s, the scatter between runs. freedom None: two points, so only their own uncertainties."""

    slope: float
    u_slope: float
    mean_x: float
    mean_y: float
    u_mean: float
    between: float
    freedom: int | None
    points: int

    @property
    def factor(self) -> float:
        """The coverage factor of its 95 % intervals."""
        return coverage_factor(self.freedom)

    def at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (y, half width of its 95 % interval)."""
        away = np.asarray(x, dtype=float) - self.mean_x
        return self.mean_y + self.slope * away, self.factor * np.hypot(self.u_mean, self.u_slope * away)


def line_through(x: np.ndarray, y: np.ndarray, u: np.ndarray) -> Line | None:
    """Return the line through points with standard uncertainties u > 0; None for fewer than two different x."""
    if len(x) < 2 or np.ptp(x) <= 0:
        return None
    freedom = len(x) - 2
    between = _between(x, y, u, freedom) if freedom else 0.0
    slope, mean_x, mean_y, spread, total, chi2 = _weighted(x, y, u, between)
    scale = chi2 / freedom if freedom else 1.0
    return Line(
        slope,
        math.sqrt(scale / spread),
        mean_x,
        mean_y,
        math.sqrt(scale / total),
        between,
        freedom or None,
        len(x),
    )


def _weighted(x: np.ndarray, y: np.ndarray, u: np.ndarray, between: float) -> tuple[float, float, float, float, float, float]:
    weight = 1 / (u**2 + between**2)
    total = float(weight.sum())
    mean_x, mean_y = float(weight @ x) / total, float(weight @ y) / total
    spread = float(weight @ (x - mean_x) ** 2)
    slope = float(weight @ ((x - mean_x) * (y - mean_y))) / spread
    chi2 = float(weight @ (y - mean_y - slope * (x - mean_x)) ** 2)
    return slope, mean_x, mean_y, spread, total, chi2


def _between(x: np.ndarray, y: np.ndarray, u: np.ndarray, freedom: int) -> float:
    """The scatter that makes chi2 equal to its degrees of freedom; 0 where the points scatter less than their own uncertainties say."""

    def excess(s: float) -> float:
        return _weighted(x, y, u, s)[-1] - freedom

    if excess(0.0) <= 0:
        return 0.0
    top = float(np.ptp(y)) + float(u.max())
    while excess(top) > 0:
        top *= 2
    return float(root_scalar(excess, bracket=(0.0, top), method="brentq").root)
