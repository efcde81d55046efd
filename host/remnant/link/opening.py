"""Open a serial port, and read what is there in one turn."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable

import serial

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

READ_TIMEOUT_S = 0.1
READ_BYTES = 4096


def opened(path: str) -> serial.Serial:
    """The open port, ours alone. Raises RigError(PORT_NOT_FOUND | PORT_NOT_A_RIG)."""
    try:
        return serial.Serial(path, 115200, timeout=READ_TIMEOUT_S, write_timeout=2.0, exclusive=True)
    except (OSError, ValueError) as error:  # SerialException is an OSError
        number, told = getattr(error, "errno", None), str(error)
    except Exception as error:  # termios.error, when the port goes while it is being opened
        number, told = (*error.args, None)[0], str(error)
    if number in (errno.EACCES, errno.EPERM):
        text = f"you may not open {path}. Join the group that owns it (`sudo usermod -aG dialout $USER`), then log in again"
        raise RigError(codes.PORT_NOT_FOUND, where=path, text=text)
    if number in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in told:
        raise RigError(codes.PORT_NOT_FOUND, where=path, text=f"{path} is in use by another program. Close it and try again")
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO):
        raise RigError(codes.PORT_NOT_FOUND, where=path)
    raise RigError(codes.PORT_NOT_A_RIG, where=path, text=f"{path} is no serial port that can be opened ({told})")


def reader(port: serial.Serial) -> Callable[[], bytes]:
    """Return what reads all that is there, or waits READ_TIMEOUT_S for something.

    On POSIX one poll and one read a turn; pyserial's own read takes the first byte alone, which doubles the turns of a line on credit.
    """
    if not hasattr(select, "poll"):
        return lambda: port.read(port.in_waiting or 1)
    descriptor = port.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)

    def read() -> bytes:
        if not poll.poll(READ_TIMEOUT_S * 1000):
            return b""
        data = os.read(descriptor, READ_BYTES)
        if not data:
            raise OSError(errno.EIO, "the other end has hung up")
        return data

    return read
