"""The virtual board as a process: which interpreter it runs on, and how it is started."""

from .board import VirtualBoard

__all__ = ["VirtualBoard"]
