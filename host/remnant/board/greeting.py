"""Who answers: a WELCOME read and judged."""

from __future__ import annotations

from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from .values import WELCOME_FIELDS, Welcome

_NEEDED = 14  # fields of protocol 1.0 with the message's number
_NUMBERS = (1, 2, *range(5, _NEEDED))


def read_welcome(fields: list[Any], path: str) -> Welcome:
    """Raises RigError(PORT_NOT_A_RIG | PROTOCOL_MISMATCH | TABLE_MISMATCH)."""
    if len(fields) < 3:
        raise RigError(codes.PORT_NOT_A_RIG, where=path)
    if fields[1] != m.PROTOCOL_MAJOR:
        spoken = f"{fields[1]}.{fields[2]}"
        raise RigError(codes.PROTOCOL_MISMATCH, where=path, value=spoken, limit=f"{m.PROTOCOL_MAJOR}.{m.PROTOCOL_MINOR}")
    if len(fields) < _NEEDED or not all(isinstance(fields[i], int) for i in _NUMBERS):
        raise RigError(codes.PORT_NOT_A_RIG, where=path)
    welcome = Welcome(*fields[1 : 1 + WELCOME_FIELDS])
    if welcome.table_hash != m.TABLE_HASH and welcome.minor <= m.PROTOCOL_MINOR:
        raise RigError(codes.TABLE_MISMATCH, where=path, value=welcome.table_hash, limit=m.TABLE_HASH)
    return welcome
