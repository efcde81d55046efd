"""The figures of several runs: remnant PL of all, sample over control, rates over temperature and over irradiance, attached spectra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ..analyse import Analysis, CellResult
from ..analyse.across import GAS_KJ_PER_MOL_K, Rate, Trend, ratios
from ..analyse.attached import Spectrum
from ..analyse.notation import plain
from .drawing import INK, MARKERS, PAPER, SERIES, Drawing
from .figures import Figure, legend_above
from .published import PublishedPoint

_LEGEND_MAX = 10
_LOG_RATIO = 20.0
_MARKS_MAX = 40
_MINUS_ONE = "\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ONE}"


@dataclass(frozen=True)
class Entry:
    """A run in a comparison. number: as in the table, from 1."""

    number: int
    name: str
    analysis: Analysis
    spectra: list[Spectrum]


def remnant(entries: Sequence[Entry], published: Sequence[PublishedPoint], key: str) -> Figure | None:
    """Remnant PL of every cell of every run, with the 95 % band of its preferred fit."""
    curves = [(e, c) for e in entries for c in e.analysis.cells if any(p.remnant_pct is not None and p.t_h > 0 for p in c.points)]
    if not curves:
        return None
    few = len(curves) <= _LEGEND_MAX
    samples = list(dict.fromkeys(c.sample or c.cell for _, c in curves))
    ends = [max(p.t_h for p in c.points) for _, c in curves]
    log = max(ends) > _LOG_RATIO * min(ends)
    with Drawing(height_in=4.0 if few else 4.4) as d:
        axes = d.axes[0]
        for level in (80, 50):
            axes.axhline(level, color=INK, linewidth=0.7, linestyle=(0, (1, 3)))
        top, first = 105.0, math.inf
        for i, (entry, cell) in enumerate(curves):
            colour = SERIES[(i if few else samples.index(cell.sample or cell.cell)) % len(SERIES)]
            marker = MARKERS[entry.number % len(MARKERS)]
            _curve(axes, cell, colour, log)
            points = [p for p in cell.points if p.remnant_pct is not None and p.u_pct is not None and (p.t_h > 0 or not log)]
            points = points[:: max(1, math.ceil(len(points) / _MARKS_MAX))]
            y = [p.remnant_pct or 0.0 for p in points]
            top, first = max([top, *(v + 3 for v in y)]), min([first, *(p.t_h for p in points if p.t_h > 0)])
            bars = [2 * (p.u_pct or 0.0) for p in points]
            face = [colour if p.how == "reference" else PAPER for p in points]
            axes.errorbar([p.t_h for p in points], y, yerr=bars, fmt="none", ecolor=colour, elinewidth=0.8, zorder=3)
            axes.scatter([p.t_h for p in points], y, s=10, marker=marker, c=face, edgecolors=colour, linewidths=0.8, zorder=4)
            if few:
                axes.plot([], [], marker=marker, color=colour, markersize=4, label=_label(entry, cell))
        if not few:
            for i, sample in enumerate(samples[: len(SERIES)]):
                axes.plot([], [], color=SERIES[i % len(SERIES)], label=_text(sample))
        _published(axes, published)
        if log:
            axes.set_xscale("log")
            axes.set_xlim(left=max(first * 0.8, 1e-3))
        axes.set_ylim(0, top)
        axes.set_xlabel("time under stress / h")
        axes.set_ylabel("remnant PL / %")
        legend_above(axes)
        words = "; ".join(f"{_label(e, c)}: {plain(c.headline.remnant_pct, '%')} after {plain(c.headline.t_h, 'h', 3)}" for e, c in curves)
        caption = (
            "Remnant PL against time under stress. Bars: 2 u, common part included; filled: at the reference temperature; open: read hot, "
            "related by thermal quenching. Lines: preferred fit; bands: its 95 % confidence band. Dotted: 80 % and 50 %. Numbers: as "
            "in the table."
        )
        if not few:
            caption += " Colours: sample."
        sources = sorted({p.source for p in published if p.source})
        if sources:
            caption += f" Diamonds: published values ({', '.join(sources)}), bars their scatter."
        return Figure(d.svg("Remnant PL of several runs", words, _simulated(entries), key), caption)


def _curve(axes: Axes, cell: CellResult, colour: str, log: bool) -> None:
    fit = next((f for f in cell.fits if f.preferred), None)
    if fit is None:
        return
    t, y, low, high = (np.array(v) for v in (fit.curve_t_h, fit.curve_pct, fit.curve_low_pct, fit.curve_high_pct))
    shown = t > 0 if log else np.ones(len(t), dtype=bool)
    axes.plot(t[shown], y[shown], color=colour, linewidth=1.1, zorder=2)
    axes.fill_between(t[shown], low[shown], high[shown], color=colour, alpha=0.2, linewidth=0, zorder=1)


def _published(axes: Axes, published: Sequence[PublishedPoint]) -> None:
    for p in published:
        scatter = [[p.scatter_pct], [p.scatter_pct]] if p.scatter_pct else None
        style = {"markersize": 7, "markerfacecolor": PAPER, "markeredgecolor": INK, "markeredgewidth": 1.2, "ecolor": INK}
        axes.errorbar([p.t_h], [p.pct], yerr=scatter, fmt="d", elinewidth=1.0, capsize=3, zorder=5, **style)
    if published:
        axes.plot([], [], "d", markersize=6, markerfacecolor=PAPER, markeredgecolor=INK, label="published")


def against_control(entries: Sequence[Entry], key: str) -> Figure | None:
    """Sample over control inside each run, against time."""
    told = [(e, cell, [r for r in ratios(e.analysis) if r.cell == cell.cell]) for e in entries for cell in e.analysis.cells]
    told = [(e, cell, list({round(r.t_h, 3): r for r in rs}.values())) for e, cell, rs in told if rs]  # the final one at the end
    if not told:
        return None
    with Drawing(height_in=3.4) as d:
        axes = d.axes[0]
        axes.axhline(1, color=INK, linewidth=0.7, linestyle=(0, (1, 3)))
        for i, (entry, cell, rs) in enumerate(told):
            colour, t, y = SERIES[i % len(SERIES)], [r.t_h for r in rs], [r.value for r in rs]
            axes.plot(t, y, color=colour, marker=MARKERS[entry.number % len(MARKERS)], markersize=3, linewidth=1)
            axes.fill_between(t, [r.low for r in rs], [r.high for r in rs], color=colour, alpha=0.2, linewidth=0)
            if len(told) <= _LEGEND_MAX:
                axes.plot([], [], color=colour, marker=MARKERS[entry.number % len(MARKERS)], markersize=4, label=_label(entry, cell))
        values = [v for _, _, rs in told for r in rs for v in (r.low, r.high)]
        if max(values) > _LOG_RATIO * min(values) / 4:
            axes.set_yscale("log")
            _decades(axes)
        axes.set_xlabel("time under stress / h")
        axes.set_ylabel("remnant PL, sample / control")
        legend_above(axes)
        words = "; ".join(f"{_label(e, c)}: {plain(rs[-1].value)} at {plain(rs[-1].t_h, 'h', 3)}" for e, c, rs in told)
        caption = "Remnant PL of the sample over that of the control in the same run and reading; band: 95 % interval."
        caption += " Numbers: as in the table." if len(told) <= _LEGEND_MAX else f" {len(told)} curves: the table names their last values."
        return Figure(d.svg("Sample against control", words, _simulated(entries), key), caption)


def trend(found: Sequence[Trend], simulated: bool, key: str) -> Figure | None:
    """Rates with their lines: over 1/T (Arrhenius) or over irradiance; all of one kind."""
    if not found:
        return None
    arrhenius = found[0].name == "Ea"
    with Drawing(height_in=3.7) as d:
        axes = d.axes[0]
        for i, t in enumerate(found):
            colour, marker = SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]
            x = np.array([_x(r, arrhenius) for r in t.rates])
            k = np.array([(r.k.value, r.k.low, r.k.high) for r in t.rates])
            axes.errorbar(
                x, k[:, 0], yerr=[k[:, 0] - k[:, 1], k[:, 2] - k[:, 0]], fmt=marker, color=colour, markersize=4, elinewidth=1, capsize=2
            )
            room = 0.04 * np.ptp(x)
            grid = np.linspace(x.min() - room, x.max() + room, 60)
            y, half = t.line.at(-grid / 1000 / GAS_KJ_PER_MOL_K if arrhenius else np.log(grid))
            axes.plot(grid, np.exp(y), color=colour, linewidth=1.1, label=f"{_text(t.sample)}: {_said(t)}")
            if t.line.freedom is not None and half.max() < 5:
                axes.fill_between(grid, np.exp(y - half), np.exp(y + half), color=colour, alpha=0.18, linewidth=0)
        axes.set_yscale("log")
        shown = [v for t in found for r in t.rates for v in (r.k.low, r.k.high)]
        axes.set_ylim(min(shown) / 1.6, max(shown) * 1.6)
        _decades(axes)
        axes.set_ylabel(f"rate constant k / h{_MINUS_ONE}")
        if arrhenius:
            axes.set_xlabel(f"1000 K / T     (block {_temperatures(found)} \N{DEGREE SIGN}C)")
        else:
            axes.set_xscale("log")
            lights = sorted({round(r.irradiance_mw_per_cm2, 3) for t in found for r in t.rates})
            axes.set_xticks(lights, [plain(v, digits=3) for v in lights])
            axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xlabel("irradiance / mW cm\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT TWO}")
        legend_above(axes, columns=1)
        title = "Arrhenius plot" if arrhenius else "Rate against irradiance"
        caption = f"{title}: k = 1 / mean lifetime with 95 % intervals; line ln k = "
        caption += "ln k0 - Ea/(R T)" if arrhenius else "ln k1 + m ln E"
        caption += ", weighted, scatter between runs included; band: its 95 % confidence band (none from two runs)."
        return Figure(d.svg(title, "; ".join(f"{t.sample}: {_said(t)}" for t in found), simulated, key), caption)


def spectra(entries: Sequence[Entry], key: str) -> Figure | None:
    """Attached PLQY, peak and width over the steps of each run."""
    quantities = (("plqy_pct", "PLQY / %"), ("peak_nm", "peak / nm"), ("fwhm_nm", "FWHM / nm"))
    told = [(name, label) for name, label in quantities if any(getattr(s, name) is not None for e in entries for s in e.spectra)]
    if not told:
        return None
    several = len(entries) > 1
    with Drawing(rows=len(told), height_in=1.2 + 1.5 * len(told)) as d:
        groups = list(dict.fromkeys((e.number, s.cell) for e in entries for s in e.spectra))
        places = list(dict.fromkeys((s.step, s.step_name) for e in entries for s in sorted(e.spectra, key=lambda s: s.step)))
        places.sort()
        for axes, (name, label) in zip(d.axes, told, strict=True):
            for i, (number, cell) in enumerate(groups):
                own = [s for e in entries if e.number == number for s in e.spectra if s.cell == cell and getattr(s, name) is not None]
                shift = 0.12 * (i - (len(groups) - 1) / 2) if len(groups) <= 6 else 0.0
                x = [places.index((s.step, s.step_name)) + shift for s in own]
                u = [2 * (getattr(s, f"u_{name}") or 0.0) for s in own]
                colour, marker = SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]
                axes.errorbar(x, [getattr(s, name) for s in own], yerr=u, fmt=marker, color=colour, markersize=4, elinewidth=1, capsize=2)
            axes.set_ylabel(label)
        for i, (number, cell) in enumerate(groups[:_LEGEND_MAX]):
            name = f"cell {cell}" if cell else "no cell"
            d.axes[0].plot([], [], MARKERS[i % len(MARKERS)], color=SERIES[i % len(SERIES)], label=f"{number}: {name}" if several else name)
        d.axes[-1].set_xticks(
            range(len(places)), [_text(f"{step} {name}")[:14] for step, name in places], rotation=20 if len(places) > 4 else 0
        )
        d.axes[-1].set_xlim(-0.5, len(places) - 0.5)
        d.axes[-1].set_xlabel("step")
        legend_above(d.axes[0])
        words = "; ".join(
            f"step {s.step}: PLQY {plain(s.plqy_pct, '%')}, peak {plain(s.peak_nm, 'nm')}" for e in entries for s in e.spectra
        )
        caption = "Spectrometer results attached to the run, per step; bars: 2 u where given. Measured off the rig."
        return Figure(d.svg("Attached spectrometer results", words, _simulated(entries), key), caption)


def _decades(axes: Axes) -> None:
    """Plain numbers at 1, 2 and 5 of each decade, at 1 only where there are many decades."""
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 300 * low else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: plain(v)))
    axes.yaxis.set_minor_locator(NullLocator())


def _x(rate: Rate, arrhenius: bool) -> float:
    return 1000 / ((rate.temp_degc or 0.0) + 273.15) if arrhenius else rate.irradiance_mw_per_cm2


def _temperatures(found: Sequence[Trend]) -> str:
    return ", ".join(plain(t, digits=3) for t in sorted({round(r.temp_degc or 0.0, 1) for t in found for r in t.rates}, reverse=True))


def _said(t: Trend) -> str:
    return f"{t.name} {plain(t.value)} [{plain(t.low)}, {plain(t.high)}] {t.unit}".strip()


def _label(entry: Entry, cell: CellResult) -> str:
    return f"{entry.number} {cell.cell}: {_text(cell.sample)}" if cell.sample else f"{entry.number} {cell.cell}"


def _text(name: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in name)


def _simulated(entries: Sequence[Entry]) -> bool:
    return any(e.analysis.simulated for e in entries)
