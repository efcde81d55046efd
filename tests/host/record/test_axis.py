"""Several boots on one time axis, and which of them came first."""

import sqlite3

import msgpack
import pytest

from remnant.record.axis import find_axis
from remnant.record.extent import Extent, boots_in_order, find_extent
from remnant.record.store import SCHEMA
from remnant_protocol import messages as m

RUN, OTHER = b"R" * 16, b"O" * 16
S = 1_000_000


def axis(records, clock=(), boots=(1, 2, 3), began_us=10 * S):
    """records: (boot, first, last) in seconds; clock: (boot, board s, UTC s)."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    for boot, *times in records:
        for seq, t_s in enumerate(times):
            connection.execute("INSERT INTO records VALUES (?, ?, 64, ?, '')", (boot, seq, t_s * S))
    connection.executemany("INSERT INTO clock VALUES (?, ?, ?, 300)", [(boot, t_s * S, utc_s) for boot, t_s, utc_s in clock])
    found = find_axis(connection, [boot for boot in boots if any(boot == row[0] for row in records)], began_us)
    connection.close()
    return found


def test_one_boot_needs_no_clock():
    assert axis([(1, 10, 99)]).t_s(1, 15 * S) == 5.0


def test_the_dark_time_is_in_the_axis():
    found = axis([(1, 10, 110), (2, 1, 50)], [(1, 60, 1000.0), (2, 3, 1172.0)])
    assert found.t_s(1, 110 * S) == 100.0  # at UTC 1050
    assert found.t_s(2, 1 * S) == 220.0  # at UTC 1170


def test_a_boot_that_nobody_saw_follows_directly_and_the_next_one_by_the_clock():
    found = axis([(1, 10, 110), (2, 1, 6), (3, 1, 50)], [(1, 60, 1000.0), (3, 3, 1172.0)])
    assert found.t_s(2, 1 * S) == 100.0
    assert found.t_s(3, 1 * S) == 220.0
    assert 2 not in found.clocks


def test_time_never_runs_back_when_the_wall_clock_was_set():
    found = axis([(1, 10, 110), (2, 1, 50)], [(1, 60, 1000.0), (2, 3, 400.0)])
    assert found.t_s(2, 1 * S) == 100.0


def test_a_virtual_board_in_a_hurry_is_dark_in_real_time():
    found = axis([(1, 10, 610), (2, 1, 50)], [(1, 10, 1000.0), (1, 70, 1001.0), (2, 1, 1030.0), (2, 61, 1031.0)])
    assert found.t_s(2, 1 * S) == 600.0 + 20.0  # 540 s behind its last pair are 9 s at this rate


def event(boot, seq, *arguments):
    return (boot, seq, msgpack.packb([m.EVENT, seq, seq, 0, *arguments]))


STARTED = event(5, 2, m.RUN_STARTED, RUN)
INTERRUPTED = [event(6, 1, m.BOOTED, 1, 5, 20), event(6, 2, m.RUN_INTERRUPTED, RUN, 1)]
RESUMED = event(6, 9, m.RUN_RESUMED, RUN, 30, 0, 1)


@pytest.mark.parametrize(
    "events, expected",
    [
        ([], Extent()),
        ([STARTED], Extent((5, 2))),
        ([STARTED, event(5, 9, m.RUN_ENDED, 0, 0)], Extent((5, 2), (5, 9))),
        ([event(5, 1, m.RUN_ENDED, 0, 0), STARTED], Extent((5, 2))),
        ([event(5, 3, m.RUN_STARTED, OTHER), STARTED, event(5, 4, m.RUN_ENDED, 0, 0)], Extent((5, 2))),
        ([STARTED, *INTERRUPTED], Extent((5, 2), None, True)),
        ([STARTED, *INTERRUPTED, RESUMED], Extent((5, 2))),
        ([STARTED, *INTERRUPTED, RESUMED, event(6, 12, m.RUN_ENDED, 0, 0)], Extent((5, 2), (6, 12))),
    ],
    ids=["nothing", "going on", "ended", "another's end before", "another's end", "interrupted", "resumed", "resumed and ended"],
)
@pytest.mark.parametrize("seen", [[5, 6], [6, 5]], ids=["as they were", "history later"])
def test_extent(events, expected, seen):
    assert find_extent(seen, events, RUN) == expected


def test_a_run_that_was_joined_ends_though_its_beginning_is_with_another_host():
    assert find_extent([5], [event(5, 9, m.RUN_ENDED, 0, 0)], RUN, joined=True) == Extent(None, (5, 9))


def test_an_earlier_boot_that_history_brings_later_comes_first():
    assert boots_in_order([6, 5], INTERRUPTED) == [5, 6]
    assert boots_in_order([8, 6, 5], [*INTERRUPTED, event(8, 1, m.BOOTED, 1, 6, 3)]) == [5, 6, 8]
    assert boots_in_order([6, 5], [event(6, 1, m.BOOTED, 1, 5, 2), event(5, 1, m.BOOTED, 1, 6, 2)]) == [5, 6]
