"""Several runs on one page: one figure and one table of all, trends over temperature and irradiance, with CSV and vector figures beside it.

Nothing on the page says when it was made or where the folders lie, beyond their names: the same runs give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analyse import METHOD, Analysis, analyse_run, read_run
from ..analyse.across import Rate, Trend, common_times_h, rates_of, ratios, remnant_at, trends
from ..analyse.attached import attached
from ..analyse.notation import MISSING, plain, plus_minus
from ..analyse.results import CellResult
from ..record.finish import write_whole
from . import across_figures, tables
from .across_figures import Entry
from .drawing import standalone
from .figures import Figure
from .markup import bracket, shown, table
from .page import document
from .published import PublishedPoint, citations, points_beside

FILE_NAME = "compare.html"


@dataclass(frozen=True)
class Compared:
    """What a comparison found, and the files it wrote (the page first)."""

    rows: list[dict[str, Any]]
    trends: list[Trend]
    published: list[PublishedPoint]
    files: list[Path]


def compare_runs(folders: Sequence[str | Path], out: str | Path, reference: bool = False, at_h: Sequence[float] = ()) -> Compared:
    """Analyse the folders, write the page `out`, its table as CSV and its figures as SVG beside it.

    at_h: times of the table; up to three that all runs reach when not given. Raises RigError(STORE_CORRUPT) for a folder without a run,
    ValueError for no folder at all, OSError when a file cannot be written.
    """
    if not folders:
        raise ValueError("a comparison needs at least one run folder")
    entries = [_entry(i, Path(folder)) for i, folder in enumerate(folders, 1)]
    times = list(at_h) or common_times_h([e.analysis for e in entries])
    rates = rates_of([(str(e.number), e.analysis) for e in entries])
    rows = [_row(e, cell, times, rates) for e in entries for cell in e.analysis.cells]
    found = trends(rates)
    published = _published(entries) if reference else []
    simulated = any(e.analysis.simulated for e in entries)
    figures = {
        "remnant": across_figures.remnant(entries, published, "all-remnant"),
        "ratio": across_figures.against_control(entries, "all-ratio"),
        "arrhenius": across_figures.trend([t for t in found if t.name == "Ea"], simulated, "all-arrhenius"),
        "irradiance": across_figures.trend([t for t in found if t.name == "m"], simulated, "all-irradiance"),
        "spectra": across_figures.spectra([e for e in entries if e.spectra], "all-spectra"),
    }
    drawn = {name: figure for name, figure in figures.items() if figure is not None}
    page = Path(out)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, _page(entries, rows, found, published, times, list(drawn.values())).encode("ascii", "xmlcharrefreplace"))
    files = [page, page.with_suffix(".csv")]
    write_whole(files[1], _csv(rows).encode())
    for name, figure in drawn.items():
        files.append(page.with_name(f"{page.stem}-{name}.svg"))
        write_whole(files[-1], standalone(figure.svg).encode())
    return Compared(rows, found, published, files)


def _entry(number: int, folder: Path) -> Entry:
    missing: list[str] = []
    analysis = analyse_run(read_run(folder))
    spectra = attached(folder, missing)
    analysis.notes.extend(missing)
    return Entry(number, folder.resolve().name, analysis, spectra)


def _row(entry: Entry, cell: CellResult, times: Sequence[float], rates: Sequence[Rate]) -> dict[str, Any]:
    """One row of the table, in plain numbers; keys end in their unit."""
    c, h = entry.analysis.conditions, cell.headline
    rate = next((r for r in rates if r.run == str(entry.number) and r.cell == cell.cell), None)
    ratio = next((r for r in reversed(ratios(entry.analysis)) if r.cell == cell.cell), None)
    row: dict[str, Any] = {
        "run": entry.number,
        "folder": entry.name,
        "test": entry.analysis.test,
        "status": entry.analysis.status,
        "simulated": entry.analysis.simulated,
        "cell": cell.cell,
        "sample": cell.sample,
        "stress": c.stress,
        "temp_degC": c.temp_mean_degc,
        "irradiance_mW_per_cm2": c.irradiance_mean_mw_per_cm2 if "light" in c.stress else 0.0,
        "duration_h": c.duration_h,
        "remnant_pct": h.remnant_pct,
        "remnant_low_pct": h.low_pct,
        "remnant_high_pct": h.high_pct,
    }
    for name, x in (("T95", cell.t95), ("T80", cell.t80), ("T50", cell.t50)):
        row |= {f"{name}_h": x.t_h, f"{name}_low_h": x.low_h, f"{name}_high_h": x.high_h, f"{name}_status": x.status}
    for t in times:
        value, u = remnant_at(cell, t)
        row |= {f"remnant_at_{t:g}_h_pct": value, f"u_remnant_at_{t:g}_h_pct": u}
    row |= {
        "model": rate.law if rate else None,
        "k_per_h": rate.k.value if rate else None,
        "k_low_per_h": rate.k.low if rate else None,
        "k_high_per_h": rate.k.high if rate else None,
        "sample_over_control": ratio.value if ratio else None,
        "sample_over_control_low": ratio.low if ratio else None,
        "sample_over_control_high": ratio.high if ratio else None,
        "sample_over_control_at_h": ratio.t_h if ratio else None,
    }
    return {key: _rounded(value) for key, value in row.items()}


def _rounded(value: Any) -> Any:
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["run"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in rows)
    return text.getvalue()


def _published(entries: Sequence[Entry]) -> list[PublishedPoint]:
    """Those of all runs, each value once: the plan's own, which name their cell, before those of the table."""
    points = sorted((p for e in entries for p in points_beside(e.analysis)), key=lambda p: not p.cell)
    return list({(p.t_h, p.pct, p.source): p for p in reversed(points)}.values())[::-1]


def _page(
    entries: Sequence[Entry],
    rows: list[dict[str, Any]],
    found: list[Trend],
    published: list[PublishedPoint],
    times: Sequence[float],
    figures: list[Figure],
) -> str:
    analyses = [e.analysis for e in entries]
    body = [
        f'<p class="under">{shown(f"{len(entries)} runs, {len(rows)} cells.")}</p>',
        _notes(entries),
        '<div class="figures">',
        *(f"<figure>{f.svg}<figcaption>{_mark(analyses)}{shown(f.caption)}</figcaption></figure>" for f in figures),
        "</div>",
        _table(entries, rows, times),
        _trends(found),
        tables.published_points(published),
        tables.comparison([row for a in analyses for row in a.rows() if row.published], "Measured and published") if published else "",
        *(tables.spectra(e.spectra, f"Attached spectrometer results of run {e.number}") for e in entries),
    ]
    sources = citations([p.source for p in published])
    return document(f"{len(entries)} stress runs compared", analyses, "".join(body), sources, METHOD)


def _mark(analyses: list[Analysis]) -> str:
    return "SIMULATED. " if any(a.simulated for a in analyses) else ""


def _notes(entries: Sequence[Entry]) -> str:
    notes = [f"Run {e.number}: {note}" for e in entries for note in e.analysis.notes]
    return f'<ul class="notes">{"".join(f"<li>{shown(n)}</li>" for n in notes)}</ul>' if notes else ""


def _table(entries: Sequence[Entry], rows: list[dict[str, Any]], times: Sequence[float]) -> str:
    cells = {(e.number, c.cell): c for e in entries for c in e.analysis.cells}
    heads = [
        "run",
        "folder",
        "sample",
        "stress",
        "T80",
        *(f"remnant at {t:g} h +- u" for t in times),
        "k / (1/h)",
        "model",
        "sample / control",
    ]
    body = []
    for row in rows:
        cell = cells[row["run"], row["cell"]]
        light = f", {plain(row['irradiance_mW_per_cm2'], 'mW/cm2', 3)}" if row["irradiance_mW_per_cm2"] else ""
        t80 = "\n".join(part for part in (str(cell.t80), cell.t80.interval) if part)
        remnants = [plus_minus(row[f"remnant_at_{t:g}_h_pct"], row[f"u_remnant_at_{t:g}_h_pct"], "%") for t in times]
        k = f"{plain(row['k_per_h'])}\n{bracket(row['k_low_per_h'], row['k_high_per_h'])}".strip()
        ratio = plain(row["sample_over_control"])
        if row["sample_over_control"] is not None:
            ratio += f"\n{bracket(row['sample_over_control_low'], row['sample_over_control_high'])}"
        name = f"{row['run']} {row['cell']}"
        stress = f"{row['stress']}\n{plain(row['temp_degC'], 'degC', 3)}{light}"
        body.append((name, row["folder"], row["sample"], stress, t80, *remnants, k, row["model"] or MISSING, ratio))
    numeric = [4, *range(5, 5 + len(times)), 5 + len(times), 7 + len(times)]
    return table(
        "All runs; brackets: 95 % intervals; u: standard uncertainty; k: 1 / mean lifetime, or as the model says", heads, body, numeric
    )


def _trends(found: list[Trend]) -> str:
    return table(
        "Over runs: activation energy Ea, exponent m of the rate against irradiance",
        ("sample", "quantity", "value", "95 % interval", "runs", "scatter between runs", "model", "note"),
        (
            (
                t.sample,
                t.name,
                plain(t.value, t.unit),
                bracket(t.low, t.high, t.unit),
                len(t.rates),
                plain(t.between_pct, "%", 2),
                t.law,
                t.note or MISSING,
            )
            for t in found
        ),
        numeric=(2, 3, 4, 5),
    )
