"""Frames on the line: 00 COBS(body, CRC-32 little-endian) 00 (SPEC.md section 2).

A frame with both delimiters is at most FRAME_MAX bytes, so a body at most BODY_MAX. A delimiter stands at both ends: whatever garbage
came before, the next frame is found whole.
"""

from binascii import crc32

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


FRAME_MAX = const(256)
BODY_MAX = const(249)
_CODED_MAX = const(254)  # between the delimiters
_CRC = const(4)


def encode_into(body, length, out):
    """Write the frame of body[:length] into `out` (at least FRAME_MAX bytes); return its length.

    Raises ValueError when the body is longer than BODY_MAX. Source: Cheshire and Baker, IEEE/ACM Trans. Netw. 7 (1999) 159 (COBS).
    """
    if length > BODY_MAX:
        raise ValueError("body of %d bytes, at most %d" % (length, BODY_MAX))
    crc = crc32(body if len(body) == length else memoryview(body)[:length])
    out[0] = 0
    out[2 : 2 + length] = body if len(body) == length else memoryview(body)[:length]
    end = 2 + length
    out[end] = crc & 0xFF
    out[end + 1] = (crc >> 8) & 0xFF
    out[end + 2] = (crc >> 16) & 0xFF
    out[end + 3] = (crc >> 24) & 0xFF
    end += _CRC
    out[end] = 0
    # one block of at most 253 bytes: a chain of distances from zero to zero, laid over the zeros themselves
    at = 1
    while at < end:
        zero = out.find(b"\0", at + 1, end)
        if zero < 0:
            zero = end
        out[at] = zero - at
        at = zero
    out[end] = 0
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
        tail = size - _CRC
        body = bytes(body)
        crc = body[tail] | body[tail + 1] << 8 | body[tail + 2] << 16 | body[tail + 3] << 24
        body = body[1:tail]
        if crc32(body) & 0xFFFFFFFF != crc:
            self.bad_crc += 1
            return
        self.good += 1
        self._on_body(body)
