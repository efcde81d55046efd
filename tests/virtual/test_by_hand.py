"""A rig by hand: what is asked, accepted, executed and measured."""

import asyncio

import pytest

from remnant import open_rig
from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError


def by_hand(talk, **scenario):
    async def main():
        async with open_rig("virtual", **scenario) as rig:
            return await talk(rig)

    return asyncio.run(main())


def test_heat_returns_when_it_is_hot():
    async def talk(rig):
        executed = await rig.heater.ramp_to(40.0, ramp_c_per_min=5.0)
        status = await rig.board.status()
        await rig.heater.off()
        return executed, status

    executed, status = by_hand(talk)
    assert abs(executed.measured[0] - 40000) <= 1000
    assert status.setpoint_mc == 40000
    assert 150 < executed.ended_s - executed.begun_s < 400  # 18 K at 5 K/min are 216 s


def test_an_hour_by_hand_does_not_wait_for_a_journal():
    """What no journal wants is acknowledged all the same: a virtual board would else stand still with a full ring."""

    async def talk(rig):
        for temp_c in (60.0, 30.0, 60.0):
            await rig.heater.ramp_to(temp_c, ramp_c_per_min=2.0)
        return await rig.board.ping()

    assert by_hand(talk) > 1800


def test_probe_reads_each_cell_asked_for():
    async def talk(rig):
        return await rig.probe(pulses=16, cells=(0, 1))

    readings = by_hand(talk)
    assert [reading.cell for reading in readings] == [0, 1]
    for reading in readings:
        assert reading.signal > 1.0
        assert reading.standard_error < reading.signal / 200


def test_lamp_holds_its_irradiance():
    async def talk(rig):
        executed = await rig.lamp.on(10.0)
        await rig.lamp.off()
        return executed.measured[0]

    assert abs(by_hand(talk) - 10000) < 300


def test_pumps_by_name_infuse_what_is_asked():
    async def main():
        async with open_rig("virtual", pumps={"antisolvent": 1}) as rig:
            return await rig.pumps["antisolvent"].infuse(volume="1 mL", flow="500 mL/h")

    pump, steps, volume_nl = asyncio.run(main()).measured
    assert pump == 0 and steps > 0
    assert abs(volume_nl - 1_000_000) < 1000  # one microlitre; a step is smaller


def test_a_pump_that_is_not_there_is_told():
    async def talk(rig):
        return rig.pumps["solvent"]

    with pytest.raises(RigError) as raised:
        by_hand(talk)
    assert (raised.value.code, raised.value.value) == (codes.PUMP_UNKNOWN, "solvent")


def test_beyond_the_limit_is_refused_with_the_limit():
    async def talk(rig):
        await rig.heater.ramp_to(150.0)

    with pytest.raises(RigError) as raised:
        by_hand(talk)
    assert (raised.value.code, raised.value.value, raised.value.limit) == (codes.SETPOINT_LIMIT, 150000, 120000)


def test_leaving_ends_the_board():
    async def talk(rig):
        return rig.virtual, rig.virtual._process.pid

    virtual, _ = by_hand(talk)
    assert virtual._process is None
