"""Read a run folder, and nothing else: manifest.json, telemetry, probes.csv, events.csv, program.msgpack.

A run that was stopped, lost its board or was cut short leaves files that are missing, empty or end in half a line. What can be read is
read; what cannot is named in `RunData.missing`. Times are seconds since run start, units as in the column names.
"""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

TELEMETRY_COLUMNS = (
    "t_s",
    "setpoint_degC",
    "temp_degC",
    "heater_duty_pct",
    "lamp_duty_pct",
    "irradiance_mW_per_cm2",
    "exposure_J_per_cm2",
    "tick_late_us",
)
_RUN_FILES = ("manifest.json", "probes.csv", "telemetry.parquet", "telemetry.csv", "run.sqlite")
_PULSE_NUMBERS = ("t_s", "temp_degC", "pulse", "dark_counts", "lit_counts", "monitor_counts", "probe_exposure_J_per_cm2")


@dataclass(frozen=True)
class Pulse:
    """One excitation pulse of one cell; counts are raw 16-bit ADC counts."""

    t_s: float
    probe: int
    name: str
    cell: str
    sample: str
    temp_degc: float
    dark_counts: float
    lit_counts: float
    monitor_counts: float
    probe_exposure_j_per_cm2: float


@dataclass(frozen=True)
class Event:
    """One row of events.csv; `detail` is the decoded JSON object or an empty one."""

    t_s: float
    kind: str
    step: str
    code: int | None
    detail: dict[str, Any]


@dataclass
class RunData:
    """A run as recorded. `telemetry`: column name -> float array (nan where empty), all of one length."""

    manifest: dict[str, Any] = field(default_factory=dict)
    telemetry: dict[str, np.ndarray] = field(default_factory=dict)
    pulses: list[Pulse] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    planned_irradiance_mw_per_cm2: float | None = None
    missing: list[str] = field(default_factory=list)
    _known: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False, compare=False)

    def column(self, name: str) -> np.ndarray:
        """Return a telemetry column; nan of the right length when the run has none."""
        if name in self.telemetry:
            return self.telemetry[name]
        return np.full(len(self.telemetry.get("t_s", ())), math.nan)

    def known(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (t_s, values) of the rows at which a column has a value. Kept: telemetry does not change once it is read."""
        if name not in self._known:
            values = self.column(name)
            good = np.isfinite(values)
            t_s = self.column("t_s")
            self._known[name] = (t_s, values) if good.all() else (t_s[good], values[good])
        return self._known[name]

    def between(self, name: str, from_s: float, to_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (t_s, values) of the known rows from one run time to another, both included."""
        t_s, values = self.known(name)
        rows = slice(int(np.searchsorted(t_s, from_s, "left")), int(np.searchsorted(t_s, to_s, "right")))
        return t_s[rows], values[rows]

    def at(self, name: str, t_s: float) -> float:
        """Return a column between its known rows; nan without any."""
        times, values = self.known(name)
        after = int(np.searchsorted(times, t_s))
        near = slice(max(after - 1, 0), after + 1)
        return float(np.interp(t_s, times[near], values[near])) if len(times) else math.nan


def read_run(folder: str | Path) -> RunData:
    """Return what the run folder holds. Raises RigError(STORE_CORRUPT) when there is no such folder or nothing of a run in it."""
    folder = Path(folder)
    data = RunData()
    if not any((folder / name).is_file() for name in _RUN_FILES):
        text = "this is no run folder: it has neither manifest.json nor probes.csv nor telemetry"
        raise RigError(codes.STORE_CORRUPT, where=str(folder), text=f"{folder}: {text}")
    data.manifest = _read_manifest(folder, data.missing)
    data.telemetry = _read_telemetry(folder, data.missing)
    data.pulses = _read_pulses(folder, data.missing)
    data.events = _read_events(folder, data.missing)
    data.planned_irradiance_mw_per_cm2 = _planned_irradiance(folder)
    return data


def number(text: Any) -> float:
    """Return a float; nan for an empty, absent or malformed cell."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def _read_manifest(folder: Path, missing: list[str]) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        missing.append("manifest.json is absent or unreadable: status, cells and plan are unknown")
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _read_telemetry(folder: Path, missing: list[str]) -> dict[str, np.ndarray]:
    parquet = folder / "telemetry.parquet"
    if parquet.is_file():
        import pyarrow
        import pyarrow.parquet

        try:
            table = pyarrow.parquet.read_table(parquet)
        except (OSError, pyarrow.ArrowException):
            missing.append("telemetry.parquet is unreadable; telemetry.csv is used instead")
        else:
            names = [name for name in TELEMETRY_COLUMNS if name in table.column_names]
            return _in_time_order({name: _float_column(table.column(name)) for name in names})
    columns: dict[str, list[float]] = {}
    rows, bad = _csv_rows(folder / "telemetry.csv")
    if rows is None:
        missing.append("no telemetry: temperature, irradiance and exposure are unknown")
        return {}
    if bad:
        missing.append(f"telemetry.csv: {bad} incomplete rows left out")
    for row in rows:
        for name in TELEMETRY_COLUMNS:
            columns.setdefault(name, []).append(number(row.get(name)))
    return _in_time_order({name: np.array(values, dtype=float) for name, values in columns.items()})


def _float_column(column: Any) -> np.ndarray:
    """Return floats, nan for null; a column of text is read cell by cell."""
    values = column.to_numpy()
    return values.astype(float) if values.dtype != object else np.array([number(value) for value in values], dtype=float)


def _in_time_order(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Drop rows without a time and put the rest in order of time; an empty table has no columns."""
    t_s = columns.get("t_s", np.empty(0))
    keep = np.flatnonzero(np.isfinite(t_s))
    if not keep.size:
        return {}
    order = keep[np.argsort(t_s[keep], kind="stable")]
    return {name: values[order] for name, values in columns.items()}


def _read_pulses(folder: Path, missing: list[str]) -> list[Pulse]:
    rows, bad = _csv_rows(folder / "probes.csv")
    if rows is None:
        missing.append("no probes.csv: nothing can be said about PL")
        return []
    pulses = []
    for row in rows:
        numbers = {name: number(row.get(name)) for name in _PULSE_NUMBERS}
        if not all(math.isfinite(numbers[name]) for name in ("t_s", "dark_counts", "lit_counts", "monitor_counts")):
            bad += 1
            continue
        probe = number(row.get("probe"))
        pulses.append(
            Pulse(
                t_s=numbers["t_s"],
                probe=int(probe) if math.isfinite(probe) else -1,
                name=row.get("name") or "",
                cell=row.get("cell") or "?",
                sample=row.get("sample") or "",
                temp_degc=numbers["temp_degC"],
                dark_counts=numbers["dark_counts"],
                lit_counts=numbers["lit_counts"],
                monitor_counts=numbers["monitor_counts"],
                probe_exposure_j_per_cm2=numbers["probe_exposure_J_per_cm2"],
            )
        )
    if bad:
        missing.append(f"probes.csv: {bad} incomplete rows left out")
    return pulses


def _read_events(folder: Path, missing: list[str]) -> list[Event]:
    rows, _ = _csv_rows(folder / "events.csv")
    if rows is None:
        missing.append("no events.csv: steps and faults are known from the manifest only")
        return []
    events = []
    for row in rows:
        try:
            detail = json.loads(row.get("detail") or "{}")
        except ValueError:
            detail = {"text": row.get("detail")}
        code = number(row.get("code"))
        events.append(
            Event(
                t_s=number(row.get("t_s")),
                kind=row.get("kind") or "",
                step=row.get("step") or "",
                code=int(code) if math.isfinite(code) else None,
                detail=detail if isinstance(detail, dict) else {"value": detail},
            )
        )
    return events


def _csv_rows(path: Path) -> tuple[list[dict[str, str]] | None, int]:
    """Return (rows, number of rows left out because they end early); (None, 0) without a readable file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").replace("\x00", "")
    except OSError:
        return None, 0
    reader = csv.DictReader(text.splitlines())
    try:
        rows = list(reader)
    except csv.Error:
        return None, 0
    whole = [row for row in rows if None not in row.values() and None not in row]
    return whole, len(rows) - len(whole)


def _planned_irradiance(folder: Path) -> float | None:
    """Return the strongest irradiance, mW/cm2, that the program as run asks of the lamp; None when it asks none or cannot be read."""
    from remnant_protocol import messages, program

    try:
        encoded = (folder / "program.msgpack").read_bytes()
        tree = program.decode(encoded)
    except (OSError, RigError):
        return None
    found: list[float] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if not isinstance(node, list | tuple):
            continue
        if len(node) == 2 and node[0] == messages.LAMP and isinstance(node[1], int):
            found.append(node[1] / 1000)
        pending.extend(node)
    return max(found, default=0.0) or None
