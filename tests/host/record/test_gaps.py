"""Which numbers never came, and why."""

import sqlite3

import msgpack
import pytest
from fake_board import telemetry

from remnant.record.gaps import find_gaps
from remnant.record.store import SCHEMA
from remnant_protocol import messages as m


def gaps(seqs, pages=(), told=(), unread=(), first=1, last=None):
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    for seq in seqs:
        connection.execute("INSERT INTO records VALUES (7, ?, ?, 0, ?)", (seq, m.TELEMETRY, msgpack.packb(telemetry(seq))))
    for seq, begin, end in told:
        connection.execute("INSERT INTO records VALUES (7, ?, ?, 0, ?)", (seq, m.GAP, msgpack.packb([m.GAP, seq, 1, 0, begin, end])))
    connection.executemany("INSERT INTO pages VALUES (7, ?, ?, ?)", [(*page, n) for n, page in enumerate(pages)])
    connection.executemany("INSERT INTO unread VALUES (7, ?, ?, ?, '')", [(*page, n) for n, page in enumerate(unread)])
    found = find_gaps(connection, 7, first, last)
    connection.close()
    return [(gap["first_seq"], gap["last_seq"], gap["kind"]) for gap in found]


@pytest.mark.parametrize(
    "facts, expected",
    [
        ({"seqs": range(1, 10)}, []),
        ({"seqs": [1, 2, 6]}, [(3, 5, "lost")]),
        ({"seqs": [1, 2, 6], "pages": [(2, 6)]}, [(3, 5, "thinned")]),
        ({"seqs": [1, 2, 9], "pages": [(2, 5)]}, [(3, 5, "thinned"), (6, 8, "lost")]),
        ({"seqs": [1, 9], "pages": [(1, 3), (6, 9)]}, [(2, 3, "thinned"), (4, 5, "lost"), (6, 8, "thinned")]),
        ({"seqs": [1, 9], "pages": [(1, 4), (5, 9)]}, [(2, 8, "thinned")]),
        ({"seqs": [1, 6], "pages": [(1, 6)], "told": [(7, 3, 3)]}, [(2, 2, "thinned"), (3, 3, "lost"), (4, 5, "thinned")]),
        ({"seqs": [1, 2], "last": 5}, [(3, 5, "lost")]),
        ({"seqs": [4, 5], "first": None}, []),
        ({"seqs": [4, 5]}, [(1, 3, "lost")]),
        ({"seqs": [1], "unread": [(2, 4)]}, [(2, 4, "lost")]),
        ({"seqs": []}, []),
    ],
    ids=["none", "hole", "thinned", "both", "between pages", "pages that meet", "told", "end", "joined", "beginning", "unread", "empty"],
)
def test_kinds(facts, expected):
    assert gaps(**facts) == expected
