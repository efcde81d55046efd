"""protocol/SPEC.md says what the code does: every row of the tables stands in it."""

from pathlib import Path

from remnant_protocol import error_words, frame, program, schema

SPEC = (Path(__file__).parents[2] / "protocol/SPEC.md").read_text(encoding="utf-8")
LINES = SPEC.splitlines()


def test_messages_commands_and_events_are_the_tables_of_the_schema():
    for table in (schema.MESSAGES, schema.COMMANDS, schema.EVENTS):
        for number, (name, fields) in table.items():
            assert f"| {number} | {name} | {', '.join(f'`{field}`' for field in fields) or '-'} |" in LINES, name


def test_every_error_code_is_in_the_table():
    for code, (name, _, _) in error_words.WORDS.items():
        assert any(line.startswith(f"| {code} | {name} | ") for line in LINES), name


def test_operations_and_conditions_are_those_of_the_program():
    for table in (program._OPERATIONS, program._CONDITIONS):
        for number, (name, _) in table.items():
            assert any(line.startswith(f"| {number} | {name} | ") for line in LINES), name


def test_the_golden_frame_is_right():
    assert f"`{frame.encode(bytes([0xC0])).hex()}`" in SPEC
