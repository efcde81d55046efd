"""The end of a run: telemetry.parquet and .csv, events.csv, probes.csv, and last of all manifest.json with a hash of each file.

Every file is written beside its name and moved into place, so a folder never holds half of one.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from .span import noted
from .store import FILE_NAME
from .tables import EVENT_COLUMNS, PROBE_UNITS, TELEMETRY_UNITS, Tables, read_tables

MANIFEST = "manifest.json"
_MADE_LATER = (MANIFEST, "analysis.json", "report.html", "flow.html")
COMPLETED, STOPPED, FAULT, BOARD_LOST, INTERRUPTED = "completed", "stopped", "fault", "board lost", "interrupted"
_BY = {
    m.BY_COMPLETION: COMPLETED,
    m.BY_STOP: STOPPED,
    m.BY_CUT: STOPPED,
    m.BY_FAULT: FAULT,
    m.BY_RESET: INTERRUPTED,
    m.BY_HOST_LOST: STOPPED,  # as its plan says
}


def finish(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the tables and the manifest; return the manifest as written.

    `manifest` brings run_id, cells, probes and steps; status, times, gaps, counts, units and hashes are filled in here. A run without a
    RUN_ENDED record is "interrupted" when the board was reset, else "board lost". Raises OSError when the disk does not take it.
    """
    probe_names = {probe["id"]: probe["name"] for probe in manifest["probes"]}
    cells = {cell["index"]: (letter, cell["sample"]) for letter, cell in manifest["cells"].items()}
    tables = read_tables(folder, bytes.fromhex(manifest["run_id"]), probe_names, cells)
    _write_telemetry(folder, tables)
    _write_csv(folder / "events.csv", EVENT_COLUMNS, tables.events)
    _write_csv(folder / "probes.csv", tuple(PROBE_UNITS), tables.probes)
    for step in manifest["steps"]:
        step.update(tables.steps.get(step["index"], {"began_s": None, "ended_s": None}))
    unended = INTERRUPTED if tables.interrupted else BOARD_LOST
    manifest["status"] = unended if tables.ended_by is None else _BY.get(tables.ended_by, BOARD_LOST)
    manifest["end_code"] = tables.end_code
    manifest["units"] = TELEMETRY_UNITS
    manifest["units_probes"] = PROBE_UNITS
    manifest["gaps"] = tables.gaps
    manifest["conflicts"] = tables.conflicts
    manifest["unread_pages"] = tables.unread
    manifest["boots"] = tables.boots
    manifest["interruptions"] = tables.interruptions
    manifest.update({"reconnects": 0, **noted(folder)})
    _keep_gaps(folder, tables)
    manifest["records"] = {
        "count": tables.count,
        "telemetry": len(tables.telemetry),
        "events": len(tables.events),
        "pulses": len(tables.probes),
    }
    manifest["files"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir()) if _is_data(path)}
    write_whole(folder / MANIFEST, (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())
    return manifest


def _keep_gaps(folder: Path, tables: Tables) -> None:
    """The gaps in run.sqlite too, so that it says all by itself."""
    columns = "boot_id INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, kind TEXT NOT NULL"
    try:
        with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection, connection:
            connection.execute("DROP TABLE IF EXISTS gaps")
            connection.execute(f"CREATE TABLE gaps ({columns}, PRIMARY KEY (boot_id, first_seq)) WITHOUT ROWID")
            connection.executemany("INSERT INTO gaps VALUES (:boot_id, :first_seq, :last_seq, :kind)", tables.gaps)
    except sqlite3.OperationalError as error:  # the disk
        raise OSError(f"{folder / FILE_NAME}: {error}") from None


def recover(folder: Path) -> dict[str, Any] | None:
    """Finish a run whose host died before it could: journal there, manifest not. Returns the manifest, None when there is nothing to do."""
    if (folder / MANIFEST).exists() or not (folder / FILE_NAME).is_file():
        return None
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = 'manifest'").fetchone()
        except sqlite3.DatabaseError as error:
            text = f"{folder / FILE_NAME} is no journal of a run ({error})"
            raise RigError(codes.STORE_CORRUPT, where=str(folder), text=text) from None
    return finish(folder, {**json.loads(row[0]), "recovered": True}) if row else None


def _is_data(path: Path) -> bool:
    return path.is_file() and path.name not in _MADE_LATER and not path.name.endswith(("-wal", "-shm", "-journal", ".part"))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and have it on disk."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    with contextlib.suppress(OSError, AttributeError):  # the new name too; a folder cannot be opened on every system
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_csv(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())


def _write_telemetry(folder: Path, tables: Tables) -> None:
    import pyarrow
    import pyarrow.parquet

    names = tuple(TELEMETRY_UNITS)
    _write_csv(folder / "telemetry.csv", names, tables.telemetry)
    columns = list(zip(*tables.telemetry, strict=True)) if tables.telemetry else [()] * len(names)
    types = {"board_time_us": pyarrow.int64(), "state": pyarrow.uint8(), "step": pyarrow.uint16(), "tick_late_us": pyarrow.uint32()}
    fields = [pyarrow.field(n, types.get(n, pyarrow.float64()), metadata={"unit": TELEMETRY_UNITS[n]}) for n in names]
    schema = pyarrow.schema(fields, metadata={"units": json.dumps(TELEMETRY_UNITS)})
    arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    write_whole(folder / "telemetry.parquet", sink.getvalue().to_pybytes())
