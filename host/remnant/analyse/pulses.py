"""From pulses to readings: the PL signal of one cell at one probe, with its standard error.

    signal = mean over pulses of (lit - dark) / (monitor - monitor_dark)

Dimensionless: emission counts per excitation count, so what the lamp does from pulse to pulse and over months drops out (drift
correction by the excitation monitor). A pulse is rejected when it lies more than 5 robust standard deviations from the median of its
reading: 1.4826 x median absolute deviation, at least the cell's robust pooled scatter, in readings of 4 pulses and more. Rejected pulses
stay in probes.csv and are counted; where they are more than a third of a reading nothing is rejected there, because then it is not known
which are right.

Noise is pooled over the cell. The scatter of n pulses is itself uncertain by 1 / sqrt(2 (n - 1)), 18 % for 16 pulses, which makes poor
weights. Photon noise goes with the counts, so the variance of a pulse's ratio is phi (lit + dark) / (monitor - monitor_dark)^2; phi is the
mean over the cell's readings, weighted with their degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .folder import Pulse

OUTLIER_SIGMAS = 5.0
_REJECTED_SHARE_MAX = 1 / 3
_JUDGED_PULSES_MIN = 4
_MAD_TO_SIGMA = 1.4826
_SAME_PROBE_S = 1.0  # cells of one probe are written in one control tick; a probe takes longer than that


@dataclass(frozen=True)
class Reading:
    """One cell at one probe. signal and se dimensionless; se_pooled: the standard error from pulse noise pooled over the cell, with
    `freedom` degrees of freedom. pulses: those used; outliers: rejected; unsure: far pulses, so many that none was rejected."""

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
    freedom: int
    dark_counts: float
    lit_counts: float
    monitor_counts: float
    outliers: int
    unsure: int
    bad_pulses: int
    probe_exposure_j_per_cm2: float

    @property
    def se_best(self) -> float | None:
        """The pooled standard error; the reading's own where far pulses were kept and make it larger, or where nothing is pooled."""
        if self.se is not None and self.se_pooled is not None and self.unsure:
            return max(self.se, self.se_pooled)
        return self.se_pooled if self.se_pooled is not None else self.se


@dataclass(frozen=True)
class _Group:
    """The usable pulses of one cell at one probe: columns ratio, and shape = the relative variance that photon noise predicts over phi."""

    first: Pulse
    ratios: np.ndarray
    dark: np.ndarray
    lit: np.ndarray
    monitor: np.ndarray
    shape: float
    bad: int


def readings_by_cell(pulses: Iterable[Pulse], monitor_dark_counts: float) -> dict[str, list[Reading]]:
    """Return cell letter -> its readings in order of time; a reading without one usable pulse is left out."""
    groups: dict[tuple[str, int, float], list[Pulse]] = {}
    for pulse in pulses:
        groups.setdefault((pulse.cell, pulse.probe, pulse.t_s), []).append(pulse)
    cells: dict[str, list[_Group]] = {}
    for (cell, _, _), members in sorted(groups.items(), key=lambda item: (item[0][0], item[0][2], item[0][1])):
        group = _group(members, monitor_dark_counts)
        if group is not None:
            cells.setdefault(cell, []).append(group)
    return {cell: _read(groups) for cell, groups in cells.items()}


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


def _group(members: list[Pulse], monitor_dark: float) -> _Group | None:
    counts = np.array([(p.dark_counts, p.lit_counts, p.monitor_counts) for p in members])
    dark, lit, monitor = counts[counts[:, 2] > monitor_dark].T
    if not len(dark):
        return None
    excitation = monitor - monitor_dark
    shape = _median(lit + dark) / _median(excitation) ** 2
    return _Group(members[0], (lit - dark) / excitation, dark, lit, monitor, max(shape, 0.0), len(members) - len(dark))


def _read(groups: list[_Group]) -> list[Reading]:
    """Reject, then pool what is left. The first look at the scatter is robust: the median over readings of their median deviations."""
    seen = [(_MAD_TO_SIGMA * _deviation(g.ratios)) ** 2 / g.shape for g in groups if len(g.ratios) >= _JUDGED_PULSES_MIN and g.shape > 0]
    robust_phi = _median(np.array(seen)) if seen else 0.0
    kept = [_kept(g.ratios, math.sqrt(robust_phi * g.shape)) for g in groups]
    scaled, freedom = 0.0, 0
    for g, (keep, _) in zip(groups, kept, strict=True):
        count = int(keep.sum())
        if count > 1 and g.shape > 0:
            scaled += (count - 1) * float(g.ratios[keep].var(ddof=1)) / g.shape
            freedom += count - 1
    phi = scaled / freedom if freedom else None
    return [_reading(g, keep, unsure, phi, freedom) for g, (keep, unsure) in zip(groups, kept, strict=True)]


def _median(values: np.ndarray) -> float:
    """As numpy.median, which takes ten times as long over a handful of values."""
    ordered, half = np.sort(values), len(values) // 2
    return float(ordered[half]) if len(values) % 2 else float(ordered[half - 1] + ordered[half]) / 2


def _deviation(ratios: np.ndarray) -> float:
    return _median(np.abs(ratios - _median(ratios)))


def _kept(ratios: np.ndarray, pooled_sd: float) -> tuple[np.ndarray, int]:
    """Return (which pulses are used, number of far pulses that are used all the same).

    The median deviation of few pulses is often too small by chance, so the cell's pooled scatter is a floor under it.
    """
    everything = np.ones(len(ratios), dtype=bool)
    spread = max(_MAD_TO_SIGMA * _deviation(ratios), pooled_sd)
    if len(ratios) < _JUDGED_PULSES_MIN or spread <= 0:
        return everything, 0
    near = np.abs(ratios - _median(ratios)) <= OUTLIER_SIGMAS * spread
    far = len(ratios) - int(near.sum())
    return (everything, far) if far > _REJECTED_SHARE_MAX * len(ratios) else (near, 0)


def _reading(g: _Group, keep: np.ndarray, unsure: int, phi: float | None, freedom: int) -> Reading:
    ratios, count = g.ratios[keep], int(keep.sum())
    return Reading(
        t_s=g.first.t_s,
        probe=g.first.probe,
        name=g.first.name,
        cell=g.first.cell,
        sample=g.first.sample,
        temp_degc=g.first.temp_degc,
        pulses=count,
        signal=float(ratios.mean()),
        se=float(ratios.std(ddof=1) / math.sqrt(count)) if count > 1 else None,
        se_pooled=None if phi is None else math.sqrt(phi * g.shape / count),
        freedom=freedom,
        dark_counts=float(g.dark[keep].mean()),
        lit_counts=float(g.lit[keep].mean()),
        monitor_counts=float(g.monitor[keep].mean()),
        outliers=len(g.ratios) - count,
        unsure=unsure,
        bad_pulses=g.bad,
        probe_exposure_j_per_cm2=g.first.probe_exposure_j_per_cm2,
    )
