"""A virtual board that lives until Ctrl-C, so that several commands can use one after another."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from ..virtual import VirtualBoard
from .output import Output

LOOK_EVERY_S = 0.5


def simulate(scenario: dict[str, Any], state: Path | None, link: Path | None, output: Output) -> None:
    """Start it, tell its port, wait. state: folder with its flash and the RAM that a reset leaves alone. Raises RigError(NOT_STARTED)."""
    facts = {"boot_id": secrets.randbelow((1 << 31) - 1) + 1, **scenario, **({"state": str(state)} if state else {})}
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    with VirtualBoard(**facts) as board:
        if link:
            _point(link, board.port)
        try:
            output.say(f"SIMULATED: virtual board on {link or board.port}. Ctrl-C ends it.")
            output.result({"ok": True, "simulated": True, "port": str(link or board.port)})
            while not ended.wait(LOOK_EVERY_S):
                if not os.path.exists(board.port):  # it goes with the process that holds its other end
                    raise RigError(codes.NOT_STARTED, where=board.log().strip().rpartition("\n")[2][-200:] or "its process has ended")
        finally:
            if link:
                with contextlib.suppress(OSError):
                    if os.readlink(link) == board.port:
                        link.unlink()


def _point(link: Path, port: str) -> None:
    """Make or move a symbolic link to the port. Raises RigError(NOT_STARTED) when something else is in its place."""
    if link.exists() and not link.is_symlink():
        raise RigError(codes.NOT_STARTED, where=str(link), text=f"{link} is there and is no link to a port. Choose another --port-link")
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_name(f"{link.name}.new")
    with contextlib.suppress(OSError):
        new.unlink()
    new.symlink_to(port)
    os.replace(new, link)
