"""Frames on the line: 00 COBS(body, CRC-32 little-endian) 00 (SPEC.md section 2).

A frame with both delimiters is at most FRAME_MAX bytes, so a body at most BODY_MAX. A delimiter stands at both ends: whatever garbage
came before, the next frame is found whole.
"""

from binascii import crc32
from struct import pack_into

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


FRAME_MAX = const(256)
BODY_MAX = const(249)
_CODED_MAX = const(254)  # between the delimiters
_CRC = const(4)
_COPY = "249s"  # BODY_MAX bytes, what is missing filled with zeros
_RESIDUE = const(0x2144DF1C)  # CRC-32 of anything followed by its own CRC-32: a small integer on every board


def encode_into(body, length, out):
    """Write the frame of body[:length] into `out` (at least FRAME_MAX bytes); return its length.

    Allocates nothing when `length` is all of the body, except that a 32-bit MicroPython keeps a CRC over 2^30 outside its small integers.
    Raises ValueError when the body is longer than BODY_MAX. Source: Cheshire and Baker, IEEE/ACM Trans. Netw. 7 (1999) 159 (COBS).
    """
    if length > BODY_MAX:
        raise ValueError("body of %d bytes, at most %d" % (length, BODY_MAX))
    if len(body) != length or isinstance(body, memoryview):
        body = bytes(memoryview(body)[:length])
    pack_into(_COPY, out, 2, body)  # not out[2:...] = body: that makes a slice object
    end = 2 + length
    pack_into("<I", out, end, crc32(body))
    end += _CRC
    # one block of at most 253 bytes: a chain of distances from zero to zero, laid over the zeros themselves
    at = 1
    while at < end:
        zero = out.find(b"\0", at + 1, end)
        if zero < 0:
            zero = end
        out[at] = zero - at
        at = zero
    out[0] = out[end] = 0
    return end + 1


def encode(body):
    """The frame of `body` as bytes. Raises ValueError when it is longer than BODY_MAX."""
    out = bytearray(FRAME_MAX + 2)
    return bytes(out[: encode_into(body, len(body), out)])


class Parser:
    """Takes any bytes in any chunks, hands each whole and undamaged body (bytes) to `on_body`; keeps at most one frame.

    good, bad_crc, bad_cobs, too_long: how many of each came by.
    """

    def __init__(self, on_body, limit=BODY_MAX):
        self._on_body = on_body
        self._coded_max = limit + _CRC + 1
        self._held = bytearray()
        self._skipping = False
        self.good = self.bad_crc = self.bad_cobs = self.too_long = 0

    def feed(self, data):
        """Take bytes-like `data`. Raises nothing of its own; an exception of `on_body` passes through."""
        data = bytes(data)
        start = 0
        end = data.find(b"\0")
        while end >= 0:
            if self._skipping:
                self._skipping = False
            elif self._held:
                held = self._held
                if len(held) + end - start > self._coded_max:
                    self.too_long += 1
                    self._held = bytearray()
                else:
                    held += data[start:end]
                    self._held = bytearray()
                    self._whole(bytes(held))
            elif end > start:
                if end - start > self._coded_max:
                    self.too_long += 1
                else:
                    self._whole(data[start:end])
            start = end + 1
            end = data.find(b"\0", start)
        if self._skipping or start >= len(data):
            return
        if len(self._held) + len(data) - start > self._coded_max:
            self.too_long += 1
            self._skipping = True
            self._held = bytearray()
        else:
            self._held += data[start:]

    def _whole(self, coded):
        size = len(coded)
        body = bytearray(coded)
        at = 0
        while at < size:
            step = coded[at]
            body[at] = 0
            at += step
        # at == size: the last distance points just past the end
        if at != size or size < _CRC + 2:
            self.bad_cobs += 1
            return
        whole = memoryview(body)[1:]
        if crc32(whole) != _RESIDUE:
            self.bad_crc += 1
            return
        self.good += 1
        self._on_body(bytes(whole[:-_CRC]))
