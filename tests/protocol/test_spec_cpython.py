"""protocol/SPEC.md says what the code does: its tables are the tables of the code, row by row, nothing missing and nothing left over."""

import re
from pathlib import Path

import pytest

from remnant_protocol import error_words, errors, frame, messages, program, schema

SPEC = (Path(__file__).parents[2] / "protocol/SPEC.md").read_text(encoding="utf-8")


def table(first_column, second_column):
    """Rows (lists of cells) of the table whose head begins with these two."""
    found = re.search(rf"^\| {first_column} \| {second_column} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", SPEC, re.MULTILINE)
    assert found, f"SPEC.md has no table of {second_column}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


@pytest.mark.parametrize(
    ("first", "second", "rows"),
    [("number", "message", schema.MESSAGES), ("op", "command", schema.COMMANDS), ("event", "name", schema.EVENTS)],
)
def test_messages_commands_and_events_are_the_tables_of_the_schema(first, second, rows):
    expected = [[str(n), name, ", ".join(f"`{field}`" for field in fields) or "-"] for n, (name, fields) in sorted(rows.items())]
    assert table(first, second) == expected


def test_the_error_table_is_that_of_the_code_word_for_word():
    expected = [[str(code), name, re.sub(r"[{}]", "", said)] for code, (name, said, _) in sorted(error_words.WORDS.items())]
    assert table("code", "name") == expected


@pytest.mark.parametrize(
    ("first", "second", "rows"), [("number", "operation", program._OPERATIONS), ("kind", "condition", program._CONDITIONS)]
)
def test_operations_and_conditions_are_those_of_the_program(first, second, rows):
    written = table(first, second)
    assert [row[:2] for row in written] == [[str(n), name] for n, (name, _) in sorted(rows.items())]
    for number, name, arguments in written:
        bare = re.sub(r"\([^)]*\)", "", arguments).partition(":")[0]
        assert (0 if bare == "-" else len(bare.split(","))) == rows[int(number)][1], name


def test_versions_limits_and_named_numbers_are_those_of_the_code():
    flat = re.sub(r"\s+", " ", SPEC)
    assert f"Protocol version {messages.PROTOCOL_MAJOR}.{messages.PROTOCOL_MINOR}." in flat
    assert f"at most {frame.FRAME_MAX} bytes, a body from 1 to {frame.BODY_MAX}." in flat
    assert f"positional arrays, version {program.VERSION}," in flat
    assert f"Blocks nest at most {program.NESTING_MAX} deep" in flat
    for state, name in enumerate(("STARTING", "READY", "RUNNING", "PAUSED", "FAULTED")):
        assert getattr(messages, name) == state
        assert re.search(rf"\b{state} {name}\b", flat), name
    told = flat[flat.index("`by`: ") :]
    ends = {name: getattr(messages, name) for name in dir(messages) if name.startswith("BY_")}
    assert sorted(ends.values()) == list(range(len(ends)))
    for name, number in ends.items():
        assert re.search(rf"[:,] {number} {name[3:].lower().replace('_', ' ')}\b", told), name


def test_every_code_named_in_the_text_exists():
    for name in re.findall(r"\b(PORT_\w+|PROTOCOL_MISMATCH|TABLE_MISMATCH|NO_ANSWER|[A-Z]+_(?:LIMIT|UNKNOWN|INVALID|CORRUPT))\b", SPEC):
        assert hasattr(errors, name), name


def test_the_golden_frame_is_right():
    assert f"`{frame.encode(bytes([0xC0])).hex()}`" in SPEC
