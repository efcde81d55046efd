"""A host that switched something on by hand and went away: the board switches it off by itself."""

import asyncio

from remnant.board import Board
from remnant.virtual import VirtualBoard
from remnant_protocol import messages as m

HEATER_OFF_MC = -300_000


def test_a_heater_switched_on_by_hand_does_not_outlive_its_host():
    async def main():
        with VirtualBoard(seed=1, speed=1) as virtual:
            first = await Board.connect(virtual.port)
            await first.ready()
            await first.command(m.HEATER, 60_000, 0)
            heating = (await first.status()).setpoint_mc
            first.close()
            await asyncio.sleep(6.0)  # the board waits 5 s, by the wall
            told = []
            second = await Board.connect(virtual.port, lambda batch: told.extend(fields for _, _, fields in batch.records))
            after = await second.status()
            await asyncio.sleep(0.3)
            second.close()
            return heating, after, told

    heating, after, told = asyncio.run(main())
    assert heating == 60_000
    assert (after.setpoint_mc, after.state) == (HEATER_OFF_MC, m.READY)
    assert [f[5] for f in told if f[0] == m.EVENT and f[4] == m.OUTPUTS_OFF] == [m.BY_HOST_LOST]
