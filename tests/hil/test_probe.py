"""Probes by hand: one reading a cell, with the pulses asked for."""

import struct

import pytest
from hil_bench import LAMP_UW_PER_CM2, coded

from remnant_protocol import errors as codes
from remnant_protocol import messages as m

pytestmark = [pytest.mark.needs("optics"), pytest.mark.paced(10)]


def readings(bench):
    return [r for r in bench.records if r[0] == m.PROBE_READING]


def counts(raw):
    return struct.unpack(f"<{len(raw) // 2}H", raw)


async def test_one_reading_for_each_cell_asked_for(bench):
    for mask in range(1, 1 << bench.limits["cells"]):
        bench.records.clear()
        executed = await bench.done(m.PROBE, 100 + mask, 2, mask)
        cells = [cell for cell in range(4) if mask & (1 << cell)]
        assert [(r[4], r[5]) for r in readings(bench)] == [(100 + mask, cell) for cell in cells]
        assert executed.measured == (len(cells),)


async def test_a_reading_has_the_pulses_asked_for(bench):
    for pulses in (1, 2, bench.limits["probe_pulses_max"]):
        bench.records.clear()
        await bench.done(m.PROBE, 5, pulses, 1)
        (reading,) = readings(bench)
        assert [len(counts(raw)) for raw in reading[8:11]] == [pulses] * 3
        assert reading[7] > 0  # the light that it cost


async def test_the_lamp_is_seen_in_every_pulse(bench):
    await bench.done(m.PROBE, 5, 8, 1)
    (reading,) = readings(bench)
    assert all(monitor > bench.limits["monitor_dark_u16"] for monitor in counts(reading[10]))


async def test_a_probe_takes_the_time_of_its_pulses(bench):
    pulses = bench.limits["probe_pulses_max"]
    executed = await bench.done(m.PROBE, 5, pulses, 1)
    at_least_s = pulses * bench.limits["probe_pulse_us"] / 1e6
    assert at_least_s <= executed.ended_s - executed.begun_s < at_least_s + 1.0


@pytest.mark.needs("lamp")
async def test_the_stress_light_comes_back_after_a_probe(bench, rig):
    await bench.within(10, rig.lamp.on(LAMP_UW_PER_CM2 / 1000))
    await bench.done(m.PROBE, 5, 4, 1)
    await bench.wait_board_s(1)
    for body in await bench.telemetry(2):
        assert abs(body[10] - LAMP_UW_PER_CM2) < LAMP_UW_PER_CM2 // 10


async def test_a_probe_leaves_a_dark_lamp_dark(bench):
    await bench.done(m.PROBE, 5, 4, 1)
    await bench.is_off()


async def test_the_library_reads_cells_by_number(bench, rig):
    cells = tuple(range(min(2, bench.limits["cells"])))
    taken = await bench.within(10, rig.probe(pulses=4, cells=cells))
    assert tuple(reading.cell for reading in taken) == cells
    temp_c = (await rig.board.status()).temp_mc / 1000
    assert all(abs(reading.temp_c - temp_c) < 1 for reading in taken)


async def test_a_second_probe_has_to_wait_for_the_first(bench):
    async with bench.line() as line:
        first, second = line.new_id(), line.new_id()
        line.write(coded(m.COMMAND, first, m.PROBE, 1, 4, 1) + coded(m.COMMAND, second, m.PROBE, 2, 4, 1))
        refused = line.until(lambda body: body[:2] == [m.REPLY, second])
        line.until(lambda body: body[0] == m.EXECUTED and body[4] == first)
    assert refused[2] == codes.PROBE_BUSY
