"""The heater by hand."""

import pytest
from hil_bench import HEATER_OFF_MC, at_s

from remnant_protocol import messages as m

pytestmark = pytest.mark.needs("heater")
WAY_S = 0.2  # for a command to reach the board: 50 ms of the wall
NEAR_MC = 1000  # EXECUTED is told within 1 degC (SPEC.md section 5)


async def test_a_small_step_is_reached_and_telemetry_follows(bench, board):
    target_mc = await bench.warmer_mc(5_000)
    executed = await bench.done(m.HEATER, target_mc, 0, within_s=300)
    assert abs(executed.measured[0] - target_mc) <= NEAR_MC
    assert executed.ended_s - executed.begun_s < 300
    await bench.wait_board_s(30)
    for body in await bench.telemetry(3):
        assert body[6] == target_mc
        assert abs(body[7] - target_mc) <= NEAR_MC
        assert body[8] > 0  # above the room it has to go on heating


async def test_a_ramp_moves_the_setpoint_at_its_rate(bench, board):
    start_mc = (await board.status()).temp_mc
    target_mc = await bench.warmer_mc(3_000)
    executed = await bench.done(m.HEATER, target_mc, 6_000, within_s=300)
    bodies = [r for r in bench.records if r[0] == m.TELEMETRY and executed.begun_s < at_s(r) < executed.ended_s and r[6] < target_mc]
    assert len(bodies) > 10
    first, last = bodies[0], bodies[-1]
    rate_mc_per_s = (last[6] - first[6]) / (at_s(last) - at_s(first))
    assert rate_mc_per_s <= 100.5  # 6 degC/min are 100 mdegC/s; it waits for a slow block, and never hurries
    assert first[6] <= start_mc + 500
    assert executed.ended_s - executed.begun_s >= 25


@pytest.mark.paced(10)
async def test_off_is_off_at_once(bench, rig):
    await rig.board.command(m.HEATER, await bench.warmer_mc(8_000), 0)
    assert [body for body in await bench.telemetry(2) if body[8] > 0]
    executed = await rig.heater.off()
    assert executed.ended_s - executed.begun_s < 0.5
    assert (await rig.board.status()).setpoint_mc == HEATER_OFF_MC
    await bench.is_off()


@pytest.mark.paced(4)
async def test_stop_switches_off_within_a_tick(bench, board):
    await board.command(m.HEATER, await bench.warmer_mc(8_000), 0)
    await bench.telemetry(2)
    asked_s = await board.ping()
    off = await bench.stop()
    assert off[6] > 0  # it was heating
    assert at_s(off) <= asked_s + 0.1 + WAY_S
    assert off[9] < 100_000
    await bench.is_off()
