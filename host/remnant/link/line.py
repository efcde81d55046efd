"""One open line: a reader thread that frames, counts, grants credit and puts records in order; everything else hears of it in batches.

The reader thread alone reads; writes take a lock and are short. Records leave here in sequence without holes: a hole is asked for again
(RESEND) and, if the board no longer has it, is told as a gap. Nothing here waits for a consumer. The board has at most 255 bytes on the
way, so the credit goes back from this thread at once, before anybody looks at what was read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack
import serial

from remnant_protocol import errors as codes
from remnant_protocol import frame
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError
from remnant_protocol.schema import EVENTS, MESSAGES

READ_TIMEOUT_S = 0.1
READ_BYTES = 4096
ACK_EVERY_S = 0.4
RESEND_AGAIN_S = 1.0
RESEND_TRIES = 2
COUNT_MASK = 0xFFFF
_WELCOME_FIELDS = 12  # as many as are read here
_SHORTEST = {number: 1 + sum(not field.endswith("*") for field in fields) for number, (_, fields) in MESSAGES.items()}


@dataclass
class Batch:
    """What one read brought. answers: decoded bodies; records: (seq, body bytes, decoded body) in sequence; gaps: (first, last) lost."""

    answers: list[list[Any]] = field(default_factory=list)
    records: list[tuple[int, bytes, list[Any]]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    lost: RigError | None = None

    def __bool__(self) -> bool:
        return bool(self.answers or self.records or self.gaps or self.lost)


class Link:
    """A line to a board. `on_batch(Batch)` is called in the reader thread; after a batch with `lost` nothing more comes."""

    def __init__(self, path: str, on_batch: Callable[[Batch], None]):
        """Open the port. Raises RigError(PORT_NOT_FOUND | BOARD_LOST) when it cannot be opened."""
        self.path = path
        self._on_batch = on_batch
        self._serial = _opened(path)
        self._write_lock = threading.Lock()
        self._parser = frame.Parser(self._on_body)
        self._batch = Batch()
        self._received = 0
        self._boot_id = 0
        self._committed_seq = 0
        self._expected_seq: int | None = None
        self._resend_tries = 0  # for the record that is missing now; 0: none is
        self._resend_at = 0.0
        self._newest_seen = 0
        self._greetings = 0  # HELLOs without a WELCOME so far
        self._acked_at = 0.0
        self._closing = False
        self.bytes_received = 0
        self.bad_bodies = 0
        self.heard_at = time.monotonic()
        self._read_some = _reader(self._serial)
        self._thread = threading.Thread(target=self._read, name=f"line {path}", daemon=True)
        self._thread.start()

    def send(self, *fields: Any) -> None:
        """Send one message. A line that has gone is told by the reader, not here."""
        coded = frame.encode(msgpack.packb(fields, use_bin_type=True))
        if fields[0] == m.HELLO:
            self._greetings += 1
        with contextlib.suppress(serial.SerialException, OSError), self._write_lock:
            self._serial.write(coded)

    @property
    def bad_frames(self) -> int:
        """Frames that were damaged or held no message."""
        parser = self._parser
        return parser.bad_crc + parser.bad_cobs + parser.too_long + self.bad_bodies

    def committed(self, seq: int) -> None:
        """Every record up to `seq` is kept: the board may forget them."""
        if seq > self._committed_seq:
            self._committed_seq = seq
            self._acknowledge()

    def close(self) -> None:
        """Stop reading and give the port back."""
        self._closing = True
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.cancel_read()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)
        with contextlib.suppress(OSError, serial.SerialException):
            self._serial.close()

    # ---- reader thread

    def _read(self) -> None:
        lost = None
        while not self._closing:
            try:
                data = self._read_some()
            except (OSError, serial.SerialException, TypeError):  # TypeError: pyserial, when the port is closed under it
                if not self._closing:
                    lost = RigError(codes.BOARD_LOST, where=self.path)
                break
            if data:
                self._take(data)
                self._acknowledge()
            else:
                self._nothing_came()
            self._hand_over()
        if lost:
            self._batch.lost = lost
            self._hand_over()

    def _take(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        self.bytes_received += len(data)
        if not self._greetings:
            self._received = (self._received + len(data)) & COUNT_MASK
            self._parser.feed(data)
            return
        for piece in _to_delimiters(data):  # WELCOME sets the count to zero: bytes behind it must be counted after it
            self._received = (self._received + len(piece)) & COUNT_MASK
            self._parser.feed(piece)

    def _hand_over(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            self._on_batch(batch)

    def _nothing_came(self) -> None:
        now = time.monotonic()
        if self._boot_id and now - self._acked_at > ACK_EVERY_S:
            self._acknowledge()
        if self._resend_tries and now - self._resend_at > RESEND_AGAIN_S:
            self._ask_again()

    def _acknowledge(self) -> None:
        if self._boot_id:
            self._acked_at = time.monotonic()
            self.send(m.ACK, self._received, self._boot_id, self._committed_seq)

    def _on_body(self, body: bytes) -> None:
        try:
            fields = msgpack.unpackb(body, raw=False, strict_map_key=False, max_array_len=64, max_map_len=64)
        except (ValueError, msgpack.UnpackException):
            self.bad_bodies += 1
            return
        if not _is_message(fields):
            self.bad_bodies += 1
        elif fields[0] < m.TELEMETRY:
            if fields[0] == m.WELCOME:
                self._welcome(body, fields)
            self._batch.answers.append(fields)
        else:
            self._record(fields[1], body, fields)

    def _welcome(self, body: bytes, fields: list[Any]) -> None:
        """The board's count begins with this frame: so does ours, whatever came before."""
        self._greetings = max(0, self._greetings - 1)  # each HELLO has its WELCOME, and each of them sets the count anew
        self._received = len(frame.encode(body))
        if len(fields) < _WELCOME_FIELDS or not all(isinstance(field, int) for field in fields[7:12]):
            return  # another protocol: whoever asked sees its version
        if fields[7] != self._boot_id:
            self._boot_id = fields[7]
            self._committed_seq = 0
            self._expected_seq = fields[10]
        self._resend_tries = self._newest_seen = 0

    def _record(self, seq: int, body: bytes, fields: list[Any]) -> None:
        expected = self._expected_seq
        went_back = seq <= self._newest_seen
        self._newest_seen = seq
        if expected is None or seq < expected:
            return  # known already
        if seq > expected:
            if not self._resend_tries:
                self._ask_again()
                return
            waited = time.monotonic() - self._resend_at > RESEND_AGAIN_S
            if not went_back and not (waited and self._resend_tries >= RESEND_TRIES):
                if waited:
                    self._ask_again()
                return  # from before the board went back
            self._batch.gaps.append((expected, seq - 1))
        self._resend_tries = 0
        self._expected_seq = seq + 1
        self._batch.records.append((seq, body, fields))

    def _ask_again(self) -> None:
        self._resend_at = time.monotonic()
        self._resend_tries += 1
        self.send(m.RESEND, self._boot_id, self._expected_seq)


def _is_message(fields: Any) -> bool:
    """True for an array that has the fields its number promises; a record's sequence number and time are integers."""
    if not isinstance(fields, list) or not fields or not isinstance(fields[0], int):
        return False
    if fields[0] == m.WELCOME:
        return True  # the version in it decides what the rest is
    if len(fields) < _SHORTEST.get(fields[0], 4):
        return False
    if fields[0] < m.TELEMETRY:
        return True
    if not all(isinstance(field, int) for field in fields[1:4]):
        return False
    return fields[0] != m.EVENT or len(fields) >= 5 + len(EVENTS.get(fields[4], ("", ()))[1])


def _to_delimiters(data: bytes) -> list[bytes]:
    """Split behind each frame delimiter."""
    pieces = data.split(b"\0")
    last = pieces.pop()
    return [piece + b"\0" for piece in pieces] + [last]


def _reader(port: serial.Serial) -> Callable[[], bytes]:
    """Return what reads all that is there, or waits READ_TIMEOUT_S for something.

    On POSIX one poll and one read a turn; pyserial's own read takes the first byte alone, which doubles the turns of a line on credit.
    """
    if not hasattr(select, "poll"):
        return lambda: port.read(port.in_waiting or 1)
    descriptor = port.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)

    def read() -> bytes:
        if not poll.poll(READ_TIMEOUT_S * 1000):
            return b""
        data = os.read(descriptor, READ_BYTES)
        if not data:
            raise OSError(errno.EIO, "the other end has hung up")
        return data

    return read


def _opened(path: str) -> serial.Serial:
    try:
        return serial.Serial(path, 115200, timeout=READ_TIMEOUT_S, write_timeout=2.0, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        number, told = getattr(error, "errno", None), str(error)
    if number in (errno.EACCES, errno.EPERM):
        text = f"you may not open {path}. Join the group that owns it (`sudo usermod -aG dialout $USER`), then log in again"
        raise RigError(codes.PORT_NOT_FOUND, where=path, text=text)
    if number in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in told:
        raise RigError(codes.PORT_NOT_FOUND, where=path, text=f"{path} is in use by another program. Close it and try again")
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        raise RigError(codes.PORT_NOT_FOUND, where=path)
    raise RigError(codes.PORT_NOT_A_RIG, where=path, text=f"{path} is no serial port that can be opened ({told})")
