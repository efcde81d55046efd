"""The heater block as one gain, one time constant, one delay and the room: is the heat where the duty says it is?

In every control tick the filtered reading T and the duty u, passed through the sensor's delay and the same filter, are put into
`extra = dT/dt + (T - ambient) / tau - gain / tau * u`, the heating that nobody asked for (negative: heat that did not come).
"""

from micropython import const

from remnant_protocol.errors import HEATER_DEAD, HEATER_STUCK_ON, OK, SENSOR_DETACHED

_V = const(16)  # rates are counted in 1/16 mK/s
_FILTER_MS = const(2000)
_LATE_MS = const(500)  # longer ticks count as this
_JUMP = const(30000 << 6)  # reading off its filter by more: another sensor, a new start
_START_MS = const(8000)
_BLIND_MS = const(20000)

_FALL = const(-700 * 16)
_FALL_FROM = const(600 * 16)
_FALL_ENOUGH = const(500 * 16000)  # evidence is a sum of rate x ms: mK x 16000
_FALL_TICKS = const(8)

_ASKED_LEAST = const(50 * 16)
_MISSING_MOST = const(500 * 16)
_MISSING_FAST = const(4200 * 16000)
_MISSING_SURE = const(6500 * 16000)
_MISSING_TOP = const(12000 * 16000)

_STUCK_MS = const(8000)
_RISE_SUDDEN = const(1000 * 16)

_LEARN_BELOW = const(100 * 16)
_BIAS_LOW = const(-30 * 16 * 1024)
_BIAS_HIGH = const(60 * 16 * 1024)


class ThermalModel:
    def __init__(self, settings, limits):
        self._settings = settings
        self._limits = limits
        self.reload()

    def reload(self):
        settings = self._settings
        tau_ms = settings["model_tau_ms"]
        self._gain = settings["model_gain_mk"] * 1000 * _V // tau_ms
        self._loss_q14 = (_V << 14) * 1000 // tau_ms
        self._lag_ms = max(settings["model_dead_ms"], 200)
        margin = settings["model_margin_pct"]
        self._margin = 40 * _V * margin // 100
        self._excess_enough = 500 * 160 * margin
        self.reset()

    def reset(self):
        self._ambient_mc = self._settings["model_ambient_mc"]
        self._bias = 0
        self._started = False
        self._smooth = self._lagged = self._heat = 0
        self._blind_ms = 0
        self._forget()

    def _forget(self):
        self._fall = self._fall_ticks = self._missing = self._excess = self._excess_ms = 0
        self.extra = 0

    def _start(self, temp_mc, duty_u16):
        self._started = True
        self._smooth = temp_mc << 6
        self._lagged = self._heat = duty_u16 << 4
        self._blind_ms = _START_MS
        self._forget()

    def tick(self, temp_mc, duty_u16, dt_ms):
        if dt_ms > _LATE_MS:
            dt_ms = _LATE_MS
        diff = (temp_mc << 6) - self._smooth
        if not self._started or diff > _JUMP or diff < -_JUMP:
            self._start(temp_mc, duty_u16)
            return OK
        self._smooth = smooth = self._smooth + diff * dt_ms // _FILTER_MS
        self._lagged = lagged = self._lagged + ((duty_u16 << 4) - self._lagged) * dt_ms // self._lag_ms
        self._heat = heat = self._heat + (lagged - self._heat) * dt_ms // _FILTER_MS
        smooth >>= 6
        ambient_mc = self._ambient_mc
        if smooth < ambient_mc:
            self._ambient_mc = ambient_mc = smooth
        gain = self._gain
        asked = (heat >> 4) * gain >> 16
        extra = (diff >> 3) + ((smooth - ambient_mc) * self._loss_q14 >> 14) - asked - (self._bias >> 10)
        self.extra = extra
        # off the block
        if extra < _FALL:
            self._fall_ticks += 1
            self._fall -= (extra + _FALL_FROM) * dt_ms
            if self._fall_ticks >= _FALL_TICKS and self._fall >= _FALL_ENOUGH:
                return SENSOR_DETACHED
        else:
            self._fall = self._fall_ticks = 0
        if extra > _RISE_SUDDEN:
            self._blind_ms = _BLIND_MS
        if self._blind_ms > 0:
            self._blind_ms -= dt_ms
            return OK
        # dead
        missing = self._missing
        got = asked + extra
        if asked >= _ASKED_LEAST and got * 4 < asked:
            missing += (-extra if extra > -_MISSING_MOST else _MISSING_MOST) * dt_ms
            if missing > _MISSING_TOP:
                missing = _MISSING_TOP
        else:
            missing -= (missing >> 4) + 1 if missing else 0
        self._missing = missing
        # stuck
        excess = self._excess
        if asked * 16 < gain * 15 and got * 2 < gain * 3:
            excess += (extra - self._margin) * dt_ms
        else:
            excess -= excess >> 4
        if excess <= 0:
            excess = 0
            self._excess_ms = 0
        else:
            self._excess_ms += dt_ms
            if excess > _MISSING_TOP:
                excess = _MISSING_TOP
        self._excess = excess
        if missing >= _MISSING_SURE or (missing >= _MISSING_FAST and asked * 4 >= gain * 3 and got * 20 < asked * 3):
            return HEATER_DEAD
        if excess >= self._excess_enough and self._excess_ms >= _STUCK_MS:
            return HEATER_STUCK_ON
        if missing < 300 * 16000 and excess < 100 * 16000 and -_LEARN_BELOW < extra < _LEARN_BELOW:
            bias = self._bias + (extra * dt_ms * 8) // 1000
            self._bias = _BIAS_LOW if bias < _BIAS_LOW else _BIAS_HIGH if bias > _BIAS_HIGH else bias
        return OK
