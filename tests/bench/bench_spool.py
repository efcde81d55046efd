"""The spool on the emulated chip: lateness of the control tick while history goes back to a host, and what packing and flash take.

Two minutes without a host at ten records a second, then everything is fetched while the run goes on, telemetry at every tick.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/emulator"), str(ROOT / "tests/emulated")]

from bench_host import Host  # noqa: E402
from bench_rig import Rig  # noqa: E402
from remnant_protocol import messages as m  # noqa: E402
from test_spool import LATE, away, back, started, status  # noqa: E402

ALONE_S = 120
MISS_CYCLES = 45


def run() -> list[dict]:
    rows = []
    for misses in (0, MISS_CYCLES):
        with Rig(xip_miss_cycles=misses) as rig:
            host = started(Host(rig).ready())
            away(host, ALONE_S)
            alone = rig.stats()
            at, began, pages = len(host.records), rig.cycle, host.pages
            back(host, 60)
            taken_s = (rig.cycle - began) / 125e6
            late = sorted(r[LATE] for r in host.records[at:] if r[0] == m.TELEMETRY and r[1] >= host.welcome[10])
            count = len(host.records) - at
            free = status(host)[7]
        suffix = "_cache_misses" if misses else ""
        what = f"{count} records in {host.pages - pages} pages fetched in {taken_s:.1f} s, the run going on"
        rows.append(_row(f"backfill_tick_lateness_ms_p99{suffix}", late[int(len(late) * 0.99)] / 1000, "ms", "<= 2", what))
        rows.append(_row(f"backfill_tick_lateness_ms_max{suffix}", late[-1] / 1000, "ms", "<= 4", what))
        if not misses:
            rows.append(_row("backfill_records_per_s", count / taken_s, "1/s", ">= 600", "an hour at 10 Hz within 60 s"))
            rows.append(_row("spool_pages_written", alone["pages"], "pages", "", f"{ALONE_S} s alone at 10 Hz, checkpoints included"))
            rows.append(_row("spool_free_heap_bytes", free, "bytes", "", "after it"))
    return rows


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
