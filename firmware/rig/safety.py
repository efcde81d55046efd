"""Safety: one table of causes, checked at every control tick; the first cause is latched and every power output goes off.

| cause | how it is seen | within | cleared when |
|---|---|---|---|
| SENSOR_OPEN | counts above OPEN_ABOVE, 3 ticks | 300 ms | the counts are back in range |
| SENSOR_SHORT | counts below SHORT_BELOW, 3 ticks | 300 ms | the counts are back in range |
| SENSOR_STALE | the very same 16-sample sum (or none) 20 ticks in a row | 2 s | readings change again |
| SENSOR_SLOPE | more than slope_max_mc_per_s over one second, 3 ticks | 300 ms after it shows | the slope is plausible for 1 s |
| OVER_TEMPERATURE | above temp_cutoff_mc, 2 ticks | 200 ms | 5 degC below the cut-off |
| SENSOR_DETACHED | the reading falls faster than the block can cool (thermal_model.py) | 1 to 5 s | the model begins anew |
| HEATER_DEAD | what the heater is asked for does not come | 12 to 40 s, 60 s when cold | the model begins anew |
| HEATER_STUCK_ON | the block gets heat that nobody asked for; the series switch cuts it | 8 to 15 s | the model begins anew |
| HEATER_OVERSHOOT | 10 degC above the setpoint and still rising 0.1 degC/s, 30 ticks | 3 s | it has cooled below, or the setpoint is gone |
| SENSORS_DISAGREE | a second sensor, where fitted, differs by sensors_differ_max_mc, 20 ticks (cross_check.py) | 2 s | they agree |
| INTERLOCK_OPEN | the loop is open, 1 tick | 100 ms | the loop is closed |
| STOP_PRESSED | the button is pressed, 1 tick | 100 ms | the button is released |
| LAMP_NOT_LIT | lamp asked for but the monitor sees less than a quarter, 20 ticks | 2 s | at once: the lamp is tried again by a new start |
| (no fault) outputs driven by hand | nothing heard from the host for 5 s; app.py | 5.1 s | off; a program goes on alone |
| TASK_FAILED, JOURNAL_FAILED, WAIT_TIMEOUT, PUMP_* | raised by the part itself | at once | at once |

Nothing here sleeps, allocates or talks: `check` decides, `trip` acts, the journal tells.
"""

from micropython import const

from remnant_protocol.errors import (
    CAUSE_REMAINS,
    HEATER_DEAD,
    HEATER_OVERSHOOT,
    HEATER_STUCK_ON,
    INTERLOCK_OPEN,
    LAMP_NOT_LIT,
    OK,
    OVER_TEMPERATURE,
    SENSOR_DETACHED,
    SENSOR_OPEN,
    SENSOR_SHORT,
    SENSOR_SLOPE,
    SENSOR_STALE,
    SENSORS_DISAGREE,
    STOP_PRESSED,
    RigError,
)
from remnant_protocol.messages import BY_FAULT, FAULT, OUTPUTS_OFF

from .clock import ticks_diff
from .cross_check import CrossCheck
from .thermal_model import ThermalModel
from .thermometry import OPEN_ABOVE, SHORT_BELOW, Thermometry

_RAIL_TICKS = const(3)
_STALE_TICKS = const(20)
_SLOPE_TICKS = const(3)
_HOT_TICKS = const(2)
_DARK_TICKS = const(20)
_COOLED_MC = const(5000)
_SENSOR2 = const(3)  # channel of hal.contract.Analog
_OVERSHOOT_MC = const(10000)
_OVERSHOOT_RISE_MC_PER_S = const(100)
_OVERSHOOT_TICKS = const(30)


_BY_MODEL = (HEATER_DEAD, SENSOR_DETACHED, HEATER_STUCK_ON)


class Safety:
    """code: the latched first cause (OK: none); value, limit: what was seen."""

    def __init__(self, rig):
        self._rig = rig
        self._cutoff_mc = rig.limits["temp_cutoff_mc"]
        self._rail_ticks = self._slope_ticks = self._hot_ticks = self._dark_ticks = 0
        self._last_good_mc = 0
        self._over_ticks = 0
        self.model = ThermalModel(rig.settings, rig.limits)
        self._cross_check = CrossCheck()
        self._sensor2 = None
        self.code = OK
        self.reload()

    def reload(self):
        rig = self._rig
        self._slope_max = rig.settings["slope_max_mc_per_s"]
        self.model.reload()
        self._cross_check.set_limit(rig.settings["sensors_differ_max_mc"])
        self._sensor2 = None
        if rig.settings["sensor2_fitted"] and rig.hal.adc.sensors > 1:
            rig.thermometry2 = rig.thermometry2 or Thermometry(rig.hal.adc, _SENSOR2, rig.settings)
            rig.thermometry2.reload()
            self._sensor2 = rig.thermometry2

    def check(self, dt_ms=100):
        """Return the code of a cause that has shown for its time, or OK. Called once a tick, after thermometry and before outputs."""
        rig = self._rig
        thermometry = rig.thermometry
        raw = thermometry.raw_sum
        slope = thermometry.slope_mc_per_s
        slope_max = self._slope_max
        if not rig.inputs.interlock_closed():
            return INTERLOCK_OPEN
        if rig.inputs.stop_pressed():
            return STOP_PRESSED
        if raw > OPEN_ABOVE or raw < SHORT_BELOW:
            thermometry.forget()
            self._rail_ticks += 1
            if self._rail_ticks >= _RAIL_TICKS:
                return SENSOR_OPEN if raw > OPEN_ABOVE else SENSOR_SHORT
            return OK  # a reading from a rail is no temperature: judge nothing else by it
        self._rail_ticks = 0
        if thermometry.repeats >= _STALE_TICKS:
            return SENSOR_STALE
        temp_mc = thermometry.temp_mc
        code = self._judge_heat(temp_mc, slope, dt_ms)
        if code != OK:
            return code
        if temp_mc > self._cutoff_mc:
            self._hot_ticks += 1
            if self._hot_ticks >= _HOT_TICKS:
                return OVER_TEMPERATURE
        else:
            self._hot_ticks = 0
        if slope > slope_max or -slope > slope_max:
            self._slope_ticks += 1
            if self._slope_ticks >= _SLOPE_TICKS:
                return SENSOR_SLOPE
        else:
            self._slope_ticks = 0
            self._last_good_mc = temp_mc
        lamp = rig.lamp
        if lamp.requested_uw_per_cm2:
            if lamp.measured_uw_per_cm2 * 4 < lamp.requested_uw_per_cm2 and not lamp.suspended:
                self._dark_ticks += 1
                if self._dark_ticks >= _DARK_TICKS:
                    return LAMP_NOT_LIT
            else:
                self._dark_ticks = 0
        return OK

    def _judge_heat(self, temp_mc, slope, dt_ms):
        """Does the block do what the heater was told, and do two sensors say the same?"""
        rig = self._rig
        heater = rig.heater
        if not rig.calibrating:
            code = self.model.tick(temp_mc, heater.duty_u16, dt_ms)
            if code != OK:
                return code
        if temp_mc - heater.setpoint_mc > _OVERSHOOT_MC and slope > _OVERSHOOT_RISE_MC_PER_S and heater.target_mc > 0:
            self._over_ticks += 1
            if self._over_ticks >= _OVERSHOOT_TICKS:
                return HEATER_OVERSHOOT
        else:
            self._over_ticks = 0
        if self._sensor2 is not None:
            self._sensor2.sample()
            if not SHORT_BELOW <= self._sensor2.raw_sum <= OPEN_ABOVE:
                return OK  # the second one is broken: the first one is judged by itself
            return self._cross_check.tick(temp_mc, self._sensor2.temp_mc, dt_ms)
        return OK

    def seen(self, code):
        """(value, limit) behind a code, in the units of its sentence."""
        rig = self._rig
        thermometry = rig.thermometry
        if code == SENSOR_OPEN:
            return thermometry.raw_sum // 16, OPEN_ABOVE // 16
        if code == SENSOR_SHORT:
            return thermometry.raw_sum // 16, SHORT_BELOW // 16
        if code == SENSOR_STALE:
            return thermometry.repeats, _STALE_TICKS
        if code == SENSOR_SLOPE:
            return thermometry.slope_mc_per_s, self._slope_max
        if code == OVER_TEMPERATURE:
            return thermometry.temp_mc, self._cutoff_mc
        if code == HEATER_OVERSHOOT:
            return thermometry.temp_mc - rig.heater.setpoint_mc, _OVERSHOOT_MC
        if code == SENSORS_DISAGREE:
            return self._cross_check.seen()
        if code in _BY_MODEL:
            return self.model.seen()
        if code == LAMP_NOT_LIT:
            return rig.lamp.measured_uw_per_cm2, rig.lamp.requested_uw_per_cm2 // 4
        return 0, 0

    def trip(self, code, value=0, limit=0):
        """Outputs off, first cause latched and journalled. A later cause changes nothing. Returns True if this was the first."""
        rig = self._rig
        irradiance = rig.lamp.measured_uw_per_cm2
        began = rig.ticks_us()
        was = self.outputs_off()
        if self.code != OK:
            return False
        self.code = code
        off_after_us = ticks_diff(rig.ticks_us(), began)
        rig.journal.write(FAULT, code, value, limit, self._last_good_mc, irradiance, off_after_us)
        rig.journal.event(OUTPUTS_OFF, BY_FAULT, was[0], was[1], was[2], off_after_us)
        return True

    def outputs_off(self):
        """Every power output off now, pumps stopped, a probe forgotten, triggers inactive. Returns the duties and how many pumps ran."""
        rig = self._rig
        heater_u16, lamp_u16, moving = rig.heater.duty_u16, rig.lamp.duty_u16, 0
        rig.heater.off()
        rig.lamp.off()
        rig.hal.master.off()
        rig.calibrating = False
        rig.probe.cancel()
        stopped = 0
        for i, pump in enumerate(rig.pumps):
            if pump.busy:
                moving += 1
                stopped |= 1 << i
            pump.abort()
        rig.triggers.off()
        for i in range(len(rig.pumps)):
            if stopped & (1 << i):
                rig.tell_pump(i)
        return heater_u16, lamp_u16, moving

    def clear(self):
        """Forget the latched cause. Raises RigError(CAUSE_REMAINS, value=code) while one is still there. Returns what was cleared."""
        self._dark_ticks = self._over_ticks = 0
        self.model.reset()
        self._cross_check.reset()
        remains = self.check()
        if remains == OK and (self._rail_ticks or self._slope_ticks or self._hot_ticks):
            remains = self.code
        if remains == OK and self.code == OVER_TEMPERATURE and self._rig.thermometry.temp_mc > self._cutoff_mc - _COOLED_MC:
            remains = OVER_TEMPERATURE
        if remains != OK:
            raise RigError(CAUSE_REMAINS, value=remains)
        cleared = self.code
        self.code = OK
        return cleared
