"""What a message tells to do exists: every command that a hint or a page names."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from remnant.cli.app import app
from remnant_protocol import error_words

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *(ROOT / "host/remnant").rglob("*.py"), *(ROOT / "boards").rglob("*.md")]
HINTS = [f"{sentence} {hint}" for _, sentence, hint in error_words.WORDS.values()]
TEXTS = HINTS + [page.read_text(encoding="utf-8") for page in PAGES]
COMMANDS = sorted({match[1] for text in TEXTS for match in re.finditer(r"(?:`|^    )remnant ([a-z-]+)", text, re.MULTILINE)})


def test_hints_name_commands_at_all():
    assert {"check", "list"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_named_is_there(command):
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("what", ["plans", "ports", "runs"])
def test_what_list_is_said_to_list(what, tmp_path):
    assert CliRunner().invoke(app, ["list", what, "--out", str(tmp_path)]).exit_code == 0
