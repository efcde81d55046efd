"""msgpack for both sides (SPEC.md section 3): smallest form out, every form in, nothing trusted.

Decoded: nil, bool, every integer, float32, float64, str, bin, array, map, ext; the timestamp ext (-1) becomes Timestamp, any other Ext.
Source of the format: the msgpack specification, github.com/msgpack/msgpack/blob/master/spec.md.
"""

from struct import pack_into, unpack_from

from .errors import BAD_ARGUMENTS, RigError

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


DEPTH_MAX = const(8)


class Ext:
    """An application type: `code` -128..127 and its bytes."""

    def __init__(self, code, data):
        self.code = code
        self.data = data

    def __eq__(self, other):
        return isinstance(other, Ext) and self.code == other.code and self.data == other.data

    def __hash__(self):
        return hash((self.code, self.data))


class Timestamp:
    """Seconds and nanoseconds since 1970-01-01 UTC."""

    def __init__(self, s, ns):
        self.s = s
        self.ns = ns

    def __eq__(self, other):
        return isinstance(other, Timestamp) and self.s == other.s and self.ns == other.ns

    def __hash__(self):
        return hash((self.s, self.ns))


class Float32:
    """Wraps a number that goes out as four bytes."""

    def __init__(self, value):
        self.value = value


def encode(value):
    """msgpack bytes of `value`. Raises TypeError for a type msgpack has no form for, ValueError outside its range."""
    size = 64
    while True:
        buffer = bytearray(size)
        try:
            return bytes(buffer[: encode_into(value, buffer, 0)])
        except IndexError:
            size *= 4


def encode_into(value, buffer, offset):
    """Write `value` at `offset`, return the offset behind it. Raises IndexError when the buffer ends before it; see `encode`."""
    if value is None:
        buffer[offset] = 0xC0
        return offset + 1
    if value is True or value is False:
        buffer[offset] = 0xC3 if value else 0xC2
        return offset + 1
    if isinstance(value, int):
        return _int_into(value, buffer, offset)
    if isinstance(value, float):
        return _packed(">Bd", 0xCB, value, buffer, offset, 9)
    if isinstance(value, str):
        data = value.encode()
        return _raw_into(data, _head(len(data), 0xA0, 31, 0xD9, buffer, offset), buffer)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _raw_into(value, _head(len(value), 0, -1, 0xC4, buffer, offset), buffer)
    if isinstance(value, (list, tuple)):
        offset = _head(len(value), 0x90, 15, 0xDB, buffer, offset)
        for item in value:
            offset = encode_into(item, buffer, offset)
        return offset
    if isinstance(value, dict):
        offset = _head(len(value), 0x80, 15, 0xDD, buffer, offset)
        for key, item in value.items():
            offset = encode_into(item, buffer, encode_into(key, buffer, offset))
        return offset
    if isinstance(value, Float32):
        return _packed(">Bf", 0xCA, value.value, buffer, offset, 5)
    if isinstance(value, Ext):
        return _ext_into(value.code, value.data, buffer, offset)
    if isinstance(value, Timestamp):
        return _ext_into(-1, _timestamp_bytes(value), buffer, offset)
    raise TypeError("msgpack has no form for %s" % type(value).__name__)


def _room(buffer, end):
    if end > len(buffer):
        raise IndexError("buffer of %d bytes, %d needed" % (len(buffer), end))


def _packed(form, tag, value, buffer, offset, size):
    _room(buffer, offset + size)
    pack_into(form, buffer, offset, tag, value)
    return offset + size


def _int_into(value, buffer, offset):
    if value >= 0:
        if value < 0x80:
            buffer[offset] = value
            return offset + 1
        if value < 0x100:
            return _packed(">BB", 0xCC, value, buffer, offset, 2)
        if value < 0x10000:
            return _packed(">BH", 0xCD, value, buffer, offset, 3)
        if value <= 0xFFFFFFFF:
            return _packed(">BI", 0xCE, value, buffer, offset, 5)
        if value <= 0xFFFFFFFFFFFFFFFF:
            return _packed(">BQ", 0xCF, value, buffer, offset, 9)
    else:
        if value >= -32:
            buffer[offset] = value & 0xFF
            return offset + 1
        if value >= -0x80:
            return _packed(">Bb", 0xD0, value, buffer, offset, 2)
        if value >= -0x8000:
            return _packed(">Bh", 0xD1, value, buffer, offset, 3)
        if value >= -0x80000000:
            return _packed(">Bi", 0xD2, value, buffer, offset, 5)
        if value >= -0x8000000000000000:
            return _packed(">Bq", 0xD3, value, buffer, offset, 9)
    raise ValueError("integer beyond 64 bits")


def _head(size, fix, fix_max, tag, buffer, offset):
    """The head of a str, bin, array or map; tag is its 8-bit form, or one below its 16-bit form where there is no 8-bit one."""
    if size <= fix_max:
        buffer[offset] = fix | size
        return offset + 1
    if size < 0x100 and (tag == 0xD9 or tag == 0xC4):
        return _packed(">BB", tag, size, buffer, offset, 2)
    if size < 0x10000:
        return _packed(">BH", tag + 1, size, buffer, offset, 3)
    return _packed(">BI", tag + 2, size, buffer, offset, 5)


def _raw_into(data, offset, buffer):
    end = offset + len(data)
    _room(buffer, end)
    buffer[offset:end] = data
    return end


def _ext_into(code, data, buffer, offset):
    size = len(data)
    if size in (1, 2, 4, 8, 16):
        tag = 0xD4 + (1, 2, 4, 8, 16).index(size)
        return _raw_into(data, _packed(">Bb", tag, code, buffer, offset, 2), buffer)
    offset = _head(size, 0, -1, 0xC7, buffer, offset) if size >= 0x100 else _packed(">BB", 0xC7, size, buffer, offset, 2)
    buffer[offset] = code & 0xFF
    return _raw_into(data, offset + 1, buffer)


def _timestamp_bytes(stamp):
    if stamp.ns == 0 and 0 <= stamp.s <= 0xFFFFFFFF:
        data = bytearray(4)
        pack_into(">I", data, 0, stamp.s)
    elif 0 <= stamp.s < 1 << 34:
        data = bytearray(8)
        pack_into(">II", data, 0, stamp.ns << 2 | stamp.s >> 32, stamp.s & 0xFFFFFFFF)
    else:
        data = bytearray(12)
        pack_into(">Iq", data, 0, stamp.ns, stamp.s)
    return bytes(data)


def decode(data, start=0, end=None, depth_max=DEPTH_MAX, breathe=None):
    """The one value in data[start:end]; `breathe()` is called after each array or map within.

    Raises RigError(BAD_ARGUMENTS) when it is no msgpack, is cut short, is followed by anything, nests deeper than depth_max, or says it is
    longer than it is.
    """
    if end is None:
        end = len(data)
    try:
        reader = _Reader(data, start, end)
        value = reader.tree(depth_max, breathe)
    except (ValueError, TypeError, IndexError) as error:  # not UTF-8, an unhashable key
        raise RigError(BAD_ARGUMENTS, text=str(error)) from None
    if reader.at != end:
        raise RigError(BAD_ARGUMENTS, value=end - reader.at, text="bytes after the value")
    return value


# tag: (struct form, bytes)
_NUMBERS = {
    0xCA: (">f", 4),
    0xCB: (">d", 8),
    0xCC: (">B", 1),
    0xCD: (">H", 2),
    0xCE: (">I", 4),
    0xCF: (">Q", 8),
    0xD0: (">b", 1),
    0xD1: (">h", 2),
    0xD2: (">i", 4),
    0xD3: (">q", 8),
}
_STR = const(0)
_BIN = const(1)
_ARRAY = const(2)
_MAP = const(3)
_EXT = const(4)
# tag: (kind, bytes of its length)
_LENGTHS = {
    0xD9: (_STR, 1),
    0xDA: (_STR, 2),
    0xDB: (_STR, 4),
    0xC4: (_BIN, 1),
    0xC5: (_BIN, 2),
    0xC6: (_BIN, 4),
    0xDC: (_ARRAY, 2),
    0xDD: (_ARRAY, 4),
    0xDE: (_MAP, 2),
    0xDF: (_MAP, 4),
    0xC7: (_EXT, 1),
    0xC8: (_EXT, 2),
    0xC9: (_EXT, 4),
}


class _Reader:
    def __init__(self, data, start, end):
        self.data = data
        self.at = start
        self.end = end

    def take(self, size):
        """Offset of the next `size` bytes, which become read."""
        at = self.at
        if size > self.end - at:
            raise RigError(BAD_ARGUMENTS, value=size, limit=self.end - at, text="cut short")
        self.at = at + size
        return at

    def tree(self, depth_max, breathe):
        """The next value. Containers wait on a list of their own: a board's stack is too small for one call a level."""
        waiting = []  # [items so far, items in all, kind], innermost last
        data, end = self.data, self.end
        while True:
            at = self.at
            tag = data[at] if at < end else 0xC1
            kind = None
            if tag < 0x80:  # small integers and the arrays of messages, without a call
                value = tag
                self.at = at + 1
            elif 0xCC <= tag <= 0xCE and at + 4 < end:
                size = 1 << (tag - 0xCC)
                value = data[at + 1]
                for i in range(at + 2, at + 1 + size):
                    value = value << 8 | data[i]
                self.at = at + 1 + size
            elif 0x90 <= tag < 0xA0:
                kind, value = _ARRAY, tag & 15
                self.at = at + 1
            else:
                kind, value = self.head()
            if kind is not None:
                items = value * 2 if kind == _MAP else value  # pyright: ignore[reportOperatorIssue]
                if len(waiting) >= depth_max:
                    raise RigError(BAD_ARGUMENTS, text="nested too deep")
                if items > self.end - self.at:  # an item takes a byte at least: a longer claim is refused before anything is built
                    raise RigError(BAD_ARGUMENTS, value=items, limit=self.end - self.at, text="cut short")
                waiting.append(([], items, kind))
            elif waiting:
                waiting[-1][0].append(value)
            else:
                return value
            while len(waiting[-1][0]) == waiting[-1][1]:
                items, _, kind = waiting.pop()
                value = {items[i]: items[i + 1] for i in range(0, len(items), 2)} if kind == _MAP else items
                if not waiting:
                    return value
                if breathe is not None:
                    breathe()
                waiting[-1][0].append(value)

    def head(self):
        """(None, value) of a value that holds no others, (_ARRAY or _MAP, size) of one that does."""
        tag = self.data[self.take(1)]
        if tag < 0x80:
            return None, tag
        if tag >= 0xE0:
            return None, tag - 0x100
        if tag < 0x90:
            return _MAP, tag & 15
        if tag < 0xA0:
            return _ARRAY, tag & 15
        if tag < 0xC0:
            return None, self.str(tag & 31)
        number = _NUMBERS.get(tag)
        if number is not None:
            return None, unpack_from(number[0], self.data, self.take(number[1]))[0]
        if tag == 0xC0:
            return None, None
        if tag == 0xC2:
            return None, False
        if tag == 0xC3:
            return None, True
        if 0xD4 <= tag <= 0xD8:
            return None, self.ext(1 << (tag - 0xD4))
        length = _LENGTHS.get(tag)
        if length is None:
            raise RigError(BAD_ARGUMENTS, value=tag, text="no msgpack tag")
        kind = length[0]
        size = 0
        for _ in range(length[1]):
            size = size << 8 | self.data[self.take(1)]
        if kind == _STR:
            return None, self.str(size)
        if kind == _BIN:
            return None, self.bytes(size)
        if kind == _EXT:
            return None, self.ext(size)
        return kind, size

    def bytes(self, size):
        at = self.take(size)
        return bytes(self.data[at : at + size])

    def str(self, size):
        text = self.bytes(size).decode("utf-8")
        if len(text) != size:
            _check_text(text, size)
        return text

    def ext(self, size):
        code = unpack_from(">b", self.data, self.take(1))[0]
        data = self.bytes(size)
        if code != -1:
            return Ext(code, data)
        if size == 4:
            return Timestamp(unpack_from(">I", data, 0)[0], 0)
        if size == 8:
            high, low = unpack_from(">II", data, 0)
            stamp = Timestamp((high & 3) << 32 | low, high >> 2)
        elif size == 12:
            ns, s = unpack_from(">Iq", data, 0)
            stamp = Timestamp(s, ns)
        else:
            raise RigError(BAD_ARGUMENTS, value=size, text="timestamp length")
        if stamp.ns > 999_999_999:
            raise RigError(BAD_ARGUMENTS, value=stamp.ns, limit=999_999_999, text="timestamp nanoseconds")
        return stamp


def _check_text(text, size):
    """Refuse what MicroPython's own check of UTF-8 lets through: surrogates, code points past U+10FFFF, longer forms than needed."""
    shortest = 0
    for char in text:
        point = ord(char)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise RigError(BAD_ARGUMENTS, value=point, text="not a character")
        shortest += 1 if point < 0x80 else 2 if point < 0x800 else 3 if point < 0x10000 else 4
    if shortest != size:
        raise RigError(BAD_ARGUMENTS, value=size, limit=shortest, text="overlong UTF-8")


TELEMETRY_FORM = ">BBBIBIBIBBBHBiBiBHBHBIBIBI"


class TelemetryRecord:
    """The telemetry record as a template of fixed width: one pack_into, no allocation. `buffer` holds LENGTH bytes."""

    LENGTH = 53

    def __init__(self):
        self.buffer = bytearray(self.LENGTH)

    def pack(
        self,
        seq,
        t_s,
        t_us,
        state,
        step,
        setpoint_mc,
        temp_mc,
        heater_u16,
        lamp_u16,
        irradiance_uw_per_cm2,
        exposure_mj_per_cm2,
        tick_late_us_max,
    ):
        """Fill `buffer` with [TELEMETRY, seq, ...] of schema.MESSAGES; return its length."""
        pack_into(
            TELEMETRY_FORM,
            self.buffer,
            0,
            0x9D,
            64,
            0xCE,
            seq,
            0xCE,
            t_s,
            0xCE,
            t_us,
            0xCC,
            state,
            0xCD,
            step,
            0xD2,
            setpoint_mc,
            0xD2,
            temp_mc,
            0xCD,
            heater_u16,
            0xCD,
            lamp_u16,
            0xCE,
            irradiance_uw_per_cm2,
            0xCE,
            exposure_mj_per_cm2,
            0xCE,
            tick_late_us_max,
        )
        return self.LENGTH
