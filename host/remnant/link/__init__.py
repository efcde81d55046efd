"""The line to a board: find its port, open it, frames in and out."""

from .batch import Batch
from .line import Link
from .ports import Port, find_again, find_ports, resolve_port, serial_number_of

__all__ = ["Batch", "Link", "Port", "find_again", "find_ports", "resolve_port", "serial_number_of"]
