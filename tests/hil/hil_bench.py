"""What the tests of this folder stand on: a Bench keeps one rig open, lets board time pass and cleans up; a Line is a host of bare frames.

Time limits are board seconds. A board may run at any rate beside the wall (the virtual one leaps, an emulated one is slower or faster),
so a limit is read from board time and the wall only bounds how long a board that says nothing is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from binascii import crc32

import msgpack
import serial

from remnant import open_rig
from remnant.board import Board
from remnant.rig import Records, Rig
from remnant_protocol import errors as codes
from remnant_protocol import frame, packing
from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

HEATER_OFF_MC = -300_000
SAFE_TEMP_MC = 40_000
LAMP_UW_PER_CM2 = 5_000
GRACE_S = 2.0  # wall: answers overtake records, so what a PONG says is over may still be on the line
SILENT_S = 20.0  # wall: nothing at all from the board for so long is a failure
READINESS_S = 30.0  # board: a fault's cause has to be gone and seen to be gone
CREDIT_BYTES = 255
SENSOR_FAULTS = (codes.SENSOR_OPEN, codes.SENSOR_SHORT, codes.SENSOR_STALE, codes.SENSOR_SLOPE)


class Bench:
    """One rig for all tests. rig: the open one; records: bodies since the test began; simulated, can_fault, wires: what it can do."""

    def __init__(self, spec, wires=(), absent=(), hot=False):
        self.spec = spec
        self.wires = frozenset(wires)
        self.absent = frozenset(absent)
        self.target_max_mc = 80_000 if hot else SAFE_TEMP_MC
        self.rig = None
        self.records = []
        self.net_nl = {}  # volumes measured so far, by pump; for tests that add them up
        self._stack = None
        self._speed = None
        self._virtual = None
        self._away = False
        self._settled = False
        self._faults = set()

    @property
    def board(self):
        return self.rig.board

    @property
    def limits(self):
        return self.board.description

    @property
    def alive(self):
        return self._stack is not None and not self._away and not self.board.lost.done()

    @property
    def simulated(self):
        return self._virtual is not None

    @property
    def can_fault(self):
        return self._virtual is not None

    # ---- open, settle, close

    async def open(self, speed):
        """A rig that is READY with everything off. speed: how a virtual board paces itself (0: it leaps); others have their own."""
        speed = speed if self.spec == "virtual" else None
        if self._stack and (speed != self._speed or not (self._away or self.alive)):
            await self.close()
        if self._stack is None:
            scenario = {} if speed is None else {"speed": speed}
            stack = contextlib.AsyncExitStack()
            self.rig = await stack.enter_async_context(open_rig(self.spec, **scenario))
            self.board.listen(lambda _seq, body: self.records.append(body))
            self._stack, self._speed = stack, speed
            self._virtual = self.rig.virtual
            await self.done(m.HEATER, None, 0)  # a virtual board's time stands still until something has been asked
        elif self._away:
            await self.reconnect()
        if not self._settled:
            await self.settle()
        self._settled = False

    async def close(self):
        stack, self._stack, self._settled = self._stack, None, False
        if stack:
            self.board.close()
            await stack.aclose()

    async def settle(self):
        """Mend what was broken, end what is going on, switch everything off, start an empty list of records."""
        for name in list(self._faults):
            self.mend(name)
        await self.stop()
        while (status := await self.board.status()).state == m.FAULTED:
            await self.clear()
            if status.fault_code in SENSOR_FAULTS:
                await self.wait_board_s(1.5)  # a slope that a mended sensor leaves behind shows within its second
        await self.stop()
        if status.fault_code:
            await self.clear()  # a pump that had failed
        await self.board.ready()
        self.records.clear()
        self._settled = True

    async def stop(self):
        """Everything off; returns the OUTPUTS_OFF record, before which all earlier records have come."""
        seen = len(self.records)
        await self.board.command(m.STOP)
        return await self.record(lambda r: is_event(r, m.OUTPUTS_OFF) and r[5] == m.BY_STOP, since=seen)

    async def clear(self):
        """Leave FAULTED, as soon as the board agrees that the cause is gone."""
        end = await self.board.ping() + READINESS_S
        while True:
            try:
                await self.board.command(m.CLEAR)
                return
            except RigError as error:
                if error.code != codes.CAUSE_REMAINS or await self.board.ping() > end:
                    raise
            await asyncio.sleep(0.05)

    def break_(self, name):
        """Break a part of the simulated rig (boards/plant/faults.py) until `mend` or the end of the test."""
        self._faults.add(name)
        self._virtual.set_fault(name, True)

    def mend(self, name):
        self._faults.discard(name)
        self._virtual.set_fault(name, False)

    async def leave(self):
        """The host goes away: the port is given back, the board stays as it is."""
        self._away = True
        await asyncio.to_thread(self.board.close)

    async def reconnect(self):
        """Another host comes; its records are added to `records`, from the oldest that the board still keeps."""
        self._away = False
        kept, into, boards = Records(), self.records, []

        def take(batch):
            kept.take(batch)
            into.extend(body for _, _, body in batch.records)
            for page in batch.pages if boards else ():  # what comes before is sent again
                into.extend(msgpack.unpackb(body, strict_map_key=False) for body in packing.unpack(page[5]))
                boards[0].link.send(m.PAGE_KEPT, page[1])

        board = await Board.connect(self.board.path, take)
        boards.append(board)
        self.rig = Rig(board, kept, {}, self._virtual)
        kept.by_hand(board)

    @contextlib.asynccontextmanager
    async def line(self):
        """The board with a host of bare frames instead of the library's."""
        await self.leave()
        line = Line(self.board.path)
        try:
            line.hello()
            yield line
        finally:
            line.close()
            await self.reconnect()

    # ---- time

    async def wait_board_s(self, seconds):
        """Let at least so much board time pass."""
        begun = await self.board.ping()
        while (left := begun + seconds - await self.board.ping()) > 0:
            await asyncio.sleep(min(0.2, max(0.005, left / 4)))

    async def rate(self):
        """Board seconds in a second of the wall, now."""
        wall, begun = time.monotonic(), await self.board.ping()
        await asyncio.sleep(0.2)
        return max(0.05, (await self.board.ping() - begun) / (time.monotonic() - wall))

    async def within(self, seconds, awaitable):
        """The result of `awaitable`; AssertionError when so much board time passes without it."""
        task = asyncio.ensure_future(awaitable)
        now = await self.board.ping()
        end, moved_at = now + seconds, time.monotonic()
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=0.05)
                before, now = now, await self.board.ping()
                if now > before:
                    moved_at = time.monotonic()
                assert task.done() or time.monotonic() - moved_at < SILENT_S, "board time stands still"
                if not task.done() and now > end:
                    await asyncio.wait({task}, timeout=GRACE_S)
                    assert task.done(), f"it did not happen within {seconds} s of board time"
            return task.result()
        finally:
            task.cancel()

    # ---- records and commands

    async def record(self, wanted, within_s=10.0, since=0):
        """The first record from number `since` of `records` on for which wanted(body) is true."""

        async def look():
            at = since
            while True:
                while at < len(self.records):
                    if wanted(self.records[at]):
                        return self.records[at]
                    at += 1
                await asyncio.sleep(0.002)

        return await self.within(within_s, look())

    async def event(self, event, within_s=10.0, since=0):
        return await self.record(lambda r: is_event(r, event), within_s, since)

    async def telemetry(self, count=1, within_s=10.0):
        """The next `count` TELEMETRY records that are made from now on."""
        now = await self.board.ping()
        fresh = []
        at = len(self.records)
        while len(fresh) < count:
            body = await self.record(lambda r: r[0] == m.TELEMETRY and r[2] + r[3] / 1e6 >= now, within_s, at)
            at = self.records.index(body) + 1
            fresh.append(body)
        return fresh

    async def refused(self, op, *arguments):
        """The RigError with which the board refuses a command."""
        try:
            accepted = await self.board.command(op, *arguments)
        except RigError as error:
            return error
        raise AssertionError(f"command {op} {arguments} was accepted as {accepted.accepted}")

    async def done(self, op, *arguments, within_s=60.0):
        """Carry out a command by hand to its end."""
        return await self.within(within_s, self.board.executed(await self.board.command(op, *arguments)))

    async def run(self, body, telemetry_ms=1000, cells_mask=1):
        """Upload a program and start it; returns its run_id."""
        run_id = secrets.token_bytes(16)
        await self.board.upload(program(body, telemetry_ms, cells_mask))
        await self.board.command(m.START, run_id)
        return run_id

    async def is_off(self):
        """Assert that heater and lamp are off and stay off."""
        for body in await self.telemetry(2):
            assert (body[6], body[8], body[9]) == (HEATER_OFF_MC, 0, 0)

    async def warmer_mc(self, by_mc):
        """A setpoint that much above the present temperature and inside what the tests may use; a block that is too warm cools first."""
        lowest_mc = self.limits["temp_min_mc"]
        start_mc = self.target_max_mc - by_mc - 1000
        if (temp_mc := (await self.board.status()).temp_mc) > start_mc:
            await self.board.command(m.HEATER, lowest_mc, 0)  # nothing heats, and virtual time leaps while an output is asked for
            await self.record(lambda r: r[0] == m.TELEMETRY and r[7] <= start_mc - 2000, within_s=3600)
            await self.stop()
            self.records.clear()
            temp_mc = (await self.board.status()).temp_mc
        return max(temp_mc, lowest_mc) + by_mc


class Line:
    """A host of bare frames. bodies: decoded, in the order they came; received: bytes counted since WELCOME, modulo 65536."""

    def __init__(self, path):
        self._port = serial.Serial(path, 115200, timeout=0.02, write_timeout=2.0, exclusive=True)
        self._parser = frame.Parser(self._on_body)
        self._id = secrets.randbelow(1 << 30)
        self.bodies = []
        self.received = 0
        self.boot_id = 0

    def close(self):
        self._port.close()

    def new_id(self):
        self._id += 1
        return self._id

    def write(self, data):
        self._port.write(data)

    def send(self, *fields):
        self.write(coded(*fields))

    def read(self):
        """Take what is there; returns how many bytes."""
        data = self._port.read(4096)
        pieces = data.split(b"\0")
        for piece in [*(piece + b"\0" for piece in pieces[:-1]), pieces[-1]]:
            self.received = (self.received + len(piece)) & 0xFFFF
            self._parser.feed(piece)
        return len(data)

    def hello(self):
        """Greet; returns WELCOME. What was read before is forgotten."""
        self.bodies.clear()
        self.send(m.HELLO, m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, "hil")
        return self.until(lambda body: body[0] == m.WELCOME)

    def acknowledge(self, committed=0):
        """Tell the count of bytes, and up to which record they are kept."""
        self.send(m.ACK, self.received, self.boot_id, committed)

    def until(self, wanted, at=0, committed=0):
        """Read on, giving credit, to the first body from number `at` on for which wanted(body) is true."""
        end = time.monotonic() + SILENT_S
        while True:
            while at < len(self.bodies):
                if wanted(self.bodies[at]):
                    return self.bodies[at]
                at += 1
            assert time.monotonic() < end, f"it did not come within {SILENT_S} s of the wall"
            if self.read() and self.boot_id:
                self.acknowledge(committed)

    def ask(self, op, *arguments, number=None):
        """Send a command; returns the REPLY that comes to it."""
        number = self.new_id() if number is None else number
        at = len(self.bodies)
        self.send(m.COMMAND, number, op, *arguments)
        return self.until(lambda body: body[:2] == [m.REPLY, number], at)

    def serves(self):
        """Assert normal service: a PING is answered, the second one at the latest, and so is a STATUS."""
        token = self.new_id()
        end = time.monotonic() + 1.0
        self.send(m.PING, token)
        while [m.PONG, token] not in [body[:2] for body in self.bodies] and time.monotonic() < end:
            if self.read():
                self.acknowledge()
        self.send(m.PING, token)
        self.until(lambda body: body[:2] == [m.PONG, token])
        assert self.ask(m.STATUS)[2] == codes.OK

    @property
    def records(self):
        return [body for body in self.bodies if body[0] >= m.TELEMETRY]

    def _on_body(self, body):
        fields = msgpack.unpackb(body, strict_map_key=False)
        if fields[0] == m.WELCOME:
            self.received = len(frame.encode(bytes(body)))
            self.boot_id = fields[7]
        if fields[0] == m.HISTORY:
            self.bodies.extend(msgpack.unpackb(record, strict_map_key=False) for record in packing.unpack(fields[5]))
            self.send(m.PAGE_KEPT, fields[1])
            return
        self.bodies.append(fields)


def coded(*fields):
    """One frame."""
    return frame.encode(msgpack.packb(fields))


def is_event(body, event):
    return body[0] == m.EVENT and body[4] == event


def at_s(body):
    """Board time of a record."""
    return body[2] + body[3] / 1e6


def program(body, telemetry_ms=1000, cells_mask=1):
    """A program's bytes."""
    return p.encode([p.VERSION, telemetry_ms, cells_mask, [0, 0, 0], [p.HOST_LOST_CONTINUE, 0], body])


def wait_s(seconds):
    """The operation that waits for a time."""
    return [p.WAIT, [p.DURATION, round(seconds * 1000)], 0, 0]


def begin_arguments(data):
    return len(data), crc32(data)
