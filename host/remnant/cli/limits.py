"""Limits of a board before there is one: the LIMITS of its board.py, read as data."""

from __future__ import annotations

import runpy
from functools import cache

from .. import bundle


@cache
def limits_of(board: str) -> dict[str, int]:
    """LIMITS of boards/<board>/board.py. These files are data at their top level and import the hardware only inside `make_hal`."""
    return runpy.run_path(str(bundle.root() / "boards" / board / "board.py"))["LIMITS"]
