"""Records unpacked from a page of flash; packer.py says how they lie there. A board only packs and need not load this file."""

from .codec import TelemetryRecord
from .errors import STORE_CORRUPT, RigError
from .packer import (
    COUNTS,
    FULL,
    ORDER_AT_START,
    ORDERS,
    PAYLOAD_BYTES,
    RARE,
    READING,
    SECOND_US,
    WIDTH_BITS,
    Foreteller,
    Packer,
    learn,
)

__all__ = ["PAYLOAD_BYTES", "Packer", "unpack"]


def _unfolded(value):
    return -((value + 1) >> 1) if value & 1 else value >> 1


class _Restorer(Foreteller):
    def restored(self, common, rare):
        """The record behind residuals."""
        last = self.fields
        us = last[2] + _unfolded(common[2]) + self._period_us + common[1] - last[11]
        setpoint = last[5] + _unfolded(rare[2]) + self._setpoint_moved
        temp = last[6] + _unfolded(common[3])
        irradiance = last[9] + _unfolded(rare[4])
        return (
            last[0] + _unfolded(common[0]) + 1,
            last[1] + us // SECOND_US,
            us % SECOND_US,
            last[3] ^ rare[0],
            last[4] + _unfolded(rare[1]),
            setpoint,
            temp,
            _unfolded(common[4]) + self.heater(setpoint, temp),
            _unfolded(rare[3]) + self.lamp(irradiance),
            irradiance,
            last[10] + _unfolded(rare[5]) + self._exposure_moved,
            common[1],
        )


class _Bits:
    def __init__(self, data):
        self.data = data
        self.at = 8  # the gain stands first
        self.end = len(data) * 8

    def take(self, size):
        value = 0
        at, data = self.at, self.data
        if at + size > self.end:
            raise RigError(STORE_CORRUPT, value=at)
        self.at = at + size
        while size:
            there = 8 - (at & 7)
            taken = there if there < size else size
            value = (value << taken) | ((data[at >> 3] >> (there - taken)) & ((1 << taken) - 1))
            at += taken
            size -= taken
        return value

    def golomb(self, orders, which):
        order = orders[which] >> 4
        size = order + 1
        while not self.take(1):
            size += 1
            if size > 64:
                raise RigError(STORE_CORRUPT, value=self.at)
        value = ((1 << (size - 1)) | self.take(size - 1)) - (1 << order)
        learn(orders, which, value, size)
        return value


def unpack(data):
    """The record bodies of a page, each as it was live. Raises RigError(STORE_CORRUPT) for bytes that are no page."""
    bodies = []
    if not data:
        return bodies
    bits = _Bits(data)
    foreteller = _Restorer(data[0])
    orders = bytearray([ORDER_AT_START << 4] * ORDERS)
    record = TelemetryRecord()
    while bits.at < bits.end:
        if bits.take(1):
            at = (bits.at + 7) >> 3
            if at >= len(data) or data[at] == 0:
                break
            if data[at] == READING:
                bits.at = (at + 1) * 8
                bodies.append(_reading(bits, orders))
                continue
            if at + 1 + data[at] > len(data):
                raise RigError(STORE_CORRUPT, value=bits.at)
            bodies.append(bytes(data[at + 1 : at + 1 + data[at]]))
            bits.at = (at + 1 + data[at]) * 8
            continue
        if not foreteller.fields:
            fields = tuple([_unfolded(bits.take(bits.take(WIDTH_BITS))) for _ in range(12)])
            foreteller.begin(fields)
        else:
            common = [bits.golomb(orders, i) for i in range(5)]
            rare = [bits.golomb(orders, 5 + i) for i in range(RARE)] if bits.take(1) else [0] * RARE
            fields = foreteller.restored(common, rare)
            foreteller.follow(fields)
        bodies.append(_body(record, fields))
    return bodies


def _reading(bits, orders):
    begin, size = bits.take(8), bits.take(8)
    body = bytearray(begin + 3 * (size + 2))
    for i in range(begin):
        body[i] = bits.take(8)
    at = begin
    for i in range(3):
        body[at], body[at + 1] = 0xC4, size
        last = 0
        for j in range(at + 2, at + 2 + size - 1, 2):
            last = (last + _unfolded(bits.golomb(orders, COUNTS + i))) & FULL
            body[j], body[j + 1] = last & 255, last >> 8
        at += size + 2
    return bytes(body)


def _body(record, fields):
    for i, most in _MOST:
        if not (-most - 1 if i in _SIGNED else 0) <= fields[i] <= most:
            raise RigError(STORE_CORRUPT, value=i)
    record.pack(*fields)
    return bytes(record.buffer)


_U32, _I32 = 0xFFFFFFFF, 0x7FFFFFFF
_SIGNED = (5, 6)
_MOST = tuple(enumerate((_U32, _U32, 999_999, 255, FULL, _I32, _I32, FULL, FULL, _U32, _U32, _U32)))
