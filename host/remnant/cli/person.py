"""Ctrl-C: once stops in order, twice takes the outputs off at once; with the line lost it leaves the board to itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
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
