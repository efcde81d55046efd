"""Start the emulated board in a process of its own: the real MicroPython image on an emulated RP2040, plant on its pins, a port like any other.

The bench is tests/emulator; it fetches and builds what it needs on first use (an image of MicroPython, Node, rp2040js).
"""

from __future__ import annotations

import os
import sys
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .. import bundle
from .board import VirtualBoard

SPEED = 8.0  # at most this many times the wall clock: a host that is heard every 0.4 s must not look silent for 5 s
BOARD = "rpi_pico"


class EmulatedBoard(VirtualBoard):
    """One emulated board; `scenario` as for a virtual one (boards/virtual/README.md), speed at most SPEED."""

    KIND = "emulated"

    def __init__(self, **scenario: Any):
        scenario.pop("interpreter", None)
        speed = scenario.pop("speed", 0) or SPEED
        super().__init__(speed=min(speed, SPEED), **scenario)

    def _command(self) -> tuple[list[str], dict[str, str]]:
        serve = bundle.root() / "tests/emulator/serve.py"
        if not serve.is_file():
            raise RigError(codes.EMULATOR_MISSING, where=f"{serve} is not here")
        return [sys.executable, str(serve)], dict(os.environ)

    @property
    def description(self) -> str:
        return f"MicroPython 1.25.0 on an emulated RP2040 ({BOARD})"
