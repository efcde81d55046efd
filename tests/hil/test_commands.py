"""Commands: each id once, refusals with value and limit, nothing changed by what is refused."""

import asyncio

import pytest
from hil_bench import HEATER_OFF_MC, LAMP_UW_PER_CM2, coded, wait_s

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.program import IRRADIANCE_MIN_UW_PER_CM2

RUN_ID = b"0123456789abcdef"
REMEMBERED = 16


def executed(line, number):
    return [body for body in line.records if body[0] == m.EXECUTED and body[4] == number]


async def test_the_same_id_twice_is_executed_once_and_answered_alike(bench):
    async with bench.line() as line:
        number = line.new_id()
        command = coded(m.COMMAND, number, m.PROBE, 3, 2, 1)
        line.write(command + command)
        line.until(lambda body: body[0] == m.EXECUTED and body[4] == number)
        again = line.ask(m.PROBE, 3, 2, 1, number=number)
        replies = [body for body in line.bodies if body[:2] == [m.REPLY, number]]
        assert replies == [[m.REPLY, number, codes.OK, 3, 2, 1]] * 3 and again == replies[0]
        line.ask(m.STOP)
        line.until(lambda body: body[0] == m.EVENT and body[4] == m.OUTPUTS_OFF)
        assert len(executed(line, number)) == 1
        assert len([body for body in line.records if body[0] == m.PROBE_READING and body[4] == 3]) == 1


async def test_a_repeated_id_is_known_for_sixteen_commands(bench):
    async with bench.line() as line:
        number = line.new_id()
        first = line.ask(m.LAMP, -1, number=number)
        for _ in range(REMEMBERED - 1):
            line.ask(m.STATUS)
        assert line.ask(m.LAMP, 0, number=number) == first  # the answer to the first one, whatever stands in the second


async def test_a_refusal_repeated_is_the_same_refusal(bench):
    async with bench.line() as line:
        number, limit = line.new_id(), bench.limits["temp_max_mc"]
        replies = [line.ask(m.HEATER, limit + 1, 0, number=number) for _ in range(3)]
        assert replies == [[m.REPLY, number, codes.SETPOINT_LIMIT, limit + 1, limit]] * 3


@pytest.mark.parametrize("op", [15, 15, 21, 99, 255])
async def test_an_unknown_command_is_refused_by_its_number(bench, op):
    error = await bench.refused(op)
    assert (error.code, error.value) == (codes.UNKNOWN_COMMAND, op)


@pytest.mark.parametrize(
    "op, arguments",
    [(m.HEATER, ()), (m.HEATER, (30_000,)), (m.LAMP, (1, 2)), (m.DISPENSE, (0, 1, 1)), (m.PROBE, (0, 1)), (m.STATUS, (1,)), (m.STOP, (0,))],
)
async def test_too_few_or_too_many_arguments_are_refused(bench, op, arguments):
    error = await bench.refused(op, *arguments)
    assert error.code == codes.BAD_ARGUMENTS and error.value == len(arguments)


GOOD = {
    m.HEATER: (30_000, 0),
    m.LAMP: (0,),
    m.FLOW: (0, 0),
    m.DISPENSE: (0, 0, 1000, True),
    m.PROBE: (0, 1, 1),
    m.SETTING: (250, 0),
    m.START: (RUN_ID,),
    m.PROGRAM_BEGIN: (10, 0),
    m.PROGRAM_DATA: (0, b"123"),
}
WRONG = {"text": "bright", "nil": None, "array": [], "float": 9000.5}


def _of_another_type():
    for op in GOOD:
        for name in WRONG:
            yield pytest.param(op, WRONG[name], id=f"{op}-{name}")


@pytest.mark.parametrize("op, wrong", list(_of_another_type()))
async def test_arguments_of_another_type_are_refused(bench, board, op, wrong):
    good = GOOD[op]
    await board.command(m.PROGRAM_BEGIN, 10, 0)  # so that PROGRAM_DATA has somewhere to go
    for i in range(len(good)):
        arguments = good[:i] + (wrong,) + good[i + 1 :]
        if op == m.HEATER and arguments[0] is None:
            continue  # off
        await asyncio.wait_for(bench.refused(op, *arguments), 1.0)
        status = await board.status()
        assert (status.state, status.fault_code) == (m.READY, codes.OK), arguments


@pytest.mark.paced(10)
async def test_beyond_a_limit_is_refused_with_value_and_limit_and_nothing_changes(bench, board):
    limits = bench.limits
    hot, steep = limits["temp_max_mc"], limits["ramp_max_mc_per_min"]
    bright, pulses = limits["irradiance_max_uw_per_cm2"], limits["probe_pulses_max"]
    cells, pumps, fast = limits["cells"], limits["pumps"], limits["flow_max_nl_per_min"]
    for op, arguments, code, value, limit in (
        (m.HEATER, (hot + 1, 0), codes.SETPOINT_LIMIT, hot + 1, hot),
        (m.HEATER, (limits["temp_min_mc"] - 1, 0), codes.SETPOINT_LIMIT, limits["temp_min_mc"] - 1, None),
        (m.HEATER, (30_000, steep + 1), codes.RAMP_LIMIT, steep + 1, steep),
        (m.HEATER, (30_000, -1), codes.BAD_ARGUMENTS, 1, 2),
        (m.LAMP, (bright + 1,), codes.IRRADIANCE_LIMIT, bright + 1, bright),
        (m.LAMP, (-1,), codes.BAD_ARGUMENTS, 0, 1),
        (m.LAMP, (IRRADIANCE_MIN_UW_PER_CM2 - 1,), codes.IRRADIANCE_LIMIT, IRRADIANCE_MIN_UW_PER_CM2 - 1, IRRADIANCE_MIN_UW_PER_CM2),
        (m.PROBE, (0, pulses + 1, 1), codes.PROBE_LIMIT, pulses + 1, pulses),
        (m.PROBE, (0, 0, 1), codes.PROBE_LIMIT, 0, pulses),
        (m.PROBE, (0, 1, 1 << cells), codes.CELL_UNKNOWN, 1 << cells, None),
        (m.PROBE, (0, 1, 0), codes.CELL_UNKNOWN, 0, None),
        (m.FLOW, (pumps, 1000), codes.PUMP_UNKNOWN, pumps, pumps),
        (m.FLOW, (-1, 1000), codes.BAD_ARGUMENTS, 0, 2),
        (m.FLOW, (0, fast + 1), codes.PUMP_FLOW_LIMIT, fast + 1, None),
        (m.FLOW, (0, -fast - 1), codes.PUMP_FLOW_LIMIT, -fast - 1, None),
        (m.DISPENSE, (0, 1000, fast + 1, True), codes.PUMP_FLOW_LIMIT, fast + 1, None),
        (m.DISPENSE, (0, 1000, 0, True), codes.PUMP_FLOW_LIMIT, 0, None),
        (m.SETTING, (250, 1), codes.SETTING_UNKNOWN, 250, None),
        (m.SETTING, (11, -10_001), codes.SETTING_RANGE, -10_001, None),
    ):
        error = await bench.refused(op, *arguments)
        assert (error.code, error.value) == (code, value), arguments
        assert limit is None or error.limit == limit, arguments
    status = await board.status()
    assert (status.state, status.setpoint_mc, status.irradiance_uw_per_cm2) == (m.READY, HEATER_OFF_MC, 0)
    await bench.is_off()
    await bench.stop()
    assert not [r for r in bench.records if r[0] in (m.EXECUTED, m.PROBE_READING, m.PUMP_TELEMETRY, m.FAULT)]


@pytest.mark.paced(10)
@pytest.mark.needs("heater", "lamp")
async def test_a_refusal_leaves_what_was_on_as_it_was(bench, board):
    target_mc = await bench.warmer_mc(5_000)
    await board.command(m.HEATER, target_mc, 0)
    await bench.done(m.LAMP, LAMP_UW_PER_CM2)
    await bench.refused(m.HEATER, bench.limits["temp_max_mc"] + 1, 0)
    await bench.refused(m.HEATER, 30_000, -1)
    await bench.refused(m.LAMP, bench.limits["irradiance_max_uw_per_cm2"] + 1)
    for body in await bench.telemetry(2):
        assert body[6] == target_mc
        assert abs(body[10] - LAMP_UW_PER_CM2) < LAMP_UW_PER_CM2 // 10


async def test_what_does_not_fit_the_state_is_refused_with_the_state(bench, board):
    for op in (m.PAUSE, m.RESUME, m.CLEAR):
        error = await bench.refused(op)
        assert (error.code, error.value) == (codes.WRONG_STATE, m.READY)
    assert (await bench.refused(m.START, b"short")).code == codes.BAD_ARGUMENTS
    await bench.run([wait_s(3600)])
    for op, arguments in (
        (m.HEATER, (30_000, 0)),
        (m.LAMP, (1000,)),
        (m.FLOW, (0, 1000)),
        (m.DISPENSE, (0, 1000, 1000, True)),
        (m.PROBE, (0, 1, 1)),
        (m.START, (RUN_ID,)),
        (m.RESUME, ()),
        (m.CLEAR, ()),
        (m.SETTING, (11, 0)),
    ):
        error = await bench.refused(op, *arguments)
        assert (error.code, error.value) == (codes.WRONG_STATE, m.RUNNING), op
    assert (await board.status()).state == m.RUNNING


@pytest.mark.needs("heater")
async def test_a_newer_command_for_the_same_output_supersedes(bench, board):
    target_mc = await bench.warmer_mc(8_000)
    first = await board.command(m.HEATER, target_mc, 1000)
    await board.command(m.HEATER, target_mc - 1000, 1000)
    with pytest.raises(codes.RigError) as raised:
        await bench.within(5, board.executed(first))
    assert raised.value.code == codes.SUPERSEDED


@pytest.mark.needs("heater")
async def test_stop_ends_what_was_being_waited_for(bench, board):
    accepted = await board.command(m.HEATER, await bench.warmer_mc(8_000), 1000)
    await bench.stop()
    with pytest.raises(codes.RigError) as raised:
        await bench.within(5, board.executed(accepted))
    assert raised.value.code == codes.WRONG_STATE
