"""From pulses to readings: the PL signal of one cell at one probe, with its standard error.

    signal = mean over pulses of (lit - dark) / (monitor - monitor_dark)

Dimensionless: emission counts per excitation count. The standard error is that of the mean over the n pulses, s / sqrt(n). Pulses
that lie more than 5 robust standard deviations (1.4826 x median absolute deviation, at least the cell's pooled scatter) from the median are
counted and reported, never dropped: a laboratory record shows what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from .folder import Pulse

OUTLIER_SIGMAS = 5.0
_MAD_TO_SIGMA = 1.4826
_SAME_PROBE_S = 1.0  # cells of one probe are written in one control tick; a probe takes longer than that


@dataclass(frozen=True)
class Reading:
    """One cell at one probe. signal and se dimensionless; se_pooled: the standard error from pulse noise pooled over the cell."""

    t_s: float
    probe: int
    name: str
    cell: str
    sample: str
    temp_degc: float
    pulses: int
    signal: float
    se: float | None
    se_pooled: float | None
    dark_counts: float
    lit_counts: float
    monitor_counts: float
    outliers: int
    bad_pulses: int
    probe_exposure_j_per_cm2: float

    @property
    def se_best(self) -> float | None:
        """The pooled standard error; the reading's own where it is larger because a pulse is far out, or where nothing is pooled."""
        if self.se is not None and self.se_pooled is not None and self.outliers:
            return max(self.se, self.se_pooled)
        return self.se_pooled if self.se_pooled is not None else self.se


def readings_by_cell(pulses: Iterable[Pulse], monitor_dark_counts: float) -> dict[str, list[Reading]]:
    """Return cell letter -> its readings in order of time; a reading without one usable pulse is left out."""
    groups: dict[tuple[str, int, float], list[Pulse]] = {}
    for pulse in pulses:
        groups.setdefault((pulse.cell, pulse.probe, pulse.t_s), []).append(pulse)
    cells: dict[str, list[tuple[Reading, np.ndarray]]] = {}
    for (cell, _, _), members in sorted(groups.items(), key=lambda item: (item[0][0], item[0][2], item[0][1])):
        usable = [p for p in members if p.monitor_counts > monitor_dark_counts]
        if usable:
            ratios = np.array([(p.lit_counts - p.dark_counts) / (p.monitor_counts - monitor_dark_counts) for p in usable])
            cells.setdefault(cell, []).append((_reading(usable, ratios, len(members) - len(usable)), ratios))
    return {cell: _with_pooled_noise(measured, monitor_dark_counts) for cell, measured in cells.items()}


def probe_exposure_j_per_cm2(cells: dict[str, list[Reading]]) -> float:
    """Return the exposure spent on all probes, J/cm2. The lamp is common, so cells read in one probe share its light."""
    spent: list[tuple[float, float]] = []
    for reading in sorted((r for readings in cells.values() for r in readings), key=lambda r: r.t_s):
        light = reading.probe_exposure_j_per_cm2
        if not math.isfinite(light):
            continue
        if spent and reading.t_s - spent[-1][0] < _SAME_PROBE_S:
            spent[-1] = (spent[-1][0], max(spent[-1][1], light))
        else:
            spent.append((reading.t_s, light))
    return sum(light for _, light in spent)


def _reading(usable: list[Pulse], ratios: np.ndarray, bad_pulses: int) -> Reading:
    count = len(ratios)
    first = usable[0]
    return Reading(
        t_s=first.t_s,
        probe=first.probe,
        name=first.name,
        cell=first.cell,
        sample=first.sample,
        temp_degc=first.temp_degc,
        pulses=count,
        signal=float(ratios.mean()),
        se=float(ratios.std(ddof=1) / math.sqrt(count)) if count > 1 else None,
        se_pooled=None,
        dark_counts=float(np.mean([p.dark_counts for p in usable])),
        lit_counts=float(np.mean([p.lit_counts for p in usable])),
        monitor_counts=float(np.mean([p.monitor_counts for p in usable])),
        outliers=0,
        bad_pulses=bad_pulses,
        probe_exposure_j_per_cm2=first.probe_exposure_j_per_cm2,
    )


def _outliers(ratios: np.ndarray, pooled_sd: float) -> int:
    """The median deviation of few pulses is often too small by chance, so the cell's pooled scatter is a floor under it."""
    distance = np.abs(ratios - np.median(ratios))
    spread = max(_MAD_TO_SIGMA * float(np.median(distance)), pooled_sd)
    return int(np.count_nonzero(distance > OUTLIER_SIGMAS * spread)) if len(ratios) >= 4 and spread > 0 else 0


def _with_pooled_noise(measured: list[tuple[Reading, np.ndarray]], monitor_dark: float) -> list[Reading]:
    """Give each reading the standard error that the whole cell's pulse noise predicts, and count its outliers against it.

    The scatter of n pulses is itself uncertain by 1 / sqrt(2 (n - 1)), 18 % for 16 pulses, which makes poor weights. Photon noise
    goes with the counts, so the variance of a pulse's ratio is phi (lit + dark) / (monitor - monitor_dark)^2; phi is the mean over the
    cell's readings, weighted with their degrees of freedom.
    """
    scaled = freedom = 0.0
    for r, _ in measured:
        shape = _noise_shape(r, monitor_dark)
        if r.se is not None and shape > 0:
            scaled += (r.pulses - 1) * r.se**2 * r.pulses / shape
            freedom += r.pulses - 1
    if freedom == 0:
        return [r for r, _ in measured]
    phi = scaled / freedom
    told = []
    for r, ratios in measured:
        pulse_sd = math.sqrt(phi * max(_noise_shape(r, monitor_dark), 0.0))
        told.append(replace(r, se_pooled=pulse_sd / math.sqrt(r.pulses), outliers=_outliers(ratios, pulse_sd)))
    return told


def _noise_shape(reading: Reading, monitor_dark: float) -> float:
    return (reading.lit_counts + reading.dark_counts) / (reading.monitor_counts - monitor_dark) ** 2
