"""The heater: a setpoint that may ramp, a PID in integers, a leased output.

Units: temperatures in mdegC, duty 0..65535. The integral is kept in 1/4096 of a duty count. Nothing allocates.
Anti-windup: the integral moves only while the output is inside its range or the error drives it back there. A ramp waits when the
block falls _CATCH_UP_MC behind, so a slow block is never chased by a setpoint that has run away.
"""

from micropython import const

from remnant_protocol.errors import RAMP_LIMIT, SETPOINT_LIMIT, RigError

OFF_MC = const(-300000)  # the setpoint as told in telemetry while the heater is off
_CATCH_UP_MC = const(3000)
_ERROR_MAX_MC = const(100000)
_FULL = const(65535)
_Q = const(12)
_INTEGRAL_MAX = const(65535 << 12)


class Heater:
    def __init__(self, output, settings, limits):
        self._renew = output.renew
        self._output = output
        self._settings = settings
        self._limits = limits
        self.target_mc = OFF_MC
        self.setpoint_mc = OFF_MC
        self.ramp_mc_per_min = 0
        self.duty_u16 = 0
        self._ramp_rest = 0
        self._integral = 0
        self._last_temp_mc = 0
        self.reload()

    def reload(self):
        """Take over changed gains, once, as the integers the tick uses (per mdegC and 0.1 s tick)."""
        settings = self._settings
        self._kp = settings["heater_kp_u16_per_k"]
        self._ki = (settings["heater_ki_u16_per_k_s"] << _Q) // 10000
        self._kd = settings["heater_kd_u16_s_per_k"]
        self._ff = settings["heater_ff_u16_per_k_per_min"]

    def set(self, setpoint_mc, ramp_mc_per_min, temp_mc):
        """Aim at setpoint_mc (None: off), moving from the present temperature at the ramp (0: at once).

        Raises RigError(SETPOINT_LIMIT | RAMP_LIMIT); nothing changes then.
        """
        limits = self._limits
        if setpoint_mc is None:
            self.off()
            return
        if not limits["temp_min_mc"] <= setpoint_mc <= limits["temp_max_mc"]:
            raise RigError(SETPOINT_LIMIT, value=setpoint_mc, limit=limits["temp_max_mc"])
        if not 0 <= ramp_mc_per_min <= limits["ramp_max_mc_per_min"]:
            raise RigError(RAMP_LIMIT, value=ramp_mc_per_min, limit=limits["ramp_max_mc_per_min"])
        if self.target_mc == OFF_MC:
            self._integral = 0
            self._last_temp_mc = temp_mc
            self.setpoint_mc = temp_mc
        self.target_mc = setpoint_mc
        self.ramp_mc_per_min = ramp_mc_per_min
        self._ramp_rest = 0
        if ramp_mc_per_min == 0:
            self.setpoint_mc = setpoint_mc

    def off(self):
        """Setpoint gone, pin low, integral forgotten."""
        self.target_mc = OFF_MC
        self.setpoint_mc = OFF_MC
        self.ramp_mc_per_min = 0
        self.duty_u16 = 0
        self._integral = 0
        self._output.off()

    def tick(self, temp_mc, dt_ms):
        """One control step: move the setpoint, compute the duty, renew the lease."""
        target_mc = self.target_mc
        if target_mc == OFF_MC:
            return
        setpoint_mc = self.setpoint_mc
        duty = 0
        if setpoint_mc != target_mc:
            setpoint_mc = self._ramp(setpoint_mc, target_mc, temp_mc, dt_ms)
            if setpoint_mc != target_mc:
                duty = self.ramp_mc_per_min * self._ff // 1000
                if target_mc < setpoint_mc:
                    duty = -duty
        error_mc = setpoint_mc - temp_mc
        if error_mc > _ERROR_MAX_MC:
            error_mc = _ERROR_MAX_MC
        elif error_mc < -_ERROR_MAX_MC:
            error_mc = -_ERROR_MAX_MC
        integral = self._integral
        duty += self._kp * error_mc // 1000 + (integral >> _Q)
        if self._kd:
            duty -= self._kd * (temp_mc - self._last_temp_mc) // 100
            self._last_temp_mc = temp_mc
        if (duty < _FULL or error_mc < 0) and (duty > 0 or error_mc > 0):
            integral += self._ki * error_mc
            self._integral = 0 if integral < 0 else (_INTEGRAL_MAX if integral > _INTEGRAL_MAX else integral)
        duty = 0 if duty < 0 else (_FULL if duty > _FULL else duty)
        self.duty_u16 = duty
        self._renew(duty)

    def _ramp(self, setpoint_mc, target_mc, temp_mc, dt_ms):
        lag_mc = setpoint_mc - temp_mc
        up = target_mc > setpoint_mc
        if (lag_mc > _CATCH_UP_MC) if up else (lag_mc < -_CATCH_UP_MC):
            return setpoint_mc
        moved = self.ramp_mc_per_min * dt_ms + self._ramp_rest
        step = moved // 60000
        self._ramp_rest = moved - step * 60000
        if up:
            setpoint_mc += step
            if setpoint_mc > target_mc:
                setpoint_mc = target_mc
        else:
            setpoint_mc -= step
            if setpoint_mc < target_mc:
                setpoint_mc = target_mc
        self.setpoint_mc = setpoint_mc
        return setpoint_mc
