from binascii import crc32

from fake_hal import LIMITS, FakeStore, raises

from remnant_protocol import errors as e
from remnant_protocol import program as p
from rig.store import ProgramStore

GOOD = [p.VERSION, 1000, 1, [0, 0, 0], [0, 0], [[p.WAIT, [p.DURATION, 1000], 0, 0]]]


def sent(programs, data, crc=None):
    programs.begin(len(data), crc32(data) & 0xFFFFFFFF if crc is None else crc)
    for offset in range(0, len(data), 7):
        programs.data(offset, data[offset : offset + 7])
    programs.commit()


def test_a_program_comes_back_as_it_was_sent():
    store = FakeStore()
    sent(ProgramStore(store, LIMITS), p.encode(GOOD))
    assert ProgramStore(store, LIMITS).load() == GOOD


def test_a_damaged_program_never_replaces_the_kept_one():
    programs = ProgramStore(FakeStore(), LIMITS)
    sent(programs, p.encode(GOOD))
    raises(e.PROGRAM_CORRUPT, sent, programs, p.encode(GOOD)[:-1] + b"\x07", crc32(p.encode(GOOD)))
    raises(e.PROGRAM_CORRUPT, sent, programs, p.encode(GOOD), 1)
    assert programs.load() == GOOD


def test_half_a_program_is_refused():
    programs = ProgramStore(FakeStore(), LIMITS)
    programs.begin(20, 0)
    programs.data(0, b"12345")
    raises(e.PROGRAM_CORRUPT, programs.commit)
    raises(e.PROGRAM_CORRUPT, programs.data, 9, b"1")
    raises(e.PROGRAM_CORRUPT, programs.data, 5, b"1" * 16)


def test_the_same_piece_may_come_twice():
    programs = ProgramStore(FakeStore(), LIMITS)
    data = p.encode(GOOD)
    programs.begin(len(data), crc32(data) & 0xFFFFFFFF)
    programs.data(0, data[:10])
    programs.data(0, data[:10])
    programs.data(10, data[10:])
    programs.commit()


def test_a_program_larger_than_the_slot_is_refused():
    error = raises(e.PROGRAM_TOO_LARGE, ProgramStore(FakeStore(), LIMITS).begin, 4097, 0)
    assert (error.value, error.limit) == (4097, 4096)


def test_nothing_kept_is_told():
    raises(e.PROGRAM_MISSING, ProgramStore(FakeStore(), LIMITS).load)
