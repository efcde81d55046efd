"""Step pulses: run-length segments of (count, interval) emitted by one 13-instruction program on the four machines of PIO0.

Each channel has a ring of 64 segments that one DMA channel feeds, armed with exactly what has been queued: when nothing follows, the
machine waits with its pin low. Each rising edge also pushes a word, which a second DMA channel takes away and counts: the count of edges
is a register of the hardware. The interval follows its edge; a dwell is an interval without one, and carries the direction pin for the
set-up time of the driver.

A period is at least twice the pulse, because drivers want the pin low for as long as high, and at least 100 cycles, where four axes
together make 5 MHz: that is what has been measured (tests/emulated/test_steps.py).
"""

from array import array

import micropython
import rp2
import uctypes
from machine import disable_irq, enable_irq, mem32
from micropython import const

from .machine_pio import PIO0, StateMachine

_SEGMENTS = const(64)
_INTERVAL_MIN = const(100)
_ROUNDING = const(3)  # a ramp of rig/motion.py may be this much shorter than its target
_RING_BYTES = const(512)
_DMA = const(0x50000000)
_IO_BANK0 = const(0x40014000)
_DWELL_OVERHEAD = const(9)
# DMA CTRL: enabled, 32 bit, chained to itself (none), quiet; datasheet section 2.5.7
_CTRL = const(1 | (2 << 2) | (1 << 21))
_INC_READ = const(1 << 4)
_RING_SHIFT = const(6)
_CHAIN_SHIFT = const(11)
_TREQ_SHIFT = const(15)

# fields of the state that the fast paths share
_RING = const(0)  # address
_HEAD = const(1)  # words written since start
_ARMED = const(2)  # words handed to the DMA since start
_FEED = const(3)  # address of the feeding DMA channel
_FEED_CTRL = const(4)
_COUNTER = const(5)  # address of the counting DMA channel


# purpose: step pulses    clock: 125 MHz, 8 ns a cycle    words: (direction 1 bit, 1 = pulses / 0 = dwell 1 bit, count - 1 30 bit), wait
# pins: side-set = step, out = direction    idle: low    underrun: waits in a `pull`, low    one word is pushed per rising edge
# period = word + 9 + high; high = 2 + (set + 1) x (delay + 1), both patched by `program_for`
@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def step_program():
    label("segment")
    pull(block).side(0)  # 1
    out(pins, 1).side(0)  # 1
    out(y, 1).side(0)  # 1
    out(x, 30).side(0)  # 1
    pull(block).side(0)  # 1
    jmp(not_y, "gap").side(0)  # 1
    label("step")
    push(noblock).side(1)  # 1
    set(y, 31).side(1)  # 1
    label("high")
    jmp(y_dec, "high").side(1)[7]  # 256 as it stands
    label("gap")
    mov(y, osr).side(0)  # 1
    label("low")
    jmp(y_dec, "low").side(0)  # word + 1
    jmp(not_x, "segment").side(0)  # 1
    jmp(x_dec, "step").side(0)[5]  # 6, as long as the way through "segment"


_SET_AT = const(7)
_HIGH_AT = const(8)


def program_for(pulse_cycles):
    """(program, cycles of its pulse): the shortest pulse that is at least `pulse_cycles` long; 4..514."""
    for delay in range(16):
        turns = -(-(pulse_cycles - 2) // (delay + 1))
        if 1 <= turns <= 32:
            code = array("H", step_program[0])
            code[_SET_AT] = code[_SET_AT] & ~31 | (turns - 1)
            code[_HIGH_AT] = code[_HIGH_AT] & ~(15 << 8) | (delay << 8)
            return (code,), 2 + turns * (delay + 1)
    raise ValueError("pulse of %d cycles is not within 4..514" % pulse_cycles)


@micropython.viper
def _left(state: ptr32) -> int:
    """Words that the DMA has not handed over. An idle or aborted channel keeps an old count, so its BUSY bit decides."""
    channel = ptr32(state[3])
    if channel[4] & (1 << 24):
        return channel[2]
    return 0


@micropython.viper
def _pause(state: ptr32) -> int:
    """Stop the feeding channel between two words; returns the words that it has not handed over. Interrupts are off."""
    channel = ptr32(state[3])
    control = channel[4]
    if not control & (1 << 24):
        return 0
    channel[4] = control & ~1
    n = 0
    while n < 4:  # the word in flight lands
        n += 1
    left = channel[2]
    abort = ptr32(0x50000444)
    abort[0] = 1 << ((state[3] >> 6) & 15)
    while channel[4] & (1 << 24):
        pass
    return left


@micropython.viper
def _queue(state: ptr32, word0: int, word1: int) -> int:
    """Write one segment into the ring; 0 if it is full."""
    channel = ptr32(state[3])
    head = state[1]
    left = 0
    if channel[4] & (1 << 24):
        left = channel[2]
    if head - state[2] + left > 126:
        return 0
    ring = ptr32(state[0])
    ring[head & 127] = word0
    ring[(head + 1) & 127] = word1
    state[1] = head + 2
    return 1


@micropython.viper
def _arm(state: ptr32, left: int):
    """Hand over everything written, the `left` words of before included. Interrupts are off."""
    first = state[2] - left
    channel = ptr32(state[3])
    channel[0] = state[0] + ((first & 127) << 2)
    channel[2] = state[1] - first
    channel[3] = state[4]
    state[2] = state[1]


@micropython.viper
def _edges(state: ptr32) -> int:
    """Edges since the counter was set, modulo 2**30."""
    channel = ptr32(state[5])
    return (~channel[2]) & 0x3FFFFFFF


class StepChannel:
    """hal.contract.StepChannel on machine `index` of PIO0 and DMA channels 2 x index and 2 x index + 1."""

    def __init__(self, index, offset, length, pulse_cycles, step_pin, direction_pin):
        self._machine = StateMachine(PIO0, index, offset, length, 1, sideset=step_pin, out=(direction_pin, 1))
        self.mask = 1 << index
        self.interval_min_cycles = max(_INTERVAL_MIN, 2 * pulse_cycles + _ROUNDING)
        self._overhead = pulse_cycles + 9
        self._memory = memory = bytearray(2 * _RING_BYTES)  # somewhere inside lies an aligned ring
        ring = (uctypes.addressof(memory) + _RING_BYTES - 1) & ~(_RING_BYTES - 1)
        feed, counter = _DMA + 0x80 * index, _DMA + 0x80 * index + 0x40
        control = _CTRL | _INC_READ | (9 << _RING_SHIFT) | ((2 * index) << _CHAIN_SHIFT) | (index << _TREQ_SHIFT)
        self._state = array("I", [ring, 0, 0, feed, control, counter])
        self._sink = array("I", [0])
        mem32[feed + 4] = self._machine.tx_address
        mem32[counter] = self._machine.rx_address
        mem32[counter + 4] = uctypes.addressof(self._sink)
        self._counter_control = _CTRL | ((2 * index + 1) << _CHAIN_SHIFT) | ((4 + index) << _TREQ_SHIFT)
        mem32[counter + 8] = 0xFFFFFFFF
        mem32[counter + 12] = self._counter_control
        self._counted = 0  # edges accounted for
        self._emitted = 0  # their signed sum
        self._direction = 1
        self._machine.start()

    def push(self, steps, interval_cycles, direction):
        if direction != self._direction:
            self.emitted()
            self._direction = direction
        word = 1 if direction > 0 else 0
        if steps:
            word |= 2 | ((steps - 1) << 2)
            interval_cycles -= self._overhead
        else:
            interval_cycles -= _DWELL_OVERHEAD
        state = self._state
        if not _queue(state, word, interval_cycles):
            return False
        irqs = disable_irq()
        _arm(state, _pause(state))
        enable_irq(irqs)
        return True

    def hold(self):
        self._machine.stop()

    def free(self):
        state = self._state
        return _SEGMENTS - ((state[_HEAD] - state[_ARMED] + _left(state) + 1) >> 1)

    def emitted(self):
        edges = _edges(self._state)
        new = (edges - self._counted) & 0x3FFFFFFF
        if new:
            self._counted = edges
            self._emitted += new * self._direction
        return self._emitted

    def abort(self):
        machine = self._machine
        irqs = disable_irq()
        machine.stop()
        _pause(self._state)
        enable_irq(irqs)
        machine.low()  # a pulse that was caught high has lasted several us by now
        self._state[_HEAD] = self._state[_ARMED] = 0
        machine.start()
        return self.emitted()

    def recall(self, most):
        """Segments come back in pairs of words: one that is half handed over stays."""
        state = self._state
        irqs = disable_irq()
        left = _pause(state)
        back = min(left & ~1, 2 * most)
        state[_HEAD] = state[_ARMED] - back
        if left > back:
            _arm(state, left)
        state[_ARMED] = state[_HEAD]
        enable_irq(irqs)
        return back >> 1

    def running(self):
        machine = self._machine
        return _left(self._state) > 0 or not machine.waits_at_start()
