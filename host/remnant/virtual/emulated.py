"""Start the emulated board in a process of its own: MicroPython's real image on an emulated RP2040, plant on its pins, a port like any.

The bench is tests/emulator; it fetches and builds what it needs on first use (an image of MicroPython, Node, rp2040js).
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .. import bundle
from .board import VirtualBoard

SPEED = 8.0  # at most this many times the wall clock: a host that is heard every 0.4 s must not look silent for 5 s
BOARD = "rpi_pico"
BOOT_S = 60


class EmulatedBoard(VirtualBoard):
    """One emulated board; `scenario` as for a virtual one (boards/virtual/README.md), speed at most SPEED."""

    KIND = "emulated"

    def __init__(self, **scenario: Any):
        scenario.pop("interpreter", None)
        speed = scenario.pop("speed", 0) or SPEED
        super().__init__(speed=min(speed, SPEED), **scenario)

    def start(self) -> EmulatedBoard:
        """Start the process and wait until the firmware has booted. Raises RigError(EMULATOR_MISSING | NOT_STARTED)."""
        super().start()
        assert self._control
        self._control.settimeout(BOOT_S)
        try:
            told = self._control.recv(16)
        except OSError:
            told = b""
        self._control.settimeout(None)
        if not told:
            last = self.log().strip().rpartition("\n")[2][-300:] or f"it did not boot within {BOOT_S} s"
            self.close()
            raise RigError(codes.EMULATOR_MISSING, where=last)
        return self

    def _command(self) -> tuple[list[str], dict[str, str]]:
        bench = bundle.root() / "tests/emulator"
        if not (bench / "serve.py").is_file():
            raise RigError(codes.EMULATOR_MISSING, where=f"{bench} is not here")
        made = subprocess.run([sys.executable, str(bench / "image.py")], stdout=subprocess.PIPE)  # shows its progress when it has to build
        if made.returncode:
            raise RigError(codes.EMULATOR_MISSING, where="what it runs on cannot be had (above)")
        return [sys.executable, str(bench / "serve.py")], dict(os.environ)

    @property
    def description(self) -> str:
        return f"MicroPython 1.25.0 on an emulated RP2040 ({BOARD})"
