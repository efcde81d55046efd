"""The person at the keyboard: Ctrl-C, and what a plan asks of them.

Ctrl-C once stops in order, twice takes the outputs off at once; with the line lost it leaves the board to itself.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..board import Board


class Interrupts:
    """SIGINT and SIGTERM of this process as two events, from `listen` on. boards: those whose line is looked at."""

    def __init__(self, say: Callable[[str], None]):
        self._say = say
        self.stop = asyncio.Event()
        self.cut = asyncio.Event()
        self.boards: list[Board] = []

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError):  # Windows, or no main thread: Ctrl-C ends the host, the board goes on
                loop.add_signal_handler(number, self._interrupted)

    def _interrupted(self) -> None:
        if self.stop.is_set():
            self._say("Ctrl-C again: outputs off at once.")
            self.cut.set()
        elif self.boards and not any(board.connected for board in self.boards):
            self._say("Ctrl-C: the line is lost, so the board is left to itself and goes on.")
            self.stop.set()
        else:
            self._say("Ctrl-C: stopping in order, outputs go off. Press it again to cut them at once.")
            self.stop.set()


def operator_of(say: Callable[[str], None], simulated: bool, as_json: bool) -> Callable[[str], Awaitable[None]] | None:
    """Return who answers what a plan asks of a person: whoever is at the terminal; on a simulated rig without one, nobody needs to do it.

    None: a real rig without a terminal; `remnant continue` answers from elsewhere.
    """

    async def at_the_terminal(text: str) -> None:
        say(f"{text}. Press Enter when it is done.")
        await _enter()

    async def nobody(text: str) -> None:
        say(f"{text}: done, on a simulated rig.")

    if not as_json and sys.stdin is not None and sys.stdin.isatty():
        return at_the_terminal
    return nobody if simulated else None


async def _enter() -> None:
    """Wait for a line from the terminal."""
    loop = asyncio.get_running_loop()
    entered = asyncio.Event()

    def read() -> None:
        sys.stdin.readline()
        entered.set()

    try:
        loop.add_reader(sys.stdin.fileno(), read)
    except NotImplementedError:  # Windows
        await asyncio.to_thread(sys.stdin.readline)
        return
    try:
        await entered.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
