"""The journal: numbered records in a ring of bytes, kept until the host has them on disk.

A record is one msgpack body (at most 249 bytes) behind its length byte. Three places in the ring: `tail` (oldest kept), `cursor` (next
to send), `head` (next to write). When the ring is full the oldest record gives way; what was lost is told by a GAP record as soon as
there is room to tell it.
"""

from micropython import const

from remnant_protocol import codec
from remnant_protocol.messages import EVENT, GAP

RING_BYTES = const(8192)
_BODY_MAX = const(249)
_AT_ONCE = const(4)  # dropping a record takes 0.1 ms on an RP2040


class Journal:
    """first_seq..next_seq-1 are kept; used: bytes taken; lost: records that gave way since start."""

    def __init__(self, clock, size=RING_BYTES):
        self._clock = clock
        self._ring = bytearray(size)
        self._view = memoryview(self._ring)
        self._size = size
        self._body = bytearray(_BODY_MAX + 64)
        self._head = self._tail = self._cursor = 0
        self.used = 0
        self.first_seq = self.next_seq = self.cursor_seq = 1
        self.lost = 0
        self._gap_first = 0
        self._gap_last = 0
        self._acknowledged = 0

    def event(self, event, *args):
        """Write an EVENT record."""
        self.write(EVENT, event, *args)

    def write(self, message, *fields):
        """Write a record of any kind: sequence number and board time are put in here. Allocates; telemetry uses `append`."""
        if message != GAP:
            self.tell_gap()
        clock = self._clock
        body = self._body
        end = codec.encode_into([message, self.next_seq, clock.s, clock.us] + list(fields), body, 0)
        self.append(body, end)

    def append(self, body, length):
        """Keep `length` bytes of `body` as record number next_seq. `length` is at most 249."""
        if length > _BODY_MAX:
            raise ValueError("record of %d bytes" % length)
        need = length + 1
        head = self._head
        if head + need > self._size:
            rest = self._size - head
            self._make_room(rest + need)
            if self.used == 0:
                head = 0
            else:
                if rest:
                    self._ring[head] = 0
                self.used += rest
                head = 0
        else:
            self._make_room(need)
        if self.used == 0:
            head = self._tail = self._cursor = 0
        elif self.cursor_seq == self.next_seq:
            self._cursor = head
        ring = self._ring
        ring[head] = length
        ring[head + 1 : head + need] = memoryview(body)[:length]
        self._head = head + need
        self.used += need
        self.next_seq += 1

    def peek(self):
        """The next record to send as a memoryview, None when all are sent."""
        if self.cursor_seq == self.next_seq:
            return None
        at = self._cursor
        if at >= self._size or self._ring[at] == 0:
            at = self._cursor = 0
        return self._view[at + 1 : at + 1 + self._ring[at]]

    def sent(self):
        """The record of the last peek() is on the line."""
        self._cursor += self._ring[self._cursor] + 1
        self.cursor_seq += 1

    def acknowledge(self, seq):
        """The host has every record up to `seq` on disk; out-of-range numbers are ignored."""
        if self._acknowledged < seq < self.next_seq:
            self._acknowledged = seq
            self.forget(_AT_ONCE)

    def forget(self, most):
        """Drop acknowledged records; the control tick takes what is left. A host back from a pause acknowledges hundreds at once."""
        for _ in range(most):
            if self.first_seq > self._acknowledged:
                return
            self._drop()

    def rewind(self, seq):
        """Send again from `seq`, or from the oldest that is kept."""
        self._cursor = self._tail
        self.cursor_seq = self.first_seq
        while self.cursor_seq < seq and self.cursor_seq < self.next_seq:
            self.peek()
            self.sent()

    def tell_gap(self):
        """Write the GAP that is owed, once there is room to tell it; called with each telemetry record."""
        if self._gap_first and self.used < self._size // 2:
            first, last = self._gap_first, self._gap_last
            self._gap_first = 0
            self.write(GAP, first, last)

    def _make_room(self, need):
        while self.used + need > self._size:
            if not self._gap_first:
                self._gap_first = self.first_seq
            self._gap_last = self.first_seq
            self.lost += 1
            self._drop()

    def _drop(self):
        tail = self._tail
        if tail >= self._size or self._ring[tail] == 0:
            self.used -= self._size - tail
            tail = 0
        step = self._ring[tail] + 1
        self.used -= step
        self._tail = tail + step
        self.first_seq += 1
        if self.cursor_seq < self.first_seq:
            self.cursor_seq = self.first_seq
            self._cursor = self._tail
        if self.first_seq == self.next_seq:
            self.used = 0
