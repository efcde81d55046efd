"""Records: numbered, kept until a host says that it has them, sent again on request; nothing lost, nothing doubled."""

import asyncio

import pytest
from hil_bench import CREDIT_BYTES, at_s, begin_arguments, is_event, program, wait_s

from remnant_protocol import messages as m
from remnant_protocol import program as p

RUN_ID = b"0123456789abcdef"


def start_marks(line, rounds, seconds):
    """Start a program that marks `rounds` times, `seconds` apart."""
    data = program([[p.REPEAT, rounds, [[p.MARK, 1], wait_s(seconds)]]])
    line.ask(m.PROGRAM_BEGIN, *begin_arguments(data))
    line.ask(m.PROGRAM_DATA, 0, data)
    line.ask(m.PROGRAM_COMMIT)
    line.ask(m.START, RUN_ID)


def is_over(body):
    return is_event(body, m.RUN_ENDED)


async def test_records_are_kept_until_they_are_acknowledged(bench):
    async with bench.line() as line:
        start_marks(line, 10, 0.1)
        last = line.until(is_over)[1]
        seen = line.records
        oldest = line.hello()[10]
        assert oldest == seen[0][1]
        line.until(lambda body: body[0] >= m.TELEMETRY and body[1] == last)
        assert [r for r in line.records if r[1] <= last] == [r for r in seen if r[1] <= last]  # the same again, byte for byte
        line.acknowledge(last - 3)
        line.serves()
        assert line.hello()[10] == last - 2
        line.until(lambda body: body[0] >= m.TELEMETRY and body[1] == last)
        assert line.records[0][1] == last - 2
        line.acknowledge(last)


async def test_acknowledging_the_future_or_another_boot_forgets_nothing(bench):
    async with bench.line() as line:
        line.ask(m.STOP)
        off = line.until(lambda body: is_event(body, m.OUTPUTS_OFF))
        line.send(m.ACK, line.received, line.boot_id, 0xFFFFFFF0)
        line.send(m.ACK, line.received, (line.boot_id + 1) & 0xFFFFFFFF, off[1])
        line.serves()
        assert line.hello()[10] <= off[1]


async def test_records_are_sent_again_from_the_number_asked_for(bench):
    async with bench.line() as line:
        start_marks(line, 10, 0.1)
        last = line.until(is_over)[1]
        before = {r[1]: r for r in line.records}
        line.bodies.clear()
        line.send(m.RESEND, line.boot_id, last - 4)
        line.until(lambda body: body[0] >= m.TELEMETRY and body[1] == last)
        again = [r for r in line.records if r[1] <= last]
        assert [r[1] for r in again] == [last - 4, last - 3, last - 2, last - 1, last]
        assert all(before[r[1]] == r for r in again)


async def test_a_resend_for_another_boot_is_ignored(bench):
    async with bench.line() as line:
        start_marks(line, 3, 0.1)
        last = line.until(is_over)[1]
        line.bodies.clear()
        line.send(m.RESEND, (line.boot_id + 1) & 0xFFFFFFFF, 1)
        line.serves()
        assert all(r[1] > last for r in line.records)


async def test_no_more_than_255_bytes_are_on_the_way(bench):
    async with bench.line() as line:
        line.serves()
        begun = line.received
        for _ in range(40):
            line.send(m.PING, line.new_id())
        while line.read():
            pass
        assert (line.received - begun) & 0xFFFF <= CREDIT_BYTES
        line.acknowledge()
        line.serves()


async def test_answers_go_before_records(bench):
    async with bench.line() as line:
        start_marks(line, 40, 0.1)
        last = line.until(is_over)[1]
        line.bodies.clear()
        line.send(m.RESEND, line.boot_id, last - 60)
        line.serves()
        assert not [r for r in line.records if r[1] == last]


@pytest.mark.paced(5)
async def test_a_host_that_goes_and_comes_back_misses_nothing_and_gets_nothing_twice(bench, board):
    begun_seq = (await bench.stop())[1]
    await bench.run([[p.REPEAT, 60, [[p.MARK, 1], wait_s(0.2)]]], telemetry_ms=200)
    rate = await bench.rate()
    for _ in range(3):
        await bench.wait_board_s(1)
        await bench.leave()
        await asyncio.sleep(1.5 / rate)
        await bench.reconnect()
    over = await bench.event(m.RUN_ENDED, within_s=60)
    told = {}
    for body in bench.records:
        assert told.setdefault(body[1], body) == body  # known by its number, it is the same
    seqs = [seq for seq in sorted(told) if begun_seq <= seq <= over[1]]
    assert seqs == list(range(begun_seq, over[1] + 1))
    assert len([body for body in told.values() if is_event(body, m.MARKED)]) == 60
    assert m.GAP not in {body[0] for body in told.values()}


@pytest.mark.paced(40)
async def test_what_ram_cannot_keep_comes_back_from_flash(bench):
    """Nobody reads while ten times more records are made than RAM holds; not one is missing afterwards, and the events are all there."""
    begun_seq = (await bench.stop())[1]
    await bench.run([[p.REPEAT, 60, [[p.MARK, 1], wait_s(1)]]], telemetry_ms=100)
    rate = await bench.rate()
    await bench.leave()
    await asyncio.sleep(62 / rate)  # a rate that is measured for an instant may be far off
    await bench.reconnect()
    over = await bench.event(m.RUN_ENDED, within_s=6000)
    while (await bench.board.status()).history_pages:
        await asyncio.sleep(0.05)
    told = {}
    for body in bench.records:
        assert told.setdefault(body[1], body) == body
    assert [seq for seq in range(begun_seq, over[1] + 1) if seq not in told] == []
    assert len([body for body in told.values() if is_event(body, m.MARKED)]) == 60
    assert m.GAP not in {body[0] for body in told.values()}


@pytest.mark.paced(10)
async def test_telemetry_is_numbered_with_everything_else(bench):
    await bench.telemetry(3)
    off = await bench.stop()
    numbers = [r[1] for r in bench.records]
    assert numbers == list(range(off[1] - len(numbers) + 1, off[1] + 1))
    idle = [at_s(r) for r in bench.records if r[0] == m.TELEMETRY]
    assert all(0.9 <= later - earlier <= 1.2 for earlier, later in zip(idle, idle[1:], strict=False))  # once a second at rest
