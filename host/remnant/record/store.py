"""run.sqlite: its tables, and one transaction for what has come. Every row has a key of its own, so whatever comes twice is kept once."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remnant_protocol import messages as m

FILE_NAME = "run.sqlite"
SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    boot_id INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER NOT NULL, t_us INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (boot_id, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
    boot_id INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, page INTEGER NOT NULL,
    PRIMARY KEY (boot_id, first_seq, page)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unread (
    boot_id INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, page INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (boot_id, first_seq, page)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conflicts (
    boot_id INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (boot_id, seq, body)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boots (boot_id INTEGER PRIMARY KEY, n INTEGER NOT NULL, first_utc REAL NOT NULL);
CREATE TABLE IF NOT EXISTS clock (
    boot_id INTEGER NOT NULL, t_us INTEGER NOT NULL, utc_s REAL NOT NULL, uncertainty_us INTEGER NOT NULL,
    PRIMARY KEY (boot_id, t_us)) WITHOUT ROWID;
"""


@dataclass
class Work:
    """What one transaction is to keep. rows of the tables, in their order of columns; notes: (key, JSON)."""

    records: list[tuple[int, int, int, int, bytes]] = field(default_factory=list)
    pages: list[tuple[int, int, int, int]] = field(default_factory=list)
    unread: list[tuple[int, int, int, int, bytes]] = field(default_factory=list)
    clock: list[tuple[int, int, float, int]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.records or self.pages or self.unread or self.clock or self.notes)


class Store:
    """An open run.sqlite. To be used in the thread that opened it. Raises sqlite3.Error and OSError."""

    def __init__(self, path: Path):
        self._connection = connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")  # committed means on disk, also when the power goes
            connection.executescript(SCHEMA)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))
            self._boots = {row[0] for row in connection.execute("SELECT boot_id FROM boots")}
        except BaseException:
            connection.close()
            raise

    def keep(self, work: Work) -> None:
        """One transaction: all of it or nothing."""
        connection = self._connection
        boots = list(dict.fromkeys(row[0] for row in (*work.pages, *work.records, *work.clock) if row[0] not in self._boots))
        connection.execute("BEGIN IMMEDIATE")
        try:
            for boot_id in boots:
                connection.execute("INSERT OR IGNORE INTO boots SELECT ?, COALESCE(MAX(n), 0) + 1, ? FROM boots", (boot_id, time.time()))
            if work.records:
                self._keep_records(work.records)
            connection.executemany("INSERT OR REPLACE INTO pages VALUES (?,?,?,?)", work.pages)
            connection.executemany("INSERT OR REPLACE INTO unread VALUES (?,?,?,?,?)", work.unread)
            connection.executemany("INSERT OR REPLACE INTO clock VALUES (?,?,?,?)", work.clock)
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?,?)", work.notes)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        self._boots.update(boots)

    def _keep_records(self, rows: list[tuple[int, int, int, int, bytes]]) -> None:
        """The first of two records with one number stays; a second one with other bytes is put beside it."""
        connection = self._connection
        before = connection.total_changes
        connection.executemany("INSERT OR IGNORE INTO records VALUES (?,?,?,?,?)", rows)
        if connection.total_changes - before == len(rows):
            return
        for boot_id, seq, _, _, body in rows:
            (kept,) = connection.execute("SELECT body FROM records WHERE boot_id = ? AND seq = ?", (boot_id, seq)).fetchone()
            if kept != body:
                connection.execute("INSERT OR IGNORE INTO conflicts VALUES (?,?,?)", (boot_id, seq, body))
                connection.execute("INSERT OR REPLACE INTO meta SELECT 'conflicts', COUNT(*) FROM conflicts")

    def boots(self) -> list[int]:
        """In the order in which they were first seen."""
        return [row[0] for row in self._connection.execute("SELECT boot_id FROM boots ORDER BY n")]

    def events(self) -> list[tuple[int, int, bytes]]:
        """(boot_id, seq, body) of every EVENT."""
        return self._connection.execute("SELECT boot_id, seq, body FROM records WHERE type = ?", (m.EVENT,)).fetchall()

    def meta(self, key: str) -> Any:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def close(self, one_file: bool = True) -> None:
        """one_file: fold the write-ahead log into the file, so that nothing lies beside it."""
        if one_file:
            with contextlib.suppress(sqlite3.Error):  # after a failure whatever is there stays
                self._connection.execute("PRAGMA journal_mode=DELETE")
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
