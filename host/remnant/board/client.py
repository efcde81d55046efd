"""The board client: one Board, over one line after another. Commands carry an id and are sent again with the same id until they are
answered, so that the board executes each once, also when the line was lost in between.

Records go to `on_records` in the reader thread (the journal) and to listeners in the event loop (whoever follows).
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..link import Batch, Link
from .greeting import read_welcome
from .inbox import Inbox, Listener
from .return_ import Return
from .values import STATUS_FIELDS, Accepted, ClockPair, Executed, Line, Status, Welcome

HELLO_EVERY_S = 0.3
HELLO_GIVE_UP_S = 3.0
ANSWER_S = 1.0
TRIES = 4
UPLOAD_PIECE_BYTES = 180
_BY_HAND = frozenset({m.HEATER, m.LAMP, m.FLOW, m.DISPENSE, m.PROBE})  # answered twice: accepted, then executed


class Board:
    """An open board. Make it with `await Board.connect(path)`; close() gives the port back.

    reopen: tells where the board is to be found when the line goes; None: it is lost then, at once (`lost`). on_line: hears what becomes
    of the line, with the error behind it.
    """

    def __init__(self, path: str, on_records: Callable[[Batch], None] | None = None):
        self.path = path
        self.reopen: Callable[[], str] | None = None
        self.on_line: Callable[[Line, RigError | None], None] = lambda _line, _error: None
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox(on_records, self._take)
        self._waiting: dict[tuple[int, int | None], asyncio.Future] = {}
        self._executed: dict[int, asyncio.Future] = {}
        self._next_id = secrets.randbelow(1 << 31)
        self._return = Return(self)
        self.lost: asyncio.Future[RigError] = self._loop.create_future()
        self.description: dict[str, int] = {}
        self.welcome: Welcome | None = None
        self.reconnects = 0
        self.link = self.new_link(path)

    @classmethod
    async def connect(cls, path: str, on_records: Callable[[Batch], None] | None = None) -> Board:
        """Open the port, greet the board, learn its limits.

        Raises RigError(PORT_NOT_FOUND | PORT_NOT_A_RIG | PROTOCOL_MISMATCH | TABLE_MISMATCH | NO_ANSWER | BOARD_LOST).
        """
        board = cls(path, on_records)
        try:
            await board.hello()
            for page in range(board.welcome.description_pages if board.welcome else 0):
                answer = await board._ask((m.DESCRIPTION, page), m.DESCRIBE, page)
                if isinstance(answer[2], dict):
                    board.description.update(answer[2])
        except BaseException:
            board.close()
            raise
        return board

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._return.give_up)
        self.link.close()

    def listen(self, listener: Listener) -> None:
        """Call listener(seq, body) in the event loop for every live record, in sequence, once."""
        self._inbox.listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        with contextlib.suppress(ValueError):
            self._inbox.listeners.remove(listener)

    # ---- the line

    @property
    def connected(self) -> bool:
        """False while the line is lost and looked for."""
        return self._return.here.is_set()

    @property
    def boot_id(self) -> int:
        return self.welcome.boot_id if self.welcome else 0

    def new_link(self, path: str) -> Link:
        """Open a line to this board and to no other one."""
        source = self._source = object()
        return Link(path, lambda batch: self._inbox.put(source, batch), self.welcome.uid if self.welcome else None)

    def drop(self, error: RigError | None = None) -> None:
        """The line is no good any more: look for the board anew, or, without `reopen`, take it as lost."""
        error = error or RigError(codes.BOARD_LOST, where=self.path)
        if self.reopen is None:
            if not self.lost.done():
                self.lost.set_result(error)
        else:
            self._return.begin(error)

    # what a journal tells, in a thread of its own: see record.Keeper

    def committed(self, boot_id: int, seq: int) -> None:
        self.link.committed(seq, boot_id)

    def page_kept(self, number: int) -> None:
        self.link.page_kept(number)

    def go_back(self, boot_id: int, seq: int) -> int:
        return self.link.go_back(boot_id, seq)

    # ---- questions

    async def hello(self) -> Welcome:
        """Greet the board. Raises RigError(PORT_NOT_A_RIG | PROTOCOL_MISMATCH | TABLE_MISMATCH)."""
        self.welcome = await self.greet()
        return self.welcome

    async def greet(self) -> Welcome:
        """Greet whatever is on the line; `welcome` stays. Raises as `hello`."""
        message = (m.HELLO, m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, "remnant")
        try:
            fields = await self._ask((m.WELCOME, None), *message, every_s=HELLO_EVERY_S, give_up_s=HELLO_GIVE_UP_S)
        except RigError as error:
            if error.code == codes.NO_ANSWER:
                raise RigError(codes.PORT_NOT_A_RIG, where=self.path) from None
            raise
        return read_welcome(fields, self.path)

    def silent_s(self) -> float:
        """Seconds since anything came from the board."""
        return time.monotonic() - self.link.heard_at

    async def ping(self) -> float:
        """Board time in seconds since its start."""
        return (await self.clock_pair()).t_us / 1e6

    async def clock_pair(self) -> ClockPair:
        """Board time and UTC of one instant, by a timed PING."""
        token = self.new_id()
        began, utc_s = time.perf_counter(), time.time()
        answer = await self._ask((m.PONG, token), m.PING, token)
        half_s = (time.perf_counter() - began) / 2
        return ClockPair(self.boot_id, answer[2] * 1_000_000 + answer[3], utc_s + half_s, round(half_s * 1e6))

    async def status(self) -> Status:
        accepted = await self.command(m.STATUS)
        return Status(*accepted.accepted[:STATUS_FIELDS])

    # ---- commands

    def new_id(self) -> int:
        """A command id that has not been used."""
        self._next_id = (self._next_id + 1) & 0xFFFFFFFF
        return self._next_id

    async def command(self, op: int, *arguments: Any, number: int | None = None) -> Accepted:
        """Send a command and return what the board accepted. number: its id, when it may have been sent before.

        Raises RigError with the board's code of refusal, NO_ANSWER or BOARD_LOST (also when the board has been reset meanwhile).
        """
        number = self.new_id() if number is None else number
        if op in _BY_HAND:
            self._executed[number] = self._loop.create_future()
        try:
            answer = await self._ask((m.REPLY, number), m.COMMAND, number, op, *arguments)
        except BaseException:
            self._executed.pop(number, None)
            raise
        if answer[2] != codes.OK:
            self._executed.pop(number, None)
            value, limit = (list(answer[3:5]) + [None, None])[:2]
            raise RigError(answer[2], where=self.path, value=value, limit=limit)
        return Accepted(number, op, arguments, tuple(answer[3:]))

    async def executed(self, accepted: Accepted) -> Executed:
        """Wait until the board has carried a command out. Raises RigError with the code that ended it, or BOARD_LOST."""
        future = self._executed[accepted.id]  # only commands that drive an output are carried out later
        try:
            result = await self._or_lost(future)
        finally:
            self._executed.pop(accepted.id, None)
        if result.code != codes.OK:
            raise RigError(result.code, where=self.path)
        return result

    async def upload(self, data: bytes) -> None:
        """Send a compiled program; the board keeps it once it has checked all of it."""
        await self.command(m.PROGRAM_BEGIN, len(data), binascii.crc32(data))
        for offset in range(0, len(data), UPLOAD_PIECE_BYTES):
            await self.command(m.PROGRAM_DATA, offset, data[offset : offset + UPLOAD_PIECE_BYTES])
        await self.command(m.PROGRAM_COMMIT)

    async def ready(self, within_s: float = 5.0) -> None:
        """Wait out the first second after a start, in which the board has no trusted temperature. Raises RigError(WRONG_STATE)."""
        status = await self.started(within_s)
        if status.state == m.FAULTED:
            raise RigError(status.fault_code, where=self.path)
        if status.state != m.READY:
            raise RigError(codes.WRONG_STATE, where=self.path, value=status.state)

    async def started(self, within_s: float = 5.0) -> Status:
        """Wait until the board is no longer STARTING. Raises RigError(WRONG_STATE)."""
        end = self._loop.time() + within_s
        while (status := await self.status()).state == m.STARTING:
            if self._loop.time() > end:
                raise RigError(codes.WRONG_STATE, where=self.path, value=status.state)
            await asyncio.sleep(0.02)
        return status

    # ---- inside

    async def _ask(
        self, key: tuple[int, int | None], *message: Any, every_s: float | None = None, give_up_s: float | None = None
    ) -> list[Any]:
        """Send a message every ANSWER_S, TRIES times, until the answer (number, first field) comes; while the line is lost, wait for it."""
        every_s = every_s or ANSWER_S
        give_up_s = give_up_s or ANSWER_S * TRIES
        future = self._waiting[key] = self._loop.create_future()
        boot_id = self.boot_id
        end, link = self._loop.time() + give_up_s, self.link
        try:
            while True:
                if message[0] != m.HELLO:
                    if not self.connected:
                        await self._or_lost(self._return.here.wait())
                    if boot_id != self.boot_id:
                        raise RigError(codes.BOARD_LOST, where=self.path, text=f"the board on {self.path} was reset meanwhile")
                if link is not self.link:  # what was asked over a lost line is asked again, with all its time
                    end, link = self._loop.time() + give_up_s, self.link
                link.send(*message)
                try:
                    return await self._or_lost(future, min(every_s, max(0.01, end - self._loop.time())))
                except TimeoutError:
                    if self._loop.time() >= end and (self.connected or message[0] == m.HELLO):
                        raise RigError(codes.NO_ANSWER, where=self.path, limit=give_up_s) from None
        finally:
            self._waiting.pop(key, None)

    async def _or_lost(self, awaited: Any, timeout_s: float | None = None) -> Any:
        future = asyncio.ensure_future(awaited)
        try:
            done, _ = await asyncio.wait({future, self.lost}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if future is not awaited and not future.done():
                future.cancel()
        if future in done:
            return future.result()
        if self.lost in done:
            raise self.lost.result()
        raise TimeoutError

    def _take(self, source: object, batch: Batch) -> None:
        """Event loop: answers to whoever waits for them."""
        for fields in batch.answers:
            key = (fields[0], None) if fields[0] == m.WELCOME else (fields[0], fields[1] if len(fields) > 1 else None)
            future = self._waiting.get(key)
            if future and not future.done():
                future.set_result(fields)
        for _, _, fields in batch.records:
            if fields[0] == m.EXECUTED:
                self._was_executed(fields)
        if batch.lost and source is self._source:
            self.drop(batch.lost)

    def was_reset(self) -> None:
        """What the board was doing by hand is not going on."""
        error = RigError(codes.BOARD_LOST, where=self.path, text=f"the board on {self.path} was reset meanwhile")
        for future in self._executed.values():
            if not future.done():
                future.set_exception(error)

    def _was_executed(self, fields: list[Any]) -> None:
        future = self._executed.get(fields[4])
        if future and not future.done():
            begun_s, ended_s = fields[7] + fields[8] / 1e6, fields[2] + fields[3] / 1e6
            future.set_result(Executed(fields[4], fields[5], fields[6], begun_s, ended_s, tuple(fields[9:])))
