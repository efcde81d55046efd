"""Records packed for flash: telemetry as what cannot be foretold from the record before, everything else as it is.

A page is a stream of bits, most significant first. Bit 0: a telemetry record follows as residuals; bit 1: the next whole byte is a length
(0 or the end: no more) and that many bytes are a record body, or, at 255, a probe reading whose counts are coded as differences. The first
telemetry record of a page is written out, so a page is read without its neighbours. Unpacking gives the very bytes of the live record.

Foretold: the number goes up by one; time less lateness by the same period; setpoint and exposure as they moved last; irradiance stays;
the lamp is corrected by a quarter of its error; the heater answers the temperature with `gain` counts per mdegC, the proportional part of
its controller. Residuals are exponential Golomb codes whose order follows their size (Teuhola, Inf. Process. Lett. 7 (1978) 308).
"""

from struct import unpack_from

from .codec import TELEMETRY_FORM
from .messages import PROBE_READING, TELEMETRY

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


PAYLOAD_BYTES = const(224)  # of a page; with its header a HISTORY message of at most 249 bytes
_ROOM = const(340)  # one record behind the limit: what is too long is taken back
_BODY = const(53)
FULL = const(65535)
WIDTH_BITS = const(6)
RARE = const(6)  # residuals behind one flag: state, step, setpoint, lamp, irradiance, exposure
COUNTS = const(11)  # orders behind those of telemetry: dark, lit, monitor
ORDERS = const(14)
READING = const(255)
_DOWN = const(12)  # 1/16 bits; chosen with the rest by trying them on soaks with and without light
ORDER_AT_START = const(4)
SECOND_US = const(1_000_000)


def _folded(value):
    """0, -1, 1, -2 ... as 0, 1, 2, 3 ..."""
    return value << 1 if value >= 0 else (-value << 1) - 1


class Foreteller:
    """What the next record is expected to be, the same on both sides. fields: the last one in the order of the schema, () before it."""

    def __init__(self, gain):
        self._gain = gain
        self.forget()

    def forget(self):
        self.fields = ()  # type: tuple[int, ...]
        self._period_us = 0
        self._setpoint_moved = self._exposure_moved = self._lamp_moved = 0

    def begin(self, fields):
        self.fields = fields

    def lamp(self, irradiance):
        """Duty that the lamp's controller gives, from how it moved before."""
        last = self.fields
        if not last[8]:
            return 0
        return last[8] + ((last[9] + (self._lamp_moved << 2) - irradiance) >> 2)

    def heater(self, setpoint_mc, temp_mc):
        last = self.fields
        if not last[7]:
            return 0
        duty = last[7] + self._gain * (setpoint_mc - last[5] - temp_mc + last[6])
        return 0 if duty < 0 else FULL if duty > FULL else duty

    def residuals(self, fields):
        """(number, late, time, temperature, heater), [state, step, setpoint, lamp, irradiance, exposure], each 0 or more."""
        last = self.fields
        elapsed_us = (fields[1] - last[1]) * SECOND_US + fields[2] - last[2] - fields[11] + last[11]
        return (
            (
                _folded(fields[0] - last[0] - 1),
                fields[11],
                _folded(elapsed_us - self._period_us),
                _folded(fields[6] - last[6]),
                _folded(fields[7] - self.heater(fields[5], fields[6])),
            ),
            (
                fields[3] ^ last[3],
                _folded(fields[4] - last[4]),
                _folded(fields[5] - last[5] - self._setpoint_moved),
                _folded(fields[8] - self.lamp(fields[9])),
                _folded(fields[9] - last[9]),
                _folded(fields[10] - last[10] - self._exposure_moved),
            ),
        )

    def follow(self, fields):
        """The record is known now on both sides."""
        last = self.fields
        elapsed_us = (fields[1] - last[1]) * SECOND_US + fields[2] - last[2] - fields[11] + last[11]
        self._period_us = (elapsed_us + 500) // 1000 * 1000
        self._setpoint_moved = fields[5] - last[5]
        self._exposure_moved = fields[10] - last[10]
        self._lamp_moved = fields[8] - last[8] if last[8] else 0
        self.fields = fields


def _counts_at(body):
    """(where the counts of a PROBE_READING begin, bytes of each of its three arrays), or (0, 0) for what is none."""
    if body[0] != 0x9B or body[1] != PROBE_READING:
        return 0, 0
    at = 2
    for _ in range(7):
        if at >= len(body):
            return 0, 0
        tag = body[at]
        at += 1 if tag < 0x80 or tag >= 0xE0 else 1 + (1 << (tag & 3))
    rest = len(body) - at
    size = rest // 3 - 2
    if rest % 3 or size < 2 or size & 1:
        return 0, 0
    for i in range(3):
        if body[at + i * (size + 2)] != 0xC4 or body[at + i * (size + 2) + 1] != size:
            return 0, 0
    return at, size


def learn(orders, which, value, size):
    """The order of a code, kept in 1/16 bits, goes up a quarter of the way to what it had to code, and down by a step where less would do.

    size: bits of value + 2 ** order.
    """
    order = orders[which]
    if size - 1 > order >> 4:
        order += ((size << 4) - 16 - order) >> 2
        orders[which] = order if order < 255 else 255
    elif order and value < 1 << (order >> 4) >> 1:
        orders[which] = order - _DOWN if order > _DOWN else 0


class Packer:
    """Fills one page after another. first_seq, last_seq, count: of the page so far; gain: heater counts per mdegC (0..255)."""

    def __init__(self, gain=8, limit=PAYLOAD_BYTES):
        self.buffer = bytearray(limit + _ROOM)
        self._limit = limit
        self._gain = gain & 255
        self._foreteller = Foreteller(self._gain)
        self._orders = bytearray(ORDERS)
        self._kept = bytearray(ORDERS)
        self.forget()

    def forget(self):
        """Begin an empty page."""
        self.buffer[0] = self._gain
        self._at = 1
        self._bits = self._waiting = 0
        self._foreteller.forget()
        for i in range(len(self._orders)):
            self._orders[i] = ORDER_AT_START << 4
        self.count = 0
        self.first_seq = self.last_seq = 0

    def add(self, body, seq):
        """Put a record into the page; False when it does not fit any more (nothing has changed then)."""
        at, bits, waiting = self._at, self._bits, self._waiting
        self._kept[:] = self._orders
        fields = None
        if len(body) == _BODY and body[0] == 0x9D and body[1] == TELEMETRY:
            raw = unpack_from(TELEMETRY_FORM, body, 0)
            fields = tuple([raw[i] for i in range(3, 26, 2)])
            self._telemetry(fields)
        else:
            begin, size = _counts_at(body)
            if begin:
                self._reading(body, begin, size)
            elif len(body) + at + 2 > self._limit:
                return False
            else:
                self._raw(body, len(body), len(body))
        if self._at + (self._waiting > 0) > self._limit:
            self._at, self._bits, self._waiting = at, bits, waiting
            self._orders[:] = self._kept
            return False
        if fields is not None:
            if not self._foreteller.fields:
                self._foreteller.begin(fields)
            else:
                self._foreteller.follow(fields)
        if not self.count:
            self.first_seq = seq
        self.last_seq = seq
        self.count += 1
        return True

    def finish(self):
        """Close the page; return its length in `buffer`. More may be added after all."""
        at, bits, waiting = self._at, self._bits, self._waiting
        if waiting:
            self._put((1 << (8 - waiting)) - 1, 8 - waiting)
        length = self._at
        self._at, self._bits, self._waiting = at, bits, waiting
        return length

    def _raw(self, body, mark, length):
        self._put(1, 1)
        if self._waiting:
            self._put(0, 8 - self._waiting)
        at, buffer = self._at, self.buffer
        buffer[at] = mark
        buffer[at + 1 : at + 1 + length] = body[:length]
        self._at = at + 1 + length

    def _reading(self, body, begin, size):
        self._raw(bytes([begin, size]) + bytes(body[:begin]), READING, begin + 2)
        for i in range(3):
            last = 0
            for at in range(begin + 2, begin + 2 + size, 2):
                count = body[at] | body[at + 1] << 8
                self._golomb(COUNTS + i, _folded(count - last))
                last = count
            begin += size + 2

    def _telemetry(self, fields):
        put = self._put
        put(0, 1)
        foreteller = self._foreteller
        if not foreteller.fields:
            for i in range(12):
                self._wide(_folded(fields[i]))
            return
        common, rare = foreteller.residuals(fields)
        golomb = self._golomb
        for i in range(5):
            golomb(i, common[i])
        for value in rare:
            if value:
                put(1, 1)
                for i in range(RARE):
                    golomb(5 + i, rare[i])
                return
        put(0, 1)

    def _wide(self, value):
        size, rest = 0, value
        while rest:
            rest >>= 1
            size += 1
        self._put(size, WIDTH_BITS)
        self._long(value, size)

    def _golomb(self, which, value):
        order = self._orders[which] >> 4
        coded = value + (1 << order)
        size, rest = 0, coded
        while rest:
            rest >>= 1
            size += 1
        bits = 2 * size - 1 - order  # as many zeros as it is longer than its order, then the number
        if bits > 16:
            self._long(0, size - 1 - order)
            self._long(coded, size)
        else:
            self._put(coded, bits)
        learn(self._orders, which, value, size)

    def _long(self, value, size):
        while size > 16:
            size -= 16
            self._put((value >> size) & 0xFFFF, 16)
        if size:
            self._put(value & ((1 << size) - 1), size)

    def _put(self, value, size):
        """At most 16 bits."""
        waiting = self._waiting + size
        bits = (self._bits << size) | value
        at, buffer = self._at, self.buffer
        while waiting >= 8:
            waiting -= 8
            buffer[at] = (bits >> waiting) & 255
            at += 1
        self._bits = bits & ((1 << waiting) - 1)
        self._waiting = waiting
        self._at = at
