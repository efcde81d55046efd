"""SVG for a page: matplotlib figures that take their colours from the page's CSS, so they follow light and dark.

Each colour is drawn as a placeholder and becomes `var(--name)`. The text stays text (readable by machines, searchable). No date, no
program version and no random id is left inside: the same figure gives the same bytes.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, GRID, PAPER = "#010101", "#020202", "#030303"
SERIES = ("#040401", "#040402", "#040403", "#040404", "#040405", "#040406", "#040407", "#040408")
MARKERS = ("o", "s", "^", "D")
_VARIABLES = {INK: "ink", GRID: "grid", PAPER: "paper", **{colour: f"series-{i}" for i, colour in enumerate(SERIES)}}
_WIDTH_IN = 4.8  # near the width of a phone in points, so text keeps its size there
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "remnant",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "axes.unicode_minus": False,
    "lines.linewidth": 1.4,
}


class Drawing:
    """One figure: `with Drawing(rows=2) as d: d.axes[0].plot(...)`, then `d.svg(title, description, simulated, key)`."""

    def __init__(self, rows: int = 1, height_in: float = 3.1):
        self._context = matplotlib.rc_context(_STYLE)
        self._rows, self._height_in = rows, height_in
        self.axes: list[Axes] = []

    def __enter__(self) -> Drawing:
        self._context.__enter__()
        self.figure = Figure(figsize=(_WIDTH_IN, self._height_in), layout="constrained")
        FigureCanvasSVG(self.figure)
        made = self.figure.subplots(self._rows, 1, sharex=True, squeeze=False)
        self.axes = [row[0] for row in made]
        return self

    def __exit__(self, *_error: object) -> None:
        self._context.__exit__(None, None, None)

    def svg(self, title: str, description: str, simulated: bool, key: str) -> str:
        """Return inline SVG; `key` makes its ids unique in the page. Call inside the `with`."""
        if simulated:
            self.figure.text(
                0.55, 0.5, "SIMULATED", rotation=24, ha="center", va="center", fontsize=38, fontweight="bold", color=INK, alpha=0.10
            )
        out = io.StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the page's own fonts draw the text
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        return _inline(out.getvalue(), title, description, key)


def standalone(svg: str) -> str:
    """Return an inline figure as a file of its own: on white, in the colours of the light page."""
    for name, colour in _light().items():
        svg = svg.replace(f"var(--{name})", colour)
    box = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
    width, height = box.groups() if box else ("480", "320")
    svg = svg.replace("<svg ", f'<svg width="{width}pt" height="{height}pt" font-family="sans-serif" ', 1)
    svg = svg.replace("inherit", "sans-serif")
    end = svg.index(">", svg.index("<svg ")) + 1
    body = f'{svg[:end]}<rect width="100%" height="100%" fill="#ffffff"/>{svg[end:]}'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


@cache
def _light() -> dict[str, str]:
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", style[: style.index("@media")]))


def _inline(svg: str, title: str, description: str, key: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    svg = re.sub(r'id="([^"]+)"', rf'id="{key}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", svg)
    svg = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{key}-\1"', svg)
    for colour, name in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = svg.replace("'DejaVu Sans'", "inherit").replace("sans-serif, inherit", "inherit")
    svg = re.sub(r"font: ([^;\"]*?px) inherit", r"font: \1 system-ui, sans-serif", svg)
    view_box = re.search(r'viewBox="[^"]+"', svg)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {view_box[0] if view_box else ""} role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{html.escape(title)}</title>'
        f'<desc id="{key}-desc">{html.escape(description)}</desc>'
    )
    svg = re.sub(r"^<svg[^>]*>", lambda _: head, svg)
    return re.sub(r"\n\s*", "\n", svg).strip()
