"""A PIO state machine by its registers, never claimed: MicroPython's soft reset stops every claimed machine and leaves its pin as it was.

Source of registers: RP2040 datasheet, section 3.7. All programs wrap over their whole length, shift right and use no autopull.
"""

from array import array

import micropython
from machine import mem32
from micropython import const

PIO0 = const(0x50200000)
PIO1 = const(0x50300000)

_SET = const(0x2000)  # alias addresses: write 1 to set, write 1 to clear
_CLEAR = const(0x3000)
_CTRL = const(0x000)
_FSTAT = const(0x004)
_FDEBUG = const(0x008)
_TXF0 = const(0x010)
_RXF0 = const(0x020)
_INSTR_MEM0 = const(0x048)
_SM0 = const(0x0C8)
_SM_STRIDE = const(0x18)
_CLKDIV = const(0x00)
_EXECCTRL = const(0x04)
_ADDR = const(0x0C)
_INSTR = const(0x10)
_PINCTRL = const(0x14)
_IO_BANK0 = const(0x40014000)

_NOP_SIDE_0 = const(0xA042)
_SET_PINS_0 = const(0xE000)
_SET_PINDIRS_1 = const(0xE081)


def load(pio, offset, program):
    """Write the instructions of an `asm_pio` program to `offset`; returns the first free offset. No machine may be running there."""
    code = program[0]
    for i in range(len(code)):
        word = code[i]
        if not word & 0xE000:  # jmp: its address is absolute
            word += offset
        mem32[pio + _INSTR_MEM0 + 4 * (offset + i)] = word
    return offset + len(code)


@micropython.viper
def _stop_low(machine: ptr32):
    """Stop, pin low, FIFOs empty, back at the first instruction. machine: PIO, registers, mask, first instruction, instruction for low."""
    mask = machine[2]
    one = 1
    clear = ptr32(machine[0] + 0x3000)
    set_ = ptr32(machine[0] + 0x2000)
    regs = ptr32(machine[1])
    clear[0] = mask
    regs[4] = machine[4]
    regs[2] = (one << 30) | (3 << 18)  # a change of FJOIN empties both FIFOs
    regs[2] = 3 << 18
    set_[0] = (mask << 4) | (mask << 8)
    regs[4] = machine[3]  # jmp


class StateMachine:
    """Machine `index` of `pio` running the program at `offset`, clocked by the system clock over `divider`.

    sideset: pin of the one side-set bit or None; out: (first pin, count); set_pin: pin of SET; jmp_pin: pin that `jmp(pin)` tests.
    Every pin named as an output is made one and low, and handed to the PIO.
    """

    def __init__(self, pio, index, offset, length, divider, sideset=None, out=None, set_pin=None, jmp_pin=0):
        self.pio = pio
        self.mask = 1 << index
        self.index = index
        self.tx_address = pio + _TXF0 + 4 * index
        self.rx_address = pio + _RXF0 + 4 * index
        self._regs = regs = pio + _SM0 + _SM_STRIDE * index
        self._start = offset
        self._fast = array("I", [pio, regs, self.mask, offset, _SET_PINS_0 if sideset is None else _NOP_SIDE_0])
        mem32[pio + _CLEAR + _CTRL] = self.mask
        mem32[regs + _CLKDIV] = divider << 16
        mem32[regs + _EXECCTRL] = (jmp_pin << 24) | ((offset + length - 1) << 12) | (offset << 7)
        pins = [sideset] if sideset is not None else []
        if out is not None:
            pins.extend(range(out[0], out[0] + out[1]))
        for pin in pins:
            mem32[regs + _PINCTRL] = (1 << 26) | (pin << 5)  # SET on this pin alone
            mem32[regs + _INSTR] = _SET_PINS_0
            mem32[regs + _INSTR] = _SET_PINDIRS_1
        control = 0
        if sideset is not None:
            control |= (1 << 29) | (sideset << 10)
        if out is not None:
            control |= (out[1] << 20) | out[0]
        if set_pin is not None:
            control |= (1 << 26) | (set_pin << 5)
        mem32[regs + _PINCTRL] = control
        _stop_low(self._fast)
        for pin in pins:
            mem32[_IO_BANK0 + 8 * pin + 4] = 6 if pio == PIO0 else 7

    def start(self):
        mem32[self.pio + _SET + _CTRL] = self.mask

    def stop(self):
        """Stopped where it is; its pins keep their level."""
        mem32[self.pio + _CLEAR + _CTRL] = self.mask

    def low(self):
        """Stopped, pin of the side-set (without one: of SET) low, FIFOs empty, back at the first instruction."""
        _stop_low(self._fast)

    def waits_at_start(self):
        """True while the machine waits for a word at its first instruction."""
        return mem32[self._regs + _ADDR] == self._start and bool(mem32[self.pio + _FSTAT] & (self.mask << 24))

    def starved(self):
        """True if the machine has waited for a word since `forget_starved`."""
        return bool(mem32[self.pio + _FDEBUG] & (self.mask << 24))

    def forget_starved(self):
        mem32[self.pio + _FDEBUG] = self.mask << 24
