"""Telemetry of a run as arrays: parquet first, then a sound CSV in blocks, then a torn CSV row by row.

A 48 h run at 10 Hz has 1.7 million rows; only the columns that the analysis needs are read, and never a table beside the arrays.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np

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
_ROWS_AT_ONCE = 1 << 16


def read_telemetry(folder: Path, missing: list[str]) -> dict[str, np.ndarray]:
    parquet = folder / "telemetry.parquet"
    if parquet.is_file():
        import pyarrow
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(parquet, buffer_size=1 << 18, pre_buffer=False) as file:
                names = [name for name in TELEMETRY_COLUMNS if name in file.schema_arrow.names]
                # into arrays of the right size, some rows at a time: a table beside them would hold everything twice
                columns = {name: np.empty(file.metadata.num_rows) for name in names}
                row = 0
                for batch in file.iter_batches(_ROWS_AT_ONCE, columns=names):
                    for name in names:
                        columns[name][row : row + len(batch)] = _float_column(batch.column(name))
                    row += len(batch)
                return _in_time_order(columns)
        except (OSError, pyarrow.ArrowException):
            missing.append("telemetry.parquet is unreadable; telemetry.csv is used instead")
    return _read_telemetry_csv(folder / "telemetry.csv", missing)


def _read_telemetry_csv(path: Path, missing: list[str]) -> dict[str, np.ndarray]:
    whole = _whole_csv(path)
    if whole is not None:
        return _in_time_order(whole)
    columns: dict[str, list[float]] = {}
    rows, bad = csv_rows(path)
    if rows is None:
        missing.append("no telemetry: temperature, irradiance and exposure are unknown")
        return {}
    if bad:
        missing.append(f"telemetry.csv: {bad} incomplete rows left out")
    for row in rows:
        for name in TELEMETRY_COLUMNS:
            columns.setdefault(name, []).append(number(row.get(name)))
    return _in_time_order({name: np.array(values, dtype=float) for name, values in columns.items()})


def _whole_csv(path: Path) -> dict[str, np.ndarray] | None:
    """Return the columns of a sound file, read in blocks; None for one with any row or number out of order."""
    import pyarrow
    import pyarrow.csv

    try:
        with path.open("rb") as file:
            head = [name.strip('"') for name in file.readline(4096).decode("utf-8").strip().split(",")]
        names = [name for name in TELEMETRY_COLUMNS if name in head]
        types = {name: pyarrow.float64() for name in names}
        convert = pyarrow.csv.ConvertOptions(column_types=types, include_columns=names, null_values=[""], check_utf8=False)
        blocks: dict[str, list[np.ndarray]] = {name: [] for name in names}
        with pyarrow.csv.open_csv(path, read_options=pyarrow.csv.ReadOptions(block_size=4 << 20), convert_options=convert) as reader:
            for batch in reader:
                for name in names:
                    blocks[name].append(_float_column(batch.column(name)))
    except (OSError, ValueError, pyarrow.ArrowException):
        return None
    if not names or not blocks[names[0]]:
        return None
    return {name: np.concatenate(blocks.pop(name)) for name in names}


def _float_column(column: Any) -> np.ndarray:
    """Return floats, nan for null; a column of text is read cell by cell."""
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(float, copy=False) if values.dtype != object else np.array([number(value) for value in values], dtype=float)


def _in_time_order(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Drop rows without a time and put the rest in order of time; an empty table has no columns."""
    t_s = columns.get("t_s", np.empty(0))
    if len(t_s) and np.isfinite(t_s).all() and (t_s[1:] >= t_s[:-1]).all():
        return columns
    keep = np.flatnonzero(np.isfinite(t_s))
    if not keep.size:
        return {}
    order = keep[np.argsort(t_s[keep], kind="stable")]
    return {name: values[order] for name, values in columns.items()}


def number(text: Any) -> float:
    """Return a float; nan for an empty, absent or malformed cell."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan


def csv_rows(path: Path) -> tuple[list[dict[str, str]] | None, int]:
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
