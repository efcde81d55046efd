"""Faults: the first cause is told, everything goes off, and stays off until a person clears it."""

import pytest
from hil_bench import LAMP_UW_PER_CM2, at_s, is_event, wait_s

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import program as p

pytestmark = pytest.mark.paced(20)  # a faulted rig is at rest, and virtual time at rest does not leap
FAULTS = [
    ("sensor_open", codes.SENSOR_OPEN, 0.3),
    ("sensor_short", codes.SENSOR_SHORT, 0.3),
    ("sensor_stuck", codes.SENSOR_STALE, 2.1),
    ("lamp_dead", codes.LAMP_NOT_LIT, 2.1),
    ("interlock_open", codes.INTERLOCK_OPEN, 0.1),
    ("stop_pressed", codes.STOP_PRESSED, 0.1),
]
WAY_S = 0.5  # for a wish to reach the plant: a tick, and 100 ms of the wall


async def all_on(bench):
    await bench.board.command(m.HEATER, await bench.warmer_mc(8_000), 0)
    await bench.board.command(m.LAMP, LAMP_UW_PER_CM2)
    await bench.record(lambda r: r[0] == m.TELEMETRY and r[8] > 0 and r[10] > LAMP_UW_PER_CM2 // 2)


@pytest.mark.faults
@pytest.mark.paced(4)
@pytest.mark.parametrize("name, code, within_s", FAULTS, ids=[row[0] for row in FAULTS])
async def test_a_fault_switches_everything_off_in_time(bench, board, name, code, within_s):
    await all_on(bench)
    broken_s = await board.ping()
    bench.break_(name)
    fault = await bench.record(lambda r: r[0] == m.FAULT)
    off = await bench.event(m.OUTPUTS_OFF)
    assert fault[4] == code
    assert at_s(fault) - broken_s <= within_s + WAY_S
    assert off[5] == m.BY_FAULT and off[7] > 0 and off[1] == fault[1] + 1  # a shorted sensor looks hot: heating has stopped before
    status = await board.status()
    assert (status.state, status.fault_code) == (m.FAULTED, code)
    await bench.is_off()


@pytest.mark.faults
async def test_a_faulted_rig_refuses_every_output(bench):
    bench.break_("interlock_open")
    await bench.record(lambda r: r[0] == m.FAULT)
    for op, arguments in (
        (m.HEATER, (30_000, 0)),
        (m.LAMP, (1000,)),
        (m.FLOW, (0, 1000)),
        (m.DISPENSE, (0, 1000, 1000, True)),
        (m.PROBE, (0, 1, 1)),
        (m.START, (b"0123456789abcdef",)),
    ):
        error = await bench.refused(op, *arguments)
        assert (error.code, error.value) == (codes.WRONG_STATE, m.FAULTED)


@pytest.mark.faults
@pytest.mark.parametrize(
    "name, code, _", [row for row in FAULTS if row[0] != "lamp_dead"], ids=[r[0] for r in FAULTS if r[0] != "lamp_dead"]
)
async def test_a_fault_is_cleared_when_its_cause_is_gone_and_nothing_restarts(bench, board, name, code, _):
    await all_on(bench)
    bench.break_(name)
    await bench.record(lambda r: r[0] == m.FAULT)
    error = await bench.refused(m.CLEAR)
    assert (error.code, error.value) == (codes.CAUSE_REMAINS, code)
    bench.mend(name)
    await bench.clear()
    cleared = await bench.event(m.CLEARED)
    assert cleared[5] == code
    assert (await board.status()).state == m.READY
    await bench.is_off()


@pytest.mark.faults
@pytest.mark.parametrize("name", ["sensor_open", "sensor_short"])
async def test_a_cleared_sensor_fault_stays_cleared(bench, board, name):
    bench.break_(name)
    await bench.record(lambda r: r[0] == m.FAULT)
    bench.mend(name)
    await bench.clear()
    await bench.wait_board_s(2)
    assert (await board.status()).fault_code == codes.OK


@pytest.mark.faults
async def test_the_first_cause_is_kept(bench, board):
    bench.break_("interlock_open")
    await bench.record(lambda r: r[0] == m.FAULT)
    bench.break_("sensor_open")
    await bench.wait_board_s(1)
    assert (await board.status()).fault_code == codes.INTERLOCK_OPEN
    await bench.stop()
    assert [r[4] for r in bench.records if r[0] == m.FAULT] == [codes.INTERLOCK_OPEN]


@pytest.mark.faults
async def test_a_fault_ends_a_run_and_is_told_before_its_end(bench):
    await bench.run([[m.HEATER, await bench.warmer_mc(8_000), 0], wait_s(360_000)])
    await bench.record(lambda r: r[0] == m.TELEMETRY and r[8] > 0)
    bench.break_("sensor_open")
    over = await bench.event(m.RUN_ENDED, within_s=100_000)
    assert over[5:] == [m.BY_FAULT, codes.SENSOR_OPEN]
    order = [r[0] if r[0] == m.FAULT else (r[0], r[4]) for r in bench.records if r[1] <= over[1] and r[0] in (m.FAULT, m.EVENT)]
    assert order[-3:] == [m.FAULT, (m.EVENT, m.OUTPUTS_OFF), (m.EVENT, m.RUN_ENDED)]


@pytest.mark.faults
async def test_a_waiting_command_is_ended_with_the_code_of_the_fault(bench, board):
    accepted = await board.command(m.HEATER, await bench.warmer_mc(8_000), 100)
    bench.break_("stop_pressed")
    with pytest.raises(codes.RigError) as raised:
        await bench.within(3600, board.executed(accepted))
    assert raised.value.code == codes.STOP_PRESSED


@pytest.mark.needs("lamp")
async def test_a_small_light_is_no_fault(bench, board):
    await board.command(m.LAMP, 100)
    await bench.wait_board_s(3)
    assert (await board.status()).fault_code == codes.OK


@pytest.mark.wire("OUT0-STOP", "the board presses its own stop button")
async def test_the_stop_input_switches_off_within_a_tick(bench, board):
    await by_wire(bench, board, codes.STOP_PRESSED)


@pytest.mark.wire("OUT0-INTERLOCK", "the board opens its own interlock loop")
async def test_the_interlock_switches_off_within_a_tick(bench, board):
    await by_wire(bench, board, codes.INTERLOCK_OPEN)


async def by_wire(bench, board, code):
    await bench.run([[m.HEATER, await bench.warmer_mc(8_000), 0], wait_s(2), [p.TRIGGER, 0, 1000], wait_s(60)])
    fault = await bench.record(lambda r: r[0] == m.FAULT, within_s=30)
    triggered = await bench.event(m.TRIGGERED)
    off = await bench.event(m.OUTPUTS_OFF)
    assert fault[4] == code and off[6] > 0
    assert 0 <= at_s(fault) - at_s(triggered) <= 0.2  # the tick that pulls the wire, and the next one
    await bench.is_off()
    await bench.clear()
    assert [r for r in bench.records if is_event(r, m.CLEARED)] and (await board.status()).state == m.READY
