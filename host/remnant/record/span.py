"""A run inside its journal, read only: which boots, from which number to which, and what has been noted beside the records."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remnant_protocol import messages as m

from .extent import Extent, boots_in_order, fields_of, find_extent
from .gaps import find_gaps
from .store import FILE_NAME, SCHEMA

NOTED = ("reconnects", "disk_failures", "clock_jumps", "joined")
NO_LIMIT = 1 << 32


@dataclass(frozen=True)
class Span:
    """boots: of the run, in order; began_us: board time of its beginning in the first of them; last_of: boot -> its last
    number, as the boot behind it tells it."""

    extent: Extent
    boots: list[int]
    began_us: int
    last_of: dict[int, int] = field(default_factory=dict)

    def limits(self, boot_id: int) -> tuple[int, int]:
        """First and last number of the run in a boot."""
        began, ended = self.extent.began, self.extent.ended
        first = began[1] if began and began[0] == boot_id else 1
        return first, ended[1] if ended and ended[0] == boot_id else NO_LIMIT

    def gaps(self, connection: sqlite3.Connection) -> list[dict[str, Any]]:
        gaps = []
        for boot_id in self.boots:
            first, last = self.limits(boot_id)
            joined = boot_id == self.boots[0] and not self.extent.began
            gaps += find_gaps(connection, boot_id, None if joined else first, self.last_of.get(boot_id) if last == NO_LIMIT else last)
        return gaps

    def first_us(self, connection: sqlite3.Connection, boot_id: int) -> int:
        query = "SELECT COALESCE(MIN(t_us), 0) FROM records WHERE boot_id = ? AND seq >= ?"
        return connection.execute(query, (boot_id, self.limits(boot_id)[0])).fetchone()[0]


def open_journal(folder: Path) -> sqlite3.Connection:
    """A connection for reading; a journal of an earlier version has empty tables for what it does not know."""
    connection = sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True)
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for statement in SCHEMA.split(";"):
        words = statement.split()
        if words and words[5] not in there:  # CREATE TABLE IF NOT EXISTS name
            connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    return connection


def count(connection: sqlite3.Connection, table: str) -> int:
    return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


def noted(folder: Path) -> dict[str, Any]:
    """What the host noted of the run while it went on (NOTED), as far as there is any."""
    with contextlib.closing(open_journal(folder)) as connection:
        rows = connection.execute("SELECT key, value FROM meta").fetchall()
    return {key: json.loads(value) for key, value in rows if key in NOTED}


def find_span(connection: sqlite3.Connection, run_id: bytes) -> Span | None:
    """Where the run lies; None when nothing of it is there."""
    seen = [row[0] for row in connection.execute("SELECT boot_id FROM boots ORDER BY n")]
    seen += [row[0] for row in connection.execute("SELECT DISTINCT boot_id FROM records ORDER BY boot_id") if row[0] not in seen]
    events = connection.execute("SELECT boot_id, seq, body FROM records WHERE type = ?", (m.EVENT,)).fetchall()
    row = connection.execute("SELECT value FROM meta WHERE key = 'joined'").fetchone()
    joined = bool(row and json.loads(row[0]))
    extent = find_extent(seen, events, run_id, joined)
    boots = boots_in_order(seen, events)
    if extent.began is None and not joined and not extent.interrupted:
        return None
    if extent.began:
        boots = boots[boots.index(extent.began[0]) :]
    if extent.ended:
        boots = boots[: boots.index(extent.ended[0]) + 1]
    if not boots:
        return None
    last_of = {}
    for _, _, body in events:
        fields = fields_of(body)
        if fields[4] == m.BOOTED and len(fields) > 7 and fields[7]:
            last_of[fields[6]] = fields[7]
    query = "SELECT COALESCE(MIN(t_us), 0) FROM records WHERE boot_id = ? AND seq >= ?"
    began_us = connection.execute(query, (boots[0], extent.began[1] if extent.began else 1)).fetchone()[0]
    return Span(extent, boots, began_us, last_of)


def read_events(folder: Path, run_id: bytes) -> list[list[Any]]:
    """The EVENT records of a run, decoded, in order."""
    with contextlib.closing(open_journal(folder)) as connection:
        span = find_span(connection, run_id)
        if span is None:
            return []
        found = []
        for boot_id in span.boots:
            query = "SELECT body FROM records WHERE boot_id = ? AND type = ? AND seq BETWEEN ? AND ? ORDER BY seq"
            found += [fields_of(row[0]) for row in connection.execute(query, (boot_id, m.EVENT, *span.limits(boot_id)))]
    return found
