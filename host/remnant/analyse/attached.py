"""Spectrometer results attached to a finished run: checked, kept with their origin, read again.

A CSV with one row per measurement (SOURCES.md of the library describes the columns, data/plqy-example.csv is one). `attach` checks
every row against its limits and against the run, copies the file as it is into RUN/attached/ and writes beside it `<name>.origin.json`:
file name, SHA-256, time of the caller's clock, number of rows. A file that is there already (by its SHA-256) is not attached twice.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from ..errors import PlanError, Problem
from ..record.finish import MANIFEST, write_whole

FOLDER = "attached"
_ORIGIN = ".origin.json"
_LIMITS = {  # column: (lowest, highest, unit)
    "plqy_pct": (0.0, 100.0, "%"),
    "peak_nm": (300.0, 1700.0, "nm"),
    "fwhm_nm": (1.0, 300.0, "nm"),
}
_UNCERTAIN = {f"u_{name}": name for name in _LIMITS}
_TEXTS = ("cell", "measured_utc", "instrument", "operator", "note")
COLUMNS = ("step", "cell", *_LIMITS, *_UNCERTAIN, *_TEXTS[1:])
_NEEDED = "step"


@dataclass(frozen=True)
class Spectrum:
    """One measurement. step: number in the plan; cell "": not of one cell; values None where not measured; u_: standard uncertainty.

    file, sha256, attached_utc: where it comes from.
    """

    step: int
    step_name: str
    cell: str
    plqy_pct: float | None
    peak_nm: float | None
    fwhm_nm: float | None
    u_plqy_pct: float | None
    u_peak_nm: float | None
    u_fwhm_nm: float | None
    measured_utc: str
    instrument: str
    operator: str
    note: str
    file: str
    sha256: str
    attached_utc: str


@dataclass(frozen=True)
class Attached:
    """What `attach` did. path: the copy; new: False where the same file was attached before."""

    path: Path
    rows: int
    new: bool


def attach(folder: str | Path, file: str | Path, now: datetime) -> Attached:
    """Attach a CSV to a run; `now`: the caller's clock, with its time zone.

    Raises PlanError with one problem per wrong cell or row, RigError(STORE_CORRUPT) for a folder that is no finished run, OSError.
    """
    folder, file = Path(folder), Path(file)
    manifest = _manifest(folder)
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    place = folder / FOLDER
    for origin in sorted(place.glob(f"*{_ORIGIN}")):
        known = _json(origin)
        if known.get("sha256") == sha256:
            return Attached(place / origin.name.removesuffix(_ORIGIN), int(known.get("rows", 0)), False)
    rows = _checked(content, str(file), manifest, {})
    place.mkdir(exist_ok=True)
    target = _free(place, file.name)
    write_whole(target, content)
    origin = {"file": file.name, "sha256": sha256, "attached_utc": now.isoformat(timespec="seconds"), "rows": len(rows)}
    write_whole(target.with_name(target.name + _ORIGIN), (json.dumps(origin, indent=2) + "\n").encode())
    return Attached(target, len(rows), True)


def attached(folder: str | Path, missing: list[str] | None = None) -> list[Spectrum]:
    """Return all measurements attached to a run, in the order of files and rows; say in `missing` what cannot be read any more."""
    folder = Path(folder)
    found: list[Spectrum] = []
    for origin_path in sorted((folder / FOLDER).glob(f"*{_ORIGIN}")):
        origin = _json(origin_path)
        path = origin_path.with_name(origin_path.name.removesuffix(_ORIGIN))
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != origin.get("sha256"):
                raise ValueError("it is not the file that was attached (SHA-256)")
            found += _checked(content, path.name, _manifest(folder), origin)
        except (OSError, ValueError, RigError) as error:
            if missing is not None:
                missing.append(f"attached/{path.name} is left out: {str(error).splitlines()[0]}")
    return found


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = _json(folder / MANIFEST)
    if not manifest:
        text = f"{folder}: no finished run is there (no manifest.json). `remnant report` makes one of a run whose host ended early"
        raise RigError(codes.STORE_CORRUPT, where=str(folder), text=text)
    return manifest


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _free(place: Path, name: str) -> Path:
    """A name that no other attached file has: plqy.csv, plqy-2.csv ..."""
    path = place / name
    stem, suffix, number = path.stem, path.suffix, 2
    while path.exists():
        path, number = place / f"{stem}-{number}{suffix}", number + 1
    return path


def _checked(content: bytes, name: str, manifest: dict[str, Any], origin: dict[str, Any]) -> list[Spectrum]:
    """Return the rows; raises PlanError with everything that is wrong."""
    problems: list[Problem] = []

    def wrong(line: int, column: int, text: str, hint: str = "") -> None:
        problems.append(Problem(name, line, column, f"{text}." if hint else text, hint))

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PlanError([Problem(name, line, 1, "not UTF-8", "Save the table as CSV, UTF-8.")]) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(cell.strip() for cell in row)]
    lines = [(number, row) for number, row in lines if not row[0].startswith("#")]
    if not lines:
        raise PlanError([Problem(name, 0, 0, "the table is empty", f"Columns: {', '.join(COLUMNS)}.")])
    head_line, head = lines[0]
    for i, column in enumerate(head, 1):
        if column not in COLUMNS:
            near = difflib.get_close_matches(column, COLUMNS, 1, 0.5)
            wrong(head_line, i, f"unknown column {column!r}", f"Did you mean {near[0]}?" if near else f"Columns: {', '.join(COLUMNS)}.")
        elif column in head[: i - 1]:
            wrong(head_line, i, f"column {column} comes twice", "Leave one out.")
    if _NEEDED not in head:
        wrong(head_line, 1, "no column step", "Every row needs the number or the name of a step; `remnant report` shows them.")
    if not any(column in head for column in _LIMITS):
        wrong(head_line, 1, f"none of the columns {', '.join(_LIMITS)}", "At least one of them is needed.")
    if problems:
        raise PlanError(problems)
    steps, cells = _steps_of(manifest), [str(c) for c in manifest.get("cells") or {}]
    rows = [_row(line, dict(zip(head, row, strict=False)), head, len(row), steps, cells, wrong, origin) for line, row in lines[1:]]
    if not rows:
        wrong(head_line, 1, "no row below the heads", "One row per measurement.")
    if problems:
        raise PlanError(problems)
    return [row for row in rows if row is not None]


def _steps_of(manifest: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Number and name of a step -> (number, name); a name that two steps have is none."""
    told = [step for step in manifest.get("steps") or [] if isinstance(step, dict)]
    pairs = [(int(step.get("index", i)), str(step.get("name") or step.get("text") or "")) for i, step in enumerate(told)]
    names = [str(step.get("name") or "") for step in told]
    return {**{n: p for n, p in zip(names, pairs, strict=True) if n and names.count(n) == 1}, **{str(p[0]): p for p in pairs}}


def _row(line, fields, head, width, steps, cells, wrong, origin) -> Spectrum | None:
    column = {name: i for i, name in enumerate(head, 1)}
    if width != len(head):
        wrong(line, min(width, len(head)) + 1, f"{width} cells, the heads are {len(head)}", "Quote a text that has a comma in it.")
        return None
    step = steps.get(fields["step"])
    if step is None:
        names = ", ".join(list(steps)[:12]) or "none"
        wrong(line, column["step"], f"step {fields['step']!r} is not in the run", f"Its steps: {names}.")
    cell = fields.get("cell", "")
    if cell and cells and cell not in cells:
        wrong(line, column["cell"], f"cell {cell!r} is not in the run", f"Its cells: {', '.join(cells)}; empty: not of one cell.")
    values: dict[str, Any] = {}
    for name in (*_LIMITS, *_UNCERTAIN):
        values[name] = _number(line, column.get(name, 0), name, fields.get(name, ""), wrong)
    if all(fields.get(name, "") == "" for name in _LIMITS):
        wrong(line, 1, f"none of {', '.join(_LIMITS)} is given", "Leave the row out, or write what was measured.")
    when = fields.get("measured_utc", "")
    if when and not _is_time(when):
        wrong(line, column["measured_utc"], f"{when!r} is no time", "Write it like 2026-03-01T14:05:00Z.")
    if step is None:
        return None
    told: dict[str, Any] = {**values, **{name: fields.get(name, "") for name in _TEXTS}}
    told.update({name: str(origin.get(name, "")) for name in ("file", "sha256", "attached_utc")})
    return Spectrum(step=step[0], step_name=step[1], **told)


def _number(line: int, column: int, name: str, text: str, wrong) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        comma = "Use a point for decimals." if "," in text else "Write a number without its unit."
        wrong(line, column, f"{name} {text!r} is no number", comma)
        return None
    of = _UNCERTAIN.get(name, name)
    low, high, unit = _LIMITS[of]
    low, high = (0.0, high - low) if name in _UNCERTAIN else (low, high)
    if not math.isfinite(value) or not low <= value <= high:
        hint = "It is in percent." if of == "plqy_pct" else "It is in nanometres."
        wrong(line, column, f"{name} {text} is outside {low:g} to {high:g} {unit}", hint)
        return None
    return value


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
