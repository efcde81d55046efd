"""codec.decode on any bytes: a value or RigError(BAD_ARGUMENTS), the same verdict and value as the msgpack package.

The package is the oracle where it is there (CPython). SPEC.md section 3 differs from it in two points: nesting deeper than 8 is refused,
and ext codes that the msgpack specification reserves are handed on.
"""

from binascii import hexlify

from remnant_protocol import codec
from remnant_protocol.errors import BAD_ARGUMENTS, RigError

try:
    import msgpack
except ImportError:  # MicroPython
    msgpack = None

REFUSED = "refused"
RESERVED = "reserved"
_DEEP = "nested too deep"


def fuzz_one(data):
    """Return what was read, in a form that is the same on every interpreter."""
    try:
        value = codec.decode(data)
    except RigError as error:
        assert error.code == BAD_ARGUMENTS
        if msgpack is not None and error.text != _DEEP:
            assert theirs(data) in (REFUSED, RESERVED), "the package reads it"
        return REFUSED
    if msgpack is not None:
        expected = theirs(data)
        assert expected is RESERVED or same(value, expected), "the package reads something else"
    again = codec.encode(value)
    assert same(codec.decode(again), value), "not the same when written and read again"
    assert codec.decode(b"\x00" + data + b"\x00", 1, 1 + len(data)) is not None or value is None  # a window into a buffer reads alike
    return text(value)


def theirs(data):
    try:
        return ours(msgpack.unpackb(data, raw=False, strict_map_key=False, timestamp=0))
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        return RESERVED if "code must be" in str(error) else REFUSED


def ours(value):
    """A tree of the package with our Ext and Timestamp."""
    if isinstance(value, msgpack.ExtType):
        return codec.Ext(value.code, value.data)
    if isinstance(value, msgpack.Timestamp):
        return codec.Timestamp(value.seconds, value.nanoseconds)
    if isinstance(value, list):
        return [ours(item) for item in value]
    if isinstance(value, dict):
        return {ours(key): ours(item) for key, item in value.items()}
    return value


def same(one, other):
    """Equal in value and type; one NaN is as good as another."""
    return text(one) == text(other)


def text(value):
    """The value in words; entries of a map in the order of their keys, because a board's maps have none."""
    if isinstance(value, list):
        return "[" + ",".join([text(item) for item in value]) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(sorted([text(key) + ":" + text(item) for key, item in value.items()])) + "}"
    if isinstance(value, codec.Ext):
        return "Ext" + str(value.code) + hexed(value.data)
    if isinstance(value, codec.Timestamp):
        return "Time" + str(value.s) + "." + str(value.ns)
    if isinstance(value, float):
        return "nan" if value != value else "f" + hexed(codec.encode(value))
    if isinstance(value, str):
        return "s" + hexed(value.encode())
    if isinstance(value, bytes):
        return "b" + hexed(value)
    return str(value)


def hexed(data):
    """Not bytes.hex: on MicroPython 1.25 that of no bytes is no str."""
    return hexlify(data).decode()
