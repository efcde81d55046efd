"""Heater and lamp: each word fed to a state machine authorises one slot of 50 ms. No word, no output, whatever the processor does.

Three words wait at most behind the running one, so a pin that nobody feeds is low within 200 ms: a frozen processor, a crash to
the prompt, interrupts off, a soft reset. The interlock is looked at by the machines themselves: at the start of each heater slot, in
each period of the lamp; while it is open the words are eaten in the dark.

Only `Lease.renew` feeds, and only the control tick calls it.
"""

import micropython
import rp2
from micropython import const

from .machine_pio import PIO1, StateMachine, load

HEATER_DIVIDER = const(125)  # 1 us a tick
LAMP_DIVIDER = const(15)  # 120 ns a tick


# purpose: one slot of heater per word    clock: 1 MHz    word: on ticks - 1 (16 bit; 0 is dark), off ticks - 1 (16 bit)
# pins: side-set = heater, jmp = interlock (high: closed)    idle: low    underrun: waits in `pull`, low
@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def heater_program():
    pull(block).side(0)  # 1
    out(x, 16).side(0)  # 1
    out(y, 16).side(0)  # 1
    jmp(pin, "closed").side(0)  # 1
    mov(x, null).side(0)  # open: this slot stays dark, and is shorter
    label("closed")
    jmp(not_x, "off").side(0)  # 1
    label("on")
    jmp(x_dec, "on").side(1)  # on ticks
    label("off")
    jmp(y_dec, "off").side(0)  # off ticks


# purpose: 104 dimmed periods of the lamp per word    clock: 8.333 MHz    word: periods - 1 (8 bit), on ticks - 1 (12 bit; 0 is dark),
# off ticks - 1 (12 bit)    pins: side-set = lamp, jmp = interlock (high: closed)    idle: low    underrun: waits in `pull`, low
@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def lamp_program():
    pull(block).side(0)  # 1 a slot
    mov(isr, osr).side(0)  # 1 a slot
    out(x, 8).side(0)  # 1 a slot
    label("period")
    mov(osr, isr).side(0)  # 1
    out(null, 8).side(0)  # 1
    out(y, 12).side(0)  # 1
    jmp(pin, "closed").side(0)  # 1
    mov(y, null).side(0)  # open: dark, and shorter
    label("closed")
    jmp(not_y, "dark").side(0)  # 1
    label("on")
    jmp(y_dec, "on").side(1)  # on ticks
    label("dark")
    out(y, 12).side(0)  # 1
    label("off")
    jmp(y_dec, "off").side(0)  # off ticks
    jmp(x_dec, "period").side(0)  # 1


@micropython.viper
def feed_heater(index: int, duty_u16: int):
    """Top the FIFO up to three words of this duty. A slot is 6 ticks, on ticks and off ticks."""
    on = (duty_u16 >> 1) * 50000 >> 15
    if on > 49994:
        on = 49994
    off = 49994
    word = off << 16
    if on > 1:
        word = (on - 1) | ((49994 - on) << 16)
    pio = ptr32(0x50300000)
    while (pio[3] >> (8 * index)) & 15 < 3:
        pio[4 + index] = word


@micropython.viper
def feed_lamp(index: int, duty_u16: int):
    """Top the FIFO up to three words of this duty. A period is 8 ticks, on ticks and off ticks."""
    on = duty_u16 * 4000 >> 16
    if on > 3992:
        on = 3992
    off = 3992
    word = 103 | (off << 20)
    if on > 1:
        word = 103 | ((on - 1) << 8) | ((3992 - on) << 20)
    pio = ptr32(0x50300000)
    while (pio[3] >> (8 * index)) & 15 < 3:
        pio[4 + index] = word


class Lease:
    """hal.contract.LeasedOutput on one machine of PIO1; `feed(index, duty_u16)` tops up its words."""

    def __init__(self, machine, feed):
        self._machine = machine
        self._index = machine.index
        self._feed = feed
        self._held = False
        machine.start()

    def renew(self, duty_u16):
        self._feed(self._index, duty_u16)
        if not self._held:
            self._held = True
            self._machine.forget_starved()

    def off(self):
        self._held = False
        self._machine.low()
        self._machine.start()

    def lapsed(self):
        if self._held and self._machine.starved():
            self._machine.forget_starved()
            return True
        return False


def make_leases(heater_pin, lamp_pin, master_pin, interlock_pin):
    """(heater, lamp, master, first free instruction of PIO1). The master switch runs the heater's program on a machine of its own."""
    after_heater = load(PIO1, 0, heater_program)
    after_lamp = load(PIO1, after_heater, lamp_program)
    heater = StateMachine(PIO1, 0, 0, after_heater, HEATER_DIVIDER, sideset=heater_pin, jmp_pin=interlock_pin)
    lamp = StateMachine(PIO1, 1, after_heater, after_lamp - after_heater, LAMP_DIVIDER, sideset=lamp_pin, jmp_pin=interlock_pin)
    master = StateMachine(PIO1, 3, 0, after_heater, HEATER_DIVIDER, sideset=master_pin, jmp_pin=interlock_pin)
    return Lease(heater, feed_heater), Lease(lamp, feed_lamp), Lease(master, feed_heater), after_lamp
