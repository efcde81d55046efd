"""What every command prints: text for people, one JSON document with --json; errors in one line, never a traceback."""

from __future__ import annotations

import json
import os
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

    def error(self, error: BaseException) -> Exit:
        """Tell an error in its own words; return the exit code."""
        code = exit_code(error)
        if isinstance(error, PlanError):
            self.result({"ok": False, "exit": int(code), "problems": [vars(problem) for problem in error.problems]})
        else:
            self.result({"ok": False, "exit": int(code), "code": getattr(error, "code", None), "error": explain(error)})
        print(explain(error), file=sys.stderr, flush=True)
        return code

    def failed(self, code: Exit, text: str) -> Exit:
        """Tell something that is no RigError in one line; return `code`."""
        self.result({"ok": False, "exit": int(code), "error": text})
        print(text, file=sys.stderr, flush=True)
        return code


@contextmanager
def told(output: Output) -> Iterator[None]:
    """Turn whatever goes wrong inside into one message and an exit code."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except typer.BadParameter as error:
        output.result({"ok": False, "exit": int(Exit.USAGE), "error": str(error)})
        raise
    except RigError as error:
        raise typer.Exit(output.error(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(output.failed(Exit.INTERRUPTED, "interrupted")) from None
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.OK) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror or error}. Check the path, its permissions and the space on the disk."
        raise typer.Exit(output.failed(Exit.DEVICE, text)) from None
    except Exception as error:  # a defect of ours: the details go to a file
        handle, log = tempfile.mkstemp(prefix="remnant-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        text = f"internal error, {type(error).__name__}: {error}. Please report it with {Path(log)}"
        raise typer.Exit(output.failed(Exit.DEVICE, text)) from None
