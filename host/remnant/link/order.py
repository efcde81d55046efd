"""Which record is the next one, and when a hole in the numbers is accepted.

A hole is asked for again (RESEND). It is accepted only when the board, having gone back, begins behind it five times in a row on a clean
line: then it no longer has those records live, and its history may. Five, because a line that loses whole frames looks clean: at one frame
in twenty, two in a row were taken for gone once in 400 holes, five are once in 3 million. And only with the lowest number that came
meanwhile, because frames that overtake each other look like a board that goes back; every ten tries that number is sought anew, because the
board may have moved on. What was spoilt on the way is asked for again and again: the next acknowledgement would let the board forget it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

AGAIN_S = 1.0
TRIES_CLEAN = 5
TRIES_AFRESH = 10
TRIES_MAX = 30


class Order:
    """`ask(seq)` sends a RESEND; `spoilt()` counts the damaged frames of the line so far.

    expected: the next number, None before WELCOME; holes: accepted so far.
    """

    def __init__(self, ask: Callable[[int], None], spoilt: Callable[[], int]):
        self._ask = ask
        self._spoilt = spoilt
        self.expected: int | None = None
        self.holes = 0
        self._tries = 0  # for what is missing now; 0: nothing is
        self._clean = 0  # of these, in a row, without a damaged frame behind them
        self._spoilt_then = 0
        self._asked_at = 0.0
        self._newest = 0
        self._oldest = 0  # the lowest number that came since something is missing: what the board has may begin there

    def begin(self, expected: int | None) -> None:
        """From here on `expected` comes first; the board has gone back, or another one has come."""
        self.expected = expected
        self.greeted()

    def greeted(self) -> None:
        """The board begins again with the oldest that it keeps."""
        self._tries = self._clean = self._newest = 0

    def take(self, seq: int) -> bool:
        """True when this record is to be handed on."""
        expected = self.expected
        went_back = seq <= self._newest
        self._newest = seq
        if expected is None or seq < expected:
            return False  # known already
        if seq > expected and not self._accepted(seq, went_back):
            return False
        self._tries = self._clean = 0
        self.expected = seq + 1
        return True

    def nothing_came(self) -> None:
        """Called while the line is quiet."""
        if self._tries and time.monotonic() - self._asked_at > AGAIN_S:
            self._ask_again()

    def _accepted(self, seq: int, went_back: bool) -> bool:
        if self._tries % TRIES_AFRESH == 0:
            self._oldest, self._clean = seq, 0
        self._oldest = min(self._oldest, seq)
        if self._tries:
            if not went_back and time.monotonic() - self._asked_at <= AGAIN_S:
                return False  # sent before the board went back
            self._clean = self._clean + 1 if went_back and self._spoilt() == self._spoilt_then else 0
            if went_back and (self._clean >= TRIES_CLEAN and seq == self._oldest or self._tries >= TRIES_MAX):
                self.holes += 1
                return True
        self._ask_again()
        return False

    def _ask_again(self) -> None:
        self._tries += 1
        self._asked_at = time.monotonic()
        self._spoilt_then = self._spoilt()
        if self.expected is not None:
            self._ask(self.expected)
