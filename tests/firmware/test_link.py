from fake_hal import FakeClock, FakeLine

from remnant_protocol import codec, frame
from remnant_protocol.messages import MARKED
from rig.clock import Clock
from rig.history import History
from rig.journal import Journal
from rig.link import CREDIT_BYTES, Link


class Line:
    def __init__(self):
        self.line = FakeLine()
        self.clock = FakeClock()
        self.journal = Journal(Clock(self.clock))
        self.got = []
        self.link = Link(self.line, self.clock.ticks_us, self.journal, History(None, 1, 8), self.got.append)

    def pump(self):
        while self.link.pump():
            pass

    def many(self, count):
        for i in range(count):
            self.journal.event(MARKED, i)

    def bodies(self):
        out = []
        frame.Parser(lambda body: out.append(codec.decode(body, 0, len(body)))).feed(bytes(self.line.outbound))
        return out


def test_nothing_is_sent_before_a_host_has_greeted():
    line = Line()
    line.many(3)
    line.pump()
    assert not line.line.outbound


def test_at_most_255_bytes_are_out_without_credit():
    line = Line()
    line.many(100)
    line.link.greet()
    for _ in range(10):
        line.pump()
    assert len(line.line.outbound) == CREDIT_BYTES


def test_credit_lets_everything_through_in_order():
    line = Line()
    line.many(100)
    line.link.greet()
    for _ in range(100):
        line.pump()
        line.link.credit(len(line.line.outbound) & 0xFFFF)
    assert [body[5] for body in line.bodies()] == list(range(100))


def test_answers_overtake_records():
    line = Line()
    line.link.greet()
    line.many(2)
    line.link.answer(34, 1)
    line.pump()
    assert [body[0] for body in line.bodies()] == [34, 65, 65]


def test_a_line_that_takes_one_byte_at_a_time_gets_whole_frames():
    line = Line()
    line.line.takes = 1
    line.link.greet()
    line.many(3)
    for _ in range(200):
        line.pump()
    assert len(line.bodies()) == 3


def test_a_line_that_takes_nothing_does_not_hold_the_loop():
    line = Line()
    line.line.takes = 0
    line.link.greet()
    line.many(3)
    line.pump()
    assert not line.line.outbound


def test_lost_bytes_are_given_up_after_the_same_count_came_four_times():
    line = Line()
    line.many(100)
    line.link.greet()
    line.pump()
    line.link.credit(100)  # 155 bytes never arrived
    line.pump()
    sent = len(line.line.outbound)
    line.clock.pass_us(250_000)
    for _ in range(3):
        line.link.credit(100)
        line.pump()
        assert len(line.line.outbound) == sent
    line.link.credit(100)
    line.pump()
    assert len(line.line.outbound) == sent + CREDIT_BYTES


def test_bytes_that_were_given_up_and_arrive_after_all_do_not_stop_the_line():
    line = Line()
    line.many(100)
    line.link.greet()
    line.pump()
    for _ in range(5):
        line.clock.pass_us(250_000)
        line.link.credit(0)
    line.pump()
    for _ in range(100):  # the host was only slow: it counts everything in the end
        line.link.credit(len(line.line.outbound) & 0xFFFF)
        line.pump()
    assert [body[5] for body in line.bodies()] == list(range(100))


def test_a_count_beyond_what_was_sent_is_ignored():
    line = Line()
    line.many(100)
    line.link.greet()
    line.pump()
    line.link.credit(40_000)
    line.pump()
    assert len(line.line.outbound) == CREDIT_BYTES


def test_a_new_greeting_starts_again_from_the_oldest_record():
    line = Line()
    line.many(3)
    line.link.greet()
    line.pump()
    line.line.outbound = bytearray()
    line.link.greet()
    line.pump()
    assert [body[1] for body in line.bodies()] == [1, 2, 3]


def test_bodies_that_are_no_message_are_counted_and_dropped():
    line = Line()
    for body in (b"\xc0", b"\x90", b"\x93\xa1x\x01\x02", b"\xc1", b"\x81\x01\x02"):
        line.line.inbound += frame.encode(body)
    line.link.poll()
    assert line.got == []
    assert line.link.bad_bodies == 5


def test_a_call_sends_one_frame_so_that_a_tick_need_not_wait_for_more():
    line = Line()
    line.many(3)
    line.link.greet()
    assert line.link.pump()
    assert len(line.bodies()) == 1
    assert line.link.pump() and line.link.pump() and not line.link.pump()
    assert len(line.bodies()) == 3


def test_a_host_that_counts_noise_is_put_right_after_the_same_count_came_four_times():
    line = Line()
    line.many(100)
    line.link.greet()
    line.pump()
    sent = len(line.line.outbound)
    for _ in range(6):
        line.clock.pass_us(60_000)
        line.link.credit(sent + 60)  # a frame came twice
    line.pump()
    more = len(line.line.outbound)
    assert more > sent
    line.link.credit(more + 60)  # and it counts on from there
    line.pump()
    assert len(line.line.outbound) > more


def test_what_only_waits_to_be_forgotten_is_no_backlog():
    """A virtual clock stands still for a backlog, and only the tick forgets: it must come."""
    line = Line()
    journal = line.journal
    while journal.used * 3 < journal.size * 2:
        line.many(1)
    assert not line.link.backlog()  # nobody has greeted
    line.link.greet()
    assert line.link.backlog()
    journal.acknowledge(journal.next_seq - 2)
    assert line.link.backlog()
    journal.acknowledge(journal.next_seq - 1)
    assert journal.used * 2 > journal.size
    assert not line.link.backlog()
