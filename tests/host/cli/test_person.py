"""Ctrl-C: what it does depends on the line. Operator steps: whoever is at the terminal, or nobody."""

import asyncio
import os
import pty
import sys
from types import SimpleNamespace

from remnant.cli.person import Interrupts, operator_of


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


def test_without_a_terminal_nobody_is_asked_on_a_simulated_rig_and_a_real_one_waits(monkeypatch):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        said = []
        operator = operator_of(said.append, simulated=True, as_json=False)
        assert operator
        asyncio.run(asyncio.wait_for(operator("Put the film in"), 10))
        assert said == ["Put the film in: done, on a simulated rig."]
        assert operator_of(said.append, simulated=False, as_json=False) is None


def test_at_a_terminal_enter_is_the_answer(monkeypatch):
    master, slave = pty.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        said = []
        operator = operator_of(said.append, simulated=False, as_json=False)
        assert operator

        async def answered():
            asking = asyncio.create_task(operator("Put the film in"))
            while not said:
                await asyncio.sleep(0)
            assert not asking.done()
            os.write(master, b"\n")
            await asyncio.wait_for(asking, 30)

        asyncio.run(answered())
    os.close(master)
    assert said == ["Put the film in. Press Enter when it is done."]
