"""Which record is next: holes are asked for, and accepted only on evidence."""

import pytest

from remnant.link import order as order_module
from remnant.link.order import TRIES_CLEAN, TRIES_MAX, Order


class Line:
    """spoilt: damaged frames so far; asked: the RESENDs."""

    def __init__(self, monkeypatch):
        self.spoilt, self.asked, self.now = 0, [], 100.0
        monkeypatch.setattr(order_module.time, "monotonic", lambda: self.now)
        self.order = Order(self.asked.append, lambda: self.spoilt)
        self.order.begin(1)

    def take(self, *seqs):
        return [seq for seq in seqs if self.order.take(seq)]


@pytest.fixture
def line(monkeypatch):
    return Line(monkeypatch)


def test_in_order_and_each_once(line):
    assert line.take(1, 2, 2, 1, 3, 4) == [1, 2, 3, 4]
    assert line.asked == []


def test_nothing_before_the_greeting(monkeypatch):
    line = Line(monkeypatch)
    line.order.begin(None)
    assert line.take(1, 2) == []


def test_a_hole_that_is_filled(line):
    assert line.take(1, 3, 4, 5) == [1]
    assert line.asked == [2]
    assert line.take(2, 3, 4, 5, 6) == [2, 3, 4, 5, 6]


def test_a_hole_is_accepted_when_a_clean_line_begins_behind_it_time_after_time(line):
    assert line.take(1, 5, 6) == [1]
    for _ in range(TRIES_CLEAN - 1):
        assert line.take(5, 6) == []
    assert line.take(5, 6) == [5, 6]
    assert line.asked == [2] * TRIES_CLEAN
    assert line.order.holes == 1


def test_frames_that_overtake_each_other_do_not_hide_what_the_board_still_has(line):
    """The board has 10 to 40 and sends them again and again; on the way neighbours change places."""
    assert line.take(1) == [1]
    got = []
    for _ in range(8):
        got += line.take(10, 11, 13, 12, 15, 14, 17, 16, 19, 18, 21, 20, 23, 22, *range(24, 41))
    assert got == list(range(10, 41))


def test_a_board_that_has_moved_on_meanwhile_is_followed(line):
    line.take(1, 10, 11)
    for first in range(12, 60):
        if line.take(first, 100):
            break
        if line.take(30, 101):
            break
    assert line.order.holes == 1


def test_a_spoilt_frame_is_no_evidence(line):
    line.take(1, 3)
    for _ in range(5):
        line.spoilt += 1
        assert line.take(3) == []
    assert line.take(2, 3) == [2, 3]
    assert line.order.holes == 0


def test_a_number_that_always_comes_spoilt_does_not_stop_the_rest_for_ever(line):
    line.take(1, 3)
    for _ in range(TRIES_MAX):
        line.spoilt += 1
        if line.take(3):
            break
    assert line.order.expected == 4


def test_silence_after_a_resend_asks_again(line):
    line.take(1, 3)
    line.order.nothing_came()
    assert line.asked == [2]
    line.now += 1.1
    line.order.nothing_came()
    assert line.asked == [2, 2]


def test_what_was_on_the_way_before_the_board_went_back_is_no_evidence(line):
    assert line.take(1, 5, 6, 7, 8, 9) == [1]
    assert line.asked == [2]
