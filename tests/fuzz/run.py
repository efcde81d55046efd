"""Fuzz every target in turn: run.py [TARGET ...]. FUZZ_MINUTES each (default 2), one process at a time; a table, and build/fuzz.json.

Begins from corpus/TARGET; what it finds lies in build/fuzz/TARGET until minimise.py takes what is worth keeping. Ends with 1 when there was
a finding. Needs atheris (extra `fuzz`), for CPython 3.11 or later on Linux.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import targets
from rich.console import Console
from rich.table import Table

WORK = targets.ROOT / "build/fuzz"
OUT = targets.ROOT / "build/fuzz.json"
SIZE_MAX = 299
TIMEOUT_S = 25  # for one input: more is a finding
KEYS = ("target", "seconds", "executions", "executions_per_s", "edges", "new_corpus_entries", "findings")
_STATUS = re.compile(r"^#(\d+)\s+(INITED|DONE)\s+cov: (\d+) ft: \d+ corp: (\d+)/", re.MULTILINE)


def main(wanted: list[str]) -> int:
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: `make fuzz` installs it on Linux with CPython 3.11 or later", file=sys.stderr)
        return 2
    seconds = round(float(os.environ.get("FUZZ_MINUTES", "2")) * 60)
    rows = [fuzz(name, seconds) for name in wanted or targets.TARGETS]
    show(rows)
    OUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(f"written: {OUT.relative_to(targets.ROOT)}")
    return 1 if any(row["findings"] for row in rows) else 0


def fuzz(name: str, seconds: int) -> dict:
    """Run one target for a while; returns the row of the table."""
    work = WORK / name
    (work / "corpus").mkdir(parents=True, exist_ok=True)
    dictionary = work / "words"
    dictionary.write_text(words(), encoding="ascii")
    options = [f"-max_total_time={seconds}", f"-max_len={SIZE_MAX}", f"-timeout={TIMEOUT_S}", f"-dict={dictionary}"]
    options += ["-print_final_stats=1", f"-artifact_prefix={work}/findings/{name}-", str(work / "corpus"), str(targets.CORPUS / name)]
    before = set(findings(work))
    print(f"{name}: {seconds} s ...", flush=True)
    began = time.monotonic()
    drive = str(targets.HERE / "drive.py")
    done = subprocess.run([sys.executable, drive, name, str(work), *options], capture_output=True, text=True, errors="replace")
    (work / "log.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    took = time.monotonic() - began
    status = {kind: (int(count), int(edges), int(entries)) for count, kind, edges, entries in _STATUS.findall(done.stderr)}
    if "INITED" not in status:
        sys.exit(f"{name} did not start:\n{done.stderr[-3000:]}")
    count, edges, entries = status.get("DONE", status["INITED"])
    new = sorted(set(findings(work)) - before)
    return dict(zip(KEYS, (name, round(took), count, round(count / took), edges, entries - status["INITED"][2], new), strict=True))


def findings(work: Path) -> list[str]:
    return [path.name for path in (work / "findings").glob("*") if path.suffix != ".txt"]


def words() -> str:
    """A libFuzzer dictionary: every golden message, by itself and behind its length."""
    rows = json.loads((targets.ROOT / "protocol/vectors/messages.json").read_text(encoding="utf-8"))["vectors"]
    tokens = []
    for body in sorted({bytes.fromhex(row["body"]) for row in rows}, key=len):
        if len(body) <= 60:
            tokens += [body, bytes([len(body)]) + body]
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in tokens)


def show(rows: list[dict]) -> None:
    table = Table()
    for column in ("target", "s", "executions", "executions/s", "edges", "new corpus entries", "findings"):
        table.add_column(column, justify="left" if column == "target" else "right")
    for row in rows:
        table.add_row(*(str(len(row[key]) if key == "findings" else row[key]) for key in KEYS))
    Console().print(table)
    for row in rows:
        for finding in row["findings"]:
            print(f"finding: build/fuzz/{row['target']}/findings/{finding}")


sys.exit(main(sys.argv[1:]))
