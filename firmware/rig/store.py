"""Programs as the host sends them: put together in RAM, checked whole, kept in the store."""

import gc
from binascii import crc32

from remnant_protocol import program
from remnant_protocol.errors import (
    PROGRAM_CORRUPT,
    PROGRAM_MISSING,
    PROGRAM_TOO_LARGE,
    RigError,
)

_NAME = "program"


class ProgramStore:
    """begin -> data ... -> commit, then load. A half-sent or damaged program never replaces the one that is kept."""

    def __init__(self, store, limits, breathe=None):
        self._store = store
        self._breathe = breathe  # called between operations while a program is decoded and checked: a large one takes seconds
        self._limits = limits
        self._incoming = None
        self._received = 0
        self._crc32 = 0
        self.loaded_crc = 0  # of the program that `load` gave last

    def begin(self, size, crc):
        """Make room for `size` bytes. Raises RigError(PROGRAM_TOO_LARGE)."""
        limit = self._limits["program_max_bytes"]
        if not 0 < size <= limit:
            raise RigError(PROGRAM_TOO_LARGE, value=size, limit=limit)
        self._incoming = bytearray(size)
        self._received = 0
        self._crc32 = crc

    def data(self, offset, data):
        """Put a piece in its place; pieces come in order, the same piece may come again. Raises RigError(PROGRAM_CORRUPT)."""
        incoming = self._incoming
        if incoming is None or offset > self._received or offset + len(data) > len(incoming):
            raise RigError(PROGRAM_CORRUPT, value=offset)
        incoming[offset : offset + len(data)] = data
        self._received = max(self._received, offset + len(data))

    def commit(self):
        """Check and keep what has come. Raises RigError(PROGRAM_CORRUPT or what `program.validate` finds)."""
        incoming = self._incoming
        if incoming is None or self._received != len(incoming) or crc32(incoming) & 0xFFFFFFFF != self._crc32:
            raise RigError(PROGRAM_CORRUPT)
        self._checked(bytes(incoming))
        self._store.save(_NAME, bytes(incoming))
        self._incoming = None

    def load(self):
        """Return the kept program, checked again. Raises RigError(PROGRAM_MISSING or what `program.validate` finds)."""
        kept = self._store.load(_NAME)
        if kept is None:
            raise RigError(PROGRAM_MISSING)
        self.loaded_crc = crc32(kept) & 0xFFFFFFFF
        return self._checked(kept)

    def _checked(self, data):
        gc.collect()  # a large tree wants half of what is free: now in one piece, not in a hundred attempts under way
        tree = program.decode(data, self._breathe)
        program.validate(tree, self._limits, len(data), self._breathe)
        return tree
