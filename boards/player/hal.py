"""hal/contract.py for a rig that is played: the plant without noise, motors that only count, a clock that is moved by hand.

Beside its pins it keeps the account of what passed: energies, the hottest the block was, steps.
"""

from array import array

from hal import contract
from hal.sim_pump import SimPump
from plant import lamp, noise, thermal
from plant.rig import Plant

_MASK = (1 << 30) - 1
_HALF = 1 << 29
FULL = 65535


def mute():
    """Take the noise out of every reading of this process: a forecast is what is to be expected."""
    for i in range(len(noise.GAUSS)):
        noise.GAUSS[i] = 0


class Clock(contract.Clock):
    """us: since the start, without a limit."""

    stride_ms = 0  # leap.py leaps, by another rule than the virtual board

    def __init__(self):
        self.us = 0

    def ticks_us(self):
        return self.us & _MASK


class Lease:
    """A leased output whose holder is never late."""

    def __init__(self):
        self.duty_u16 = 0

    def renew(self, duty_u16):
        self.duty_u16 = duty_u16

    def off(self):
        self.duty_u16 = 0

    def lapsed(self):
        return False


class _Analog:
    sensors = 1

    def __init__(self, plant):
        self._reads = [plant.sensor_sum, plant.monitor_sum, plant.supply_sum, plant.sensor2_sum]

    def read_sum(self, channel, samples):
        return self._reads[channel](samples)


class _Optics:
    """Pulses of which only the excitation monitor is told: what a sample will emit is what the run is made to find out."""

    PULSE_US = lamp.PULSE_US
    PERIOD_US = 4000  # as hal/sim.py

    def __init__(self, plant, clock):
        self._plant = plant
        self._clock = clock
        self._done_at = 0
        self._monitor = self._nothing = None

    def start(self, pulses, cells_mask):
        self._monitor = array("H", [self._plant.expected_monitor()[1]] * pulses)
        self._nothing = array("H", [0] * pulses)
        self._done_at = self._clock.us + pulses * self.PERIOD_US

    def stop(self):
        self._done_at = self._clock.us

    def ready(self):
        return self._clock.us >= self._done_at

    def dark(self, cell):
        return self._nothing

    lit = dark

    def monitor(self):
        return self._monitor


class _Motors:
    """What the step channels move: nothing; the firmware keeps the account."""

    def move_syringe(self, pump, steps):
        return steps


class _Inputs:
    def interlock_closed(self):
        return True

    def stop_pressed(self):
        return False

    def trigger_in(self, channel):
        return True  # whatever is waited for comes at once; the forecast says so

    def pump_stalled(self, pump):
        return False


class _Line(contract.Line):
    """Nobody is at the other end, and nothing waits for anybody."""

    def __init__(self, clock):
        self.ticks_us = clock.ticks_us

    def readinto(self, buffer):
        return 0

    def write(self, view):
        return 0

    def heard_ms_ago(self):
        return 0


class _Outputs(contract.Outputs):
    """Triggers and indicator: nothing is connected to them."""


class _Store(contract.Store):
    """Keeps nothing: settings are those of the job."""


class _Watchdog(contract.Watchdog):
    """Never bites."""


class _Identity:
    board, uid, boot_id, reset_cause, firmware_hash, simulated = "player", "player", 1, 0, 0, True


class PlayedHal:
    """plant, and what passed: heater_u16s, lamp_u16s: duty x seconds; lit_s: of the stress light; block_max_q: the hottest of the block."""

    flash = retained = None
    lamp_nm = 0

    def __init__(self, limits, ambient_c):
        self.plant = plant = Plant({"ambient_c": ambient_c, "cells": [], "syringes": []})
        self.ambient_q = thermal.q_from_c(ambient_c)
        self.limits = limits
        self.clock = Clock()
        self.heater, self.lamp, self.master = Lease(), Lease(), Lease()
        self.adc = _Analog(plant)
        self.optics = _Optics(plant, self.clock)
        motors = _Motors()
        self.pumps = [SimPump(motors, i) for i in range(limits["pumps"])]
        self.inputs = _Inputs()
        self.outputs, self.store, self.watchdog = _Outputs(), _Store(), _Watchdog()
        self.line = _Line(self.clock)
        self.identity = _Identity()
        self.heater_u16s = self.lamp_u16s = self.lit_s = 0.0
        self.block_max_q = plant._block_q

    def pass_tick(self):
        """Let the plant and the motors live through 100 ms."""
        heater_u16, lamp_u16 = self.heater.duty_u16, self.lamp.duty_u16
        for pump in self.pumps:
            if pump.running():
                pump.advance(100_000)
        plant = self.plant
        plant.master_on = self.master.duty_u16 > 0
        plant.advance(100_000, heater_u16, lamp_u16)
        self.heater_u16s += heater_u16 * 0.1
        if lamp_u16:
            self.lamp_u16s += lamp_u16 * 0.1
            self.lit_s += 0.1
        if plant._block_q > self.block_max_q:
            self.block_max_q = plant._block_q
        self.clock.us += 100_000

    def start_together(self, pumps_mask):
        pass

    def retain(self, start, end):
        pass

    def all_off(self):
        pass

    def reset(self):
        raise SystemExit

    def tell_exception(self, error):
        import traceback

        traceback.print_exception(error)
