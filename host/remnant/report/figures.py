"""The figures of a run: temperature, light, PL signals, remnant PL beside published points, residuals of the fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from ..analyse import Analysis, CellResult, RunData
from ..analyse.notation import plain, plus_minus
from .drawing import GRID, INK, MARKERS, PAPER, SERIES, Drawing
from .published import PublishedPoint
from .reduce import thinned

_RUN_TIME = "time since run start / h"
_STRESS_TIME = "time under stress / h"
_RESIDUAL_LIMIT = 6.0


@dataclass(frozen=True)
class Figure:
    """Inline SVG with the caption that goes under it."""

    svg: str
    caption: str


def figures_of(data: RunData, analysis: Analysis, published: list[PublishedPoint], key: str) -> list[Figure]:
    """Return the figures that the run has data for, remnant PL first."""
    makers: list[Callable[[], Figure | None]] = [
        lambda: _remnant(analysis, published, f"{key}-remnant"),
        lambda: _residuals(analysis, f"{key}-residuals"),
        lambda: _signals(analysis, f"{key}-signals"),
        lambda: _temperature(data, analysis, f"{key}-temperature"),
        lambda: _light(data, analysis, f"{key}-light"),
    ]
    return [figure for figure in (make() for make in makers) if figure is not None]


def _remnant(analysis: Analysis, published: list[PublishedPoint], key: str) -> Figure | None:
    if not any(p.remnant_pct is not None for c in analysis.cells for p in c.points[1:]):
        return None
    with Drawing(height_in=3.7) as d:
        axes = d.axes[0]
        for level in (80, 50):
            axes.axhline(level, color=INK, linewidth=0.7, linestyle=(0, (1, 3)))
        top = 105.0
        for index, cell in enumerate(analysis.cells):
            colour, marker = SERIES[index % 4], MARKERS[index % 4]
            points = [p for p in cell.points if p.remnant_pct is not None and p.u_pct is not None]
            fit = next((f for f in cell.fits if f.preferred), None)
            if fit is not None:
                axes.plot(fit.curve_t_h, fit.curve_pct, color=colour, linewidth=1.2, zorder=2)
                axes.fill_between(fit.curve_t_h, fit.curve_low_pct, fit.curve_high_pct, color=colour, alpha=0.18, linewidth=0, zorder=1)
            t, y = [p.t_h for p in points], [p.remnant_pct or 0.0 for p in points]
            top = max([top, *(p + 3 for p in y)])
            axes.errorbar(t, y, yerr=[2 * (p.u_pct or 0.0) for p in points], fmt="none", ecolor=colour, elinewidth=1, zorder=3)
            _marks(axes, cell, index, t, y, [p.how for p in points])
            axes.plot([], [], marker=marker, color=colour, markersize=4, label=_label(cell))
        _published(axes, analysis, published)
        for stop in analysis.interruptions:
            axes.axvline(stop.stress_t_h, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
        if analysis.interruptions:
            axes.plot([], [], color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="interrupted")
        axes.set_ylim(0, top)
        axes.set_xlabel(_STRESS_TIME)
        axes.set_ylabel("remnant PL / %")
        legend_above(axes)
        words = "; ".join(f"{_label(c)}: {plus_minus(c.headline.remnant_pct, c.headline.u_pct, '%')}" for c in analysis.cells)
        caption = (
            f"Remnant PL. {analysis.conditions.time_zero}. Bars: 2 u, common part included. Filled: at the reference temperature; open: "
            "read hot, related by thermal quenching. Lines: preferred fit with its 95 % band."
        )
        sources = sorted({p.source for p in published if p.source})
        if analysis.interruptions:
            caption += " Dashed: the run was interrupted and resumed here; time without stress is not counted."
        if sources:
            caption += f" Diamonds: published values ({', '.join(sources)}), bars their scatter."
        return Figure(d.svg("Remnant PL against time", words, analysis.simulated, key), caption)


def _published(axes: Axes, analysis: Analysis, published: list[PublishedPoint]) -> None:
    letters = [c.cell for c in analysis.cells]
    for p in published:
        colour = SERIES[letters.index(p.cell) % 4] if p.cell in letters else INK
        scatter = [[p.scatter_pct], [p.scatter_pct]] if p.scatter_pct else None
        axes.errorbar(
            [p.t_h],
            [p.pct],
            yerr=scatter,
            fmt="d",
            markersize=8,
            markerfacecolor=PAPER,
            markeredgecolor=colour,
            markeredgewidth=1.4,
            ecolor=colour,
            elinewidth=1.2,
            capsize=4,
            zorder=5,
        )
    if published:
        axes.plot([], [], "d", markersize=7, markerfacecolor=PAPER, markeredgecolor=INK, label="published")


def _residuals(analysis: Analysis, key: str) -> Figure | None:
    cells = [c for c in analysis.cells if any(f.residuals for f in c.fits)]
    if not cells:
        return None
    outside = False
    with Drawing(rows=len(cells), height_in=1.0 + 1.45 * len(cells)) as d:
        for axes, cell in zip(d.axes, cells, strict=True):
            axes.axhspan(-2, 2, color=GRID, alpha=0.5, linewidth=0)
            axes.axhline(0, color=INK, linewidth=0.7)
            for fit in cell.fits:
                if not fit.residuals:
                    continue
                number = ("mono", "bi", "stretched").index(fit.model)
                face = SERIES[number] if fit.preferred else "none"
                values = np.clip(fit.residuals, -_RESIDUAL_LIMIT, _RESIDUAL_LIMIT)
                outside = outside or bool(np.any(np.abs(fit.residuals) > _RESIDUAL_LIMIT))
                axes.plot(
                    fit.residual_t_h,
                    values,
                    MARKERS[number],
                    markersize=3.6,
                    markerfacecolor=face,
                    markeredgecolor=SERIES[number],
                    markeredgewidth=0.8,
                )
            axes.set_ylim(-_RESIDUAL_LIMIT * 1.1, _RESIDUAL_LIMIT * 1.5)
            axes.set_ylabel("residual / u")
            axes.text(0.01, 0.96, _label(cell), transform=axes.transAxes, va="top", fontsize=8.5)
        names = [(m, SERIES[i], MARKERS[i]) for i, m in enumerate(("mono", "bi", "stretched"))]
        for name, colour, marker in names:
            d.axes[0].plot([], [], marker, color=colour, markersize=4, label=name)
        legend_above(d.axes[0], columns=3)
        d.axes[-1].set_xlabel(_STRESS_TIME)
        caption = "Residuals of the fits in standard uncertainties of each reading; the band is +-2. Filled: the preferred fit."
        caption += f" Values beyond +-{_RESIDUAL_LIMIT:g} are drawn at the edge." if outside else ""
        words = "; ".join(f"{_label(c)}: preferred {next((f.model for f in c.fits if f.preferred), 'none')}" for c in cells)
        return Figure(d.svg("Residuals of the fits", words, analysis.simulated, key), caption)


def _signals(analysis: Analysis, key: str) -> Figure | None:
    if not any(c.points for c in analysis.cells):
        return None
    with Drawing() as d:
        axes = d.axes[0]
        for index, cell in enumerate(analysis.cells):
            t, y = [p.run_t_h for p in cell.points], [p.signal for p in cell.points]
            axes.errorbar(t, y, yerr=[2 * (p.signal_se or 0.0) for p in cell.points], fmt="none", ecolor=SERIES[index % 4], elinewidth=1)
            _marks(axes, cell, index, t, y, [p.how for p in cell.points])
            axes.plot([], [], MARKERS[index % 4], color=SERIES[index % 4], markersize=4, label=_label(cell))
        _interrupted(axes, analysis)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(_RUN_TIME)
        axes.set_ylabel("PL signal / (counts per monitor count)")
        legend_above(axes)
        words = "; ".join(f"{_label(c)}: {len(c.points)} readings" for c in analysis.cells)
        return Figure(
            d.svg("PL signals as measured", words, analysis.simulated, key),
            "PL signals as measured, (lit - dark)/(monitor - dark). Bars: 2 standard errors over pulses. Open: read hot.",
        )


def _temperature(data: RunData, analysis: Analysis, key: str) -> Figure | None:
    t_h, temp, setpoint = data.column("t_s") / 3600, data.column("temp_degC"), data.column("setpoint_degC")
    if not np.isfinite(temp).any():
        return None
    with Drawing() as d:
        axes = d.axes[0]
        axes.plot(*thinned(t_h, temp), color=SERIES[0], linewidth=1.5, label="measured")
        if np.isfinite(setpoint).any():
            axes.plot(*thinned(t_h, setpoint), color=INK, linewidth=1, linestyle=(0, (4, 2)), label="setpoint")
        _interrupted(axes, analysis)
        low, high = np.nanmin(temp), np.nanmax(temp)
        if high - low < 4:
            axes.set_ylim((low + high) / 2 - 2, (low + high) / 2 + 2)
        axes.set_xlabel(_RUN_TIME)
        axes.set_ylabel("temperature / degC".replace("degC", "\N{DEGREE SIGN}C"))
        legend_above(axes)
        c = analysis.conditions
        words = (
            f"measured {plain(float(low))} to {plain(float(high))} degC; during the stress {plus_minus(c.temp_mean_degc, c.temp_sd_k)} degC"
        )
        return Figure(d.svg("Temperature of the block", words, analysis.simulated, key), "Block temperature and its setpoint.")


def _light(data: RunData, analysis: Analysis, key: str) -> Figure | None:
    t_h, light, exposure = data.column("t_s") / 3600, data.column("irradiance_mW_per_cm2"), data.column("exposure_J_per_cm2")
    if not (np.isfinite(light).any() or np.isfinite(exposure).any()):
        return None
    lit = float(np.nanmax(light, initial=0.0)) > 0
    with Drawing(rows=2 if lit else 1, height_in=3.6 if lit else 2.6) as d:
        lower = d.axes[-1]
        if lit:
            d.axes[0].plot(*thinned(t_h, light), color=SERIES[1], linewidth=1.2)
            d.axes[0].set_ylabel("irradiance /\nmW cm\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT TWO}")
            d.axes[0].set_ylim(0, max(1.0, 1.1 * float(np.nanmax(light, initial=0.0))))
        lower.plot(*thinned(t_h, exposure), color=SERIES[0], linewidth=1.4)
        probes = [p for c in analysis.cells[:1] for p in c.points if p.exposure_j_per_cm2 is not None]
        lower.plot([p.run_t_h for p in probes], [p.exposure_j_per_cm2 or 0.0 for p in probes], "o", color=SERIES[0], markersize=2.6)
        lower.set_ylabel("exposure /\nJ cm\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT TWO}")
        for axes in d.axes:
            _interrupted(axes, analysis)
        lower.set_ylim(bottom=0)
        lower.set_xlabel(_RUN_TIME)
        c = analysis.conditions
        words = f"exposure {plain(c.exposure_j_per_cm2)} J/cm2, of it probing {plain(c.probe_exposure_j_per_cm2)} J/cm2"
        return Figure(
            d.svg("Irradiance and radiant exposure" if lit else "Radiant exposure", words, analysis.simulated, key),
            ("Irradiance of the stress lamp and radiant" if lit else "The stress lamp stayed off. Radiant")
            + " exposure, probe pulses included; dots: at each probe.",
        )


def _interrupted(axes: Axes, analysis: Analysis) -> None:
    """Shade the time from an interruption until the stress was back."""
    for stop in analysis.interruptions:
        axes.axvspan(stop.run_t_h, stop.back_run_t_h or stop.run_t_h, color=GRID, alpha=0.6, linewidth=0, zorder=0)
        axes.axvline(stop.run_t_h, color=INK, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)


def _marks(axes: Axes, cell: CellResult, index: int, t: list[float], y: list[float], how: list[str]) -> None:
    """Markers of a cell: filled at the reference temperature, open when read hot."""
    colour, marker = SERIES[index % 4], MARKERS[index % 4]
    for wanted, face in (("reference", colour), ("hot", PAPER), ("between", PAPER)):
        chosen = [i for i, h in enumerate(how) if h == wanted]
        axes.plot(
            [t[i] for i in chosen],
            [y[i] for i in chosen],
            marker,
            markersize=3.6,
            markerfacecolor=face,
            markeredgecolor=colour,
            markeredgewidth=0.9,
            zorder=4,
        )


def _label(cell: CellResult) -> str:
    """Return "A: sample"; a legend hides names that begin with an underscore, and a figure takes printable signs only."""
    name = f"{cell.cell}: {cell.sample}" if cell.sample else cell.cell
    name = "".join(sign if sign.isprintable() else " " for sign in name)
    return f" {name}" if name.startswith("_") else name


def legend_above(axes: Axes, columns: int = 2) -> None:
    """Above the axes, where it covers nothing; one name a line when names are long."""
    names = axes.get_legend_handles_labels()[1]
    if not names:
        return
    if max((len(n) for n in names), default=0) > 26:
        columns = 1
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(columns, max(len(names), 1)), borderaxespad=0.2, columnspacing=1.2)
