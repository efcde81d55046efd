"""The nearest right word, for the second half of a message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, words: Iterable[str], listed: str) -> str:
    """Return "Did you mean 'soak'? <listed>", or `listed` alone when no word is near."""
    near = difflib.get_close_matches(word, list(words), 1)
    return f"Did you mean '{near[0]}'? {listed}".rstrip() if near else listed
