"""Run every benchmark, print a table, write build/bench.json: run.py [NAME ...] takes only the files bench_NAME.py.

A bench_*.py has `run()`, which returns rows {name, value, unit, goal, compared_with}; goal is "" or a comparison such as ">= 3".
"""

from __future__ import annotations

import importlib.util
import json
import operator
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "build/bench.json"
KEYS = ("name", "value", "unit", "goal", "compared_with")
COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


def main(wanted: list[str]) -> int:
    sys.path.insert(0, str(ROOT / "tests"))
    rows = []
    for path in sorted(HERE.glob("bench_*.py")):
        if wanted and path.stem.removeprefix("bench_") not in wanted:
            continue
        print(f"{path.stem} ...", end=" ", flush=True)
        began = time.monotonic()
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        rows += [{key: row[key] for key in KEYS} for row in module.run()]
        print(f"{time.monotonic() - began:.0f} s", flush=True)
    show(rows)
    if not wanted:
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        print(f"written: {OUT.relative_to(ROOT)}")
    return 0


def met(row: dict) -> str:
    """yes or no for a goal such as "<= 30", "" for none."""
    sign, _, limit = str(row["goal"]).partition(" ")
    if sign not in COMPARE:
        return ""
    return "yes" if COMPARE[sign](row["value"], float(limit)) else "no"


def show(rows: list[dict]) -> None:
    table = Table()
    for column in ("name", "value", "unit", "goal", "met", "compared with"):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    for row in rows:
        value = f"{row['value']:.4g}" if isinstance(row["value"], float) else str(row["value"])
        table.add_row(row["name"], value, row["unit"], str(row["goal"]), met(row), row["compared_with"])
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
