"""Programs on their way to the board: in pieces, whole or not at all. The program that the board keeps is replaced by these."""

import pytest
from hil_bench import begin_arguments, program, wait_s

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import program as p

RUN_ID = b"0123456789abcdef"
PIECE = 40


def marking(mark):
    """A program that marks, long enough for several pieces."""
    return program([[p.STEP, i, [[p.MARK, mark]]] for i in range(20)])


async def sent(board, data, pieces):
    await board.command(m.PROGRAM_BEGIN, *begin_arguments(data))
    for offset, piece in pieces:
        await board.command(m.PROGRAM_DATA, offset, piece)


def in_pieces(data, size=PIECE):
    return [(offset, data[offset : offset + size]) for offset in range(0, len(data), size)]


async def marks_of_a_run(bench):
    at = len(bench.records)
    await bench.board.command(m.START, RUN_ID)
    await bench.event(m.RUN_ENDED, since=at, within_s=30)
    return {r[5] for r in bench.records[at:] if r[0] == m.EVENT and r[4] == m.MARKED}


@pytest.mark.parametrize("size", [1, 40, 180])
async def test_a_program_sent_in_pieces_runs(bench, board, size):
    data = marking(size)
    await sent(board, data, in_pieces(data, size))
    await board.command(m.PROGRAM_COMMIT)
    assert await marks_of_a_run(bench) == {size}


async def test_a_piece_may_come_twice(bench, board):
    data = marking(7)
    await sent(board, data, [piece for piece in in_pieces(data) for _ in range(2)])
    await board.command(m.PROGRAM_COMMIT)
    assert await marks_of_a_run(bench) == {7}


async def test_what_is_damaged_or_half_sent_never_replaces_the_kept_program(bench, board):
    await board.upload(marking(11))
    other = marking(12)
    damaged = other[:50] + bytes([other[50] ^ 1]) + other[51:]
    await board.command(m.PROGRAM_BEGIN, *begin_arguments(other))
    for offset, piece in in_pieces(damaged):
        await board.command(m.PROGRAM_DATA, offset, piece)
    assert (await bench.refused(m.PROGRAM_COMMIT)).code == codes.PROGRAM_CORRUPT
    await sent(board, other, in_pieces(other)[:-1])
    assert (await bench.refused(m.PROGRAM_COMMIT)).code == codes.PROGRAM_CORRUPT
    await board.command(m.PROGRAM_BEGIN, *begin_arguments(other))
    assert (await bench.refused(m.PROGRAM_DATA, PIECE, other[PIECE:])).code == codes.PROGRAM_CORRUPT  # the first piece is missing
    assert await marks_of_a_run(bench) == {11}


async def test_bytes_that_are_no_program_are_refused(bench, board):
    for junk in (b"\xc1" * 30, b"\x00", b"\x96\x01", b"\xff" * 200):
        await sent(board, junk, in_pieces(junk))
        error = await bench.refused(m.PROGRAM_COMMIT)
        assert error.code in (codes.PROGRAM_CORRUPT, codes.PROGRAM_INVALID), junk


async def test_too_large_is_refused_before_it_is_sent(bench):
    limit = bench.limits["program_max_bytes"]
    for size in (limit + 1, 65535, 0):
        error = await bench.refused(m.PROGRAM_BEGIN, size, 0)
        assert (error.code, error.value, error.limit) == (codes.PROGRAM_TOO_LARGE, size, limit)


async def test_more_than_was_announced_is_refused(bench, board):
    data = marking(1)
    await sent(board, data, in_pieces(data))
    assert (await bench.refused(m.PROGRAM_DATA, len(data), b"x")).code == codes.PROGRAM_CORRUPT


async def test_a_negative_offset_is_refused(bench, board):
    data = marking(1)
    await board.command(m.PROGRAM_BEGIN, *begin_arguments(data))
    await bench.refused(m.PROGRAM_DATA, -1, b"abc")


async def test_pieces_without_a_beginning_are_refused(bench, board):
    await board.upload(marking(1))
    assert (await bench.refused(m.PROGRAM_DATA, 0, b"abc")).code == codes.PROGRAM_CORRUPT
    assert (await bench.refused(m.PROGRAM_COMMIT)).code == codes.PROGRAM_CORRUPT


async def test_a_program_beyond_the_boards_limits_is_refused_whole(bench, board):
    limits = bench.limits
    deep = [p.MARK, 1]
    for _ in range(p.NESTING_MAX + 1):
        deep = [p.REPEAT, 1, [deep]]
    for body, code in (
        ([[m.HEATER, limits["temp_max_mc"] + 1, 0]], codes.SETPOINT_LIMIT),
        ([[m.HEATER, 30_000, limits["ramp_max_mc_per_min"] + 1]], codes.RAMP_LIMIT),
        ([[m.LAMP, limits["irradiance_max_uw_per_cm2"] + 1]], codes.IRRADIANCE_LIMIT),
        ([[m.FLOW, limits["pumps"], 1000]], codes.PUMP_UNKNOWN),
        ([[m.FLOW, 0, limits["flow_max_nl_per_min"] + 1]], codes.PUMP_FLOW_LIMIT),
        ([[m.PROBE, 0, limits["probe_pulses_max"] + 1, 1]], codes.PROBE_LIMIT),
        ([deep], codes.NESTING_LIMIT),
        ([[200]], codes.PROGRAM_INVALID),
        ([[p.MARK]], codes.PROGRAM_INVALID),
        ([[p.MARK, 1], [p.STEP, 1, [[m.LAMP, "bright"]]]], None),
    ):
        data = program(body)
        await sent(board, data, in_pieces(data))
        error = await bench.refused(m.PROGRAM_COMMIT)
        assert code is None or error.code == code, body
    assert (await board.status()).state == m.READY


async def test_another_version_and_policies_that_do_not_exist_are_refused(bench, board):
    whole = [p.VERSION, 1000, 1, [0, 0, 0], [p.HOST_LOST_CONTINUE, 0], [wait_s(1)]]
    for place, value, code in (
        (0, p.VERSION + 1, codes.PROGRAM_VERSION),
        (1, bench.limits["telemetry_min_ms"] - 1, codes.PROGRAM_INVALID),
        (3, [p.FAULT_KEEP + 1, 0, 0], codes.PROGRAM_INVALID),
        (4, [p.HOST_LOST_STOP + 1, 10], codes.PROGRAM_INVALID),
        (4, [p.HOST_LOST_HOLD, 10, 3600, 1], codes.PROGRAM_INVALID),
    ):
        data = p.encode(whole[:place] + [value] + whole[place + 1 :])
        await sent(board, data, in_pieces(data))
        assert (await bench.refused(m.PROGRAM_COMMIT)).code == code
