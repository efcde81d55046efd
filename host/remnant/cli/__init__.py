"""The command line: `remnant demo run check report list`."""

from .app import main

__all__ = ["main"]
