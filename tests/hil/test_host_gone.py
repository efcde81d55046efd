"""A host that goes away: what a hand switched on goes off, what a program does goes on."""

import asyncio

import pytest
from hil_bench import HEATER_OFF_MC, LAMP_UW_PER_CM2, at_s, is_event, wait_s

from remnant_protocol import messages as m

SILENT_S = 5.0  # SPEC.md section 7


@pytest.mark.needs("heater", "lamp", "pumps")
@pytest.mark.paced(2)
async def test_outputs_by_hand_go_off_5_s_after_their_host_fell_silent(bench, board):
    await board.command(m.HEATER, await bench.warmer_mc(8_000), 0)
    await board.command(m.LAMP, LAMP_UW_PER_CM2)
    await board.command(m.FLOW, 1, 100_000)
    await bench.record(lambda r: r[0] == m.TELEMETRY and r[8] > 0 and r[10] > LAMP_UW_PER_CM2 // 2)
    rate = await bench.rate()
    left_s = await board.ping()
    await bench.leave()
    await asyncio.sleep((SILENT_S + 0.5) / min(1, rate))
    await bench.reconnect()
    off = await bench.record(lambda r: is_event(r, m.OUTPUTS_OFF) and r[5] == m.BY_HOST_LOST)
    assert off[6] > 0 and off[7] > 0 and off[8] == 1
    assert at_s(off) - left_s >= SILENT_S * min(1, rate) - 0.2
    assert at_s(off) - left_s <= SILENT_S * max(1, rate) + 0.5
    status = await bench.board.status()
    assert (status.setpoint_mc, status.irradiance_uw_per_cm2, status.state) == (HEATER_OFF_MC, 0, m.READY)
    assert len([r for r in bench.records if is_event(r, m.OUTPUTS_OFF)]) == 1


@pytest.mark.needs("heater")
@pytest.mark.paced(2)
async def test_a_program_goes_on_without_its_host(bench):
    target_mc = await bench.warmer_mc(8_000)
    await bench.run([[m.HEATER, target_mc, 0], wait_s(3600)])
    await bench.telemetry(1)
    rate = await bench.rate()
    await bench.leave()
    await asyncio.sleep((SILENT_S + 0.5) / min(1, rate))
    await bench.reconnect()
    status = await bench.board.status()
    assert (status.state, status.setpoint_mc) == (m.RUNNING, target_mc)
    assert m.OUTPUTS_OFF not in [r[4] for r in bench.records if r[0] == m.EVENT]
