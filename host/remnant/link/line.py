"""One open line: a reader thread that frames, counts, grants credit and puts records in order; everything else hears of it in batches.

The reader thread alone reads; writes take a lock and are short. Records leave here in sequence without holes: a hole is asked for again
(RESEND) and, if the board no longer has it, is told as a gap. Nothing here waits for a consumer.
"""

from __future__ import annotations

import contextlib
import errno
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

READ_TIMEOUT_S = 0.1
ACK_EVERY_S = 0.4
RESEND_AGAIN_S = 1.0
COUNT_MASK = 0xFFFF


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
        self._resend_for: int | None = None
        self._resend_at = 0.0
        self._discarded_to = 0
        self._acked_at = 0.0
        self._closing = False
        self.bytes_received = 0
        self.bad_frames = 0
        self._thread = threading.Thread(target=self._read, name=f"line {path}", daemon=True)
        self._thread.start()

    def send(self, *fields: Any) -> None:
        """Send one message. A line that has gone is told by the reader, not here."""
        coded = frame.encode(msgpack.packb(fields, use_bin_type=True))
        with contextlib.suppress(serial.SerialException, OSError), self._write_lock:
            self._serial.write(coded)

    def committed(self, seq: int) -> None:
        """Every record up to `seq` is on disk: the board may forget them."""
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
                data = self._serial.read(self._serial.in_waiting or 1)
            except (OSError, serial.SerialException, TypeError):
                if not self._closing:
                    lost = RigError(codes.BOARD_LOST, where=self.path)
                break
            if data:
                self.bytes_received += len(data)
                self._received = (self._received + len(data)) & COUNT_MASK
                self._parser.feed(data)
                self._acknowledge()
            else:
                self._nothing_came()
            self._hand_over()
        if lost:
            self._batch.lost = lost
            self._hand_over()

    def _hand_over(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            self._on_batch(batch)

    def _nothing_came(self) -> None:
        now = time.monotonic()
        if self._boot_id and now - self._acked_at > ACK_EVERY_S:
            self._acknowledge()
        if self._resend_for is not None and now - self._resend_at > RESEND_AGAIN_S:
            self._ask_again()

    def _acknowledge(self) -> None:
        if self._boot_id:
            self._acked_at = time.monotonic()
            self.send(m.ACK, self._received, self._boot_id, self._committed_seq)

    def _on_body(self, body: bytes) -> None:
        try:
            fields = msgpack.unpackb(body, raw=False, strict_map_key=False, max_array_len=64, max_map_len=64)
        except (ValueError, msgpack.UnpackException):
            self.bad_frames += 1
            return
        if not isinstance(fields, list) or not fields or not isinstance(fields[0], int):
            self.bad_frames += 1
        elif fields[0] < m.TELEMETRY:
            if fields[0] == m.WELCOME and len(fields) > 11:
                self._welcome(body, fields)
            self._batch.answers.append(fields)
        elif len(fields) > 3 and isinstance(fields[1], int):
            self._record(fields[1], body, fields)

    def _welcome(self, body: bytes, fields: list[Any]) -> None:
        """The board's count begins with this frame: so does ours, whatever garbage came before."""
        self._received = len(frame.encode(body))
        if fields[7] != self._boot_id:
            self._boot_id = fields[7]
            self._committed_seq = 0
            self._expected_seq = fields[10]
        self._resend_for = None

    def _record(self, seq: int, body: bytes, fields: list[Any]) -> None:
        expected = self._expected_seq
        if expected is None or seq < expected:
            return  # known already
        if seq > expected:
            if self._resend_for != expected:
                self._resend_for = expected
                self._discarded_to = seq
                self._ask_again()
                return
            if seq > self._discarded_to:  # still from before the board went back
                self._discarded_to = seq
                return
            self._batch.gaps.append((expected, seq - 1))
        self._resend_for = None
        self._expected_seq = seq + 1
        self._batch.records.append((seq, body, fields))

    def _ask_again(self) -> None:
        self._resend_at = time.monotonic()
        self.send(m.RESEND, self._boot_id, self._expected_seq)


def _opened(path: str) -> serial.Serial:
    try:
        port = serial.Serial(path, 115200, timeout=READ_TIMEOUT_S, write_timeout=2.0, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        number = getattr(error, "errno", None)
        if number == errno.EACCES:
            text = f"you may not open {path}. Join the group that owns it (`sudo usermod -aG dialout $USER`), then log in again"
            raise RigError(codes.PORT_NOT_FOUND, where=path, text=text) from None
        if number in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in str(error):
            raise RigError(codes.PORT_NOT_FOUND, where=path, text=f"{path} is in use by another program. Close it and try again") from None
        if number == errno.ENOENT:
            raise RigError(codes.PORT_NOT_FOUND, where=path) from None
        raise RigError(codes.PORT_NOT_A_RIG, where=path, text=f"{path} is no serial port that can be opened ({error})") from None
    return port
