"""Which numbers of a run never came, from what the journal holds: lost, or thinned by the board's policy.

A number is thinned when it lies inside a page of the board's history that has come and no GAP record names it; else it is lost.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from remnant_protocol import messages as m

from .extent import fields_of

LOST, THINNED = "lost", "thinned"
Span = tuple[int, int]  # first, last


def find_gaps(connection: sqlite3.Connection, boot_id: int, first: int | None, last: int | None) -> list[dict[str, Any]]:
    """Gaps among the numbers first..last of a boot, in order. None: from the first, to the last that is known of."""
    seqs = [row[0] for row in connection.execute("SELECT seq FROM records WHERE boot_id = ? ORDER BY seq", (boot_id,))]
    pages = _rows(connection, "pages", boot_id)
    known = [*seqs[:1], *seqs[-1:], *(end for span in pages + _rows(connection, "unread", boot_id) for end in span)]
    if not known and last is None:
        return []
    first = min(known) if first is None else first
    last = max(known) if last is None else last
    told = [_told(body) for (body,) in connection.execute("SELECT body FROM records WHERE boot_id = ? AND type = ?", (boot_id, m.GAP))]
    gaps = []
    for hole in _holes(seqs, first, last):
        for begin, end, kind in _kinds(hole, pages, told):
            if gaps and gaps[-1]["last_seq"] == begin - 1 and gaps[-1]["kind"] == kind:
                gaps[-1]["last_seq"] = end
            else:
                gaps.append({"boot_id": boot_id, "first_seq": begin, "last_seq": end, "kind": kind})
    return gaps


def _rows(connection: sqlite3.Connection, table: str, boot_id: int) -> list[Span]:
    return connection.execute(f"SELECT first_seq, last_seq FROM {table} WHERE boot_id = ?", (boot_id,)).fetchall()


def _told(body: bytes) -> Span:
    fields = fields_of(body)
    return fields[4], fields[5]


def _holes(seqs: list[int], first: int, last: int) -> list[Span]:
    holes, expected = [], first
    for seq in seqs:
        if seq > last:
            break
        if seq > expected:
            holes.append((expected, seq - 1))
        expected = max(expected, seq + 1)
    if expected <= last:
        holes.append((expected, last))
    return holes


def _kinds(hole: Span, pages: list[Span], told: list[Span]) -> list[tuple[int, int, str]]:
    """A hole, cut where its kind changes."""
    first, last = hole
    cuts = {first, last + 1}
    for begin, end in (*pages, *told):
        cuts.update(cut for cut in (begin, end + 1) if first < cut <= last)
    edges = sorted(cuts)
    pieces = []
    for begin, after in zip(edges, edges[1:], strict=False):
        lost = _in(begin, told) or not _in(begin, pages)
        pieces.append((begin, after - 1, LOST if lost else THINNED))
    return pieces


def _in(seq: int, spans: list[Span]) -> bool:
    return any(begin <= seq <= end for begin, end in spans)
