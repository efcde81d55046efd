"""Tables of the report. Every cell is text that comes from files or numbers; `table` escapes all of it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from ..analyse import Analysis, CellResult, HeadlineRow, Parameter
from ..analyse.notation import MISSING, plain, plus_minus
from .published import rows_of_stress

_VERDICT_SIGNS = {"agrees": "\N{CHECK MARK}", "disagrees": "\N{BALLOT X}", "not measured": "?", "no published number": ""}


def shown(text: Any) -> str:
    """Return text for the page: escaped, with the signs that ASCII spells out."""
    plain_text = str(text).replace("+-", "\N{PLUS-MINUS SIGN}").replace("degC", "\N{DEGREE SIGN}C").replace("cm2", "cm\N{SUPERSCRIPT TWO}")
    return html.escape(plain_text).replace("\n", "<br>")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], numeric: Iterable[int] = ()) -> str:
    """Return an accessible table: a caption, column heads, the first cell of each row as its head; "" without rows."""
    body = []
    right = set(numeric)
    for row in rows:
        cells = []
        for i, value in enumerate(row):
            tag, scope = ("th", ' scope="row"') if i == 0 else ("td", "")
            cells.append(f"<{tag}{scope}{' class=n' if i in right else ''}>{shown(value)}</{tag}>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    if not body:
        return ""
    head = "".join(f'<th scope="col"{" class=n" if i in right else ""}>{shown(h)}</th>' for i, h in enumerate(heads))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{shown(caption)}"><table><caption>{shown(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def comparison(rows: Iterable[HeadlineRow], caption: str) -> str:
    """Return the table of measured against published."""
    heads = ("test", "sample", "time", "remnant PL +- u", "published", "verdict", "source")
    return table(
        caption,
        heads,
        (
            (
                row.test,
                row.sample,
                plain(row.t_h, "h", 3),
                plus_minus(row.remnant_pct, row.u_pct, "%"),
                row.published or MISSING,
                f"{_VERDICT_SIGNS.get(row.verdict, '')} {row.verdict}".strip(),
                row.source or MISSING,
            )
            for row in rows
        ),
        numeric=(2, 3),
    )


def headline(analysis: Analysis) -> str:
    """Return remnant PL, T95, T80 and T50 per cell, with 95 % intervals."""
    return table(
        "Remnant PL at the end of the stress, and times to 95 %, 80 % and 50 % (u: standard uncertainty; brackets: 95 % intervals)",
        ("cell", "sample", "remnant PL +- u", "time", "T95", "T80", "T50", "how"),
        (
            (
                c.cell,
                c.sample,
                _lines(plus_minus(c.headline.remnant_pct, c.headline.u_pct, "%"), bracket(c.headline.low_pct, c.headline.high_pct, "%")),
                plain(c.headline.t_h, "h", 3),
                *(_lines(str(x), x.interval) for x in (c.t95, c.t80, c.t50)),
                _lines(c.headline.how, f"times: {c.t80.method}" if c.t80.method else ""),
            )
            for c in analysis.cells
        ),
        numeric=(2, 3, 4, 5, 6),
    )


def bracket(low: float | None, high: float | None, unit: str = "") -> str:
    """Return "[1.2, 1.4] h"; "" without both ends."""
    return "" if low is None or high is None else f"[{plain(low)}, {plain(high)}] {unit}".strip()


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def fits(analysis: Analysis) -> str:
    """Return one row per cell and model."""
    return table(
        "Fits of remnant PL; s: equivalent time since the baseline; brackets: 95 % intervals; k: 1 / mean lifetime",
        ("cell", "model", "parameters", "rate constants", "chi2/dof", "AICc difference", "status"),
        (
            (
                c.cell,
                f"{f.model}{' (preferred)' if f.preferred else ''}: R = {f.formula}",
                _parameters(f.parameters),
                _parameters(f.rates),
                plain(f.chi2_reduced, digits=3),
                plain(f.delta_aicc, digits=3),
                f.status,
            )
            for c in analysis.cells
            for f in c.fits
        ),
        numeric=(4, 5),
    )


def _parameters(parameters: Sequence[Parameter]) -> str:
    return "\n".join(f"{p.name} {plain(p.value)} {bracket(p.low, p.high)} {p.unit}".strip() for p in parameters) or MISSING


def quenching(analysis: Analysis) -> str:
    """Return the thermal quenching per cell; "" when nothing was read hot."""
    return table(
        "Reversible thermal quenching q = PL(hot) / PL(reference); corrected ageing: between the two readings of the pair",
        ("cell", "q +- u", "from", "hot", "reference", "corrected ageing", "first hot / baseline"),
        (
            (
                c.cell,
                plus_minus(q.ratio, q.u_ratio),
                q.method,
                plain(q.hot_degc, "degC"),
                plain(q.reference_degc, "degC"),
                plus_minus(q.decay_between_pct, q.u_decay_between_pct, "%") + (f" ({q.decay_model})" if q.decay_model else ""),
                plain(q.start_ratio),
            )
            for c in analysis.cells
            for q in [c.quenching]
            if q.method not in ("not needed", "unknown")
        ),
        numeric=(1, 3, 4, 5, 6),
    )


def conditions(analysis: Analysis) -> str:
    """Return planned against achieved."""
    c = analysis.conditions
    rows = [
        ("stress", MISSING, c.stress),
        ("temperature (mean +- sd over the stress)", plain(c.planned_temp_degc, "degC"), plus_minus(c.temp_mean_degc, c.temp_sd_k, "degC")),
        ("largest deviation of temperature", MISSING, plain(c.temp_max_deviation_k, "K", 3)),
        (
            "irradiance (mean +- sd while lit)",
            plain(c.planned_irradiance_mw_per_cm2, "mW/cm2"),
            plus_minus(c.irradiance_mean_mw_per_cm2, c.irradiance_sd_mw_per_cm2, "mW/cm2"),
        ),
        ("radiant exposure, all light", MISSING, plain(c.exposure_j_per_cm2, "J/cm2")),
        ("of it by the stress lamp", MISSING, plain(c.stress_exposure_j_per_cm2, "J/cm2")),
        ("of it added by probing", MISSING, plain(c.probe_exposure_j_per_cm2, "J/cm2")),
        ("probing over stress exposure (limit 1 %)", MISSING, plain(c.probe_share_pct, "%", 3)),
        ("duration of the stress", MISSING, plain(c.duration_h, "h")),
        ("latest control tick", MISSING, plain(c.tick_late_max_us, "us")),
    ]
    return table(
        "Planned and achieved", ("quantity", "planned", "achieved"), [r for r in rows if r[1:] != (MISSING, MISSING)], numeric=(1, 2)
    )


def steps(analysis: Analysis) -> str:
    """Return the steps with planned and achieved duration."""
    return table(
        "Steps",
        ("step", "what", "planned", "achieved", "began"),
        (
            (
                s.name or str(i),
                s.text,
                _duration(s.planned_s),
                _duration(s.achieved_s) if s.began_s is not None else "not begun",
                _duration(s.began_s),
            )
            for i, s in enumerate(analysis.steps)
        ),
        numeric=(2, 3, 4),
    )


def incidents(analysis: Analysis) -> str:
    """Return faults, stops and outputs going off."""
    return table(
        "Events and faults", ("at", "event", "what"), ((_duration(i.t_s), i.kind.replace("_", " "), i.text) for i in analysis.incidents)
    )


def interruptions(analysis: Analysis) -> str:
    """Return each interruption: when, how long dark, how far the block cooled, how long without stress. Nothing where there was none."""
    if not analysis.interruptions:
        return ""
    return table(
        "Interruptions",
        ("at", "stress time", "dark", "block", "without stress"),
        (
            (
                _duration(i.run_t_h * 3600),
                _duration(i.stress_t_h * 3600),
                _duration(i.dark_s),
                f"{plain(i.from_degc)} to {plain(i.to_degc)} degC",
                _duration(None if i.back_run_t_h is None else (i.back_run_t_h - i.run_t_h) * 3600),
            )
            for i in analysis.interruptions
        ),
        numeric=(0, 1, 2, 4),
    )


def records(analysis: Analysis, manifest: dict[str, Any]) -> str:
    """Return the record counts and every gap."""
    counts = manifest.get("records")
    rows = [(f"records: {k}", v) for k, v in sorted(counts.items())] if isinstance(counts, dict) else []
    rows += [("gaps", len(analysis.record_gaps) or "none")]
    rows += [("gap", ", ".join(f"{k} {v}" for k, v in gap.items())) for gap in analysis.record_gaps]
    return table("Records and gaps", ("what", "value"), rows)


def facts(analysis: Analysis, manifest: dict[str, Any]) -> str:
    """Return what identifies the run."""
    rows = [("run", analysis.run_id), ("status", analysis.status), ("source of the test", analysis.source)]
    rows += [(k.replace("_", " "), manifest.get(k)) for k in ("started_utc", "ended_utc", "remnant_version", "protocol")]
    for section in ("board", "plan", "simulation"):
        values = manifest.get(section)
        if isinstance(values, dict):
            rows += [(f"{section} {k}".replace("_", " "), _joined(v)) for k, v in sorted(values.items())]
    return table("Run", ("what", "value"), [(k, v) for k, v in rows if v not in (None, "", MISSING)])


def published_rows(analysis: Analysis) -> str:
    """Return every row of the reference table with the same stressor, with its citation key."""
    return table(
        "Published rows with the same stressor (before: control or bare; after: encapsulated; percent of the start)",
        ("source", "compound", "structure", "condition", "before", "after", "note"),
        (
            (
                f"{r.source} {r.table_ref if r.table_ref.startswith('fig') else 'table 1, ref ' + r.table_ref}",
                r.compound,
                r.structure,
                r.condition,
                _published(r.remnant_before_pct, r.duration_before_h),
                _published(r.remnant_after_pct, r.duration_after_h),
                r.note,
            )
            for r in rows_of_stress(analysis.conditions.stress)
        ),
    )


def readings(cell: CellResult) -> str:
    """Return every reading of a cell."""
    return table(
        f"Readings of cell {cell.cell}",
        ("probe", "t", "how", "temperature", "signal +- se", "pulses", "remnant PL +- u", "exposure"),
        (
            (
                p.name,
                plain(p.t_h, "h"),
                p.how,
                plain(p.temp_degc, "degC"),
                plus_minus(p.signal, p.signal_se),
                f"{p.pulses}{f' ({p.outliers} rejected)' if p.outliers else ''}",
                plus_minus(p.remnant_pct, p.u_pct, "%"),
                plain(p.exposure_j_per_cm2, "J/cm2"),
            )
            for p in cell.points
        ),
        numeric=(1, 3, 4, 6, 7),
    )


def _published(percent: str, hours: str) -> str:
    if not percent and not hours:
        return MISSING
    return f"{percent or MISSING} % at {hours or MISSING} h"


def _joined(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in sorted(value.items()))
    return "" if value is None else str(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return MISSING
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.2f} h"
