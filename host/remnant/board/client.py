"""The board client: one Board per line. Commands carry an id and are sent again with the same id until they are answered, so that the
board executes each once.

Records go to `on_records` in the reader thread (the journal) and to `on_record` in the event loop (whoever follows).
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..link import Batch, Link

HELLO_EVERY_S = 0.3
HELLO_GIVE_UP_S = 3.0
ANSWER_S = 1.0
TRIES = 4
UPLOAD_PIECE_BYTES = 180
STATUS_FIELDS = 8
_BY_HAND = frozenset({m.HEATER, m.LAMP, m.FLOW, m.DISPENSE, m.PROBE})  # answered twice: accepted, then executed


@dataclass(frozen=True)
class Welcome:
    """What a board says of itself at HELLO; fields as in protocol/SPEC.md."""

    major: int
    minor: int
    board: str
    uid: str
    firmware_hash: int
    table_hash: int
    boot_id: int
    reset_cause: int
    state: int
    first_seq: int
    next_seq: int
    description_pages: int
    simulated: bool


@dataclass(frozen=True)
class Accepted:
    """A command the board has taken: requested and accepted arguments, in the units of the wire."""

    id: int
    op: int
    requested: tuple[Any, ...]
    accepted: tuple[Any, ...]


@dataclass(frozen=True)
class Executed:
    """A command the board has carried out: board time of beginning and end (s since boot), what was measured; code 0: as asked."""

    id: int
    op: int
    code: int
    begun_s: float
    ended_s: float
    measured: tuple[Any, ...]


@dataclass(frozen=True)
class Status:
    """The board at this instant: temperatures in mdegC, irradiance in uW/cm2, exposure in mJ/cm2."""

    state: int
    fault_code: int
    temp_mc: int
    setpoint_mc: int
    irradiance_uw_per_cm2: int
    exposure_mj_per_cm2: int
    step: int
    heap_free_bytes: int


class Board:
    """An open board. Make it with `await Board.connect(path)`; close() gives the port back."""

    def __init__(self, path: str, on_records: Callable[[Batch], None] | None = None):
        self.path = path
        self._loop = asyncio.get_running_loop()
        self._on_records = on_records
        self._inbox: deque[Batch] = deque()
        self._woken = False
        self._waiting: dict[tuple[int, int | None], asyncio.Future] = {}
        self._executed: dict[int, asyncio.Future] = {}
        self._listeners: list[Callable[[int, list[Any]], None]] = []
        self._next_id = secrets.randbelow(1 << 31)
        self.lost: asyncio.Future[RigError] = self._loop.create_future()
        self.description: dict[str, int] = {}
        self.welcome: Welcome | None = None
        self.link = Link(path, self._in_reader)

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
        self.link.close()

    def listen(self, listener: Callable[[int, list[Any]], None]) -> None:
        """Call listener(seq, body) in the event loop for every record, in sequence."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[int, list[Any]], None]) -> None:
        with contextlib.suppress(ValueError):
            self._listeners.remove(listener)

    # ---- questions

    async def hello(self) -> Welcome:
        """Greet the board. Raises RigError(PORT_NOT_A_RIG | PROTOCOL_MISMATCH | TABLE_MISMATCH)."""
        try:
            fields = await self._ask(
                (m.WELCOME, None),
                m.HELLO,
                m.PROTOCOL_MAJOR,
                m.PROTOCOL_MINOR,
                "remnant",
                every_s=HELLO_EVERY_S,
                give_up_s=HELLO_GIVE_UP_S,
            )
        except RigError as error:
            if error.code == codes.NO_ANSWER:
                raise RigError(codes.PORT_NOT_A_RIG, where=self.path) from None
            raise
        if len(fields) < 3:
            raise RigError(codes.PORT_NOT_A_RIG, where=self.path)
        if fields[1] != m.PROTOCOL_MAJOR:
            spoken = f"{fields[1]}.{fields[2]}"
            raise RigError(codes.PROTOCOL_MISMATCH, where=self.path, value=spoken, limit=f"{m.PROTOCOL_MAJOR}.{m.PROTOCOL_MINOR}")
        if len(fields) < 14 or not all(isinstance(fields[i], int) for i in (1, 2, *range(5, 14))):
            raise RigError(codes.PORT_NOT_A_RIG, where=self.path)
        self.welcome = Welcome(*fields[1:14])
        if self.welcome.table_hash != m.TABLE_HASH and self.welcome.minor <= m.PROTOCOL_MINOR:
            raise RigError(codes.TABLE_MISMATCH, where=self.path, value=self.welcome.table_hash, limit=m.TABLE_HASH)
        return self.welcome

    def silent_s(self) -> float:
        """Seconds since anything came from the board."""
        return time.monotonic() - self.link.heard_at

    async def ping(self) -> float:
        """Board time in seconds since its start."""
        token = self._new_id()
        answer = await self._ask((m.PONG, token), m.PING, token)
        return answer[2] + answer[3] / 1e6

    async def status(self) -> Status:
        accepted = await self.command(m.STATUS)
        return Status(*accepted.accepted[:STATUS_FIELDS])

    # ---- commands

    async def command(self, op: int, *arguments: Any) -> Accepted:
        """Send a command and return what the board accepted. Raises RigError with the board's code of refusal, NO_ANSWER or BOARD_LOST."""
        number = self._new_id()
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
        end = self._loop.time() + within_s
        while (status := await self.status()).state == m.STARTING:
            if self._loop.time() > end:
                raise RigError(codes.WRONG_STATE, where=self.path, value=status.state)
            await asyncio.sleep(0.02)
        if status.state == m.FAULTED:
            raise RigError(status.fault_code, where=self.path)
        if status.state != m.READY:
            raise RigError(codes.WRONG_STATE, where=self.path, value=status.state)

    # ---- inside

    def _new_id(self) -> int:
        self._next_id = (self._next_id + 1) & 0xFFFFFFFF
        return self._next_id

    async def _ask(
        self, key: tuple[int, int | None], *message: Any, every_s: float | None = None, give_up_s: float | None = None
    ) -> list[Any]:
        """Send a message every ANSWER_S, TRIES times, until the answer (number, first field) comes."""
        every_s = every_s or ANSWER_S
        give_up_s = give_up_s or ANSWER_S * TRIES
        future = self._waiting[key] = self._loop.create_future()
        end = self._loop.time() + give_up_s
        try:
            while True:
                self.link.send(*message)
                try:
                    return await self._or_lost(future, min(every_s, max(0.01, end - self._loop.time())))
                except TimeoutError:
                    if self._loop.time() >= end:
                        raise RigError(codes.NO_ANSWER, where=self.path, limit=give_up_s) from None
        finally:
            self._waiting.pop(key, None)

    async def _or_lost(self, future: asyncio.Future, timeout_s: float | None = None) -> Any:
        done, _ = await asyncio.wait({future, self.lost}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if future in done:
            return future.result()
        if self.lost in done:
            raise self.lost.result()
        raise TimeoutError

    def _in_reader(self, batch: Batch) -> None:
        """Reader thread: records to the journal at once, one wake-up of the loop for all that has piled up."""
        if self._on_records and (batch.records or batch.gaps):
            self._on_records(batch)
        self._inbox.append(batch)
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._inbox:
            batch = self._inbox.popleft()
            for fields in batch.answers:
                self._answered(fields)
            for seq, _, fields in batch.records:
                if fields[0] == m.EXECUTED:
                    self._was_executed(fields)
                for listener in tuple(self._listeners):
                    listener(seq, fields)
            if batch.lost and not self.lost.done():
                self.lost.set_result(batch.lost)

    def _answered(self, fields: list[Any]) -> None:
        key = (fields[0], None) if fields[0] == m.WELCOME else (fields[0], fields[1] if len(fields) > 1 else None)
        future = self._waiting.get(key)
        if future and not future.done():
            future.set_result(fields)

    def _was_executed(self, fields: list[Any]) -> None:
        future = self._executed.get(fields[4])
        if future and not future.done():
            begun_s, ended_s = fields[7] + fields[8] / 1e6, fields[2] + fields[3] / 1e6
            future.set_result(Executed(fields[4], fields[5], fields[6], begun_s, ended_s, tuple(fields[9:])))
