"""`compare`: several runs beside each other. `attach RUN FILE`: spectrometer results into a finished run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import Exit
from .output import Output, told
from .table import aligned

if TYPE_CHECKING:
    from ..report import Compared


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", exists=True, file_okay=False)],
    reference: Annotated[bool, typer.Option("--reference", help="Published values of the same tests beside them.")] = False,
    out: Annotated[Path, typer.Option(help="The page; its table (.csv) and figures (.svg) go beside it.")] = Path("compare.html"),
    at: Annotated[list[str] | None, typer.Option(metavar="TIME", help='A time for the table, e.g. "1 h"; may come several times.')] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of text.")] = False,
) -> None:
    """Compare runs: one figure and one table; activation energy over temperatures, rate against irradiance, sample against control."""
    output = Output(as_json)
    with told(output):
        from ..record import recover
        from ..report import compare_runs

        times = [_hours(text) for text in at or []]
        for folder in runs:
            if recover(folder):
                output.say(f"{folder}: the host ended before the run did; its tables were made from the journal")
        found = compare_runs(runs, out, reference, times)
        for line in _lines(found):
            output.say(line)
        for path in found.files:
            output.say(f"written: {path}")
        output.result({"ok": True, **_document(found)})


def attach_file(run: Path, file: Path | None, output: Output) -> None:
    """Attach a file to a run, write its report again, tell both. Raises PlanError for a file with wrong rows, RigError for no run."""
    if file is None:
        raise typer.BadParameter(f"FILE: which one is to be attached to {run}? To follow a board's run leave RUN out")
    if not run.is_dir():
        raise typer.BadParameter(f"RUN: {run} is no folder")
    from ..analyse.attached import attach
    from ..report import write_report

    done = attach(run, file, datetime.now(UTC))
    what = f"{done.rows} rows" if done.new else "it was attached before, nothing is changed"
    output.say(f"attached: {done.path} ({what})")
    page = write_report(run)
    output.say(f"report: {page}")
    output.result({"ok": True, "exit": int(Exit.OK), "attached": str(done.path), "rows": done.rows, "new": done.new, "report": str(page)})


def _hours(text: str) -> float:
    from ..units import DURATION, QuantityError, parse

    try:
        return parse(text, DURATION) / 3_600_000
    except QuantityError as error:
        raise typer.BadParameter(f"--at {text}: {error}") from None


def _lines(found: Compared) -> list[str]:
    """The table and the trends as text."""
    from ..analyse.notation import plain, plus_minus

    rows = []
    for r in found.rows:
        u = None if r["remnant_low_pct"] is None else (r["remnant_high_pct"] - r["remnant_low_pct"]) / 3.92
        t80 = plain(r["T80_h"], "h", 3) if r["T80_status"] == "reached" else _censored(r)
        k = f"{plain(r['k_per_h'])} [{plain(r['k_low_per_h'])}, {plain(r['k_high_per_h'])}]" if r["k_per_h"] is not None else "-"
        remnant = plus_minus(r["remnant_pct"], u, "%")
        rows.append((f"{r['run']} {r['cell']}", r["sample"], r["stress"], remnant, t80, k, plain(r["sample_over_control"], digits=3)))
    lines = aligned(("run", "sample", "stress", "remnant PL", "T80", "k / (1/h) [95 %]", "sample/control"), rows)
    for t in found.trends:
        lines.append(f"{t.sample}: {t.name} {plain(t.value)} [{plain(t.low)}, {plain(t.high)}] {t.unit} over {len(t.rates)} runs".strip())
    lines += [f"published, {p.source}: {p.label} {plain(p.pct, '%')} at {plain(p.t_h, 'h', 3)}" for p in found.published]
    return lines


def _censored(row: dict[str, Any]) -> str:
    from ..analyse.notation import plain

    return f"> {plain(row['T80_low_h'], 'h', 3)}" if row["T80_status"] == "not reached" else row["T80_status"]


def _document(found: Compared) -> dict[str, Any]:
    trends = [
        {"sample": t.sample, "quantity": t.name, "unit": t.unit, "value": t.value, "low": t.low, "high": t.high}
        | {"runs": [r.run for r in t.rates], "model": t.law, "between_runs_pct": t.between_pct, "note": t.note}
        for t in found.trends
    ]
    return {
        "rows": found.rows,
        "trends": trends,
        "published": [vars(p) for p in found.published],
        "files": [str(path) for path in found.files],
    }
