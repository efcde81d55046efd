"""The whole board from its pins: what `make_hal` of boards/*/board.py returns."""

import os
import sys

import machine
from machine import Pin, mem32
from micropython import const

from .analog import Analog
from .flash import find_flash
from .leases import make_leases
from .line import Clock, Line
from .machine_pio import PIO0, load
from .optics import Optics
from .retained import retained
from .steps import StepChannel, program_for
from .store import Store

_SET = const(0x2000)  # alias address: write 1 to set
_WATCHDOG_SCRATCH0 = const(0x4005800C)
_ASKED_FOR = const(0x52656D6E)  # left in the scratch register by `reset`
_WATCHDOG_MS = const(2000)


class _Inputs:
    """The interlock loop and the stop button bring 3.3 V when all is well: a broken wire reads as open, as pressed."""

    def __init__(self, interlock, stop, triggers, diags):
        self._interlock = Pin(interlock, Pin.IN, Pin.PULL_DOWN)
        self._stop = Pin(stop, Pin.IN, Pin.PULL_DOWN)
        self._triggers = [Pin(pin, Pin.IN, Pin.PULL_DOWN) for pin in triggers]
        self._diags = [None if pin is None else Pin(pin, Pin.IN, Pin.PULL_DOWN) for pin in diags]

    def interlock_closed(self):
        return self._interlock.value() == 1

    def stop_pressed(self):
        return self._stop.value() == 0

    def trigger_in(self, channel):
        return self._triggers[channel].value() == 1

    def pump_stalled(self, pump):
        diag = self._diags[pump]
        return diag is not None and diag.value() == 1


class _Outputs:
    def __init__(self, triggers, led, lit_states):
        self._triggers = [Pin(pin, Pin.OUT, value=0) for pin in triggers]
        self._led = Pin(led, Pin.OUT, value=0)
        self._lit_states = lit_states

    def trigger(self, channel, on):
        self._triggers[channel].value(on)

    def indicator(self, state):
        self._led.value(state in self._lit_states)

    def off(self):
        for pin in self._triggers:
            pin.value(0)


class _Watchdog:
    """Armed by its first feeding; it cannot be stopped then."""

    def __init__(self):
        self._watchdog = None

    def feed(self):
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)
        self._watchdog.feed()


class _Identity:
    def __init__(self, board, firmware_hash, simulated):
        self.board = board
        self.uid = "".join(["%02x" % byte for byte in machine.unique_id()])
        self.boot_id = int.from_bytes(os.urandom(4), "little") & 0x7FFFFFFF or 1
        self.firmware_hash = firmware_hash
        self.simulated = simulated
        asked_for = mem32[_WATCHDOG_SCRATCH0] == _ASKED_FOR
        mem32[_WATCHDOG_SCRATCH0] = 0
        cause = machine.reset_cause()
        self.reset_cause = 2 if asked_for else 0 if cause == machine.PWRON_RESET else 1 if cause == machine.WDT_RESET else 3


class Rp2Hal:
    """hal.contract.Hal from a table of pins (boards/rpi_pico/board.py)."""

    def __init__(self, pins, limits, lamp_nm, board, firmware_hash=0, simulated=False):
        self.retained = retained()  # first of all: nothing large may come to lie there
        self.limits = limits
        self.lamp_nm = lamp_nm
        self.line = Line()
        self.clock = Clock(self.line)
        self.identity = _Identity(board, firmware_hash, simulated)
        self.inputs = _Inputs(pins["interlock"], pins["stop"], pins["trigger_in"], pins["diag"])
        self.outputs = _Outputs(pins["trigger_out"], pins["led"], pins["led_states"])
        self.heater, self.lamp, self.master, free = make_leases(pins["heater"], pins["lamp"], pins["master"], pins["interlock"])
        self.optics = Optics(pins["probe"], pins["cells_adc"], pins["monitor_adc"], limits["probe_pulses_max"], free)
        self.adc = Analog(self.optics, pins["sensor_adc"], pins["monitor_adc"], pins["cells_adc"])
        program, pulse_cycles = program_for(pins["step_pulse_cycles"])
        length = load(PIO0, 0, program)
        self.pumps = [StepChannel(i, 0, length, pulse_cycles, pins["step"][i], pins["direction"][i]) for i in range(limits["pumps"])]
        self.store = Store()
        self.flash = find_flash()
        self.watchdog = _Watchdog()

    def start_together(self, pumps_mask):
        """One write starts the machines in the same cycle, their dividers with them."""
        mem32[PIO0 + _SET] = pumps_mask | (pumps_mask << 8)

    def retain(self, start, end):
        """RAM needs nothing more."""

    def all_off(self):
        self.heater.off()
        self.lamp.off()
        self.master.off()
        self.optics.stop()
        for pump in self.pumps:
            pump.abort()
        self.outputs.off()

    def reset(self):
        mem32[_WATCHDOG_SCRATCH0] = _ASKED_FOR
        machine.reset()

    def tell_exception(self, error):
        """Kept in flash as `last_error.txt`: `mpremote cat :last_error.txt`."""
        try:
            with open("/last_error.txt", "w") as file:
                sys.print_exception(error, file)
        except OSError:
            pass  # a full flash must not keep the board from restarting
