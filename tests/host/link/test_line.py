"""One line: counting, order, history, and what it says of ports that are none."""

import os
import pty
import threading

import pytest
from fake_board import BOOT_ID, FakeBoard, telemetry, wait_until

from remnant.link import Link
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError


class Heard:
    """What came over a link, from its reader thread."""

    def __init__(self):
        self.answers, self.seqs, self.pages, self.streams, self.lost = [], [], [], [], None

    def __call__(self, batch):
        self.answers += batch.answers
        self.seqs += [seq for seq, _, _ in batch.records]
        self.pages += batch.pages
        self.streams += [batch.stream] * len(batch.records)
        self.lost = self.lost or batch.lost

    @property
    def page_numbers(self) -> list[int]:
        """In the order in which they first came; a page that waits for its acknowledgement comes again every second."""
        return list(dict.fromkeys(page[1] for page in self.pages))


def greeted(board):
    heard = Heard()
    link = Link(board.port, heard)
    link.send(m.HELLO, 1, 0, "test")
    return link, heard


def test_records_arrive_whole_and_in_order():
    with FakeBoard([telemetry(i) for i in range(1, 401)]) as board:
        link, heard = greeted(board)
        wait_until(lambda: len(heard.seqs) == 400)
        link.close()
        assert heard.seqs == list(range(1, 401))
        assert link.bad_frames == 0


def test_every_byte_behind_the_welcome_is_counted():
    """The board sends records in the same breath as WELCOME; a host that lost count of them would shrink its credit for good."""
    with FakeBoard([telemetry(i) for i in range(1, 51)], noise=b"\x13boot \x00 noise") as board:
        link, heard = greeted(board)
        wait_until(lambda: len(heard.seqs) == 50 and board.outstanding == 0)
        link.close()
        assert board.overdrawn == 0


def test_count_starts_again_with_every_welcome():
    with FakeBoard([telemetry(i) for i in range(1, 31)]) as board:
        link, heard = greeted(board)
        wait_until(lambda: len(heard.seqs) == 30)
        link.send(m.HELLO, 1, 0, "test")
        link.send(m.HELLO, 1, 0, "test")
        wait_until(lambda: board.greetings == 3)
        board.add(m.EVENT, m.MARKED, 1)
        wait_until(lambda: heard.seqs[-1] == 31 and board.outstanding == 0)
        link.close()
        assert heard.seqs == list(range(1, 32))


@pytest.mark.parametrize("damage", [{1}, {7}, {39, 40}, {5, 6, 7, 20}, {40}])
def test_a_spoilt_frame_is_asked_for_again(damage):
    with FakeBoard([telemetry(i) for i in range(1, 41)], damage=damage) as board:
        link, heard = greeted(board)
        wait_until(lambda: len(heard.seqs) >= 40 - len(damage & {39, 40}))
        if 40 in damage:  # nothing behind it shows that it is missing
            board.add(m.EVENT, m.MARKED, 1)
        wait_until(lambda: heard.seqs[-1] >= 40)
        link.close()
        assert heard.seqs[:40] == list(range(1, 41))
        assert link.bad_frames == len(damage)


@pytest.mark.parametrize("times", [2, 5, 12])
def test_a_frame_that_is_spoilt_again_and_again_is_asked_for_until_it_comes(times):
    """The acknowledgement of what follows would let the board forget it."""
    with FakeBoard([telemetry(i) for i in range(1, 41)], damage=[7] * times) as board:
        link, heard = greeted(board)
        wait_until(lambda: heard.seqs[-1:] == [40])
        link.close()
        assert heard.seqs == list(range(1, 41))


def test_what_the_board_no_longer_has_live_is_asked_for_five_times_and_passed_over():
    with FakeBoard([telemetry(i) for i in range(1, 31)], forgotten={10, 11, 12}) as board:
        link, heard = greeted(board)
        wait_until(lambda: heard.seqs[-1:] == [30])
        link.close()
        assert heard.seqs == [*range(1, 10), *range(13, 31)]
        assert board.resends == [10] * 5


def test_acknowledges_only_what_is_committed():
    with FakeBoard([telemetry(i) for i in range(1, 21)]) as board:
        link, heard = greeted(board)
        wait_until(lambda: len(heard.seqs) == 20)
        assert board.acknowledged == 0
        link.committed(12)
        wait_until(lambda: board.acknowledged == 12)
        link.close()
        assert [ack[i] for ack in [[a for a in board.asked if a[0] == m.ACK][-1]] for i in (0, 3)] == [m.ACK, 12]
        assert {a[2] for a in board.asked if a[0] == m.ACK} == {BOOT_ID}


def test_bodies_that_are_no_messages_change_nothing():
    odd = [[m.EVENT, 1, 1, 0], [m.TELEMETRY, "1", 1, 0], [m.EVENT, 1, 1, 0, m.RUN_ENDED, 1], [m.TELEMETRY, 1]]
    with FakeBoard([*odd, *[telemetry(i) for i in range(5, 11)]], forgotten=()) as board:
        for i in range(5, 11):
            board.journal[i] = telemetry(i)
        link, heard = greeted(board)
        wait_until(lambda: heard.seqs[-1:] == [10])
        link.close()
        assert heard.seqs == list(range(5, 11))
        assert link.bad_frames >= len(odd)


def test_history_comes_behind_what_is_live_until_it_is_acknowledged():
    with FakeBoard([telemetry(i) for i in range(1, 31)]) as board:
        board.spool(list(range(1, 21)))  # ten pages
        link, heard = greeted(board)
        wait_until(lambda: heard.page_numbers == [1, 2, 3, 4])
        assert heard.seqs == list(range(21, 31))
        assert len(board.pages) == 10
        for number in heard.page_numbers:
            link.page_kept(number)
        wait_until(lambda: heard.page_numbers == list(range(1, 9)))
        link.close()


def test_a_page_that_is_not_acknowledged_comes_again():
    with FakeBoard([telemetry(1), telemetry(2), telemetry(3)]) as board:
        board.spool([1, 2])
        link, heard = greeted(board)
        wait_until(lambda: len(heard.pages) >= 2)
        link.close()
        assert heard.pages[0] == heard.pages[1]


def test_going_back_begins_a_new_stream_at_the_number_that_was_asked_for():
    with FakeBoard([telemetry(i) for i in range(1, 21)]) as board:
        link, heard = greeted(board)
        wait_until(lambda: len(heard.seqs) == 20)
        old = heard.streams[-1]
        stream = link.go_back(BOOT_ID, 8)
        wait_until(lambda: len(heard.seqs) == 33)
        link.close()
        assert heard.seqs[20:] == list(range(8, 21))
        assert set(heard.streams[:20]) == {old} and set(heard.streams[20:]) == {stream} and stream > old


def test_records_of_another_board_are_none_of_ours():
    with FakeBoard([telemetry(i) for i in range(1, 9)]) as board:
        board.spool([1, 2])
        heard = Heard()
        link = Link(board.port, heard, uid="F-2")
        link.send(m.HELLO, 1, 0, "test")
        wait_until(lambda: heard.answers and board.outstanding == 0)
        link.send(m.PING, 5)
        wait_until(lambda: len(heard.answers) == 2)
        link.close()
        assert (heard.seqs, heard.pages) == ([], [])


def test_a_pulled_cable_is_told_at_once():
    with FakeBoard([telemetry(1)]) as board:
        link, heard = greeted(board)
        wait_until(lambda: heard.seqs == [1])
        board.pull_the_plug()
        wait_until(lambda: heard.lost is not None)
        link.close()
        assert heard.lost.code == codes.BOARD_LOST


def test_no_such_port():
    with pytest.raises(RigError) as raised:
        Link("/dev/no-such-port", lambda batch: None)
    assert raised.value.code == codes.PORT_NOT_FOUND


def test_a_file_is_no_port(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(RigError) as raised:
        Link(str(path), lambda batch: None)
    assert raised.value.code == codes.PORT_NOT_A_RIG
    assert str(path) in raised.value.text


def test_a_port_is_opened_by_one_program_only():
    master, slave = pty.openpty()
    path = os.ttyname(slave)
    link = Link(path, lambda batch: None)
    with pytest.raises(RigError) as raised:
        Link(path, lambda batch: None)
    link.close()
    os.close(master)
    os.close(slave)
    assert raised.value.code == codes.PORT_NOT_FOUND
    assert "in use" in raised.value.text


def test_a_closed_link_leaves_no_thread():
    before = threading.active_count()
    with FakeBoard() as board:
        link, _ = greeted(board)
        link.close()
    assert threading.active_count() == before
