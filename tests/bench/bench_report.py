"""Report of a 48 h run at 10 Hz, 1.7 M rows, and a comparison of 20 runs: whole commands in processes of their own, time and peak memory.

The run is made as record/finish.py writes one: telemetry.parquet and .csv with the same columns and types, probes.csv, manifest.json.
"""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from remnant.record.tables import PROBE_UNITS, TELEMETRY_UNITS

HOURS, RATE_HZ = 48.0, 10
COMPARED_RUNS = 20
REPEATS = 3

# A child tells its own wall time from before the first import on, the most memory it held, and its processor time.
CHILD = """
import time
began = time.perf_counter()
import json, resource, sys
{work}
print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time()]))
"""
REPORT = "from remnant.report import write_report; write_report(sys.argv[1])"
COMPARE = "from remnant.report import compare_runs; compare_runs(sys.argv[2:], sys.argv[1])"
ALONE = "import pyarrow.parquet; [pyarrow.parquet.read_table(path) for path in sys.argv[1:]]"
ALONE_CSV = "import pyarrow.csv; pyarrow.csv.read_csv(sys.argv[1])"


def run() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        long = root / "long"
        rows = make_run(long, HOURS, RATE_HZ, seed=0)
        report_s, report_mb, report_cpu_s = child(REPORT, long)
        alone_s, alone_mb, _ = child(ALONE, long / "telemetry.parquet")
        (long / "telemetry.parquet").rename(root / "telemetry.parquet")
        from_csv_s, from_csv_mb, _ = child(REPORT, long)
        csv_s, csv_mb, _ = child(ALONE_CSV, long / "telemetry.csv")
        several = []
        for seed in range(COMPARED_RUNS):
            several.append(root / f"run-{seed:02}")
            make_run(several[-1], HOURS, 1, seed)
        compare_s, compare_mb, compare_cpu_s = child(COMPARE, root / "compare.html", *several)
        all_s, all_mb, _ = child(ALONE, *(folder / "telemetry.parquet" for folder in several))
    beside = f"{report_s / alone_s:.1f} x pyarrow reading the parquet ({alone_s:.2f} s); {report_cpu_s:.1f} s of processor; {rows} rows"
    all_of = f"{compare_s / all_s:.1f} x pyarrow reading all ({all_s:.2f} s); {compare_cpu_s:.1f} s of processor; "
    all_of += f"{COMPARED_RUNS} runs of {HOURS:g} h at 1 Hz; page, CSV, SVG"
    return [
        _row("report_48h_10hz_s", report_s, "s", "<= 5", beside),
        _row("report_48h_10hz_peak_mb", report_mb, "MB", "<= 500", f"{report_mb / alone_mb:.2f} x pyarrow reading it ({alone_mb:.0f} MB)"),
        _row("report_48h_10hz_csv_s", from_csv_s, "s", "", f"{from_csv_s / csv_s:.1f} x pyarrow reading the csv ({csv_s:.2f} s)"),
        _row("report_48h_10hz_csv_peak_mb", from_csv_mb, "MB", "", f"{from_csv_mb / csv_mb:.2f} x pyarrow reading it ({csv_mb:.0f} MB)"),
        _row("compare_20_runs_s", compare_s, "s", "", all_of),
        _row("compare_20_runs_peak_mb", compare_mb, "MB", "", f"{compare_mb / all_mb:.2f} x pyarrow reading all ({all_mb:.0f} MB)"),
    ]


def child(work: str, *arguments: Path) -> tuple[float, float, float]:
    """Return (seconds, MB, processor seconds) of some processes that do the work: the quickest, the largest, the quickest."""
    command = [sys.executable, "-c", CHILD.format(work=work), *map(str, arguments)]
    told = [json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout) for _ in range(REPEATS)]
    seconds, megabytes, processor = zip(*told, strict=True)
    return min(seconds), max(megabytes), min(processor)


def make_run(folder: Path, hours: float, rate_hz: int, seed: int) -> int:
    """Write the folder of a light run with two cells, probed each 30 min; return the rows of telemetry."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(seed)
    folder.mkdir()
    t_s = np.arange(int(hours * 3600 * rate_hz)) / rate_hz
    lit = (t_s >= 60) & (t_s <= t_s[-1] - 60)
    light = np.where(lit, 10 + rng.normal(0, 0.02, len(t_s)), 0.0).round(4)
    columns = {
        "t_s": t_s,
        "board_time_us": (t_s * 1e6).astype(np.int64),
        "state": np.full(len(t_s), 2, np.uint8),
        "step": (1 + lit).astype(np.uint16),
        "setpoint_degC": np.full(len(t_s), 25.0),
        "temp_degC": (25 + rng.normal(0, 0.02, len(t_s))).round(3),
        "heater_duty_pct": rng.uniform(1, 5, len(t_s)).round(3),
        "lamp_duty_pct": np.where(lit, 20.0, 0.0),
        "irradiance_mW_per_cm2": light,
        "exposure_J_per_cm2": (np.cumsum(light) / rate_hz / 1000).round(3),
        "tick_late_us": rng.integers(50, 900, len(t_s)).astype(np.uint32),
    }
    table = pyarrow.table({name: columns[name] for name in TELEMETRY_UNITS})
    pyarrow.parquet.write_table(table, folder / "telemetry.parquet", compression="zstd")
    pyarrow.csv.write_csv(table, folder / "telemetry.csv")
    probes = _probes(rng, hours)
    with (folder / "probes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(PROBE_UNITS))
        writer.writeheader()
        writer.writerows(probes)
    (folder / "events.csv").write_text("t_s,board_time_us,seq,kind,step,code,detail\n0.0,0,1,run_started,,,{}\n")
    manifest = {
        "status": "completed",
        "simulated": True,
        "run_id": f"{seed:032x}",
        "title": f"Light stability {seed}",
        "source": "liang2023 fig. 5b",
        "cells": {letter: {"index": i, "sample": name} for i, (letter, name) in enumerate(CELLS)},
        "plan": {"name": "uv-365"},
        "steps": [],
        "gaps": [],
        "records": {"count": len(t_s)},
        "monitor_dark_u16": 200,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return len(t_s)


CELLS = (("A", "templated"), ("B", "control"))


def _probes(rng: np.random.Generator, hours: float) -> list[dict]:
    rows = []
    for i, t_s in enumerate([30.0, *np.arange(70.0, hours * 3600 - 70, 1800.0)]):
        for (letter, sample), tau_h in zip(CELLS, (215.0, 35.0), strict=True):
            level = 30000 * math.exp(-t_s / 3600 / tau_h)
            for pulse in range(32):
                rows.append(
                    {
                        "t_s": t_s,
                        "board_time_us": int(t_s * 1e6),
                        "seq": i,
                        "probe": 0 if i == 0 else 1,
                        "name": "baseline" if i == 0 else "lit",
                        "cell": letter,
                        "sample": sample,
                        "temp_degC": 25.0,
                        "pulse": pulse,
                        "dark_counts": round(600 + rng.normal(0, 5)),
                        "lit_counts": round(600 + level + rng.normal(0, math.sqrt(0.12 * (level + 600)))),
                        "monitor_counts": 12200,
                        "probe_exposure_J_per_cm2": 0.0016,
                    }
                )
    return rows


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
