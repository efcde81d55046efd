"""The figure of a forecast: setpoint and block, irradiance, radiant exposure, pumped volumes, over the time of the run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from ..report import drawing
from ..report.drawing import GRID, INK, SERIES, Drawing
from .forecast import Forecast

_STYLE = Path(drawing.__file__).with_name("style.css")
_TIME_UNITS = (("d", 86_400.0, 4), ("h", 3600.0, 2), ("min", 60.0, 3), ("s", 1.0, 0))  # unit, seconds, used from so many of them on
_HEIGHT_IN = (0.9, 1.5)  # of the frame, of each panel
_SAYING = "FORECAST"


def draw(forecast: Forecast) -> str:
    """Return the figure as an SVG document that stands alone. The panels are those that the plan has something for."""
    rows = [row for row in forecast.curve if row[0] >= 0]
    unit, seconds, _ = next(one for one in _TIME_UNITS if forecast.duration_s >= one[1] * one[2])
    t = np.array([row[0] for row in rows]) / seconds
    irradiance = np.array([row[3] for row in rows]) / 1000
    exposure = np.array([row[4] for row in rows]) / 1000
    panels = [lambda axes: _temperature(axes, forecast, rows, t)]
    if irradiance.any():
        panels.append(lambda axes: _line(axes, t, irradiance, 1, "irradiance /\nmW cm\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT TWO}"))
    if exposure.any():
        panels.append(lambda axes: _line(axes, t, exposure, 2, "exposure /\nJ cm\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT TWO}"))
    if forecast.liquids:
        panels.append(lambda axes: _volumes(axes, forecast, rows, t))
    with Drawing(rows=len(panels), height_in=_HEIGHT_IN[0] + _HEIGHT_IN[1] * len(panels)) as d:
        for axes, panel in zip(d.axes, panels, strict=True):
            panel(axes)
            _steps(axes, forecast, seconds)
        d.axes[-1].set_xlabel(f"time since run start / {unit}")
        d.axes[-1].set_xlim(0, max(forecast.duration_s / seconds, 1e-9))
        words = (
            f"{forecast.title}: forecast of {forecast.duration_s:.0f} s, {len(forecast.steps)} steps, at most {forecast.peak_c:.1f} degC"
        )
        svg = d.svg(f"Forecast of {forecast.title}", words, False, "forecast")
    return _alone(svg)


def _temperature(axes: Axes, forecast: Forecast, rows: tuple | list, t: np.ndarray) -> None:
    setpoint = np.array([np.nan if row[1] is None else row[1] for row in rows])
    block = np.array([row[2] for row in rows])
    axes.plot(t, block, color=SERIES[0], linewidth=1.5, label="block, expected")
    if np.isfinite(setpoint).any():
        axes.plot(t, setpoint, color=INK, linewidth=1, linestyle=(0, (4, 2)), label="setpoint")
    everything = np.concatenate([block, setpoint[np.isfinite(setpoint)]])
    low, high = float(np.min(everything)), float(np.max(everything))
    if high - low < 4:
        axes.set_ylim((low + high) / 2 - 2, (low + high) / 2 + 2)
    axes.set_ylabel("temperature /\n\N{DEGREE SIGN}C")
    _legend(axes, 2)


def _line(axes: Axes, t: np.ndarray, y: np.ndarray, colour: int, label: str) -> None:
    axes.plot(t, y, color=SERIES[colour], linewidth=1.3)
    axes.set_ylim(0, 1.1 * float(np.max(y)))
    axes.set_ylabel(label)


def _volumes(axes: Axes, forecast: Forecast, rows: tuple | list, t: np.ndarray) -> None:
    for number, liquid in enumerate(forecast.liquids):
        volume = np.array([row[5][liquid.pump - 1] for row in rows]) / 1e6
        axes.plot(t, volume, color=SERIES[number % 4], linewidth=1.3, label=liquid.name)
    axes.set_ylabel("infused, net /\nmL")
    _legend(axes, 4)


def _legend(axes: Axes, columns: int) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, borderaxespad=0.1)


def _steps(axes: Axes, forecast: Forecast, seconds: float) -> None:
    """A thin line where a step begins, as long as they can be told apart."""
    if len(forecast.steps) <= 40:
        for step in forecast.steps:
            axes.axvline(step.begin_s / seconds, color=GRID, linewidth=0.8, zorder=0)


def _alone(svg: str) -> str:
    """Give a figure that is no part of a page the colours of the page, light and dark."""
    css = _STYLE.read_text(encoding="utf-8")
    colours = re.findall(r"--(?:ink|grid|paper|series-\d): *[^;]+;", css)
    half = len(colours) // 2
    light, dark = "".join(colours[:half]), "".join(colours[half:])
    text = "text{font-family:system-ui,sans-serif!important}"  # in a page it is that of the page
    style = f"<style>svg{{{light}background:var(--paper)}}{text}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    return '<?xml version="1.0" encoding="utf-8"?>\n' + re.sub(r"(<svg[^>]*>)", lambda match: match[1] + style, svg, count=1) + "\n"
