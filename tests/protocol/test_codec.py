import sys

from remnant_protocol import codec
from remnant_protocol.errors import BAD_ARGUMENTS, RigError
from vectors import unhex, vectors


def value_of(told):
    """The value a vector means (its `about` says how)."""
    if not isinstance(told, dict) or set(told) - {"int", "str", "bin", "zeros", "ext", "size", "timestamp"}:
        return told
    if "int" in told:
        return int(told["int"])
    if "str" in told:
        return "a" * told["str"]
    if "bin" in told:
        return b"a" * told["bin"]
    if "zeros" in told:
        return [0] * told["zeros"]
    if "ext" in told:
        return codec.Ext(told["ext"], b"\1" * told["size"])
    return codec.Timestamp(told["timestamp"][0], told["timestamp"][1])


def test_golden_values_are_written():
    for row in vectors("codec"):
        if row.get("decode_only"):
            continue
        coded = codec.encode(value_of(row["value"]))
        if "hex" in row:
            assert coded == unhex(row["hex"]), row
        else:
            assert len(coded) == row["size"], row
            if row["hex_head"]:
                head = unhex(row["hex_head"])
                assert coded[: len(head)] == head, row


def test_golden_values_are_read():
    for row in vectors("codec"):
        value = value_of(row["value"])
        coded = unhex(row["hex"]) if "hex" in row else codec.encode(value)
        back = codec.decode(coded)
        assert back == value and isinstance(back, type(value)), row


def test_what_is_no_message_is_refused():
    for row in vectors("codec_refused"):
        data = unhex(row["hex"])
        try:
            value = codec.decode(data)
        except RigError as error:
            assert error.code == BAD_ARGUMENTS
        else:
            raise AssertionError("%s read as %r" % (row["hex"], value))


def test_every_two_bytes_are_a_value_or_refused():
    for first in range(256):
        for second in range(0, 256, 5):
            try:
                codec.decode(bytes([first, second]))
            except RigError:
                pass


def test_a_long_claim_takes_no_memory():
    for head in ("dd7fffffff", "df7fffffff", "c67fffffff", "db7fffffff", "c97fffffff05"):
        try:
            codec.decode(unhex(head) + bytes(20))
        except RigError:
            continue
        raise AssertionError(head)


def test_a_slice_of_a_buffer_is_read_in_place():
    buffer = bytearray(b"xx\x93\x01\x02\x03yy")
    assert codec.decode(memoryview(buffer), 2, 6) == [1, 2, 3]
    assert codec.decode(buffer, 2, 6) == [1, 2, 3]


def test_a_buffer_that_is_too_short_is_told():
    for value in (None, 300, 1.5, "abc", b"abc", [1, 2, 3], {"a": 1}):
        size = len(codec.encode(value))
        for room in range(size):
            try:
                codec.encode_into(value, bytearray(room), 0)
            except IndexError:
                continue
            raise AssertionError((value, room))


def test_values_without_a_form_are_refused():
    for value, kind in ((2**64, ValueError), (-(2**63) - 1, ValueError), (object(), TypeError), (set(), TypeError)):
        try:
            codec.encode(value)
        except kind:
            continue
        raise AssertionError(value)


def test_float32_is_read_as_written():
    assert codec.decode(codec.encode(codec.Float32(0.5))) == 0.5


def test_telemetry_is_the_golden_bytes():
    record = codec.TelemetryRecord()
    for row in vectors("telemetry"):
        length = record.pack(*row["fields"][1:])
        assert bytes(record.buffer[:length]) == unhex(row["hex"])
        assert codec.decode(record.buffer, 0, length) == row["fields"]


def test_telemetry_allocates_nothing():
    import gc

    if sys.implementation.name != "micropython":
        return
    record = codec.TelemetryRecord()
    pack = record.pack
    pack(1, 2, 3, 4, 5, -300000, 7, 8, 9, 10, 11, 12)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(10):
        pack(1, 2, 3, 4, 5, -300000, 7, 8, 9, 10, 11, 12)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before
