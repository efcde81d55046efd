"""Raw flash between MicroPython's image and its file system, for the spool: pages programmed and sectors erased behind nobody's back.

`rp2.Flash()` begins at the file system. MicroPython 1.25 (ports/rp2/rp2_flash.c) adds block and offset to it modulo 2**32 and checks
nothing, so a negative block lies below it; each programming is read back, so a MicroPython that does otherwise is seen at the first page.
Reads are memory: XIP at 0x10000000, whose cache the boot ROM flushes after programming.
"""

from time import ticks_diff, ticks_us

import rp2
import uctypes
from machine import mem16, mem32
from micropython import const

PAGE = const(256)
SECTOR = const(4096)
_PAGES = const(16)
_XIP = const(0x10000000)
_FILE_SYSTEM = const(0xA0000)  # of RPI_PICO: where block 0 of rp2.Flash lies
_FIRST = const(0x5C000)
_ERASE = const(6)  # ioctl: erase a block
_U32 = const(0xFFFFFFFF)
_HEADER = const(0x7188EBF2)
_HEADER_END = const(0xE71AA390)
_ID_AND_INT = const(5)
_BINARY_END = const(0x68F465DE)


class Flash:
    """hal.contract.Flash. sectors: 68."""

    sectors = (_FILE_SYSTEM - _FIRST) // SECTOR

    def __init__(self):
        self._device = rp2.Flash()
        self._view = memoryview(uctypes.bytearray_at(_XIP + _FIRST, _FILE_SYSTEM - _FIRST))
        self.erase_ms_max = 0

    def read(self, page):
        return self._view[page * PAGE : page * PAGE + PAGE]

    def program(self, page, offset, data):
        at = page * PAGE + offset
        block = (_FIRST - _FILE_SYSTEM) // SECTOR + page // _PAGES
        self._device.writeblocks(block, data, at % SECTOR)
        return self._view[at : at + len(data)] == data

    def erase(self, sector):
        began = ticks_us()
        self._device.ioctl(_ERASE, (_FIRST - _FILE_SYSTEM) // SECTOR + sector)
        took_ms = (ticks_diff(ticks_us(), began) + 999) // 1000
        if took_ms > self.erase_ms_max:
            self.erase_ms_max = took_ms


def find_flash():
    """The Flash, or None where the image reaches into its place or does not say where it ends."""
    end = image_end()
    return Flash() if end and end <= _XIP + _FIRST else None


def image_end():
    """Address behind MicroPython's image as its binary info tells it, 0 where it tells nothing.

    Source: Pico SDK 2.1, binary_info/structure.h: a header within the first 512 bytes points to a table of pointers to entries.
    """
    for header in range(_XIP + 0x100, _XIP + 0x200, 4):
        if mem32[header] & _U32 == _HEADER and mem32[header + 16] & _U32 == _HEADER_END:
            for at in range(mem32[header + 4], mem32[header + 8], 4):
                entry = mem32[at]
                if mem16[entry] == _ID_AND_INT and mem32[entry + 4] == _BINARY_END:
                    return mem32[entry + 8]
    return 0
