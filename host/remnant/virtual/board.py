"""Start the firmware in a process of its own on a pseudo terminal: a port like any other, with boards/virtual behind it.

The launcher keeps a descriptor of the port open, so a host may close it and come back; it holds one end of the control socket, so the
process ends with the launcher whatever becomes of it.
"""

from __future__ import annotations

import binascii
import contextlib
import fcntl
import json
import os
import pty
import socket
import subprocess
import tempfile
import tty
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .. import bundle
from .interpreter import Interpreter, find

# bytes: the 32-bit interpreter has objects of a chip's size and gets a chip's heap, and 40 kB for the plant that a chip does not hold
HEAP = {"i386": "230k"}
HEAP_DEFAULT = "1M"
BOARD_PATHS = ("boards/virtual", "firmware", "protocol", "boards")
SHIM = "boards/virtual/cpython"


class VirtualBoard:
    """One virtual board. `scenario`: seed, cells, faults, ambient_c, speed (0: as fast as it goes) ... (boards/virtual/README.md).

    state: a folder with what outlives a restart (flash, settings, RAM that a reset leaves alone, block and samples); without one it ends
    with the board. dark_s: how long a board that starts on such a folder had no power.
    """

    KIND = "virtual"

    def __init__(self, interpreter: Interpreter | None = None, heap: str | None = None, **scenario: Any):
        self.scenario = {"seed": 1, "cells": ["templated", "control"], "speed": 0, "faults": [], **scenario}
        self.scenario.setdefault("boot_id", (self.scenario["seed"] * 2654435761 + 1) & 0x7FFFFFFF)
        self.scenario.setdefault("firmware_hash", _firmware_hash())
        self.interpreter = interpreter
        self._heap = heap
        self._process: subprocess.Popen | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._control: socket.socket | None = None
        self._slave = -1
        self.port = ""

    @property
    def description(self) -> str:
        """What the firmware runs on."""
        return self.interpreter.description if self.interpreter else ""

    def start(self) -> VirtualBoard:
        """Start the process; `port` is then open for a host. Raises RigError(NOT_STARTED)."""
        command, environment = self._command()
        self._folder = tempfile.TemporaryDirectory(prefix="remnant-virtual-")
        folder = Path(self._folder.name)
        master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        fcntl.fcntl(master, fcntl.F_SETFL, fcntl.fcntl(master, fcntl.F_GETFL) | os.O_NONBLOCK)
        self._control, theirs = socket.socketpair()
        scenario = folder / "scenario.json"
        state = Path(self.scenario.get("state") or folder / "state")
        state.mkdir(parents=True, exist_ok=True)
        lasting = bool(self.scenario.get("state"))
        facts = {**self.scenario, "state": str(state), "lasting": lasting, "control_fd": theirs.fileno()}
        scenario.write_text(json.dumps(facts), encoding="ascii")
        try:
            with (folder / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    [*command, str(scenario)],
                    stdin=master,
                    stdout=master,
                    stderr=log,
                    env=environment,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # a Ctrl-C in the terminal is for the host: it stops the run in order
                )
        except OSError as error:
            raise RigError(codes.NOT_STARTED, where=str(error)) from None
        finally:
            theirs.close()
            os.close(master)
        self.port = os.ttyname(self._slave)
        return self

    def set_fault(self, name: str, value: Any = True) -> None:
        """Switch a fault of the plant on or off, now (names: boards/plant/README.md)."""
        assert self._control
        self._control.sendall(json.dumps({"fault": name, "value": value}).encode() + b"\n")

    def log(self) -> str:
        """What the process wrote to its error output."""
        if self._folder is None:
            return ""
        with contextlib.suppress(OSError):
            return Path(self._folder.name, "log").read_text(encoding="utf-8", errors="replace")
        return ""

    def kill(self) -> None:
        """Pull the board's plug: the process is killed and its port hangs up."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._hang_up()

    def close(self) -> None:
        """End the process and forget its files."""
        if self._control:
            self._control.close()
            self._control = None
        if self._process:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._hang_up()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _hang_up(self) -> None:
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    def _command(self) -> tuple[list[str], dict[str, str]]:
        """Command line without the scenario, and environment. Raises RigError when there is nothing to start."""
        self.interpreter = interpreter = self.interpreter or find()
        root = bundle.root()
        main = str(root / "firmware/main.py")
        paths = [str(root / folder) for folder in BOARD_PATHS]
        environment = dict(os.environ)
        if interpreter.kind == "cpython":
            environment["PYTHONPATH"] = os.pathsep.join([str(root / SHIM), *paths])
            return [*interpreter.argv, main], environment
        environment["MICROPYPATH"] = ":".join([".frozen", *paths])
        heap = self._heap or HEAP.get(interpreter.arch, HEAP_DEFAULT)
        return [*interpreter.argv, "-X", f"heapsize={heap}", main], environment

    def __enter__(self) -> VirtualBoard:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def _firmware_hash() -> int:
    """CRC-32 over the names and texts of all that the board runs."""
    crc, root = 0, bundle.root()
    for path in sorted(path for folder in BOARD_PATHS for path in (root / folder).rglob("*.py")):
        crc = binascii.crc32(path.relative_to(root).as_posix().encode() + path.read_bytes(), crc)
    return crc
