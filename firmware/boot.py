"""Runs before main.py at every start: outputs safe before anything else, and Ctrl-C on the line is data, not an interrupt."""

import board
import micropython

board.make_safe()
micropython.kbd_intr(-1)
