"""Pumps by hand, without a syringe: what is accepted is what is stepped.

Calibration is the board's own and stays; so steps are judged against each other and against the volume that the board accepts.
"""

import pytest
from hil_bench import at_s

from remnant_protocol import errors as codes
from remnant_protocol import messages as m

pytestmark = pytest.mark.needs("pumps")
PUMP = 1
FLOW_NL_PER_MIN = 3_000_000
VOLUME_NL = 100_000
MORE_THAN_ANY_SYRINGE_NL = 2_000_000_000


async def dispensed(bench, volume_nl, flow=FLOW_NL_PER_MIN, pump=PUMP):
    """(steps since boot, volumes measured in this test added up, accepted volume) after a dispense."""
    accepted = await bench.board.command(m.DISPENSE, pump, volume_nl, flow, True)
    executed = await bench.within(120, bench.board.executed(accepted))
    assert executed.measured[0] == pump
    net_nl = bench.net_nl.setdefault(pump, 0) + executed.measured[2]
    bench.net_nl[pump] = net_nl
    return executed.measured[1], net_nl, accepted.accepted[1]


async def primed(bench, pump=PUMP):
    """The same with the screw bearing on infusing."""
    return await dispensed(bench, VOLUME_NL, pump=pump)


async def left_nl(bench, direction):
    """What the board says the plunger can still go: it refuses more with that as its limit."""
    error = await bench.refused(m.DISPENSE, PUMP, direction * MORE_THAN_ANY_SYRINGE_NL, FLOW_NL_PER_MIN, True)
    assert (error.code, error.value) == (codes.PUMP_TRAVEL_END, direction * MORE_THAN_ANY_SYRINGE_NL)
    return abs(error.limit)


def moving(bench, pump=PUMP):
    return [r for r in bench.records if r[0] == m.PUMP_TELEMETRY and r[4] == pump]


async def test_a_dispense_makes_exactly_the_steps_of_its_accepted_volume(bench):
    steps, net_nl, _ = await primed(bench)
    moves = []
    for volume_nl in (VOLUME_NL, 2 * VOLUME_NL, 3 * VOLUME_NL):
        steps_after, net_after_nl, accepted_nl = await dispensed(bench, volume_nl)
        assert abs(net_after_nl - net_nl - accepted_nl) <= 1  # each of the three is rounded to a nanolitre
        assert abs(accepted_nl - volume_nl) < volume_nl // 20  # a step is far smaller
        moves.append(steps_after - steps)
        steps, net_nl = steps_after, net_after_nl
    assert abs(moves[1] - 2 * moves[0]) <= 2 and abs(moves[2] - 3 * moves[0]) <= 3  # half a step a volume, both ways


async def test_executed_tells_the_volume_of_this_dispense(bench, rig):
    for volume in ("100 uL", "200 uL"):
        executed = await bench.within(60, rig.pumps[PUMP + 1].infuse(volume, "3 mL/min"))
        assert abs(executed.measured[2] - int(volume.split()[0]) * 1000) < 1000


async def test_small_volumes_do_not_drift(bench):
    steps, net_nl, _ = await primed(bench)
    one, _, accepted_nl = await dispensed(bench, VOLUME_NL)
    for _ in range(10):
        last, last_nl, _ = await dispensed(bench, VOLUME_NL // 10 + 1)
    per_step_nl = accepted_nl / (one - steps)
    wanted_nl = accepted_nl + 10 * (VOLUME_NL // 10 + 1)
    assert abs(last_nl - net_nl - wanted_nl) <= per_step_nl + 1


async def test_back_and_forth_ends_where_it_began(bench):
    steps, net_nl, _ = await primed(bench)
    back, back_nl, accepted_back_nl = await dispensed(bench, -VOLUME_NL // 2)
    forth, forth_nl, accepted_forth_nl = await dispensed(bench, VOLUME_NL // 2)
    assert back < steps and accepted_back_nl < 0 < accepted_forth_nl
    assert abs(back_nl - net_nl - accepted_back_nl) <= 1  # backlash is stepped and is no volume
    assert abs(forth - steps) <= 1 and abs(forth_nl - net_nl) <= abs(accepted_back_nl // (steps - back)) + 1


async def test_flow_runs_at_its_rate_until_it_is_stopped(bench):
    steps, _, _ = await primed(bench)
    after, _, accepted_nl = await dispensed(bench, VOLUME_NL)
    per_step_nl = accepted_nl / (after - steps)
    bench.records.clear()
    await bench.done(m.FLOW, PUMP, FLOW_NL_PER_MIN, within_s=10)
    await bench.record(lambda r: len(moving(bench)) >= 4, within_s=20)
    stopped = await bench.done(m.FLOW, PUMP, 0, within_s=10)
    told = [r for r in moving(bench) if r[6] == FLOW_NL_PER_MIN]
    first, last = told[0], told[-1]
    flowed_nl = (last[5] - first[5]) * per_step_nl
    expected_nl = FLOW_NL_PER_MIN / 60 * (at_s(last) - at_s(first))
    assert flowed_nl == pytest.approx(expected_nl, rel=0.01, abs=FLOW_NL_PER_MIN / 60 * 0.02)  # records are told up to 20 ms late
    still = await bench.done(m.FLOW, PUMP, 0, within_s=10)
    assert still.measured == stopped.measured and stopped.measured[1] > last[5] - 1


async def test_a_flow_changes_under_way_without_a_stop(bench, board):
    await primed(bench)
    await bench.done(m.FLOW, PUMP, FLOW_NL_PER_MIN, within_s=10)
    changed_at = await board.ping()
    await bench.done(m.FLOW, PUMP, 2 * FLOW_NL_PER_MIN, within_s=10)
    await bench.record(lambda r: r[0] == m.PUMP_TELEMETRY and r[6] == 2 * FLOW_NL_PER_MIN, within_s=10)
    told = [r for r in moving(bench) if at_s(r) >= changed_at]
    assert told and all(r[6] >= FLOW_NL_PER_MIN for r in told)


async def test_a_flow_turns_round_through_rest(bench):
    steps, _, _ = await primed(bench)
    await bench.done(m.FLOW, PUMP, FLOW_NL_PER_MIN, within_s=10)
    turned = await bench.done(m.FLOW, PUMP, -FLOW_NL_PER_MIN // 2, within_s=10)
    assert turned.measured[1] > steps
    back = await bench.record(lambda r: r[0] == m.PUMP_TELEMETRY and r[6] == -FLOW_NL_PER_MIN // 2, within_s=10)
    later = await bench.record(lambda r: r[0] == m.PUMP_TELEMETRY and r[1] > back[1], within_s=10)
    assert later[5] < back[5]


@pytest.mark.paced(20)
async def test_a_dispense_while_moving_is_refused_and_the_motion_goes_on(bench, board):
    before, _, _ = await primed(bench)
    accepted = await board.command(m.DISPENSE, PUMP, VOLUME_NL, VOLUME_NL * 6, True)  # 10 s
    other = await bench.refused(m.DISPENSE, PUMP, VOLUME_NL, FLOW_NL_PER_MIN, True)
    assert other.code == codes.PUMP_BUSY
    executed = await bench.within(60, board.executed(accepted))
    assert executed.measured[1] > before


async def test_beyond_the_end_of_travel_is_refused_and_nothing_moves(bench):
    steps, net_nl, _ = await primed(bench)
    infusable_nl, withdrawable_nl = await left_nl(bench, 1), await left_nl(bench, -1)
    assert withdrawable_nl > 0
    after, _, accepted_nl = await dispensed(bench, VOLUME_NL)
    assert after > steps  # by this volume alone: the refusals moved nothing
    assert abs(infusable_nl - accepted_nl - await left_nl(bench, 1)) <= 2
    assert abs(withdrawable_nl + accepted_nl - await left_nl(bench, -1)) <= 2


async def test_a_flow_into_the_end_of_travel_ends_that_pump_until_it_is_cleared(bench, board):
    await primed(bench)
    gone_nl = await left_nl(bench, -1)
    await board.command(m.FLOW, PUMP, -2 * FLOW_NL_PER_MIN)
    failed = await bench.event(m.PUMP_FAILED, within_s=60 * gone_nl / FLOW_NL_PER_MIN + 10)
    assert failed[5:7] == [codes.PUMP_TRAVEL_END, PUMP]
    status = await board.status()
    assert (status.state, status.fault_code) == (m.READY, codes.PUMP_TRAVEL_END)
    assert (await bench.refused(m.FLOW, PUMP, FLOW_NL_PER_MIN)).code == codes.PUMP_TRAVEL_END
    await bench.clear()
    assert await left_nl(bench, -1) == 0
    error = await bench.refused(m.FLOW, PUMP, -FLOW_NL_PER_MIN)
    assert error.code == codes.PUMP_TRAVEL_END
    await primed(bench)  # and back it goes


async def test_stop_in_motion_stands_still(bench, board):
    await primed(bench)
    await bench.done(m.FLOW, PUMP, FLOW_NL_PER_MIN, within_s=10)
    off = await bench.stop()
    assert off[8] == 1  # one pump was moving
    first = await bench.done(m.FLOW, PUMP, 0)
    await bench.wait_board_s(0.5)
    assert (await bench.done(m.FLOW, PUMP, 0)).measured == first.measured


async def test_two_pumps_move_at_once_and_each_counts_its_own(bench, board):
    if bench.limits["pumps"] < 2:
        pytest.skip("this board has one pump")
    for pump in (0, 1):
        await primed(bench, pump=pump)
    started = [await board.command(m.DISPENSE, pump, VOLUME_NL * 2, VOLUME_NL * 12, True) for pump in (0, 1)]
    for accepted in started:
        executed = await bench.within(60, board.executed(accepted))
        assert abs(executed.measured[2] - accepted.accepted[1]) <= 1
    assert {r[4] for r in bench.records if r[0] == m.PUMP_TELEMETRY} == {0, 1}
