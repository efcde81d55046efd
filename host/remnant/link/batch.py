"""What one read of the line brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from remnant_protocol.errors import RigError

_streams = count(1)


def new_stream() -> int:
    """The number of a stream: records that follow each other without a hole the host has made. Higher numbers are later ones."""
    return next(_streams)


@dataclass
class Batch:
    """answers: decoded bodies; records: (seq, body bytes, decoded body) of boot `boot_id`, in sequence; pages: HISTORY messages, decoded;
    stream: of the records (`new_stream`); lost: the line has gone, nothing more comes over it."""

    answers: list[list[Any]] = field(default_factory=list)
    records: list[tuple[int, bytes, list[Any]]] = field(default_factory=list)
    pages: list[list[Any]] = field(default_factory=list)
    lost: RigError | None = None
    boot_id: int = 0
    stream: int = 0

    def __bool__(self) -> bool:
        return bool(self.answers or self.records or self.pages or self.lost)
