"""Several runs beside each other: rates over temperature and over irradiance, sample against control, remnant PL at common times.

    ln k = ln k_0 - Ea / (R T)              runs of one sample at two temperatures and more, alike in light
    ln k = ln k_1 + m ln(E / (1 mW/cm2))    runs of one sample at two irradiances and more, alike in temperature

k is 1 / mean lifetime, of one law for all runs of a sample where one describes all of them (the lowest sum of AICc), else of each run's
preferred fit; a run that no law describes is left out. Where fits describe fewer than four runs in five, k is 1/T50 (or 1/T80) of all runs
of that sample, counted from the baseline in equivalent time: a decay that only becomes slower or faster keeps its shape, so any of its
times tells the rate. The ratio of sample to control inside a run is free of what both share: lamp, block, clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .compare import measured_at
from .confidence import coverage_factor
from .estimates import Fit, Parameter
from .results import Analysis, CellResult
from .trend import Line, line_through

GAS_KJ_PER_MOL_K = 8.314462618e-3
ALIKE_K = 3.0
ALIKE_SHARE = 0.1
_TIMES_MAX = 3
_DESCRIBED_SHARE = 0.8


@dataclass(frozen=True)
class Rate:
    """k of one cell of one run in 1/h with its 95 % interval; u_ln: standard uncertainty of ln k. Conditions: during the stress."""

    run: str
    cell: str
    sample: str
    stress: str
    temp_degc: float | None
    irradiance_mw_per_cm2: float
    law: str
    k: Parameter
    u_ln: float


@dataclass(frozen=True)
class Trend:
    """A constant found over runs, with its 95 % interval: Ea in kJ/mol, or the exponent m. line: in the variables of the module."""

    name: str
    unit: str
    sample: str
    value: float
    low: float
    high: float
    between_pct: float
    law: str
    note: str
    rates: list[Rate]
    line: Line


@dataclass(frozen=True)
class Ratio:
    """Remnant PL of a sample over that of the control in the same run at one time, with its 95 % interval."""

    cell: str
    control: str
    t_h: float
    value: float
    low: float
    high: float


def rates_of(runs: Sequence[tuple[str, Analysis]]) -> list[Rate]:
    """Return the rate of every cell that has a fit which describes it, in the order of runs and cells."""
    cells = [c for _, a in runs for c in a.cells]
    laws = {sample: _common_law([c for c in cells if _key(c) == sample]) for sample in map(_key, cells)}
    levels = {sample: _common_level([c for c in cells if _key(c) == sample]) for sample in map(_key, cells)}
    found = []
    for name, analysis in runs:
        c = analysis.conditions
        temp = c.temp_mean_degc if c.temp_mean_degc is not None else c.planned_temp_degc
        light = c.irradiance_mean_mw_per_cm2 if "light" in c.stress and c.irradiance_mean_mw_per_cm2 else 0.0
        for cell in analysis.cells:
            law, k = _rate(cell, laws[_key(cell)], levels[_key(cell)])
            u_ln = (math.log(k.high) - math.log(k.low)) / (2 * coverage_factor()) if k is not None and k.low > 0 else math.inf
            if k is not None and math.isfinite(u_ln) and u_ln > 0:
                found.append(Rate(name, cell.cell, cell.sample, c.stress, temp, light, law, k, u_ln))
    return found


def _rate(cell: CellResult, law: str | None, level: str | None) -> tuple[str, Parameter | None]:
    """Return (law, k), or ("1/T50", that) where a level stands in for laws that do not describe all runs."""
    if level is not None:
        return level, _by_level(cell, level)
    fit = _fit_of(cell, law)
    return (fit.model, fit.rates[-1]) if fit is not None and fit.rates else ("", None)


def _common_level(cells: list[CellResult]) -> str | None:
    """The level that takes the place of a law; None where fits describe most runs, or a run does not reach either level."""
    if sum(_fit_of(cell, None) is not None for cell in cells) >= _DESCRIBED_SHARE * len(cells):
        return None
    return next((name for name in ("1/T50", "1/T80") if all(_by_level(cell, name) is not None for cell in cells)), None)


def _by_level(cell: CellResult, name: str) -> Parameter | None:
    crossing = cell.t50 if name == "1/T50" else cell.t80
    if crossing.t_h is None or crossing.u_t_h is None:
        return None
    first = next((p.t_h for p in cell.points if p.how == "hot"), None)
    before = (cell.quenching.heating_up_equivalent_h or 0.0) - first if first is not None else 0.0
    since_baseline = crossing.t_h + before
    # a fit has the ageing while heating up in its interval already
    u_before = cell.quenching.u_heating_up_equivalent_h or 0.0 if crossing.method == "interpolation" else 0.0
    wide = math.exp(coverage_factor() * math.hypot(crossing.u_t_h, u_before) / since_baseline)
    return Parameter(name, "1/h", 1 / since_baseline, 1 / since_baseline / wide, wide / since_baseline)


def _key(cell: CellResult) -> str:
    return cell.sample or cell.cell


def _common_law(cells: list[CellResult]) -> str | None:
    """The law that describes all cells that any law describes, lowest sum of AICc; None when there is none."""
    cells = [cell for cell in cells if _fit_of(cell, None) is not None]
    sums: dict[str, list[float]] = {}
    for cell in cells:
        for fit in cell.fits:
            if fit.status == "ok" and fit.delta_aicc is not None:
                sums.setdefault(fit.model, []).append(fit.delta_aicc)
    whole = {model: sum(values) for model, values in sums.items() if len(values) == len(cells)}
    return min(whole, key=lambda model: whole[model], default=None)


def _fit_of(cell: CellResult, law: str | None) -> Fit | None:
    fine = [f for f in cell.fits if f.status == "ok"]
    return next((f for f in fine if f.model == law), None) or next((f for f in fine if f.preferred), None)


def trends(rates: list[Rate]) -> list[Trend]:
    """Return what can be said over runs, per sample: an activation energy, an exponent."""
    found = []
    for sample in dict.fromkeys(r.sample or r.cell for r in rates):
        own = [r for r in rates if (r.sample or r.cell) == sample]
        dark = [r for r in own if "heat" in r.stress]
        lit = [r for r in own if "light" in r.stress and r.irradiance_mw_per_cm2 > 0]
        found += [arrhenius(group) for group in _alike(dark, _light_alike)]
        found += [power_law(group) for group in _alike(lit, _temp_alike)]
    return [t for t in found if t is not None]


def arrhenius(rates: list[Rate]) -> Trend | None:
    """Return the activation energy of runs at different temperatures; None for fewer than two temperatures."""
    with_temp = [r for r in rates if r.temp_degc is not None]
    temps = np.array([r.temp_degc for r in with_temp], dtype=float)
    if len(temps) < 2 or np.ptp(temps) < ALIKE_K:
        return None
    return _trend("Ea", "kJ/mol", with_temp, -1 / (GAS_KJ_PER_MOL_K * (temps + 273.15)))


def power_law(rates: list[Rate]) -> Trend | None:
    """Return the exponent m of k against irradiance; None for fewer than two irradiances."""
    light = np.array([r.irradiance_mw_per_cm2 for r in rates])
    if len(light) < 2 or light.min() <= 0 or light.max() / light.min() < 1 + ALIKE_SHARE:
        return None
    return _trend("m", "", rates, np.log(light))


def _trend(name: str, unit: str, rates: list[Rate], x: np.ndarray) -> Trend | None:
    line = line_through(x, np.array([math.log(r.k.value) for r in rates]), np.array([r.u_ln for r in rates]))
    if line is None:
        return None
    laws = dict.fromkeys(r.law for r in rates)
    notes = []
    if line.freedom is None:
        notes.append("from two runs: as sure as they are by themselves, scatter between runs is not known")
    if len(laws) > 1:
        notes.append("no one law describes all runs: 1 / mean lifetime of different laws")
    half = line.factor * line.u_slope
    sample = rates[0].sample or rates[0].cell
    between = 100 * line.between
    return Trend(
        name, unit, sample, line.slope, line.slope - half, line.slope + half, between, ", ".join(laws), "; ".join(notes), rates, line
    )


def _alike(rates: list[Rate], same: Callable[[Rate, Rate], bool]) -> list[list[Rate]]:
    groups: list[list[Rate]] = []
    for rate in rates:
        home = next((g for g in groups if same(g[0], rate)), None)
        if home is None:
            groups.append([rate])
        else:
            home.append(rate)
    return groups


def _light_alike(a: Rate, b: Rate) -> bool:
    return abs(a.irradiance_mw_per_cm2 - b.irradiance_mw_per_cm2) <= ALIKE_SHARE * max(a.irradiance_mw_per_cm2, b.irradiance_mw_per_cm2)


def _temp_alike(a: Rate, b: Rate) -> bool:
    return a.temp_degc is None or b.temp_degc is None or abs(a.temp_degc - b.temp_degc) <= ALIKE_K


def control_of(analysis: Analysis) -> CellResult | None:
    """The one cell whose sample is called control; None when there is none, or more than one."""
    found = [c for c in analysis.cells if "control" in c.sample.lower()]
    return found[0] if len(found) == 1 and len(analysis.cells) > 1 else None


def ratios(analysis: Analysis) -> list[Ratio]:
    """Return sample over control at every time at which both were read."""
    control = control_of(analysis)
    if control is None:
        return []
    below = {round(p.run_t_h, 6): p for p in control.points if p.remnant_pct and p.u_pct is not None}
    found = []
    for cell in analysis.cells:
        for p in cell.points if cell is not control else []:
            q = below.get(round(p.run_t_h, 6))
            if q is None or not p.remnant_pct or p.u_pct is None or not q.remnant_pct or q.u_pct is None or p.t_h <= 0:
                continue
            value, u = p.remnant_pct / q.remnant_pct, math.hypot(p.u_pct / p.remnant_pct, q.u_pct / q.remnant_pct)
            wide = math.exp(coverage_factor() * u)
            found.append(Ratio(cell.cell, control.cell, p.t_h, value, value / wide, value * wide))
    return found


def common_times_h(analyses: Sequence[Analysis]) -> list[float]:
    """Return up to three times in h that all cells with readings reach: the end of the shortest, its half and quarter, to two digits."""
    ends = [
        max(p.t_h for p in c.points if p.remnant_pct is not None) for a in analyses for c in a.cells if any(p.remnant_pct for p in c.points)
    ]
    end = min((e for e in ends if e > 0), default=0.0)
    times = {_down(end * share) for share in (0.25, 0.5, 1.0)} if end else set()
    return sorted(t for t in times if t > 0)[:_TIMES_MAX]


def _down(value: float) -> float:
    """Two significant digits, never above the value by more than 0.1 %."""
    places = 1 - math.floor(math.log10(value))
    return round(math.floor(value * 1.001 * 10**places) / 10**places, 12)


def remnant_at(cell: CellResult, t_h: float) -> tuple[float | None, float | None]:
    """Return (remnant PL in %, standard uncertainty) at a stress time, read or interpolated; (None, None) beyond the readings."""
    value, u, _ = measured_at(cell, t_h)
    return value, u
