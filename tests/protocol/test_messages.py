"""The golden messages: every row of the schema has one, its fields are of the row's types, and it is written and read byte for byte."""

from remnant_protocol import codec, frame, schema
from remnant_protocol import messages as m
from vectors import unhex, vectors

RANGES = {"u8": (0, 0xFF), "u16": (0, 0xFFFF), "u32": (0, 0xFFFFFFFF), "i32": (-0x80000000, 0x7FFFFFFF), "any": (-0x80000000, 0x7FFFFFFF)}
KINDS = {"str": str, "bin": bytes, "map": dict, "bool": bool}


def golden():
    """(name, fields with bytes in place of {"bin": hex}, body, frame) of every golden message."""
    rows = []
    for row in vectors("messages"):
        fields = [unhex(field["bin"]) if isinstance(field, dict) and "bin" in field else field for field in row["fields"]]
        rows.append((row["name"], fields, unhex(row["body"]), unhex(row["frame"])))
    return rows


def check_fields(name, values, fields):
    """`values` fit `fields` of the schema."""
    if fields and fields[-1].endswith(":*"):
        fields = fields[:-1]
        assert len(values) >= len(fields), name
    else:
        assert len(values) == len(fields), name
    for field, value in zip(fields, values):
        kind = field.split(":")[1]
        if kind in KINDS:
            assert isinstance(value, KINDS[kind]), (name, field)
        elif kind != "any" or value is not None:
            assert isinstance(value, int) and not isinstance(value, bool), (name, field)
            assert RANGES[kind][0] <= value <= RANGES[kind][1], (name, field)


def test_golden_messages_are_written():
    for name, fields, body, framed in golden():
        assert codec.encode(fields) == body, name
        assert frame.encode(body) == framed, name


def test_golden_messages_are_read():
    for name, fields, body, _ in golden():
        assert codec.decode(body) == fields, name


def test_golden_messages_have_the_fields_of_the_schema():
    for name, fields, _, _ in golden():
        row, types = schema.MESSAGES[fields[0]]
        assert name.split(" ")[0] == row
        check_fields(name, fields[1:], types)
        if fields[0] == m.COMMAND:
            row, types = schema.COMMANDS[fields[2]]
            assert name.split(" ")[1] == row
            check_fields(name, fields[3:], types)
        if fields[0] == m.EVENT:
            row, types = schema.EVENTS[fields[4]]
            assert name.split(" ")[1] == row
            check_fields(name, fields[5:], types)


def test_every_message_command_and_event_has_golden_bytes():
    rows = [fields for _, fields, _, _ in golden()]
    # TELEMETRY has fixed widths and a file of its own, which tests/protocol/test_codec.py reads
    assert {fields[0] for fields in rows} | {m.TELEMETRY} == set(schema.MESSAGES)
    assert {fields[2] for fields in rows if fields[0] == m.COMMAND} == set(schema.COMMANDS)
    assert {fields[4] for fields in rows if fields[0] == m.EVENT} == set(schema.EVENTS)


def test_the_largest_message_of_every_row_without_rest_fits_a_frame():
    # strings of identity are at most 32 characters; a probe of 32 pulses has three lists of 64 bytes
    largest = {
        "u8": 0xFF,
        "u16": 0xFFFF,
        "u32": 0xFFFFFFFF,
        "i32": -0x80000000,
        "bool": True,
        "str": "x" * 32,
        "bin": bytes(64),
        "map": {},
        "*": 0,
    }
    for number, (name, fields) in schema.MESSAGES.items():
        body = codec.encode([number] + [largest[field.split(":")[1]] for field in fields])
        assert len(body) <= frame.BODY_MAX, (name, len(body))
