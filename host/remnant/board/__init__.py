"""A board as typed async methods: what was asked, what was accepted, what was executed."""

from .client import Accepted, Board, Executed, Status, Welcome

__all__ = ["Accepted", "Board", "Executed", "Status", "Welcome"]
