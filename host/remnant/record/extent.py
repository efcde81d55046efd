"""From where to where a run goes, in records of several boots: read from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgpack

from remnant_protocol import messages as m

Event = tuple[int, int, bytes]  # boot_id, seq, body


@dataclass(frozen=True)
class Extent:
    """began, ended: (boot_id, seq) of RUN_STARTED and RUN_ENDED, None while they have not come; interrupted: a reset came in between and
    nobody has resumed it since."""

    began: tuple[int, int] | None = None
    ended: tuple[int, int] | None = None
    interrupted: bool = False


def fields_of(body: bytes) -> list[Any]:
    return msgpack.unpackb(body, raw=False, strict_map_key=False)


def unpacked(body: bytes) -> tuple[int, int, int, bytes]:
    """(seq, type, t_us, body) of a record. Raises ValueError, msgpack's errors, IndexError, TypeError for what is none."""
    fields = fields_of(body)
    return fields[1], fields[0], fields[2] * 1_000_000 + fields[3], body


def boots_in_order(seen: list[int], events: Iterable[Event]) -> list[int]:
    """Boots, the earliest first. seen: in the order in which they were first seen, which is that of time unless history brought an earlier
    one later; a boot tells which one was before it."""
    before = {}
    for boot_id, _, body in events:
        fields = fields_of(body)
        if fields[4] == m.BOOTED and len(fields) > 6 and fields[6]:
            before[boot_id] = fields[6]
    order: list[int] = []

    def put(boot_id: int, asking: tuple[int, ...]) -> None:
        previous = before.get(boot_id)
        if previous in seen and previous not in order and previous not in asking:
            put(previous, (*asking, boot_id))
        if boot_id not in order:
            order.append(boot_id)

    for boot_id in seen:
        put(boot_id, ())
    return order


def find_extent(seen: list[int], events: list[Event], run_id: bytes, joined: bool = False) -> Extent:
    """joined: the run was going on already when this journal began; its RUN_STARTED may be with another host."""
    place = {boot_id: n for n, boot_id in enumerate(boots_in_order(seen, events))}
    began = ended = None
    inside, interrupted = joined, False
    for boot_id, seq, body in sorted(events, key=lambda event: (place.get(event[0], -1), event[1])):
        fields = fields_of(body)
        kind = fields[4]
        if kind == m.RUN_STARTED:
            inside = fields[5] == run_id
            if inside:
                began, ended, interrupted = (boot_id, seq), None, False
        elif kind == m.RUN_RESUMED and fields[5] == run_id:
            inside, interrupted = True, False
        elif kind == m.RUN_INTERRUPTED and fields[5] == run_id:
            inside, interrupted = True, True
        elif kind == m.RUN_ENDED and inside:
            ended, inside, interrupted = (boot_id, seq), False, False
    return Extent(began, ended, interrupted)
