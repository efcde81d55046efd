"""The page: one HTML file for one run or for several, with nothing loaded from anywhere.

The page says nothing of when it was made or where the folder lies: the same folders give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..analyse import METHOD, Analysis, CellResult, RunData, analyse, read_run
from ..analyse.notation import plain, plus_minus
from . import tables
from .compliance import compliance
from .figures import figures_of
from .published import citations, points_beside
from .tables import shown

FILE_NAME = "report.html"
_STYLE = Path(__file__).with_name("style.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Run:
    """A run folder, read and analysed. key: prefix of its ids in the page."""

    key: str
    data: RunData
    analysis: Analysis


def write_report(folders: str | Path | list[str | Path] | list[Path] | list[str], out: str | Path | None = None) -> Path:
    """Analyse the folders, write the page and return its path.

    out: default report.html inside a single folder, or beside the first of several. Raises RigError(STORE_CORRUPT) for a folder without a
    run, ValueError for no folder at all, OSError when the page cannot be written.
    """
    several = [Path(f) for f in folders] if isinstance(folders, list) else [Path(folders)]
    if not several:
        raise ValueError("a report needs at least one run folder")
    runs = [Run(f"r{i}", read_run(folder), analyse(folder)) for i, folder in enumerate(several, 1)]
    target = Path(out) if out is not None else (several[0] if len(several) == 1 else several[0].parent) / FILE_NAME
    target.write_bytes(page(runs).encode("ascii", "xmlcharrefreplace"))
    return target


def page(runs: list[Run]) -> str:
    """Return the whole page."""
    simulated = [r for r in runs if r.analysis.simulated]
    title = runs[0].analysis.title or "Run" if len(runs) == 1 else f"{len(runs)} stress runs"
    banner = ""
    if simulated:
        which = "" if len(simulated) == len(runs) else f" ({len(simulated)} of {len(runs)} runs)"
        banner = (
            f'<div class="simulated" role="note"><strong>SIMULATED</strong>{which}: these data come from a model, not from a sample.</div>'
        )
    head = f"<header><h1>{shown(title)}</h1>{_contents(runs)}</header>"
    body = "".join(_run(r, alone=len(runs) == 1) for r in runs)
    if len(runs) > 1:
        rows = [row for r in runs for row in r.analysis.rows()]
        body = tables.comparison(rows, "Measured and published" + (" - SIMULATED" if simulated else "")) + body
    return _document(title, banner, head, f"<main>{body}</main>{_footer(runs)}", bool(simulated))


def sheet(title: str, body: str, simulated: bool, footer: str = "") -> str:
    """Return a page around finished HTML: for what is no run, a campaign."""
    text = "these data come from a model, not from a sample."
    banner = f'<div class="simulated" role="note"><strong>SIMULATED</strong>: {text}</div>' if simulated else ""
    return _document(title, banner, f"<header><h1>{shown(title)}</h1></header>", f"<main>{body}</main>{footer}", simulated)


def _document(title: str, banner: str, head: str, rest: str, simulated: bool) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{shown(title)}{" - SIMULATED" if simulated else ""}</title>'
        f"<style>{_STYLE.read_text(encoding='utf-8')}</style></head><body>{banner}{head}{rest}</body></html>\n"
    )


def _contents(runs: list[Run]) -> str:
    if len(runs) == 1:
        return ""
    links = "".join(f'<li><a href="#{r.key}">{shown(_name(r.analysis))}</a></li>' for r in runs)
    return f'<nav aria-label="Runs"><ul>{links}</ul></nav>'


def _name(analysis: Analysis) -> str:
    samples = ", ".join(c.sample for c in analysis.cells if c.sample)
    return f"{analysis.title or analysis.test or 'run'}{': ' + samples if samples else ''}"


def _run(run: Run, alone: bool) -> str:
    a, manifest = run.analysis, run.data.manifest
    published = points_beside(a)
    status = f"Status: {a.status}. {'SIMULATED. ' if a.simulated else ''}Test {a.test or '-'}, after {a.source or 'no published source'}."
    parts = [
        "" if alone else f"<h2>{shown(_name(a))}</h2>",
        f'<p class="under">{shown(status)} {shown(a.conditions.time_zero)}.</p>',
        _notes(a),
        _cards(a),
        '<div class="figures">',
        *(
            f"<figure>{f.svg}<figcaption>{'SIMULATED. ' if a.simulated else ''}{shown(f.caption)}</figcaption></figure>"
            for f in figures_of(run.data, a, published, run.key)
        ),
        "</div>",
        tables.comparison(a.rows(), "Measured and published") if alone and a.comparisons else "",
        tables.headline(a),
        tables.fits(a),
        tables.quenching(a),
        tables.conditions(a),
        compliance(a),
        tables.steps(a),
        tables.interruptions(a),
        tables.incidents(a),
        tables.records(a, manifest),
        tables.facts(a, manifest),
        _folded("Published values with the same stressor", tables.published_rows(a)),
        _folded("All readings", "".join(tables.readings(c) for c in a.cells)),
    ]
    return f'<section id="{run.key}">{"".join(parts)}</section>'


def _notes(analysis: Analysis) -> str:
    notes = [*analysis.notes, *(f"Cell {c.cell}: {note}" for c in analysis.cells for note in c.notes)]
    return f'<ul class="notes">{"".join(f"<li>{shown(n)}</li>" for n in notes)}</ul>' if notes else ""


def _cards(analysis: Analysis) -> str:
    return f'<ul class="cards">{"".join(_card(c) for c in analysis.cells)}</ul>' if analysis.cells else ""


def _card(cell: CellResult) -> str:
    h = cell.headline
    after = f"remnant PL after {plain(h.t_h, 'h', 3)}" if h.t_h is not None else h.how
    return (
        f'<li><span class="small">{shown(cell.cell)}: {shown(cell.sample)}</span><span class="big">'
        f'{shown(plus_minus(h.remnant_pct, h.u_pct, "%"))}</span><span class="small">{shown(after)}</span>'
        f'<span class="small">95 %: {shown(tables.bracket(h.low_pct, h.high_pct, "%") or "-")}</span>'
        f'<span class="small">T80 {shown(cell.t80)} {shown(cell.t80.interval)}</span><span class="small">T50 {shown(cell.t50)} '
        f"{shown(cell.t50.interval)}</span></li>"
    )


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{shown(title)}</summary>{content}</details>" if content else ""


def _footer(runs: list[Run]) -> str:
    sources = [r.analysis.source for r in runs] + [c.source for r in runs for c in r.analysis.comparisons]
    if any(tables.published_rows(r.analysis) for r in runs):
        sources.append("zhong2021")
    cited = "".join(f"<li>{shown(text)}</li>" for text in citations(sources))
    method = "".join(f"<dt><strong>{shown(k.replace('_', ' '))}</strong></dt><dd>{shown(v)}</dd>" for k, v in METHOD.items())
    return f"<footer><h3>Sources</h3><ul>{cited}</ul><h3>Method</h3><dl>{method}</dl></footer>"
