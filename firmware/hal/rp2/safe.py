"""Every output at its safe level, whatever the chip was doing. boot.py runs this first, so it imports next to nothing.

A soft reset leaves DMA channels running into memory that is no longer theirs, and state machines driving their pins.
"""

from machine import Pin, mem32

# (DMA CHAN_ABORT, its channels, CTRL of each PIO)
RP2040 = (0x50000444, 0xFFF, (0x50200000, 0x50300000))
RP2350 = (0x50000464, 0xFFFF, (0x50200000, 0x50300000, 0x50400000))


def make_safe(low, high=(), registers=RP2040):
    """DMA stopped, state machines stopped, pins taken by the processor: `low` and `high` name them."""
    abort, channels, controls = registers
    mem32[abort] = channels
    for pin in low:
        Pin(pin, Pin.OUT, value=0)
    for pin in high:
        Pin(pin, Pin.OUT, value=1)
    for control in controls:
        mem32[control] = 0
