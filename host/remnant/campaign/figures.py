"""Figures of a campaign as vector graphics: PLQY, peak and FWHM against what is swept (liang2023, figs 2 and 3), and Re and yield."""

from __future__ import annotations

from collections.abc import Callable

from .. import units
from ..flow.of_plan import ANTISOLVENT, PRECURSOR
from ..report.drawing import MARKERS, SERIES, Drawing
from ..report.figures import Figure
from .spectra import Spectrum
from .table import Row, Synthesis

_AXES = {ANTISOLVENT: "antisolvent flow / (mL/h)", PRECURSOR: "precursor flow / (mL/h)"}
_SPECTRA: tuple[tuple[str, str, str, Callable[[Spectrum], float | None]], ...] = (
    ("plqy", "PLQY", "PLQY / %", lambda spectrum: spectrum.plqy_pct),
    ("peak", "Emission peak", "emission peak / nm", lambda spectrum: spectrum.peak_nm),
    ("fwhm", "Width at half maximum", "FWHM / nm", lambda spectrum: spectrum.fwhm_nm),
)


def figures_of(rows: list[Row], simulated: bool, origin: str) -> list[Figure]:
    """Return the figures that the rows have data for; none when fewer than two points have flowed."""
    made = [(row, row.synthesis) for row in rows if row.synthesis is not None]
    if len(made) < 2:
        return []
    swept = _swept([synthesis for _, synthesis in made])
    found = [figure for spec in _SPECTRA if (figure := _spectrum(made, swept, simulated, origin, *spec)) is not None]
    return [*found, _flow(made, swept, simulated)]


def _swept(made: list[Synthesis]) -> str:
    """Return the pump whose flow varies most from point to point."""
    return max((ANTISOLVENT, PRECURSOR), key=lambda name: len({round(_flow_of(one, name), 3) for one in made}))


def _flow_of(synthesis: Synthesis, name: str) -> float:
    made = synthesis.condition
    return made.antisolvent_ml_per_h if name == ANTISOLVENT else made.precursor_ml_per_h


def _held(made: list[tuple[Row, Synthesis]], swept: str) -> str:
    other = PRECURSOR if swept == ANTISOLVENT else ANTISOLVENT
    flows = sorted({_flow_of(synthesis, other) for _, synthesis in made})
    shown = units.show(round(flows[0] * 1e6 / 60), units.FLOW)
    return f"{other} {shown}" if len(flows) == 1 else f"{other} {flows[0]:g} to {flows[-1]:g} mL/h"


def _spectrum(
    made: list[tuple[Row, Synthesis]],
    swept: str,
    simulated: bool,
    origin: str,
    key: str,
    title: str,
    label: str,
    value_of: Callable[[Spectrum], float | None],
) -> Figure | None:
    series: dict[str, list[tuple[float, float]]] = {}
    for row, synthesis in made:
        for spectrum in row.spectra:
            value = value_of(spectrum)
            if value is not None:
                series.setdefault(spectrum.sample, []).append((_flow_of(synthesis, swept), value))
    if not series:
        return None
    with Drawing(height_in=3.3) as d:
        axes = d.axes[0]
        for index, (sample, points) in enumerate(series.items()):
            x, y = zip(*sorted(points), strict=True)
            axes.plot(x, y, color=SERIES[index % 4], marker=MARKERS[index % 4], markersize=5, label=sample or "product")
        if key == "plqy":
            axes.set_ylim(0, max(100.0, *(value for points in series.values() for _, value in points)))
        axes.set_xlabel(_AXES[swept])
        axes.set_ylabel(label)
        axes.legend(loc="lower right" if key == "plqy" else "best")
        words = "; ".join(f"{sample or 'product'}: {', '.join(f'{y:g} at {x:g}' for x, y in points)}" for sample, points in series.items())
        caption = f"{title} against {swept} flow, {_held(made, swept)}. Measured off the rig and attached: {origin}."
        return Figure(d.svg(f"{title} against {swept} flow", words, simulated, f"campaign-{key}"), caption)


def _flow(made: list[tuple[Row, Synthesis]], swept: str, simulated: bool) -> Figure:
    with Drawing(rows=2, height_in=4.2) as d:
        points = _ordered(made, swept)
        x = [flow for flow, _ in points]
        reynolds = [synthesis.condition.reynolds for _, synthesis in points]
        d.axes[0].plot(x, reynolds, color=SERIES[0], marker=MARKERS[0], markersize=4)
        d.axes[0].set_ylabel("Reynolds number")
        d.axes[0].set_ylim(0, max(2000.0, *reynolds))
        d.axes[1].plot(x, [synthesis.production.g_per_h for _, synthesis in points], color=SERIES[1], marker=MARKERS[1], markersize=4)
        d.axes[1].set_ylabel("yield / (g/h)")
        d.axes[1].set_ylim(bottom=0)
        d.axes[1].set_xlabel(_AXES[swept])
        words = "; ".join(f"{flow:g} mL/h: Re {one.condition.reynolds:.0f}, {one.production.g_per_h:.3f} g/h" for flow, one in points)
        caption = (
            f"Calculated: Reynolds number of the whole flow behind the Y and yield, against {swept} flow, {_held(made, swept)}. "
            f"Assumed: {points[-1][1].condition.assumed}; yield linear in concentration and precursor flow (liang2023)."
        )
        return Figure(d.svg(f"Reynolds number and yield against {swept} flow", words, simulated, "campaign-flow"), caption)


def _ordered(made: list[tuple[Row, Synthesis]], swept: str) -> list[tuple[float, Synthesis]]:
    return sorted(((_flow_of(synthesis, swept), synthesis) for _, synthesis in made), key=lambda pair: pair[0])
