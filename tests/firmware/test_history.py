"""Records that the ring cannot keep go to flash and come back, whole and in order; what survives a reset in RAM is not lost either."""

from fake_hal import FakeClock, FakeFlash

from remnant_protocol import codec, packing
from remnant_protocol import messages as m
from rig.clock import Clock
from rig.history import WINDOW, History
from rig.journal import HEADER_BYTES, Journal, survivors
from rig.spool import PageRing

RING = 4096
FAR_US = 90_000


class Board:
    """A journal in RAM that survives, a spool in flash; `boot` starts it again on the same memories."""

    def __init__(self, sectors=4):
        self.flash = FakeFlash(sectors)
        self.memory = bytearray(RING)
        self.boots = 0
        self.boot()

    def boot(self):
        self.boots += 1
        self.clock = FakeClock()
        self.pages = PageRing(self.flash, 0, self.flash.sectors)
        self.history = History(self.pages, self.boots, 8, self.clock.ticks_us)
        before = survivors(memoryview(self.memory))
        if before is not None:
            self.history.take_over(before[0], before[2])
        self.board_clock = Clock(self.clock)
        self.journal = Journal(self.board_clock, memory=memoryview(self.memory), boot_id=self.boots)
        self.history.journal = self.journal
        self.record = codec.TelemetryRecord()
        return before

    def telemetry(self, temp_mc=25000):
        self.clock.pass_us(100_000)
        self.board_clock.update()
        clock, journal = self.board_clock, self.journal
        length = self.record.pack(journal.next_seq, clock.s, clock.us, 2, 0, -300000, temp_mc, 0, 0, 0, 0, 120)
        journal.append(self.record.buffer, length)

    def tend(self, away=True):
        until = (self.clock.ticks_us() + FAR_US) & 0x3FFFFFFF
        self.history.tend(away, self.board_clock.s, until, True, 2)

    def fetch(self):
        """Every page to a host that keeps it: {(boot, seq): body}."""
        got = {}
        self.history.greet()
        self.history.next_tick = (self.clock.ticks_us() + FAR_US) & 0x3FFFFFFF
        for _ in range(5000):
            self.history.next_tick = (self.history.next_tick + 1) & 0x3FFFFFFF
            message = self.history.next(self.clock.ticks_us())
            if message is None:
                if not self.history.pages_waiting:
                    return got
                continue
            _, number, boot_id, first, last, data = message
            for body in packing.unpack(data):
                seq = codec.decode(body, 0, len(body))[1]
                assert first <= seq <= last
                got[(boot_id, seq)] = body
            self.history.kept(number)
        raise AssertionError("no end of pages")


def live(journal):
    got = {}
    journal.rewind(0)
    while True:
        body = journal.peek()
        if body is None:
            return got
        got[journal.cursor_seq] = bytes(body)
        journal.sent()


def test_while_nobody_listens_nothing_is_lost():
    board = Board()
    for i in range(1000):
        board.telemetry(25000 + i % 50)
        if i % 100 == 7:
            board.journal.event(m.MARKED, i)
        board.tend()
    total = board.journal.next_seq - 1
    kept, at_hand = board.fetch(), live(board.journal)
    assert sorted(set([seq for _, seq in kept] + list(at_hand))) == list(range(1, total + 1))
    assert board.journal.lost == 0 and board.history.thinned == 0
    marks = [codec.decode(body, 0, len(body))[5] for body in kept.values() if body[1] == m.EVENT]
    assert len(marks) == 10


def test_pages_hold_the_very_bytes_of_the_records():
    board = Board()
    written = {}
    for i in range(60):
        board.telemetry(25000 + i)
        seq = board.journal.next_seq - 1
        written[seq] = live(board.journal)[seq]
    board.journal.event(m.MARKED, 1)
    for _ in range(80):
        board.tend()
    kept = board.fetch()
    assert len(kept) >= 60
    assert all([kept[(1, seq)] == body for seq, body in written.items()])


def test_a_host_that_listens_costs_no_flash():
    board = Board()
    for i in range(200):
        board.telemetry()
        board.journal.acknowledge(i + 1)
        board.tend(away=False)
    assert board.pages.number == 1


def test_a_host_that_takes_nothing_any_more_is_as_good_as_none():
    board = Board()
    for _ in range(200):
        board.telemetry()
        board.tend(away=False)
    assert board.journal.lost == 0 and board.pages.waiting > 0
    assert len(board.fetch()) + len(live(board.journal)) >= 200


def test_what_is_in_ram_survives_a_reset_at_any_record():
    for count in (0, 1, 3, 12, 40):
        board = Board()
        for i in range(count):
            board.telemetry(25000 + i)
            board.tend(away=False)
        boot_id, following, found = board.boot()
        assert (boot_id, following) == (1, count + 1)
        kept = board.fetch()
        assert sorted([seq for boot, seq in kept if boot == 1]) == list(range(1, count + 1)), count
        assert board.journal.next_seq == 1


def test_what_a_host_had_acknowledged_is_not_needed_after_a_reset():
    board = Board()
    for i in range(30):
        board.telemetry()
        board.journal.acknowledge(i)
    board.boot()
    assert sorted([seq for _, seq in board.fetch()])[-1] == 30


def test_after_a_power_cut_ram_gives_nothing():
    board = Board()
    for i in range(10):
        board.telemetry()
    for i in range(RING):
        board.memory[i] = (i * 73 + 41) & 255
    assert board.boot() is None
    assert board.fetch() == {}


def test_a_reset_in_the_middle_of_any_write_keeps_what_was_whole():
    """Every byte that an append writes is a place where the reset may come: the bytes before it are new, those behind it old."""
    board = Board()
    for i in range(25):
        board.telemetry(25000 + i)
        if i % 3:
            board.journal.acknowledge(i - 4)
    old = bytes(board.memory)
    before = survivors(memoryview(bytearray(old)))[2]
    board.telemetry(26000)
    new = bytes(board.memory)
    changed = [i for i in range(RING) if old[i] != new[i]]
    data = [i for i in changed if i >= HEADER_BYTES]
    for order in (data + [i for i in changed if i < HEADER_BYTES],):
        memory = bytearray(old)
        for i in order:
            memory[i] = new[i]
            found = survivors(memoryview(memory))
            assert found is not None
            assert all([entry in before or entry[0] == 26 for entry in found[2]])
            assert len(found[2]) >= len(before) - 1


def test_when_flash_is_short_telemetry_is_thinned_and_events_are_not():
    board = Board(sectors=2)
    marks = 0
    for i in range(12000):
        board.telemetry(25000 + (i * 7919) % 4000)
        if i % 3000 == 2999:
            board.journal.event(m.MARKED, i)
            marks += 1
        board.tend()
    assert board.journal.lost == 0 and board.history.thinned > 5000
    kept = board.fetch()
    assert len([body for body in kept.values() if body[1] == m.EVENT]) == marks


def test_when_flash_is_full_the_loss_is_told():
    board = Board(sectors=2)
    for i in range(3000):
        board.journal.event(m.MARKED, i & 255)
        board.tend()
    assert board.journal.lost > 0
    lost = board.journal.lost
    kept = board.fetch()
    board.journal.acknowledge(board.journal.next_seq - 1)
    for _ in range(200):
        board.journal.forget(24)
    board.journal.tell_gap()
    gap = codec.decode(list(live(board.journal).values())[-1])
    assert gap[0] == m.GAP and gap[5] - gap[4] + 1 == lost
    assert not [seq for _, seq in kept if gap[4] <= seq <= gap[5]]


def test_at_most_a_window_of_pages_is_on_the_way_and_it_comes_again():
    board = Board()
    for i in range(600):
        board.telemetry(25000 + (i * 7919) % 4000)
        board.tend()
    assert board.pages.waiting > WINDOW
    history, now = board.history, board.clock.ticks_us()
    history.greet()
    history.next_tick = (now + 2_000_000) & 0x3FFFFFFF

    def following(at):
        history.next_tick = (history.next_tick + 1) & 0x3FFFFFFF  # two pages before each tick
        message = history.next(at)
        return None if message is None else message[1]

    first = [following(now) for _ in range(WINDOW)]
    assert following(now) is None
    again = [following(now + 1_100_000) for _ in range(WINDOW)]
    assert again == first
    history.kept(first[0])
    history.kept(first[0])
    history.kept(99999)
    assert following(now + 1_100_000) == first[-1] + 1


def test_two_pages_before_each_tick_and_no_more():
    board = Board()
    for i in range(600):
        board.telemetry(25000 + (i * 7919) % 4000)
        board.tend()
    history, now = board.history, board.clock.ticks_us()
    history.greet()
    history.next_tick = (now + 50_000) & 0x3FFFFFFF
    assert history.next(now) and history.next(now) and history.next(now) is None
    history.next_tick = (now + 60_000) & 0x3FFFFFFF
    assert history.next(now)


def test_pages_of_an_earlier_boot_carry_its_number():
    board = Board()
    for i in range(5):
        board.telemetry()
    board.boot()
    for i in range(3):
        board.telemetry()
    board.boot()
    assert sorted(board.fetch()) == [(1, i) for i in range(1, 6)] + [(2, i) for i in range(1, 4)]
