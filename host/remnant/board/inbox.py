"""From the reader thread to the event loop: records to the journal at once, one wake-up of the loop for all that has piled up."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from ..link import Batch

Listener = Callable[[int, list[Any]], None]


class Inbox:
    """`put` is called in a reader thread; `on_batch(source, batch)` and the listeners in the event loop."""

    def __init__(self, on_records: Callable[[Batch], None] | None, on_batch: Callable[[object, Batch], None]):
        self._loop = asyncio.get_running_loop()
        self._on_records = on_records
        self._on_batch = on_batch
        self._waiting: deque[tuple[object, Batch]] = deque()
        self._woken = False
        self._newest: dict[int, int] = {}  # boot -> number: after a loss of the line records come again
        self.listeners: list[Listener] = []

    def put(self, source: object, batch: Batch) -> None:
        if self._on_records and (batch.records or batch.pages):
            self._on_records(batch)
        self._waiting.append((source, batch))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._waiting:
            source, batch = self._waiting.popleft()
            for seq, _, fields in batch.records:
                if seq > self._newest.get(batch.boot_id, 0):
                    self._newest[batch.boot_id] = seq
                    for listener in tuple(self.listeners):
                        listener(seq, fields)
            self._on_batch(source, batch)
