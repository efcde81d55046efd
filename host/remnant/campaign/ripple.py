"""Ripple of a flow that pairs of pumps make together: measured from a run's folder, by whole windows of time.

The flow in a window is the steps of both pumps in it, as volume, over its length; the ripple is its deviation from the setpoint. Windows
begin and end where both counts are known: at telemetry of the same tick.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

from .measured import Pumped


@dataclass(frozen=True)
class Ripple:
    """In percent of the setpoint, over windows of window_s: the largest deviation either way, its root mean square and the mean.

    at_s: where the largest window begins; windows: how many there were.
    """

    window_s: float
    largest_pct: float
    at_s: float
    rms_pct: float
    mean_pct: float
    windows: int


def sums(pumped: Pumped, pumps: tuple[int, ...], from_s: float, to_s: float) -> list[tuple[float, float]]:
    """Return (t_s, nL that these pumps have infused together) at each tick that tells of every pump that moves."""
    series = [pumped.readings.get(pump, []) for pump in pumps]
    instants = sorted({reading.board_us for readings in series for reading in readings if from_s <= reading.t_s <= to_s})
    places = [0] * len(series)
    found = []
    for board_us in instants:
        total, known, t_s = 0.0, True, 0.0
        for i, readings in enumerate(series):
            while places[i] + 1 < len(readings) and readings[places[i] + 1].board_us <= board_us:
                places[i] += 1
            if not readings or readings[places[i]].board_us > board_us:
                continue
            here = readings[places[i]]
            if here.board_us < board_us and places[i] + 1 < len(readings) and readings[places[i] + 1].steps != here.steps:
                known = False  # it was moving, and nobody said where it was just then
            total += here.infused_nl
            t_s = here.t_s if here.board_us == board_us else t_s
        if known:
            found.append((t_s, total))
    return found


def ripple(points: list[tuple[float, float]], flow_ml_per_h: float, window_s: float) -> Ripple:
    """Return the ripple of what `sums` gives, over every window of this length (to a tick). Raises ValueError for less than a window."""
    setpoint = flow_ml_per_h * 1e6 / 3600 * window_s
    times = [t_s for t_s, _ in points]
    found: list[tuple[float, float]] = []
    for at, (t_s, volume) in enumerate(points):
        end = bisect_left(times, t_s + window_s - 1e-6, at + 1)
        if end < len(points) and abs(times[end] - t_s - window_s) < 1e-3:
            found.append((100 * ((points[end][1] - volume) / setpoint - 1), t_s))
    if not found:
        raise ValueError(f"no window of {window_s:g} s within {len(points)} readings")
    largest, at_s = max(found, key=lambda pair: abs(pair[0]))
    rms = math.sqrt(math.fsum(pct * pct for pct, _ in found) / len(found))
    return Ripple(window_s, largest, at_s, rms, math.fsum(pct for pct, _ in found) / len(found), len(found))
