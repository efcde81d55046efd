"""What was really said: a Tap reads the line at the board's end, before anything is damaged, and keeps it as the truth of a trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgpack

from remnant_protocol import frame
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError
from remnant_protocol.packing import unpack


@dataclass
class Truth:
    """records: (boot_id, seq) -> body; pages: (boot_id, first, last); conflicts: numbers that came with two bodies;
    commands: id -> [op, how often it reached the board's end]; refused: REPLY codes that were not 0."""

    records: dict[tuple[int, int], bytes] = field(default_factory=dict)
    pages: set[tuple[int, int, int]] = field(default_factory=set)
    conflicts: list[tuple[int, int]] = field(default_factory=list)
    commands: dict[int, list[int]] = field(default_factory=dict)
    bad_pages: int = 0
    boots: list[int] = field(default_factory=list)
    bytes_up: int = 0
    bytes_down: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    longest_ms: float = 0.0


class Tap:
    """Feed it both directions; `truth` grows. on_record(seq, fields) is told of each record that is new."""

    def __init__(self, on_record: Any = None):
        self.truth = Truth()
        self._boot = 0
        self._on_record = on_record
        self._up = frame.Parser(self._from_board)
        self._down = frame.Parser(self._from_host)

    def up(self, data: bytes) -> None:
        self.truth.bytes_up += len(data)
        self._up.feed(data)

    def down(self, data: bytes) -> None:
        self.truth.bytes_down += len(data)
        self._down.feed(data)

    def _from_board(self, body: bytes) -> None:
        fields = _decoded(body)
        if not fields:
            return
        kind = fields[0]
        if kind == m.WELCOME:
            self._boot = fields[7]
            if self._boot not in self.truth.boots:
                self.truth.boots.append(self._boot)
        elif kind == m.HISTORY:
            _, _, boot, first, last, data = fields
            self.truth.pages.add((boot, first, last))
            try:
                bodies = unpack(data)
            except RigError:
                self.truth.bad_pages += 1
                return
            for packed in bodies:
                self._record(boot, bytes(packed))
        elif kind >= m.TELEMETRY and self._boot:
            self._record(self._boot, bytes(body))

    def _record(self, boot: int, body: bytes) -> None:
        fields = _decoded(body)
        key = (boot, fields[1])
        known = self.truth.records.setdefault(key, body)
        if known is not body:
            if known != body:
                self.truth.conflicts.append(key)
        elif self._on_record:
            self._on_record(key, fields)

    def _from_host(self, body: bytes) -> None:
        fields = _decoded(body)
        if fields and fields[0] == m.COMMAND:
            self.truth.commands.setdefault(fields[1], [fields[2], 0])[1] += 1


def _decoded(body: bytes) -> list[Any]:
    try:
        fields = msgpack.unpackb(bytes(body), raw=False, strict_map_key=False)
    except (ValueError, msgpack.UnpackException):
        return []
    return fields if isinstance(fields, list) and fields and isinstance(fields[0], int) else []
