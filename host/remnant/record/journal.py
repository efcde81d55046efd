"""The journal of a run: run.sqlite (WAL), written by one thread, acknowledged to the board only after the commit.

A commit takes what has come within GATHER_S or GATHER_RECORDS, and everything that came while the last one was under way. That is well
below what a board's ring holds, so even a virtual board in a hurry does not wait for it, and it saves board and disk an acknowledgement and
a flush for each record. Inserting is idempotent: the key is (boot_id, seq).
"""

from __future__ import annotations

import contextlib
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..link import Batch

FILE_NAME = "run.sqlite"
GATHER_S = 0.02
GATHER_RECORDS = 32
SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    boot_id INTEGER NOT NULL, seq INTEGER NOT NULL, type INTEGER NOT NULL, t_us INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (boot_id, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (
    boot_id INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, PRIMARY KEY (boot_id, first_seq)) WITHOUT ROWID;
"""
_END = object()


class Journal:
    """An open journal. `write(batch)` may be called from any thread; `on_committed(seq)` is called in the journal's own thread."""

    def __init__(self, folder: Path, on_committed: Callable[[int], None] | None = None):
        """Open or make FILE_NAME in `folder`. Raises RigError(JOURNAL_FAILED)."""
        self.path = folder / FILE_NAME
        self.boot_id = 0
        self.run_id = b""
        self.on_committed = on_committed
        self.records = 0
        self.failure: RigError | None = None
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._in_run = False
        self._until_seq: int | None = None
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()
        self._opened.wait()
        if self.failure:
            raise self.failure

    def note(self, key: str, value: Any) -> None:
        """Keep a fact about the run (JSON)."""
        self._queue.put((key, json.dumps(value, sort_keys=True)))

    def write(self, batch: Batch) -> None:
        """Keep the records and gaps of a batch. Records behind the end of the run are left to the board."""
        self._queue.put(batch)

    def close(self) -> None:
        """Commit what is left and close the file."""
        self._queue.put(_END)
        self._thread.join()

    # ---- journal thread

    def _write(self) -> None:
        try:
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")  # committed means on disk, also when the power goes
            connection.executescript(_SCHEMA)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))
        except (sqlite3.Error, OSError) as error:
            self.failure = _failed(self.path, error)
            self._opened.set()
            return
        self._opened.set()
        going = True
        while going:
            waiting = self._gathered()
            going = _END not in waiting
            try:
                seq = self._commit(connection, [item for item in waiting if item is not _END])
            except sqlite3.Error as error:
                self.failure = _failed(self.path, error)
                break
            if seq is not None and self.on_committed:
                self.on_committed(seq)
        with contextlib.suppress(sqlite3.Error):  # one file and nothing beside it; after a failure whatever is there stays
            connection.execute("PRAGMA journal_mode=DELETE")
        connection.close()

    def _gathered(self) -> list[Any]:
        waiting = [self._queue.get()]
        records = _records_in(waiting[0])
        end = time.monotonic() + GATHER_S
        while waiting[-1] is not _END:
            left_s = end - time.monotonic() if records < GATHER_RECORDS else 0.0
            try:
                waiting.append(self._queue.get(timeout=left_s) if left_s > 0 else self._queue.get_nowait())
            except queue.Empty:
                break
            records += _records_in(waiting[-1])
        return waiting

    def _commit(self, connection: sqlite3.Connection, items: list[Any]) -> int | None:
        """One transaction; return the last sequence number of it."""
        rows, gaps, notes, last = [], [], [], None
        for item in items:
            if isinstance(item, tuple):
                notes.append(item)
                continue
            gaps += [(self.boot_id, first, end) for first, end in item.gaps]
            for seq, body, fields in item.records:
                if self._until_seq is not None and seq > self._until_seq:
                    continue
                rows.append((self.boot_id, seq, fields[0], fields[2] * 1_000_000 + fields[3], body))
                last = seq
                if fields[0] == m.EVENT and fields[4] == m.RUN_STARTED:
                    self._in_run = fields[5] == self.run_id
                elif self._in_run and fields[0] == m.EVENT and fields[4] == m.RUN_ENDED:
                    self._until_seq = seq
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT OR IGNORE INTO records VALUES (?,?,?,?,?)", rows)
            connection.executemany("INSERT OR IGNORE INTO gaps VALUES (?,?,?)", gaps)
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?,?)", notes)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.records += len(rows)
        return last


def _records_in(item: Any) -> int:
    return len(item.records) if isinstance(item, Batch) else 0


def _failed(path: Path, error: Exception) -> RigError:
    return RigError(codes.JOURNAL_FAILED, where=str(path), text=f"records cannot be written to {path} ({error})")
