"""Every output at its safe level, whatever the chip was doing. boot.py runs this first, so it imports next to nothing.

A soft reset leaves DMA channels running into memory that is no longer theirs, and state machines driving their pins.
"""

from machine import Pin, mem32

_CHAN_ABORT = 0x50000444
_PIO_CTRL = (0x50200000, 0x50300000)


def make_safe(low, high=()):
    """DMA stopped, state machines stopped, pins taken by the processor: `low` and `high` name them."""
    mem32[_CHAN_ABORT] = 0xFFF
    for pin in low:
        Pin(pin, Pin.OUT, value=0)
    for pin in high:
        Pin(pin, Pin.OUT, value=1)
    for ctrl in _PIO_CTRL:
        mem32[ctrl] = 0
