"""How a board is found again when its line has gone: cable, hub, host asleep, a reset.

The port is opened again after BACK_OFF_S, doubling up to BACK_OFF_MAX_S, for as long as it takes. What answers must be the same board
(uid); anything else is told once and left alone. The same boot: the stream goes on. Another boot: the board has been reset and its outputs
are off.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .values import Line, Welcome

if TYPE_CHECKING:
    from .client import Board

BACK_OFF_S = 0.1
BACK_OFF_MAX_S = 5.0
_NOT_THIS_ONE = (codes.PROTOCOL_MISMATCH, codes.TABLE_MISMATCH, codes.PORT_NOT_A_RIG)


class Return:
    """The way back of one Board. here: set while its line is good."""

    def __init__(self, board: Board):
        self._board = board
        self._task: asyncio.Task | None = None
        self.here = asyncio.Event()
        self.here.set()

    def begin(self, error: RigError) -> None:
        """The line has gone. Does nothing when that is known."""
        if self.here.is_set() and self._board.reopen:
            self.here.clear()
            self._board.on_line(Line.LOST, error)
            self._task = asyncio.get_running_loop().create_task(self._come_back())

    def give_up(self) -> None:
        """The board is closed."""
        if self._task:
            self._task.cancel()

    async def _come_back(self) -> None:
        board, told = self._board, False
        before = board.boot_id
        await asyncio.to_thread(board.link.close)
        pause_s = BACK_OFF_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, BACK_OFF_MAX_S)
            try:
                welcome = await self._opened()
                break
            except (RigError, OSError) as error:
                if not told and isinstance(error, RigError) and error.code in _NOT_THIS_ONE and (error.text or error.value):
                    told = True
                    board.on_line(Line.REFUSED, error)
        board.welcome = welcome
        board.reconnects += 1
        reset = welcome.boot_id != before
        if reset:
            board.was_reset()
        self.here.set()
        board.on_line(Line.RESET if reset else Line.BACK, None)

    async def _opened(self) -> Welcome:
        """Open the line once and greet. Raises RigError, OSError; the port is closed again then."""
        board = self._board
        assert board.reopen and board.welcome
        path = await asyncio.to_thread(board.reopen)
        link = await asyncio.to_thread(board.new_link, path)
        board.link, board.path = link, path
        try:
            welcome = await board.greet()
            if welcome.uid != board.welcome.uid:
                text = f"on {path} there is another board ({welcome.uid}); the run is on {board.welcome.uid}. Plug that one in"
                raise RigError(codes.PORT_NOT_A_RIG, where=path, text=text)
        except BaseException:
            await asyncio.to_thread(link.close)
            raise
        return welcome
