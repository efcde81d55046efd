from fake_hal import FakeClock

from remnant_protocol import codec
from remnant_protocol.messages import EVENT, GAP, MARKED
from rig.clock import Clock
from rig.journal import HEADER_BYTES, Journal, survivors


def make(size=512):
    return Journal(Clock(FakeClock()), size)


def drain(journal):
    bodies = []
    while True:
        body = journal.peek()
        if body is None:
            return bodies
        bodies.append(codec.decode(body, 0, len(body)))
        journal.sent()


def test_records_come_out_in_order_with_number_and_time():
    journal = make()
    for i in range(5):
        journal.event(MARKED, i)
    assert drain(journal) == [[EVENT, i + 1, 0, 0, MARKED, i] for i in range(5)]
    assert journal.first_seq == 1  # kept until acknowledged


def test_sent_is_not_forgotten_until_acknowledged():
    journal = make()
    for i in range(5):
        journal.event(MARKED, i)
    drain(journal)
    journal.acknowledge(2)
    journal.rewind(0)
    assert [body[1] for body in drain(journal)] == [3, 4, 5]
    journal.acknowledge(5)
    assert journal.used == 0


def test_acknowledging_the_future_or_the_past_does_nothing():
    journal = make()
    journal.event(MARKED, 1)
    journal.acknowledge(99)
    journal.acknowledge(0)
    assert len(drain(journal)) == 1


def test_rewind_to_a_number_sends_from_there():
    journal = make()
    for i in range(9):
        journal.event(MARKED, i)
    drain(journal)
    journal.rewind(7)
    assert [body[1] for body in drain(journal)] == [7, 8, 9]


def test_full_ring_loses_the_oldest_and_says_which():
    journal = make(256)
    for i in range(100):
        journal.event(MARKED, i)
    lost = journal.lost
    assert lost > 0
    bodies = drain(journal)
    assert bodies[0][1] == journal.first_seq == lost + 1
    journal.acknowledge(bodies[-1][1])
    journal.forget(100)
    journal.event(MARKED, 7)
    gap, mark = drain(journal)
    assert gap[0] == GAP and gap[4:] == [1, lost]
    assert mark[1] == gap[1] + 1


def test_any_mix_of_sizes_sending_and_acknowledging_keeps_every_byte():
    """Against a plain list, for thousands of seeded moves around the ring's end."""
    journal = make(300)
    kept = []
    sent = 0
    seed = 1
    for _ in range(4000):
        seed = (seed * 75 + 74) % 65537
        choice = seed % 4
        if choice < 2:
            length = 1 + (seed >> 4) % 90
            body = bytes([(seed + i) & 0xFF for i in range(length)])
            lost = journal.lost
            journal.append(body, length)
            kept.append(body)
            for _ in range(journal.lost - lost):
                kept.pop(0)
                sent = max(0, sent - 1)
        elif choice == 2:
            body = journal.peek()
            if sent == len(kept):
                assert body is None
            else:
                assert bytes(body) == kept[sent]
                journal.sent()
                sent += 1
        elif sent:
            take = 1 + (seed >> 4) % sent
            journal.acknowledge(journal.first_seq + take - 1)
            kept = kept[take:]
            sent -= take
        assert journal.next_seq - journal.first_seq == len(kept)
        assert 0 <= journal.used <= 300


def test_a_gap_is_told_when_the_host_has_caught_up_even_if_only_telemetry_follows():
    journal = make(size=512)
    record = bytes(50)
    for _ in range(20):
        journal.append(record, 50)
    lost = journal.lost
    assert lost
    journal.tell_gap()
    assert journal.next_seq == 21  # no room yet
    journal.acknowledge(journal.next_seq - 1)
    journal.forget(100)
    journal.tell_gap()
    bodies = drain(journal)
    assert [body[0] for body in bodies] == [GAP]
    assert bodies[0][4:] == [1, lost]


def test_a_large_acknowledgement_is_carried_out_piece_by_piece():
    journal = make(4096)
    for i in range(100):
        journal.event(MARKED, i)
    journal.acknowledge(90)
    assert 1 < journal.first_seq < 20
    while journal.first_seq <= 90:
        before = journal.first_seq
        journal.forget(24)
        assert journal.first_seq - before <= 24
    journal.forget(24)
    assert journal.first_seq == 91


class Shadow:
    """What a power-off leaves where only the bytes told by `retain` outlive the board (the virtual board's state folder)."""

    def __init__(self, size):
        self.memory = bytearray(HEADER_BYTES + size)
        self.kept = bytearray(HEADER_BYTES + size)
        self.instants = False
        self.found = []

    def retain(self, start, end):
        self.kept[start:end] = self.memory[start:end]
        if self.instants:
            self.found.append(survivors(memoryview(bytearray(self.kept))))


def test_every_record_is_told_to_what_outlives_the_board_around_the_rings_end():
    shadow = Shadow(300)
    journal = Journal(Clock(FakeClock()), memory=memoryview(shadow.memory), boot_id=77, retain=shadow.retain)
    seed = 1
    for turn in range(600):
        seed = (seed * 75 + 74) % 65537
        shadow.instants = turn % 5 == 0
        before = journal.next_seq
        journal.event(MARKED, bytes((seed >> 3) % 70))
        for boot, following, records in shadow.found:
            assert boot == 77 and before <= following <= journal.next_seq
            assert [seq for seq, _ in records] == list(range(following - len(records), following))
            assert following - len(records) <= journal.first_seq
        shadow.found = []
        boot, following, records = survivors(memoryview(shadow.kept))
        assert (boot, following) == (77, journal.next_seq)
        assert [seq for seq, _ in records] == list(range(journal.first_seq, journal.next_seq))
        if turn % 3 == 0:
            journal.acknowledge(journal.first_seq + seed % 3)
            journal.forget(9)
            journal.rewind(0)
