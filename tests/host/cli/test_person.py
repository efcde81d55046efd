"""Ctrl-C: what it does depends on the line."""

import asyncio
from types import SimpleNamespace

from remnant.cli.person import Interrupts


def pressed(times, boards):
    async def main():
        said = []
        interrupts = Interrupts(said.append)
        interrupts.boards += boards
        for _ in range(times):
            interrupts._interrupted()
        return said, interrupts.stop.is_set(), interrupts.cut.is_set()

    return asyncio.run(main())


HERE, AWAY = SimpleNamespace(connected=True), SimpleNamespace(connected=False)


def test_once_stops_and_twice_cuts():
    assert pressed(1, [HERE])[1:] == (True, False)
    said, stop, cut = pressed(2, [HERE])
    assert (stop, cut) == (True, True)
    assert said[0].startswith("Ctrl-C: stopping in order") and said[1].startswith("Ctrl-C again")


def test_with_the_line_away_it_says_that_the_board_goes_on():
    said, stop, _ = pressed(1, [AWAY])
    assert stop and "goes on" in said[0]


def test_one_line_of_two_is_enough_to_stop():
    assert "stopping in order" in pressed(1, [AWAY, HERE])[0][0]
