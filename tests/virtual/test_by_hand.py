"""A rig by hand, as far as it is special to the virtual board or its host; what every board does is in tests/hil."""

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


def test_leaving_ends_the_board():
    async def talk(rig):
        return rig.virtual, rig.virtual._process.pid

    virtual, _ = by_hand(talk)
    assert virtual._process is None
