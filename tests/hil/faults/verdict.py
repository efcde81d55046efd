"""What became of a run: its folder against what the board really said (tap.Truth) and against the same run undisturbed."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgpack
from tap import Truth

from remnant_protocol import messages as m

_OF_THE_RUN_ONLY = ("run_id", "test")
_ONCE = (m.RUN_STARTED, m.STEP_BEGAN, m.MARKED)


@dataclass
class Verdict:
    """lost: numbers that neither came, nor were thinned, nor are declared; declared: numbers missing that a gap tells; doubled: numbers
    twice in a table or with two bodies; twice: commands, steps and marks carried out more often than asked; altered: bodies that are not
    what the board sent; differs: which results are not those of the undisturbed run; why: what else went wrong."""

    lost: int = 0
    declared: int = 0
    doubled: int = 0
    twice: int = 0
    altered: int = 0
    differs: list[str] = field(default_factory=list)
    missing: list[list[int]] = field(default_factory=list)
    records: int = 0
    status: str = ""
    why: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.twice or self.altered or self.differs or self.why)

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "good": self.good}


class Run:
    """A run's folder as it lies on disk: records, tables; gaps: numbers that its manifest tells as lost, thinned: as left out by policy."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.records: dict[tuple[int, int], bytes] = {}
        self.gaps: set[tuple[int, int]] = set()
        self.thinned: set[tuple[int, int]] = set()
        connection = sqlite3.connect(folder / "run.sqlite")
        try:
            for boot, seq, body in connection.execute("SELECT boot_id, seq, body FROM records"):
                self.records[boot, seq] = bytes(body)
        finally:
            connection.close()
        if (folder / "manifest.json").exists():
            for gap in self.manifest()["gaps"]:
                numbers = {(gap["boot_id"], seq) for seq in range(gap["first_seq"], gap["last_seq"] + 1)}
                (self.thinned if gap.get("kind") == "thinned" else self.gaps).update(numbers)

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    def results(self) -> dict[str, Any]:
        """What an analysis says, without the names of the run."""
        analysis = json.loads((self.folder / "analysis.json").read_text(encoding="utf-8"))
        return {key: value for key, value in analysis.items() if key not in _OF_THE_RUN_ONLY}


def span(truth: Truth, last_of: dict[int, int]) -> list[tuple[int, int]]:
    """The numbers of a run: from RUN_STARTED to RUN_ENDED, over boots up to the last one in which it went on.

    last_of: boot -> last number it gave, where a reset ended it.
    """
    numbers: list[tuple[int, int]] = []
    waiting: list[tuple[int, int]] = []  # of boots in which nobody has taken it up: the run's if a later one does
    begun = None
    for boot in truth.boots:
        seqs = sorted(seq for of, seq in truth.records if of == boot)
        if not seqs:
            continue
        first, last, goes_on = 1, last_of.get(boot, seqs[-1]), begun is None
        for seq in seqs:
            fields = unpacked(truth.records[boot, seq])
            if fields[0] != m.EVENT:
                continue
            if fields[4] == m.RUN_STARTED and begun is None:
                begun, first = boot, seq
            elif fields[4] == m.RUN_RESUMED:
                goes_on = True
            elif fields[4] == m.RUN_ENDED:
                last = seq
                break
        if begun is None:
            continue
        waiting += [(boot, seq) for seq in range(first, last + 1)]
        if goes_on:
            numbers += waiting
            waiting = []
    return numbers


def judge(
    folder: Path,
    truth: Truth,
    reference: Run | None,
    last_of: dict[int, int] | None = None,
    only_in_ram: set[tuple[int, int]] | None = None,
) -> Verdict:
    """reference: the undisturbed run when board time does not depend on the host, else None. only_in_ram: what a power cut took; it counts
    as declared when the run tells of the interruption."""
    verdict = Verdict()
    folders = sorted(path.parent for path in folder.glob("*/run.sqlite"))
    if len(folders) != 1:
        verdict.why.append(f"{len(folders)} run folders")
        return verdict
    run = Run(folders[0])
    wanted = span(truth, last_of or {})
    if not wanted:
        verdict.why.append("the run never started")
        return verdict
    thinned = {(boot, seq) for boot, first, last in truth.pages for seq in range(first, last + 1)} - set(truth.records)
    missing = [key for key in wanted if key not in run.records and key not in thinned]
    if run.thinned - thinned:
        verdict.why.append(f"{len(run.thinned - thinned)} numbers are told as thinned that no page of the board covers")
    verdict.records = len(wanted)
    told = run.gaps | (only_in_ram or set() if _interrupted(run) else set())
    verdict.declared = sum(key in told for key in missing)
    verdict.lost = len(missing) - verdict.declared
    verdict.missing = [list(key) for key in missing if key not in told][:8]
    verdict.altered = sum(truth.records.get(key, body) != body for key, body in run.records.items())
    verdict.doubled = len(truth.conflicts)
    verdict.twice = _twice(run, truth, reference)
    if truth.bad_pages:
        verdict.why.append(f"{truth.bad_pages} history pages that cannot be unpacked")
    _tables(run, wanted, verdict)
    if reference:
        _compare(run, reference, verdict)
    return verdict


def unpacked(body: bytes) -> list[Any]:
    return msgpack.unpackb(body, raw=False, strict_map_key=False)


def _interrupted(run: Run) -> bool:
    """True when the folder says that the run has a hole or no end."""
    if (run.folder / "manifest.json").exists() and run.manifest()["status"] != "completed":
        return True
    return any(fields[0] == m.EVENT and fields[4] == m.RUN_INTERRUPTED for fields in map(unpacked, run.records.values()))


def acts(records: dict[tuple[int, int], bytes]) -> Counter:
    """How often each thing happened that must happen once: starts, steps, marks, executed commands; and the last count of each pump."""
    count: Counter = Counter()
    for boot, seq in sorted(records):
        fields = unpacked(records[boot, seq])
        if fields[0] == m.EVENT and fields[4] in _ONCE:
            count[fields[4], *("" if isinstance(value, bytes) else value for value in fields[5:])] += 1
        elif fields[0] == m.EXECUTED:
            count["executed", fields[4]] += 1
        elif fields[0] == m.PUMP_TELEMETRY:
            count["steps", fields[4]] = abs(fields[5])
    return count


def _twice(run: Run, truth: Truth, reference: Run | None) -> int:
    asked = acts(reference.records) if reference else Counter()
    steps = 0
    for what, count in acts(run.records | truth.records).items():
        if what[0] == "steps":
            steps += bool(asked[what]) and count > asked[what]
        elif len(truth.boots) == 1 or what[0] in ("executed", m.RUN_STARTED):
            steps += max(0, count - max(1, asked[what]))
    return steps


def _tables(run: Run, wanted: list[tuple[int, int]], verdict: Verdict) -> None:
    """Each telemetry record of the journal is one row, each pulse another."""
    if not (run.folder / "manifest.json").exists():
        verdict.why.append("no manifest")
        return
    verdict.status = run.manifest()["status"]
    kinds = Counter()
    for key in wanted:
        if key in run.records:
            fields = unpacked(run.records[key])
            kinds[fields[0]] += 1 if fields[0] != m.PROBE_READING else len(fields[8]) // 2
    for name, kind in (("telemetry.csv", m.TELEMETRY), ("probes.csv", m.PROBE_READING)):
        rows = len(run.rows(name))
        verdict.doubled += max(0, rows - kinds[kind])
        if rows < kinds[kind]:
            verdict.differs.append(f"{name} lacks {kinds[kind] - rows} rows that the journal has")


def _compare(run: Run, reference: Run, verdict: Verdict) -> None:
    for name in ("telemetry.csv", "probes.csv"):
        if (run.folder / name).exists() and (run.folder / name).read_bytes() != (reference.folder / name).read_bytes():
            verdict.differs.append(name)
    if not (run.folder / "analysis.json").exists():
        verdict.differs.append("no analysis")
    elif run.results() != reference.results():
        verdict.differs.append("analysis")
