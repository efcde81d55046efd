"""95 % intervals: value -+ coverage factor x standard uncertainty, the factor from Student's t with the degrees of freedom behind it."""

from __future__ import annotations

import functools
import math

from scipy.stats import t as student_t

LEVEL = 0.95
FREEDOM_MANY = 1e6  # a normal distribution for all that matters


@functools.lru_cache(maxsize=4096)
def _factor(freedom: float) -> float:
    return float(student_t.ppf((1 + LEVEL) / 2, freedom))


def coverage_factor(freedom: float | None = None) -> float:
    """Return k of the 95 % interval; 1.96 where the degrees of freedom are many or do not apply. Below 1 they count as 1."""
    if freedom is None or not math.isfinite(freedom):
        return _factor(FREEDOM_MANY)
    return _factor(round(max(freedom, 1.0), 1))
