"""How long the block takes to get somewhere: estimates for progress and for timeouts. Nothing is controlled with them.

One thermal mass: heating power over heat capacity, and a loss to ambient. The figures are those of the heater block that the rig is
designed around (60 J/K, 0.2 W/K, 24 W); a block of its own needs only be within a factor of two of them for the timeouts to hold.
"""

from __future__ import annotations

import math

AMBIENT_C = 22.0
COOLING_TAU_S = 300.0  # 60 J/K over 0.2 W/K
HOTTEST_C = AMBIENT_C + 120.0  # 24 W over 0.2 W/K
_NEAR_K = 0.5  # an exponential never arrives; this near counts as there

PROBE_S = 1.0
HEATING_MARGIN_S = 30 * 60.0
COOLING_MARGIN_S = 60 * 60.0


def reach_s(from_c: float, to_c: float, band_c: float, ramp_c_per_min: float = 0.0) -> float:
    """Return the seconds from one temperature into the band around another; ramp 0: as fast as the block goes.

    Heating follows the ramp where there is one; cooling is passive, so it takes the longer of ramp and natural cooling.
    """
    ramp_s = abs(to_c - from_c) / ramp_c_per_min * 60.0 if ramp_c_per_min else 0.0
    if from_c <= to_c:
        edge_c = min(to_c - band_c, HOTTEST_C - _NEAR_K)
        natural_s = COOLING_TAU_S * math.log((HOTTEST_C - from_c) / (HOTTEST_C - edge_c)) if edge_c > from_c else 0.0
    else:
        above_k = max(to_c + band_c - AMBIENT_C, _NEAR_K)
        natural_s = COOLING_TAU_S * math.log(max((from_c - AMBIENT_C) / above_k, 1.0))
    return max(ramp_s, natural_s)


def timeout_s(to_c: float, peak_c: float, band_c: float, hold_s: float, ramp_c_per_min: float = 0.0) -> float:
    """Return after how long a wait for `to_c` is a fault, from wherever the plan may come: ambient or `peak_c`, its hottest setpoint."""
    longest_s = max(
        reach_s(min(AMBIENT_C, to_c), to_c, band_c, ramp_c_per_min),
        reach_s(max(peak_c, to_c), to_c, band_c, ramp_c_per_min),
    )
    return longest_s + hold_s + (COOLING_MARGIN_S if to_c < peak_c else HEATING_MARGIN_S)


def whole_minutes_ms(seconds: float) -> int:
    """Return `seconds` in milliseconds, rounded up to a whole minute: a timeout that reads well."""
    return math.ceil(seconds / 60) * 60_000
