"""What a bad line does to a board: nothing."""

import random
import time

import pytest
from hil_bench import at_s, coded, is_event, wait_s

from remnant_protocol import frame
from remnant_protocol import messages as m

LATE_MAX_US = 4000  # the control tick's own limit


@pytest.fixture
def noise():
    return random.Random(1)


async def test_every_byte_in_every_company_is_harmless(bench):
    async with bench.line() as line:
        for value in range(256):
            line.write(bytes([value, 0, value, 255 - value]) * 10)
        line.serves()


async def test_noise_is_harmless(bench, noise):
    async with bench.line() as line:
        for _ in range(30):
            line.write(noise.randbytes(noise.randrange(1, 400)))
        line.write(b"\0")
        line.serves()


async def test_a_frame_behind_noise_is_not_lost(bench, noise):
    async with bench.line() as line:
        for _ in range(20):
            token = line.new_id()
            line.write(bytes(noise.randrange(1, 256) for _ in range(50)) + coded(m.PING, token))
            line.until(lambda body, token=token: body[:2] == [m.PONG, token])


async def test_frames_that_are_cut_short_do_nothing(bench):
    async with bench.line() as line:
        whole = coded(m.COMMAND, line.new_id(), m.LAMP, 1000)
        for length in range(1, len(whole) - 1):
            line.write(whole[:length])
            line.write(b"\0")
        line.serves()
        assert line.ask(m.STATUS)[7] == 0
        line.ask(m.STOP)
        off = line.until(lambda body: is_event(body, m.OUTPUTS_OFF))
        assert off[7] == 0  # the lamp has never been on
        assert m.EXECUTED not in [r[0] for r in line.records]


async def test_a_flipped_bit_anywhere_spoils_the_frame_and_nothing_else(bench):
    async with bench.line() as line:
        whole = coded(m.COMMAND, line.new_id(), m.LAMP, 1000)
        for bit in range(8, 8 * (len(whole) - 1)):
            spoilt = bytearray(whole)
            spoilt[bit // 8] ^= 1 << bit % 8
            line.write(spoilt)
        line.serves()
        replies = [body for body in line.bodies if body[0] == m.REPLY]
        assert len(replies) == 1  # that of STATUS
        assert line.ask(m.STATUS)[7] == 0
        line.ask(m.STOP)
        assert line.until(lambda body: is_event(body, m.OUTPUTS_OFF))[7] == 0


async def test_a_frame_without_end_does_not_fill_the_board(bench):
    async with bench.line() as line:
        for _ in range(50):
            line.write(b"\x55" * 200)
        line.write(b"\0")
        line.serves()


async def test_bodies_that_are_no_message_are_dropped(bench):
    deep = b"\x91" * 60 + b"\xc0"
    async with bench.line() as line:
        for body in (
            b"\xc0",
            b"\x90",
            b"\x93\xa1x\x01\x02",
            b"\xc1",
            b"\x81\x01\x02",
            b"\xdd\xff\xff\xff\xff",
            b"\xdb\x7f\xff\xff\xff",
            deep,
        ):
            line.write(frame.encode(body))
        line.serves()


async def test_messages_with_wrong_fields_are_ignored(bench):
    async with bench.line() as line:
        for fields in (
            (m.ACK,), (m.ACK, "x", None, -1), (m.COMMAND,), (m.COMMAND, None, None), (m.COMMAND, 1), (m.COMMAND, 1, "x"), (m.PING,),
            (m.PING, "x"), (m.DESCRIBE,), (m.DESCRIBE, None), (m.RESEND, 7, "a"), (m.RESEND,), (99,), (-1,), (m.WELCOME, 1),
            (m.TELEMETRY, 1),
        ):  # fmt: skip
            line.send(*fields)
        line.serves()
        assert line.ask(m.STATUS)[3] == m.READY


async def test_a_frame_in_single_bytes_is_a_frame(bench):
    async with bench.line() as line:
        token = line.new_id()
        for byte in coded(m.PING, token):
            line.write(bytes([byte]))
            time.sleep(0.001)  # so that they travel one by one
        line.until(lambda body: body[:2] == [m.PONG, token])


async def test_a_count_that_lies_does_not_stop_the_line(bench):
    async with bench.line() as line:
        for received in (0, 40_000, 0xFFFF, line.received + 1000):
            line.send(m.ACK, received & 0xFFFF, line.boot_id, 0)
        line.serves()


@pytest.mark.paced(2)
async def test_a_host_that_stops_reading_for_3_s_moves_no_tick_and_misses_nothing(bench):
    await bench.run([wait_s(3600)], telemetry_ms=100)
    first = (await bench.event(m.RUN_STARTED))[1]
    rate = await bench.rate()
    async with bench.line() as line:
        until = time.monotonic() + 3 / rate
        while time.monotonic() < until:
            time.sleep(0.1)  # the port stays open and nobody reads
        begun = line.until(lambda body: body[0] == m.TELEMETRY)
        line.until(lambda body: body[0] == m.TELEMETRY and at_s(body) - at_s(begun) >= 3)
        while line.ask(m.STATUS)[11]:  # what RAM did not keep comes behind
            line.acknowledge()
        records = sorted((r for r in line.records if r[1] > first), key=lambda r: r[1])
        records = [r for r, before in zip(records, [None, *records], strict=False) if r != before]  # what was sent again after HELLO
    numbers = [r[1] for r in records]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    telemetry = [r for r in records if r[0] == m.TELEMETRY]
    times = [at_s(r) for r in telemetry]
    assert max(later - earlier for earlier, later in zip(times, times[1:], strict=False)) < 0.1 + LATE_MAX_US / 1e6 + 0.001
    assert max(r[12] for r in telemetry) <= LATE_MAX_US
