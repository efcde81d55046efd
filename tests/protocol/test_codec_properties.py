"""Our codec against the msgpack package, both ways, over every type and its boundaries, on CPython and both MicroPythons."""

import contextlib
import math
import struct

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remnant_protocol import codec
from remnant_protocol.errors import BAD_ARGUMENTS, RigError

BOUNDS = sorted({s * (1 << b) + d for b in (0, 5, 7, 8, 15, 16, 29, 30, 31, 32, 53, 62, 63) for d in (-1, 0, 1) for s in (1, -1)})
INTEGERS = st.one_of(st.integers(-(2**63), 2**64 - 1), st.sampled_from([n for n in BOUNDS if -(2**63) <= n < 2**64]))
TEXT = st.one_of(st.text(max_size=40), st.sampled_from([31, 32, 255, 256, 65535, 65536]).map(lambda n: "x" * n))
RAW = st.one_of(st.binary(max_size=40), st.sampled_from([0, 255, 256, 65535, 65536]).map(bytes))
SMALL_TEXT, SMALL_RAW = st.text(max_size=12), st.binary(max_size=12)
SCALARS = st.one_of(st.none(), st.booleans(), INTEGERS, st.floats(allow_nan=False), SMALL_TEXT, SMALL_RAW)
# msgpack strings of characters, overlong forms, surrogates and broken ones
PIECES = [bytes.fromhex(h) for h in "61 7f c280 dfbf e0a080 ed9fbf ee8080 f0908080 f48fbfbf".split()]
PIECES += [
    bytes.fromhex(h) for h in "c080 c1bf e08080 e09fbf eda080 edbfbf f0808080 f08fbfbf f4908080 f8808080 ff 80 c3 e2 f0 e282".split()
]
NEARLY_TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map(b"".join).map(lambda text: bytes([0xA0 | len(text), *text]))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=20), st.dictionaries(st.one_of(INTEGERS, SMALL_TEXT), inner, max_size=17)),
    max_leaves=25,
)
VALUES = st.one_of(TREES, TEXT, RAW)
DEEP = 64

# reads msgpack documents behind 4-byte lengths; answers each with its decoded value encoded again
ON_MICROPYTHON = """
import sys
from remnant_protocol import codec
line = sys.stdin.buffer
while True:
    head = line.read(4)
    if not head:
        break
    data = line.read(int.from_bytes(head, "big"))
    out = codec.encode(codec.decode(data, 0, len(data), 64))
    sys.stdout.buffer.write(len(out).to_bytes(4, "big") + out)
"""

# the same stream; answers "+" for a document that is read and "-" for one that is refused
VERDICT_ON_MICROPYTHON = """
import sys
from remnant_protocol import codec
from remnant_protocol.errors import RigError
line = sys.stdin.buffer
while True:
    head = line.read(4)
    if not head:
        break
    data = line.read(int.from_bytes(head, "big"))
    try:
        codec.decode(data)
        sys.stdout.write("+")
    except RigError:
        sys.stdout.write("-")
"""


def unpacked(data):
    return msgpack.unpackb(data, raw=False, strict_map_key=False, timestamp=1)


def ours(value):
    """A value of the msgpack package as ours."""
    if isinstance(value, msgpack.ExtType):
        return codec.Ext(value.code, value.data)
    if isinstance(value, msgpack.Timestamp):
        return codec.Timestamp(value.seconds, value.nanoseconds)
    return value


@settings(max_examples=500, deadline=None)
@given(VALUES)
def test_what_we_write_is_what_msgpack_writes(value):
    assert codec.encode(value) == msgpack.packb(value, use_bin_type=True)


@settings(max_examples=500, deadline=None)
@given(VALUES)
def test_what_msgpack_writes_we_read(value):
    assert codec.decode(msgpack.packb(value, use_bin_type=True), depth_max=DEEP) == value


@settings(max_examples=200, deadline=None)
@given(st.floats(width=32, allow_nan=False))
def test_float32_both_ways(value):
    data = msgpack.packb(value, use_single_float=True)
    assert codec.decode(data) == value
    assert codec.encode(codec.Float32(value)) == data


def test_not_a_number_stays_one():
    assert math.isnan(codec.decode(msgpack.packb(math.nan)))
    assert math.isnan(unpacked(codec.encode(math.nan)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 127), st.one_of(st.binary(max_size=40), st.sampled_from([1, 2, 4, 8, 16, 255, 256, 65536]).map(bytes)))
def test_ext_both_ways(code, data):
    packed = msgpack.packb(msgpack.ExtType(code, data))
    assert codec.decode(packed) == codec.Ext(code, data)
    assert codec.encode(codec.Ext(code, data)) == packed


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 2**32 - 1, 2**32, 2**34 - 1, 2**34])), st.integers(0, 999_999_999))
def test_timestamp_both_ways(s, ns):
    packed = msgpack.packb(msgpack.Timestamp(s, ns))
    assert codec.decode(packed) == codec.Timestamp(s, ns)
    assert codec.encode(codec.Timestamp(s, ns)) == packed


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_that_msgpack_reads_too_or_refused(data):
    try:
        value = codec.decode(data)
    except RigError as error:
        assert error.code == BAD_ARGUMENTS
        return
    try:
        theirs = ours(unpacked(data))
    except ValueError as error:  # the package refuses ext codes that the specification reserves; we hand them on
        assert "code must be" in str(error)
        return
    assert value == theirs or repr(value) == repr(theirs) or "Ext" in repr(theirs) or "nan" in repr(theirs)


def widened(n):
    """Every form of an integer that is wider than it needs."""
    forms = ((">BB", 0xCC), (">BH", 0xCD), (">BI", 0xCE), (">BQ", 0xCF), (">Bb", 0xD0), (">Bh", 0xD1), (">Bi", 0xD2), (">Bq", 0xD3))
    for form, tag in forms:
        with contextlib.suppress(struct.error):
            yield struct.pack(form, tag, n)


# (document, what it is when written again: bytes, or None where only the value is the promise, as a map has no order)
BOUNDARY_DOCUMENTS = [
    *((packed, packed) for packed in (msgpack.packb(n) for n in BOUNDS if -(2**63) <= n < 2**64)),
    *((wide, msgpack.packb(n)) for n in BOUNDS if -(2**63) <= n < 2**64 for wide in widened(n)),
    *((packed, packed) for packed in (msgpack.packb("x" * n) for n in (0, 31, 32, 255, 256, 65535, 65536))),
    *((packed, packed) for packed in (msgpack.packb(bytes(n)) for n in (0, 255, 256, 65535, 65536))),
    *((packed, packed) for packed in (msgpack.packb([None] * n) for n in (0, 15, 16, 65535, 65536))),
    *((msgpack.packb({i: i for i in range(n)}), None) for n in (0, 15, 16, 300)),
    *((packed, packed) for packed in (msgpack.packb(msgpack.ExtType(9, bytes(n))) for n in (0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65536))),
    *(
        (packed, packed)
        for packed in (
            msgpack.packb(msgpack.Timestamp(s, ns)) for s in (0, 2**32 - 1, 2**32, 2**34, -1, -(2**63)) for ns in (0, 999_999_999)
        )
    ),
    *((packed, packed) for packed in map(msgpack.packb, (0.0, -0.0, 1.5, 2**-1074, 1.7976931348623157e308, math.inf, -math.inf, math.pi))),
    *((msgpack.packb(x, use_single_float=True), msgpack.packb(x)) for x in (0.0, -1.5, 2.0**-149, math.inf, 3.4028234663852886e38)),
]


@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_on_micropython_values_go_in_and_come_out_the_same(arch, micropython):
    documents = list(BOUNDARY_DOCUMENTS)

    @settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(TREES)
    def collect(value):
        documents.append((msgpack.packb(value, use_bin_type=True), None))

    collect()
    stream = b"".join(len(data).to_bytes(4, "big") + data for data, _ in documents)
    out = micropython.run(ON_MICROPYTHON, arch=arch, stdin=stream)
    for data, exact in documents:
        size = int.from_bytes(out[:4], "big")
        again = out[4 : 4 + size]
        assert len(again) == size
        assert unpacked(again) == unpacked(data)
        assert again == (exact or again)
        assert len(again) <= len(data) or 0xCA in data  # the smallest form, whatever came in; a float32 becomes a float64
        out = out[4 + size :]
    assert not out


def test_on_cpython_every_boundary_document_too():
    for data, exact in BOUNDARY_DOCUMENTS:
        again = codec.encode(codec.decode(data, depth_max=DEEP))
        assert again == (exact or again)
        assert unpacked(again) == unpacked(data)


@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_on_micropython_any_bytes_get_the_same_verdict(arch, micropython):
    """What CPython reads, MicroPython reads; what it refuses, MicroPython refuses, with a RigError and nothing else."""
    documents = []

    @settings(max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=60), st.tuples(TREES, st.integers(0, 60), st.integers(0, 255)).map(damaged), NEARLY_TEXT))
    def collect(data):
        documents.append(data)

    collect()
    stream = b"".join(len(data).to_bytes(4, "big") + data for data in documents)
    out = micropython.run(VERDICT_ON_MICROPYTHON, arch=arch, stdin=stream)
    verdicts = "".join("+" if readable(data) else "-" for data in documents)
    assert verdicts.count("+") >= 20 and verdicts.count("-") >= 20
    assert out.decode() == verdicts


def damaged(parts):
    """A document with one byte replaced."""
    value, at, byte = parts
    data = bytearray(msgpack.packb(value, use_bin_type=True))
    data[at % len(data)] = byte
    return bytes(data)


def readable(data):
    try:
        codec.decode(data)
    except RigError:
        return False
    return True
