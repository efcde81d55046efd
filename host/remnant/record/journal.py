"""The journal of a run: run.sqlite (WAL), written by one thread, acknowledged to the board only after the commit.

A commit takes what has come within GATHER_S or GATHER_RECORDS, and everything that came while the last one was under way. That is well
below what a board's ring holds, so even a virtual board in a hurry does not wait for it, and it saves board and disk an acknowledgement and
a flush for each record. Inserting is idempotent: the key is (boot_id, seq).

A disk that takes no more ends nothing. What was not committed is forgotten here and kept by the board; every RETRY_S it is tried again,
and when the disk takes it the board is asked to go back to the first record that is missing.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import packing
from remnant_protocol.errors import RigError

from ..link import Batch
from .extent import Extent, find_extent, unpacked
from .store import FILE_NAME, Store, Work

__all__ = ["FILE_NAME", "GATHER_RECORDS", "GATHER_S", "RETRY_S", "Journal", "Keeper"]

GATHER_S = 0.02
GATHER_RECORDS = 32
RETRY_S = 1.0
_END = object()


class Keeper(Protocol):
    """Who hears what is on disk: the board. Called in the journal's thread."""

    def committed(self, boot_id: int, seq: int) -> None: ...

    def page_kept(self, number: int) -> None: ...

    def go_back(self, boot_id: int, seq: int) -> int: ...


class Journal:
    """An open journal. `write(batch)` may be called from any thread.

    on_committed(seq) is called in the journal's own thread, keeper likewise; on_trouble(error or None): the disk fails, or works again;
    on_end(): the end of the run is on disk. failing: the error while the disk fails.
    """

    def __init__(
        self,
        folder: Path,
        on_committed: Callable[[int], None] | None = None,
        *,
        keeper: Keeper | None = None,
        run_id: bytes = b"",
        joined: bool = False,
    ):
        """Open or make FILE_NAME in `folder`. joined: the run is going on already. Raises RigError(JOURNAL_FAILED)."""
        self.path = folder / FILE_NAME
        self.run_id = run_id
        self.joined = joined
        self.on_committed = on_committed
        self.keeper = keeper
        self.on_trouble: Callable[[RigError | None], None] = lambda _error: None
        self.on_end: Callable[[], None] = lambda: None
        self.records = self.pages = 0
        self.reconnects_before = 0  # by hosts before this one
        self.clock_jumps: list[Any] = []
        self.failing: RigError | None = None
        self.extent = Extent()
        self.committed: dict[int, int] = {}  # boot -> highest live number that is on disk
        self._in_run: set[int] = set()  # boots in whose live stream the run has begun
        self._until: dict[int, int] = {}  # boot -> last number of the run
        self._streams: dict[int, int] = {}  # boot -> stream; earlier ones are not taken any more
        self._forgotten: set[int] = set()  # boots of which live records were not kept while the disk failed
        self._facts: list[Any] = []
        self._store: Store | None = None
        self._retry_at = 0.0
        self._failed_at = 0.0
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()
        self._opened.wait()
        if self._store is None:
            assert self.failing
            raise self.failing

    def note(self, key: str, value: Any) -> None:
        """Keep a fact about the run (JSON)."""
        self._queue.put((key, json.dumps(value, sort_keys=True)))

    def clock(self, boot_id: int, t_us: int, utc_s: float, uncertainty_us: int) -> None:
        """Keep one instant on two clocks: board time since boot, and UTC."""
        self._queue.put(Work(clock=[(boot_id, t_us, utc_s, uncertainty_us)]))

    def write(self, batch: Batch) -> None:
        """Keep the records and pages of a batch. Live records behind the end of the run are left to the board."""
        self._queue.put(batch)

    def only_from(self, boot_id: int, stream: int | None) -> None:
        """Take live records of a boot from this stream on; None: none until it is told."""
        self._streams[boot_id] = sys.maxsize if stream is None else stream

    def flush(self) -> None:
        """Wait until everything so far is on disk. Raises RigError(JOURNAL_FAILED)."""
        done = threading.Event()
        self._queue.put(done)
        done.wait()
        if self.failing:
            raise self.failing

    def close(self) -> None:
        """Commit what is left and close the file."""
        self._queue.put(_END)
        self._thread.join()

    # ---- journal thread

    def _write(self) -> None:
        try:
            self._store = Store(self.path)
            self.reconnects_before = json.loads(self._store.meta("reconnects") or "0")
            self.clock_jumps = json.loads(self._store.meta("clock_jumps") or "[]")
            self._find_extent()
        except Exception as error:
            self.failing = _failed(self.path, error)
            self._opened.set()
            return
        self._opened.set()
        while True:
            waiting = self._gathered()
            self._take(waiting)
            if _END in waiting:
                break
        if self._store:
            self._store.close(one_file=self.failing is None)

    def _gathered(self) -> list[Any]:
        if self.failing:
            try:
                waiting = [self._queue.get(timeout=max(0.0, self._retry_at - time.monotonic()))]
            except queue.Empty:
                return []
        else:
            waiting = [self._queue.get()]
        records = _records_in(waiting[0])
        end = time.monotonic() + GATHER_S
        while waiting[-1] is not _END and not isinstance(waiting[-1], threading.Event):
            left_s = end - time.monotonic() if records < GATHER_RECORDS else 0.0
            try:
                waiting.append(self._queue.get(timeout=left_s) if left_s > 0 else self._queue.get_nowait())
            except queue.Empty:
                break
            records += _records_in(waiting[-1])
        return waiting

    def _take(self, items: list[Any]) -> None:
        """Commit; a failure is told, and what was to be committed is forgotten: the board keeps it."""
        if self.failing:
            self._keep_facts(items)
            if time.monotonic() >= self._retry_at or _END in items:
                self._try_again()
        else:
            try:
                self._commit(items)
            except Exception as error:  # the disk, and whatever else: the board still has it
                self._fail(error)
                self._keep_facts(items)
        for item in items:
            if isinstance(item, threading.Event):
                item.set()

    def _commit(self, items: list[Any]) -> None:
        """One transaction, then its acknowledgements."""
        work, live, changed = Work(), {}, False
        for item in items:
            if isinstance(item, tuple):
                work.notes.append(item)
            elif isinstance(item, Work):
                work.clock += item.clock
            elif isinstance(item, Batch):
                if item.stream >= self._streams.get(item.boot_id, 0):
                    changed |= self._live(item, work, live)
                changed |= _history(item, work)
        if not work:
            return
        assert self._store
        self._store.keep(work)
        self.records += len(work.records)
        self.pages += len(work.pages)
        if changed:
            self._find_extent()
        self.committed.update((boot_id, max(seq, self.committed.get(boot_id, 0))) for boot_id, seq in live.items())
        self._tell(work, live)

    def _live(self, batch: Batch, work: Work, live: dict[int, int]) -> bool:
        """Take the live records of a batch; True when a run begins or ends among them."""
        boot_id, changed = batch.boot_id, False
        for seq, body, fields in batch.records:
            if seq > self._until.get(boot_id, seq):
                continue
            work.records.append((boot_id, seq, fields[0], fields[2] * 1_000_000 + fields[3], body))
            live[boot_id] = seq
            if fields[0] == m.EVENT and fields[4] in (m.RUN_STARTED, m.RUN_RESUMED):
                changed = True
                if fields[5] == self.run_id:
                    self._in_run.add(boot_id)
                else:
                    self._in_run.discard(boot_id)
            elif fields[0] == m.EVENT and fields[4] in (m.RUN_ENDED, m.RUN_INTERRUPTED, m.BOOTED):
                changed = True
                if fields[4] == m.RUN_ENDED and boot_id in self._in_run:
                    self._until[boot_id] = seq
        return changed

    def _tell(self, work: Work, live: dict[int, int]) -> None:
        keeper = self.keeper
        for boot_id, seq in live.items():
            if keeper:
                keeper.committed(boot_id, seq)
            if self.on_committed:
                self.on_committed(seq)
        if keeper:
            for row in (*work.pages, *work.unread):
                keeper.page_kept(row[3])

    def _find_extent(self) -> None:
        assert self._store
        ended = self.extent.ended
        self.extent = find_extent(self._store.boots(), self._store.events(), self.run_id, self.joined)
        if self.extent.ended and not ended:
            self.on_end()

    # ---- a disk that fails

    def _fail(self, error: Exception) -> None:
        self._retry_at = time.monotonic() + RETRY_S
        if self.failing is None:
            self.failing = _failed(self.path, error)
            self._failed_at = time.time()
            self.on_trouble(self.failing)

    def _keep_facts(self, items: list[Any]) -> None:
        """Notes and clocks come from nobody again; records do, from the board."""
        self._facts += [item for item in items if isinstance(item, (tuple, Work))]
        self._forgotten.update(item.boot_id for item in items if isinstance(item, Batch) and item.records)

    def _try_again(self) -> None:
        assert self.failing
        note = {"from_utc_s": self._failed_at, "to_utc_s": time.time(), "text": str(self.failing.text)}
        try:
            if self._store:
                self._store.close(one_file=False)
                self._store = None
            self._store = Store(self.path)
            told = json.loads(self._store.meta("disk_failures") or "[]")
            self._commit([*self._facts, ("disk_failures", json.dumps([*told, note]))])
        except Exception as error:
            self._fail(error)
            return
        self._facts.clear()
        for boot_id in self._forgotten:
            if self.keeper:
                self._streams[boot_id] = self.keeper.go_back(boot_id, self.committed.get(boot_id, 0) + 1)
        self._forgotten.clear()
        self.failing = None
        self.on_trouble(None)


def _history(batch: Batch, work: Work) -> bool:
    """Take the pages of a batch; True when a run begins or ends among them."""
    changed = False
    for _, page, boot_id, first_seq, last_seq, data, *_ in batch.pages:
        try:
            rows = [(boot_id, *unpacked(body)) for body in packing.unpack(data)]
        except Exception:  # its CRC was right, so it would come like this for ever: kept as it is
            work.unread.append((boot_id, first_seq, last_seq, page, data))
            continue
        work.pages.append((boot_id, first_seq, last_seq, page))
        work.records += rows
        changed |= any(row[2] == m.EVENT for row in rows)
    return changed


def _records_in(item: Any) -> int:
    return len(item.records) + 4 * len(item.pages) if isinstance(item, Batch) else 0


def _failed(path: Path, error: Exception) -> RigError:
    return RigError(codes.JOURNAL_FAILED, where=str(path), text=f"records cannot be written to {path} ({error})")
