"""The journal: numbered records in a ring of bytes, kept until the host has them on disk or the spool has them in flash.

A record is one msgpack body (at most 249 bytes) behind its length byte, with 16 bits of its CRC-32 behind it. Four places in the ring:
`tail` (oldest kept), `pack` (next to go into flash), `cursor` (next to send), `head` (next to write). When the ring is full the oldest
record gives way; what was lost is told by a GAP record as soon as there is room to tell it.

The ring may lie in memory that survives a reset (hal.retained). Then its first HEADER_BYTES say what is in it, twice, written in turn:
whatever instant the reset comes, one of the two is whole, and `survivors` finds the records again.
"""

from binascii import crc32
from struct import pack_into, unpack_from

from micropython import const

from remnant_protocol import codec
from remnant_protocol.messages import EVENT, GAP

RING_BYTES = const(8192)
_BODY_MAX = const(249)
_AT_ONCE = const(4)  # dropping a record takes 0.1 ms on an RP2040
_EXTRA = const(3)  # bytes of a record beside its body
HEADER_BYTES = const(64)
_COPY_BYTES = const(32)
_FORM = "<IIIIIIII"  # magic, boot_id, size, tail, used, first_seq, next_seq, check
_MAGIC = const(0x2E4E4D52)
_CHECK = const(0x3FFFFFFF)


def _check(boot, tail, used, first_seq, next_seq):
    """Of a header; boot: boot_id & _CHECK. Stays a small integer while numbers do."""
    return (boot ^ tail * 3 ^ used * 5 ^ first_seq * 7 ^ next_seq * 11) & _CHECK


def survivors(memory):
    """(boot_id, next_seq, [(seq, body), ...]) of the journal that lies in `memory` from before a reset, or None after a power cut."""
    best = None
    for at in (0, _COPY_BYTES):
        magic, boot_id, size, tail, used, first, following, check = unpack_from(_FORM, memory, at)
        sound = magic == _MAGIC and size == len(memory) - HEADER_BYTES and tail <= size and used <= size and first <= following
        if sound and check == _check(boot_id & _CHECK, tail, used, first, following) and (best is None or (following, first) > best[3:]):
            best = (boot_id, tail, used, following, first)
    if best is None:
        return None
    boot_id, at, used, following, seq = best
    ring = memory[HEADER_BYTES:]
    size = len(ring)
    found = []
    while seq < following and used > 0:
        if at >= size or ring[at] == 0:
            used -= size - at
            at = 0
            continue
        length = ring[at]
        body = bytes(ring[at + 1 : at + 1 + length])
        behind = at + 1 + length
        if behind + 2 > size or length < 5 or _seq_in(body) != seq or _sum(body) != ring[behind] | ring[behind + 1] << 8:
            break
        found.append((seq, body))
        at += length + _EXTRA
        used -= length + _EXTRA
        seq += 1
    return boot_id, following, found


def _sum(body):
    """RAM that was without power for a moment may keep its header and lose a bit elsewhere."""
    return crc32(body) & 0xFFFF


def _seq_in(body):
    """The number that a record body carries, -1 where it carries none."""
    tag = body[2]
    if tag < 0x80:
        return tag
    if tag == 0xCC:
        return body[3]
    if len(body) < 7:
        return -1
    return unpack_from(">H", body, 3)[0] if tag == 0xCD else unpack_from(">I", body, 3)[0] if tag == 0xCE else -1


class Journal:
    """first_seq..next_seq-1 are kept; used: bytes taken of size; lost: records that gave way since start.

    memory: where the ring lies, else memory of its own; boot_id: kept with it; retain(start, end): called with what has been written.
    """

    def __init__(self, clock, size=RING_BYTES, memory=None, boot_id=0, retain=None):
        self._clock = clock
        self._header = memory
        self._boot_id = boot_id
        self._boot_check = boot_id & _CHECK
        self._retain = retain
        self._turn = 0
        self._marked_first = 0
        if memory is None:
            self._ring = bytearray(size)
        else:
            self._ring = memory[HEADER_BYTES:]
            size = len(self._ring)
        self._view = memoryview(self._ring)
        self._size = self.size = size
        self._body = bytearray(_BODY_MAX + 64)
        self._head = self._tail = self._cursor = 0
        self.used = 0
        self.first_seq = self.next_seq = self.cursor_seq = self.pack_seq = 1
        self._pack = 0
        self.lost = 0
        self._gap_first = 0
        self._gap_last = 0
        self._acknowledged = 0
        if memory is not None:
            for i in range(HEADER_BYTES):
                memory[i] = 0
            self._mark()

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
        need = length + _EXTRA
        head = self._head
        rest = self._size - head
        wraps = need > rest
        self._make_room(rest + need if wraps else need)
        if self._header is not None and self._marked_first != self.first_seq:
            self._mark()  # what is written now may lie where dropped records lay
        if wraps:
            if self.used:
                if rest:
                    self._ring[head] = 0
                    if self._retain is not None:
                        self._retain(HEADER_BYTES + head, HEADER_BYTES + head + 1)
                self.used += rest
            head = 0
        if self.used == 0:
            head = self._tail = self._cursor = self._pack = 0
        else:
            if self.cursor_seq == self.next_seq:
                self._cursor = head
            if self.pack_seq == self.next_seq:
                self._pack = head
        ring = self._ring
        ring[head] = length
        view = memoryview(body)[:length]
        ring[head + 1 : head + 1 + length] = view
        check = _sum(view)
        ring[head + 1 + length] = check & 255
        ring[head + 2 + length] = check >> 8
        self._head = head + need
        self.used += need
        self.next_seq += 1
        if self._header is not None:
            if self._retain is not None:
                self._retain(HEADER_BYTES + head, HEADER_BYTES + head + need)
            self._mark()

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
        self._cursor += self._ring[self._cursor] + _EXTRA
        self.cursor_seq += 1

    def next_to_pack(self):
        """The next record for the spool as a memoryview, None when all are in it."""
        if self.pack_seq == self.next_seq:
            return None
        at = self._pack
        if at >= self._size or self._ring[at] == 0:
            at = self._pack = 0
        return self._view[at + 1 : at + 1 + self._ring[at]]

    def packed(self):
        """The record of the last next_to_pack() is in the page that is being filled."""
        self._pack += self._ring[self._pack] + _EXTRA
        self.pack_seq += 1

    def pack_again(self):
        """The page that was being filled is given up: begin with the oldest that is kept."""
        self._pack = self._tail
        self.pack_seq = self.first_seq

    def release(self, seq):
        """Every record up to `seq` is in flash: the ring forgets them, sent or not; a host finds them in the history."""
        while self.first_seq <= seq and self.first_seq < self.next_seq:
            self._drop()

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

    @property
    def oldest_seq(self):
        """The first record that a host may still ask for."""
        return self.first_seq if self.first_seq > self._acknowledged else self._acknowledged + 1

    def rewind(self, seq):
        """Send again from `seq`, or from the oldest that is kept."""
        self._cursor = self._tail
        self.cursor_seq = self.first_seq
        if seq <= self._acknowledged:
            seq = self._acknowledged + 1  # what is still to be dropped is as good as gone
        while self.cursor_seq < seq and self.cursor_seq < self.next_seq:
            self.peek()
            self.sent()

    def tell_gap(self):
        """Write the GAP that is owed, once there is room to tell it; called with each telemetry record."""
        if self._gap_first and self.used < self._size // 2:
            first, last = self._gap_first, self._gap_last
            self._gap_first = 0
            self.write(GAP, first, last)

    def missed(self, seq):
        """This record is lost; a GAP will tell it."""
        if not self._gap_first:
            self._gap_first = seq
        self._gap_last = seq
        self.lost += 1

    def _make_room(self, need):
        while self.used + need > self._size:
            self.missed(self.first_seq)
            self._drop()

    def _drop(self):
        tail = self._tail
        if tail >= self._size or self._ring[tail] == 0:
            self.used -= self._size - tail
            tail = 0
        step = self._ring[tail] + _EXTRA
        self.used -= step
        self._tail = tail + step
        self.first_seq += 1
        if self.cursor_seq < self.first_seq:
            self.cursor_seq = self.first_seq
            self._cursor = self._tail
        if self.pack_seq < self.first_seq:
            self.pack_seq = self.first_seq
            self._pack = self._tail
        if self.first_seq == self.next_seq:
            self.used = 0

    def _mark(self):
        """Say in the memory that survives what is in it; also before anything is written over."""
        tail, used, first, following = self._tail, self.used, self.first_seq, self.next_seq
        self._marked_first = first
        at = self._turn
        self._turn = _COPY_BYTES - at
        check = _check(self._boot_check, tail, used, first, following)
        pack_into(_FORM, self._header, at, _MAGIC, self._boot_id, self._size, tail, used, first, following, check)
        if self._retain is not None:
            self._retain(at, at + _COPY_BYTES)
