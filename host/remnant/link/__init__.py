"""The line to a board: find its port, open it, frames in and out."""

from .line import Batch, Link
from .ports import Port, find_ports, resolve_port

__all__ = ["Batch", "Link", "Port", "find_ports", "resolve_port"]
