"""What every command prints: text for people, one JSON document with --json; errors in one line, never a traceback."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from remnant_protocol.errors import RigError

from ..errors import Exit, PlanError, exit_code, explain


class Output:
    """Where a command writes. json: machines read it; then nothing but one document goes to stdout."""

    def __init__(self, as_json: bool):
        self.json = as_json

    def say(self, text: str) -> None:
        """A line for people; to stderr when stdout belongs to a machine."""
        print(text, file=sys.stderr if self.json else sys.stdout, flush=True)

    def result(self, document: dict[str, Any]) -> None:
        """The result for a machine."""
        if self.json:
            print(json.dumps(document, indent=2), flush=True)

    def error(self, error: BaseException) -> int:
        """Tell an error in its own words; return the exit code."""
        code = int(exit_code(error))
        text = explain(error)
        if isinstance(error, PlanError):
            problems = [vars(problem) for problem in error.problems]
            self.result({"ok": False, "exit": code, "problems": problems})
        else:
            self.result({"ok": False, "exit": code, "code": getattr(error, "code", None), "error": text})
        print(text, file=sys.stderr, flush=True)
        return code


@contextmanager
def told(output: Output) -> Iterator[None]:
    """Turn whatever goes wrong inside into one message and an exit code."""
    try:
        yield
    except RigError as error:
        raise typer.Exit(output.error(error)) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(Exit.OK) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}", file=sys.stderr)
        raise typer.Exit(Exit.DEVICE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # a defect of ours: the details go to a file
        log = Path(tempfile.gettempdir()) / "remnant-error.log"
        log.write_text(traceback.format_exc(), encoding="utf-8")
        print(f"internal error: {type(error).__name__}: {error}. Details: {log}", file=sys.stderr)
        raise typer.Exit(Exit.DEVICE) from None
