"""Boards without a bench, each in a process of its own: virtual (firmware on this PC) and emulated (the chip's own image)."""

from .board import VirtualBoard
from .emulated import EmulatedBoard

SIMULATED = {"virtual": VirtualBoard, "emulated": EmulatedBoard}
LIMITS_OF = {"virtual": "virtual", "emulated": "rpi_pico"}  # whose board.py

__all__ = ["LIMITS_OF", "SIMULATED", "EmulatedBoard", "VirtualBoard"]
