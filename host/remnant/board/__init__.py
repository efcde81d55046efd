"""A board as typed async methods: what was asked, what was accepted, what was executed."""

from .client import Board
from .values import Accepted, ClockPair, Executed, Line, Status, Welcome

__all__ = ["Accepted", "Board", "ClockPair", "Executed", "Line", "Status", "Welcome"]
