"""The board of a trial: virtual as `remnant run --rig virtual` starts it, or with a clock or a noise set first (preset.py), or emulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remnant.virtual import EmulatedBoard, VirtualBoard

PRESET = Path(__file__).resolve().with_name("preset.py")


class PresetBoard(VirtualBoard):
    """scenario key `preset`: what preset.py sets before the firmware starts."""

    def _command(self) -> tuple[list[str], dict[str, str]]:
        command, environment = super()._command()
        return [*command[:-1], str(PRESET)], environment


def alive(board: VirtualBoard) -> bool:
    """True while the board's process runs."""
    return board._process is not None and board._process.poll() is None


def board(emulated: bool = False, **scenario: Any) -> VirtualBoard:
    """A started board."""
    if emulated:
        return EmulatedBoard(**scenario).start()
    return (PresetBoard if scenario.get("preset") else VirtualBoard)(**scenario).start()
