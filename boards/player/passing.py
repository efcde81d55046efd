"""Time passes at once for a rig in which everything is steady: block, light, motors, clock and records come to where they would be."""

from math import exp

from plant import rig as plant_rig
from plant import thermal

from .hal import FULL

_Q_PER_MC = 1024
_BELOW_2UW = 3  # rig/lamp.py corrects by error >> 2: with the monitor's noise the light stays 1.5 uW/cm2 below what is asked
_CYCLES_PER_S = 125_000_000


class Passing:
    """steps_owed: of each motor, the part of a step that a leap left over."""

    def __init__(self, rig, tau_s):
        self._rig = rig
        self._tau_s = tau_s
        per_k = 1000 * plant_rig.LOSS_Q22 / plant_rig.HEAT_PER_U16  # duty that holds the block a kelvin warmer
        self._settling_s = (rig.settings["heater_kp_u16_per_k"] + per_k) / max(rig.settings["heater_ki_u16_per_k_s"], 1)
        self.steps_owed = [0.0] * len(rig.pumps)

    def pass_(self, ticks, heat):
        """Let so many control ticks pass. heat: "held", "cooling" or "off", as Leaper found it."""
        rig = self._rig
        hal, seconds = rig.hal, ticks / 10
        us = ticks * 100_000
        self._move_heat(seconds, heat)
        self._move_light(ticks, us)
        for i, pump in enumerate(rig.pumps):
            if pump.busy:
                self._move_pump(i, pump, seconds, us)
        hal.clock.us += us
        clock = rig.clock
        s, clock.us = divmod(clock.us + us, 1_000_000)  # as its update, which counts second by second
        clock.s += s
        clock._last = hal.clock.ticks_us()
        due_ms, period_ms = rig._telemetry_due, rig._telemetry_ms
        telemetry = (ticks * 100 - due_ms) // period_ms + 1 if due_ms <= ticks * 100 else 0
        rig._telemetry_due += telemetry * period_ms - ticks * 100
        rig.telemetry += telemetry
        rig.records += telemetry * (1 + sum(1 for pump in rig.pumps if pump.busy))

    def _move_heat(self, seconds, heat):
        rig = self._rig
        hal, heater, plant = rig.hal, rig.heater, rig.hal.plant
        ambient_q = hal.ambient_q
        if heat == "held":  # what is left of the error dies away as the integral takes over from the proportional part
            setpoint_q = heater.setpoint_mc * _Q_PER_MC
            left_q = int((plant._sensor_q - setpoint_q) * exp(-seconds / self._settling_s))
            plant._block_q = plant._sensor_q = setpoint_q + left_q
            duty = holding_u16(plant._block_q, ambient_q)
            heater.duty_u16 = duty
            heater._integral = max(0, duty + heater._kp * left_q // 1024000) << 12
            hal.heater.renew(duty)
            hal.heater_u16s += duty * seconds
        else:
            left = exp(-seconds / self._tau_s)
            plant._block_q = ambient_q + int((plant._block_q - ambient_q) * left)
            lag = self._tau_s / (self._tau_s - thermal.SENSOR_TAU_S)
            plant._sensor_q = ambient_q + int((plant._block_q - ambient_q) * lag)
            rig.safety.model.reset()
            rig.thermometry.forget()

    def _move_light(self, ticks, us):
        rig, hal = self._rig, self._rig.hal
        lamp, led = rig.lamp, rig.hal.plant._lamp
        duty, left = hal.lamp.duty_u16, ticks // 10
        while left:  # the LED warms or cools, and its duty follows, until nothing moves any more
            before = led._rise_uk
            led.second(duty * 10)
            if duty:
                duty = min(FULL, (lamp.requested_uw_per_cm2 << 14) // led.gain)
            left -= 1
            hal.lamp_u16s += duty
            if led._rise_uk == before:
                break
        hal.lamp_u16s += duty * (left + ticks % 10 / 10)
        hal.plant._gain = led.gain
        if duty:
            hal.lit_s += ticks / 10
            lamp.duty_u16 = duty
            rig.exposure.add(2 * lamp.requested_uw_per_cm2 - _BELOW_2UW, us // 2)

    def _move_pump(self, i, pump, seconds, us):
        """A pump in its cruise goes on in it: whole steps, what is left of one goes into the next leap."""
        feeder = pump._feeder
        wanted = cruise_steps_per_s(feeder.planner) * seconds + self.steps_owed[i]
        steps = int(wanted)
        self.steps_owed[i] = wanted - steps
        feeder.planner.left -= steps
        feeder.planned += steps * feeder.direction
        feeder._end_us = (feeder._end_us + us) & ((1 << 30) - 1)
        self._rig.hal.pumps[i]._emitted += steps * feeder.direction
        self._rig.moving_ticks[i] += us // 100_000


def holding_u16(block_q, ambient_q):
    """Duty that holds the block, by the constants in force (tolerances.py changes them)."""
    return min(FULL, max(0, ((block_q - ambient_q) >> 10) * plant_rig.LOSS_Q22 // plant_rig.HEAT_PER_U16))


def cruise_steps_per_s(planner):
    """Mean rate of a planner's cruise."""
    return planner._cruise_n * _CYCLES_PER_S / (planner._cruise_cycles + planner._cruise_fraction / (1 << 29))
