"""Serial ports: which there are, and which one is meant."""

from __future__ import annotations

import os
from dataclasses import dataclass

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError


@dataclass(frozen=True)
class Port:
    """A serial port: path, USB serial number (None: not USB), what the system calls it."""

    path: str
    serial_number: str | None
    description: str


def find_ports() -> list[Port]:
    """Every serial port of this machine."""
    from serial.tools import list_ports

    return [Port(p.device, p.serial_number, p.description or "") for p in sorted(list_ports.comports())]


def resolve_port(spec: str) -> str:
    """Return the path of a port given as a path or as a USB serial number. Raises RigError(PORT_NOT_FOUND)."""
    if os.path.exists(spec):
        return spec
    for port in find_ports():
        if port.serial_number == spec:
            return port.path
    raise RigError(codes.PORT_NOT_FOUND, where=spec)


def find_again(spec: str, serial_number: str | None = None) -> str:
    """Where a board that was on `spec` is now. Raises RigError(PORT_NOT_FOUND).

    serial_number: of its USB port when it was opened (`serial_number_of`); the name of a port may change when it is plugged in again, and
    another board may have got the old name.
    """
    if serial_number:
        for port in find_ports():
            if port.serial_number == serial_number:
                return port.path
    return resolve_port(spec)


def serial_number_of(path: str) -> str | None:
    """The USB serial number behind a path (a symlink is followed), None when it is not USB."""
    real = os.path.realpath(path)
    return next((port.serial_number for port in find_ports() if os.path.realpath(port.path) == real), None)
