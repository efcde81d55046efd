"""The stress light by hand, never above 5 mW/cm2."""

import pytest
from hil_bench import LAMP_UW_PER_CM2, at_s

from remnant_protocol import messages as m

pytestmark = [pytest.mark.needs("lamp"), pytest.mark.paced(10)]
NEAR_UW = LAMP_UW_PER_CM2 * 3 // 100 + 50  # the monitor loop holds 1 %; dark counts drift with the room


async def test_the_irradiance_asked_for_is_measured(bench, rig):
    executed = await bench.within(10, rig.lamp.on(LAMP_UW_PER_CM2 / 1000))
    assert abs(executed.measured[0] - LAMP_UW_PER_CM2) < NEAR_UW
    for body in await bench.telemetry(3):
        assert body[9] > 0 and abs(body[10] - LAMP_UW_PER_CM2) < NEAR_UW


async def test_off_is_dark(bench, rig):
    await bench.within(10, rig.lamp.on(LAMP_UW_PER_CM2 / 1000))
    executed = await bench.within(10, rig.lamp.off())
    assert executed.measured == (0,)
    for body in await bench.telemetry(2):
        assert (body[9], body[10]) == (0, 0)


async def test_light_adds_up_to_exposure(bench, rig):
    await bench.within(10, rig.lamp.on(LAMP_UW_PER_CM2 / 1000))
    first = (await bench.telemetry(1))[0]
    await bench.wait_board_s(5)
    last = (await bench.telemetry(1))[0]
    expected_mj = LAMP_UW_PER_CM2 / 1000 * (at_s(last) - at_s(first))
    assert last[11] - first[11] == pytest.approx(expected_mj, rel=0.03, abs=1.5)  # counted in whole mJ/cm2 at both ends


async def test_a_fraction_of_it_is_a_fraction(bench, rig):
    measured = [(await bench.within(10, rig.lamp.on(mw))).measured[0] for mw in (1.0, 2.0, 4.0)]
    for asked, got in zip((1000, 2000, 4000), measured, strict=True):
        assert abs(got - asked) < NEAR_UW


async def test_stop_makes_it_dark(bench, rig):
    await bench.within(10, rig.lamp.on(LAMP_UW_PER_CM2 / 1000))
    off = await bench.stop()
    assert off[7] > 0
    await bench.is_off()
    assert m.FAULT not in [r[0] for r in bench.records]
