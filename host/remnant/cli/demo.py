"""The demonstration: both library tests on two virtual boards, templated and control sample side by side, beside what was published."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from ..errors import Exit, exit_code, explain
from .output import Output
from .running import Wish, run_all
from .table import aligned

PLANS = ("heat-80", "uv-365")
REPORT = "report.html"


def run_demo(out: Path, seed: int, output: Output) -> Exit:
    """Run, compare, report; OK only when every run completed without a gap and agrees with what was published."""
    folders = [out / name for name in PLANS]
    _clear(folders)
    wishes = [Wish(name, name, {}, folder, scenario={"seed": seed}) for name, folder in zip(PLANS, folders, strict=True)]
    results = run_all(wishes, output)
    ended = [result for result in results if result.status != "completed"]
    for result in ended:
        output.say(f"{result.folder}: {result.status}. {explain(result.error) if result.error else ''}".rstrip())

    from ..analyse import HeadlineRow, analyse
    from ..analyse.notation import plain, plus_minus
    from ..report import write_report

    rows: list[HeadlineRow] = [row for folder in folders for row in analyse(folder).rows()]
    report = write_report(list(folders), out / REPORT)
    for folder in folders:
        write_report(folder)
    shown = [
        (row.test, row.sample, plain(row.t_h, "h"), plus_minus(row.remnant_pct, row.u_pct, "%"), row.published, row.source, row.verdict)
        for row in rows
    ]
    output.say("")
    output.say("SIMULATED: these values come from a model of rig and samples, through firmware, line, journal and analysis.")
    for line in aligned(("test", "sample", "time", "remnant PL", "published", "source", "agreement"), shown):
        output.say(line)
    output.say(f"\nreport: {report}")

    gaps = sum(len(result.manifest["gaps"]) for result in results)
    disagree = [row for row in rows if row.verdict not in ("agrees", "no published number")]
    document: dict[str, Any] = {
        "ok": not (ended or gaps or disagree),
        "simulated": True,
        "interpreter": results[0].manifest["simulation"]["interpreter"],
        "report": str(report),
        "runs": [{"folder": str(r.folder), "status": r.status, "gaps": len(r.manifest["gaps"])} for r in results],
        "rows": [vars(row) for row in rows],
    }
    output.result(document)
    if any(result.status == "stopped" for result in ended):
        return Exit.INTERRUPTED
    if ended:
        return exit_code(ended[0].error) if ended[0].error else Exit.DEVICE
    if gaps or disagree:
        output.say(f"not well: {gaps} gaps in the records, {len(disagree)} values that do not agree")
        return Exit.FAULT
    return Exit.OK


def _clear(folders: list[Path]) -> None:
    """Remove an earlier demonstration; anything that is not one stays. Raises RigError(STORE_FULL)."""
    for folder in folders:
        if not folder.exists():
            continue
        if not (folder / "run.sqlite").is_file():
            text = f"{folder} is there and is no run. Move it away or choose another folder with --out"
            raise RigError(codes.STORE_FULL, where=str(folder), text=text)
        shutil.rmtree(folder)
