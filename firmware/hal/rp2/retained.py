"""4 kB of RAM that a reset leaves alone: the top of MicroPython's heap, where nothing of a start comes to lie.

The chip has no RAM of its own for this: scratch X and Y are MicroPython's stack (8 kB in 1.25), the USB RAM is cleared at each start. A
start fills the heap from below and needs half of it, so the last 4 kB still hold what they held before a watchdog reset, the RUN pin or a
soft reset. They are copied, allocated so that the collector gives them to nobody else, and filled again: 1 ms in which a second reset
would cost them.
"""

import gc

import uctypes
from micropython import const

BYTES = const(4096)
_END = const(0x20040000)  # __GcHeapEnd of ports/rp2: the end of the striped RAM
_LARGE = const(65536)
_TRIES = const(8)


def retained():
    """A memoryview of BYTES at the end of the heap with their content from before the reset; None if the heap does not end there.

    To be called before anything large has been allocated.
    """
    copy = bytes(uctypes.bytearray_at(_END - BYTES, BYTES))
    held = [None] * _TRIES  # whatever large enough lies lower is held meanwhile
    gc.collect()
    at = uctypes.addressof(bytearray(_LARGE))  # where the free rest of the heap begins
    gc.collect()
    filler = bytearray(_END - BYTES - at)
    for i in range(_TRIES):
        block = held[i] = bytearray(BYTES)
        if uctypes.addressof(block) == _END - BYTES:
            block[:] = copy
            filler = held = None
            gc.collect()
            return memoryview(block)
    del filler
    return None
