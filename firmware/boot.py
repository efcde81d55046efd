"""Runs before main.py at every start: outputs safe before anything else. Ctrl-C on the line is data, not an interrupt."""

import micropython

micropython.kbd_intr(-1)

import board  # noqa: E402

board.make_safe()
