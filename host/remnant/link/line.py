"""One open line: a reader thread that frames, counts, grants credit and puts records in order; everything else hears of it in batches.

The reader thread alone reads; writes take a lock and are short. Records leave here in sequence: a hole is asked for again (order.py), and
what the board has no longer live may come as a page of its history. Nothing here waits for a consumer. The board has at most 255 bytes on
the way, so the credit goes back from this thread at once, before anybody looks at what was read.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import msgpack
import serial

from remnant_protocol import errors as codes
from remnant_protocol import frame
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError
from remnant_protocol.schema import EVENTS, MESSAGES

from .batch import Batch, new_stream
from .opening import opened, reader
from .order import Order

ACK_EVERY_S = 0.4
COUNT_MASK = 0xFFFF
_WELCOME_FIELDS = 12  # as many as are read here
_UID, _BOOT_ID, _FIRST_SEQ = 4, 7, 10  # in WELCOME
_SHORTEST = {number: 1 + sum(not field.endswith("*") for field in fields) for number, (_, fields) in MESSAGES.items()}


class Link:
    """A line to a board. `on_batch(Batch)` is called in the reader thread; after a batch with `lost` nothing more comes."""

    def __init__(self, path: str, on_batch: Callable[[Batch], None], uid: str | None = None):
        """Open the port. uid: the only board whose records are wanted. Raises RigError(PORT_NOT_FOUND | PORT_NOT_A_RIG)."""
        self.path = path
        self.uid = uid
        self._on_batch = on_batch
        self._serial = opened(path)
        self._write_lock = threading.Lock()
        self._parser = frame.Parser(self._on_body)
        self._order = Order(self._resend, lambda: self.bad_frames)
        self._batch = Batch()
        self._stream = 0
        self._wanted: tuple[int, int, int] | None = None  # boot, number to go back to, stream from then on
        self._received = 0
        self._boot_id = 0
        self._committed_seq = 0
        self._foreign = False
        self._greetings = 0  # HELLOs without a WELCOME so far
        self._acked_at = 0.0
        self._closing = False
        self.bytes_received = 0
        self.bad_bodies = 0
        self.heard_at = time.monotonic()
        self._read_some = reader(self._serial)
        self._thread = threading.Thread(target=self._read, name=f"line {path}", daemon=True)
        self._thread.start()

    def send(self, *fields: Any) -> None:
        """Send one message. A line that has gone is told by the reader, not here."""
        coded = frame.encode(msgpack.packb(fields, use_bin_type=True))
        if fields[0] == m.HELLO:
            self._greetings += 1
        with contextlib.suppress(serial.SerialException, OSError, TypeError), self._write_lock:
            self._serial.write(coded)

    @property
    def bad_frames(self) -> int:
        """Frames that were damaged or held no message."""
        parser = self._parser
        return parser.bad_crc + parser.bad_cobs + parser.too_long + self.bad_bodies

    @property
    def expected_seq(self) -> int | None:
        """The number of the next live record; None before WELCOME."""
        return self._order.expected

    def committed(self, seq: int, boot_id: int | None = None) -> None:
        """Every record up to `seq` of a boot (None: the present one) is kept: the board may forget them."""
        if boot_id in (None, self._boot_id) and seq > self._committed_seq:
            self._committed_seq = seq
            self._acknowledge()

    def page_kept(self, number: int) -> None:
        """This page of the board's history is on disk."""
        self.send(m.PAGE_KEPT, number)

    def go_back(self, boot_id: int, seq: int) -> int:
        """Have the board begin again with `seq`; return the number of the stream that begins there. May be called from any thread."""
        stream = new_stream()
        self._wanted = (boot_id, seq, stream)
        return stream

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
            if self._wanted:
                self._begin_again()
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
            batch.boot_id, batch.stream = self._boot_id, self._stream
            self._on_batch(batch)

    def _nothing_came(self) -> None:
        if self._boot_id and time.monotonic() - self._acked_at > ACK_EVERY_S:
            self._acknowledge()
        self._order.nothing_came()

    def _acknowledge(self) -> None:
        if self._boot_id:
            self._acked_at = time.monotonic()
            self.send(m.ACK, self._received, self._boot_id, self._committed_seq)

    def _resend(self, seq: int) -> None:
        self.send(m.RESEND, self._boot_id, seq)

    def _begin_again(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted and wanted[0] == self._boot_id:
            self._hand_over()
            self._order.begin(wanted[1])
            self._stream = wanted[2]
            self._resend(wanted[1])

    def _on_body(self, body: bytes) -> None:
        try:
            fields = msgpack.unpackb(body, raw=False, strict_map_key=False, max_array_len=64, max_map_len=64)
        except (ValueError, TypeError, msgpack.UnpackException):  # TypeError: a key that cannot be one
            self.bad_bodies += 1
            return
        if not _is_message(fields):
            self.bad_bodies += 1
        elif fields[0] == m.HISTORY:
            if self._boot_id and not self._foreign:
                self._batch.pages.append(fields)
        elif fields[0] < m.TELEMETRY:
            if fields[0] == m.WELCOME:
                self._welcome(body, fields)
            self._batch.answers.append(fields)
        elif not self._foreign and self._order.take(fields[1]):
            self._batch.records.append((fields[1], body, fields))

    def _welcome(self, body: bytes, fields: list[Any]) -> None:
        """The board's count begins with this frame: so does ours, whatever came before."""
        self._greetings = max(0, self._greetings - 1)  # each HELLO has its WELCOME, and each of them sets the count anew
        self._received = len(frame.encode(body))
        if len(fields) < _WELCOME_FIELDS or not all(isinstance(field, int) for field in fields[_BOOT_ID:_WELCOME_FIELDS]):
            return  # another protocol: whoever asked sees its version
        self._foreign = self.uid is not None and fields[_UID] != self.uid
        if fields[_BOOT_ID] == self._boot_id:
            self._order.greeted()
            return
        self._hand_over()
        self._boot_id = fields[_BOOT_ID]
        self._committed_seq = 0
        self._order.begin(fields[_FIRST_SEQ])
        self._stream = new_stream()


def _is_message(fields: Any) -> bool:
    """True for an array that has the fields its number promises; a record's sequence number and time are integers."""
    if not isinstance(fields, list) or not fields or not isinstance(fields[0], int):
        return False
    if fields[0] == m.WELCOME:
        return True  # the version in it decides what the rest is
    if len(fields) < _SHORTEST.get(fields[0], 4):
        return False
    if fields[0] == m.HISTORY:
        return all(isinstance(field, int) for field in fields[1:5]) and isinstance(fields[5], bytes)
    if fields[0] < m.TELEMETRY:
        return True
    if not all(isinstance(field, int) for field in fields[1:4]):
        return False
    if fields[0] != m.EVENT:
        return True
    return isinstance(fields[4], int) and len(fields) >= 5 + len(EVENTS.get(fields[4], ("", ()))[1])


def _to_delimiters(data: bytes) -> list[bytes]:
    """Split behind each frame delimiter."""
    pieces = data.split(b"\0")
    last = pieces.pop()
    return [piece + b"\0" for piece in pieces] + [last]
