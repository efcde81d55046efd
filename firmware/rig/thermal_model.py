"""The heater block as one gain, one time constant, one delay and a room: is the heat where the duty says it is?

At every control tick the reading T, smoothed, and the duty u, passed through the sensor's delay and the same smoothing, make

    asked = gain / tau x u                                  heating that was asked for
    extra = dT/dt + (T - ambient) / tau - asked - bias      heating that nobody asked for; negative: heat that did not come
    got   = asked + extra                                   heating that is there

| seconds from the fault on: code, and what must show | 40 degC | 80 | 120 | cold start to 80 | ramp up, down | idle |
|---|---|---|---|---|---|---|
| SENSOR_DETACHED: falls by 0.9 K/s more than the model, 0.5 s and 0.5 K of it | 2.2 | 0.8 | 0.6 | 1.0 to 3.3 above 28 degC | 1.3, 0.9 | |
| HEATER_DEAD: less than a quarter comes, 2.5 to 6.5 K are missing | 40 | 19 | 18 | 12 to 18 | 19, 35 | |
| HEATER_STUCK_ON: 0.3 K too much came, over 8 s at least, and still comes | 9.2 | 9.7 | 13 | 4 K before 80 degC | 9.6, 9.1 | 9.0 |

Measured on boards/plant with the default gains and a calibrated model (model_margin_pct 100); tests/firmware/test_thermal_model.py holds
them. With the margins of an uncalibrated model (200) stuck takes 11 s at 80 and 26 s at 120 degC, the rest is the same. A sensor that
comes off less than about 11 K above the room falls too slowly to be told from a block without heat: HEATER_DEAD, within 60 s. A heater
that is stuck while full duty is asked shows when the duty falls.

Told apart by what nothing else can do. A dead heater's `got` is zero while `asked` grows: `extra` goes against `asked` one to one, where a
cold cuvette takes the same whatever is asked. Heat that is less than known but there (an open lid) and `got` below zero (a lid and a
cuvette) are not a dead heater's: for 30 s after either the model is in doubt and waits for 16 K.

`bias` learns in 128 s what is left at rest (another room, a draught), within -30..60 mK/s (9 K of room too warm, 18 K too cold), and
stands still while evidence grows. A reading below the room's temperature lowers it at once: no block is colder than its room.

Integers below 2**30, nothing allocated in `tick`, 0.14 ms on an emulated RP2040, 0.28 ms while something shows. Rates are in 1/16 mK/s,
evidence in rate x ms (16000 make 1 mK).
"""

from micropython import const

from remnant_protocol.errors import HEATER_DEAD, HEATER_STUCK_ON, OK, SENSOR_DETACHED

from .step_response import StepResponse

_RATE = const(16)  # 1 mK/s
_MK = const(16000)  # 1 mK of evidence
_SMOOTH_MS = const(2000)
_CALM_MS = const(1000)
_LATE_MS = const(500)  # a longer tick counts as this
_JUMP_MC = const(3000)  # from one reading to the next; a sensor put back on a hot block makes 2 K
_FAR = const(30000 << 6)
_WILD_TICKS = const(5)  # so many wild readings are passed over; then it is another sensor, a new start
_COLDER_MC = const(25000)  # the room is at most so much colder than calibrated
_NEVER = const(-8000000 << 6)  # no reading yet: whatever comes is far off
_START_MS = const(8000)  # what was on the pin before is not known
_BLIND_MS = const(20000)  # after a reading rose faster than any heater heats: a sensor was put back
_SUDDEN = const(1000 * 16)
_GAIN_MOST = const(1000 * 16)  # at full duty; what is faster the settings refuse
_QUIET_LOW = const(-37 * 16)  # asked for the least, three quarters of it missing
_FLOOR = const(-2000 * 16)

_FALLS = const(-900 * 16)
_FALLS_FROM = const(700 * 16)
_FALL_ENOUGH = const(500 * 16000)
_FALL_TICKS = const(5)

_ASKED_LEAST = const(50 * 16)
_BASE_AT = const(1200 * 16000)  # missing so much, the growth of `asked` is counted from here
_GROWN = const(60 * 16)
_MISSING_GROWN = const(2500 * 16000)
_MISSING_FULL = const(4200 * 16000)
_MISSING_SURE = const(6500 * 16000)
_MISSING_DOUBT = const(16000 * 16000)
_TOP = const(20000 * 16000)
_BELOW = const(-60 * 16)
_BELOW_MS = const(1500)
_LESS = const(-80 * 16)
_LESS_MS = const(8000)
_DOUBT_MS = const(30000)

_STUCK_MS = const(8000)
_EXCESS_MC = const(300)
_MARGIN = const(35 * 16)

_LEARN_BELOW = const(100 * 16)
_LEARN_MISSING = const(300 * 16000)
_LEARN_EXCESS = const(100 * 16000)
_BIAS_LOW = const(-30 * 16 * 1024)
_BIAS_DOUBT = const(-25 * 16 * 1024)
_BIAS_HIGH = const(60 * 16 * 1024)


class ThermalModel:
    """One block. Identification (step_response.py): begin_calibration(temp_mc), then calibrate(temp_mc, dt_ms) -> duty, -1 when done, then
    calibrated() -> (gain_mk at full duty, tau_ms, dead_ms, ambient_mc); the caller puts them into the settings and calls `reload`."""

    def __init__(self, settings, limits):
        self._settings = settings
        response = StepResponse(limits)
        self.begin_calibration, self.calibrate, self.calibrated = response.begin, response.tick, response.result
        self.reload()

    def reload(self):
        """Take over changed settings; what was learned and seen is forgotten."""
        settings = self._settings
        tau_ms, margin = settings["model_tau_ms"], settings["model_margin_pct"]
        self._gain = gain = min(settings["model_gain_mk"] * 1000 * _RATE // tau_ms, _GAIN_MOST)
        self._gain_most = gain * (100 + margin) // 100
        self._loss_q13 = ((_RATE << 13) * 1000 + tau_ms // 2) // tau_ms
        self._lag_ms = max(settings["model_dead_ms"], _LATE_MS)
        self._margin = _MARGIN * margin // 100
        self._excess_enough = _EXCESS_MC * margin // 100 * _MK
        self.reset()

    def reset(self):
        """A new start: the sensor was mended or a fault cleared. The next reading begins anew, without what was learned."""
        self._ambient_mc = self._settings["model_ambient_mc"]
        self._coldest_mc = self._ambient_mc - _COLDER_MC
        self._bias = self._lagged = self._heat = self._last_mc = self._value = self._limit = 0
        self._wild = _WILD_TICKS
        self._smooth = _NEVER
        self._forget()

    def seen(self):
        """(value, limit) in mdegC behind the last code: what was missing, too much or fallen, and how much would do."""
        return self._value // _MK, self._limit // _MK

    def extra_mk_per_s(self):
        """Heating that nobody asked for; negative: heat that did not come."""
        return self._extra // _RATE

    def tick(self, temp_mc, duty_u16, dt_ms):
        """Return a code while its evidence is complete, or OK. duty_u16: what was on the pin in the dt_ms before this reading."""
        if dt_ms > _LATE_MS:
            dt_ms = _LATE_MS
        jump = temp_mc - self._last_mc
        off = (temp_mc << 6) - self._smooth
        if jump > _JUMP_MC or jump < -_JUMP_MC or off > _FAR or off < -_FAR:
            self._wild += 1
            if self._wild > _WILD_TICKS:
                self._start(temp_mc, duty_u16)
            return OK
        self._wild = 0
        self._last_mc = temp_mc
        self._smooth = smooth = self._smooth + off * dt_ms // _SMOOTH_MS
        self._lagged = lagged = self._lagged + ((duty_u16 << 4) - self._lagged) * dt_ms // self._lag_ms
        self._heat = heat = self._heat + (lagged - self._heat) * dt_ms // _SMOOTH_MS
        smooth >>= 6
        if smooth < self._ambient_mc:
            self._ambient_mc = smooth if smooth > self._coldest_mc else self._coldest_mc
        asked = (heat >> 4) * self._gain >> 16
        extra = (off >> 3) + ((smooth - self._ambient_mc) * self._loss_q13 >> 13) - asked - (self._bias >> 10)
        self._extra = extra
        if self._quiet and _QUIET_LOW < extra < self._margin:
            self._learn(extra, dt_ms)
            return OK
        return self._judge(asked, extra, dt_ms)

    def _judge(self, asked, extra, dt_ms):
        """Something shows, or something is not over yet."""
        self._quiet = False
        if extra < _FALLS:
            self._fall_ticks += 1
            if self._fall < _TOP:
                self._fall -= (extra + _FALLS_FROM) * dt_ms
            if self._fall_ticks >= _FALL_TICKS and self._fall >= _FALL_ENOUGH:
                self._value, self._limit = self._fall, _FALL_ENOUGH
                return SENSOR_DETACHED
        else:
            self._fall = self._fall_ticks = 0
            if extra > _SUDDEN:
                self._blind_ms = _BLIND_MS
        if self._blind_ms > 0:
            self._blind_ms -= dt_ms
            return OK
        enough = self._weigh_missing(asked, extra, dt_ms)
        if self._missing >= enough:
            self._value, self._limit = self._missing, enough
            return HEATER_DEAD
        self._weigh_excess(asked, extra, dt_ms)
        if self._excess >= self._excess_enough and self._excess_ms >= _STUCK_MS and extra > self._margin:
            self._value, self._limit = self._excess, self._excess_enough
            return HEATER_STUCK_ON
        if self._missing < _LEARN_MISSING and self._excess < _LEARN_EXCESS and -_LEARN_BELOW < extra < _LEARN_BELOW:
            self._learn(extra, dt_ms)
        self._quiet = self._missing == 0 and self._excess == 0 and self._doubt_ms <= 0 and self._below_ms == 0 and self._less_ms <= 0
        return OK

    def _learn(self, extra, dt_ms):
        bias = self._bias + extra * dt_ms * 8 // 1000
        self._bias = _BIAS_LOW if bias < _BIAS_LOW else _BIAS_HIGH if bias > _BIAS_HIGH else bias

    def _start(self, temp_mc, duty_u16):
        self._wild = 0
        self._last_mc = temp_mc
        self._smooth = temp_mc << 6
        self._lagged = self._heat = duty_u16 << 4
        self._forget()

    def _forget(self):
        self._blind_ms = _START_MS
        self._quiet = False
        self._extra = self._calm = self._fall = self._fall_ticks = 0
        self._missing = self._base_asked = self._base_extra = self._below_ms = self._less_ms = self._doubt_ms = 0
        self._excess = self._excess_ms = 0

    def _weigh_missing(self, asked, extra, dt_ms):
        """Add up heat that did not come; return how much would do."""
        if extra < _FLOOR:
            extra = _FLOOR
        self._calm = calm = self._calm + ((extra << 4) - self._calm) * dt_ms // _CALM_MS
        got = asked + extra
        self._below_ms = self._below_ms + dt_ms if got < _BELOW else 0
        less_ms = self._less_ms
        if extra < _LESS and got * 8 >= asked:
            less_ms += dt_ms
        elif less_ms > 0:
            less_ms -= 4 * dt_ms
        self._less_ms = less_ms
        if self._below_ms > _BELOW_MS or less_ms > _LESS_MS or self._bias < _BIAS_DOUBT:
            self._doubt_ms = _DOUBT_MS
        elif self._doubt_ms > 0:
            self._doubt_ms -= dt_ms
        missing = self._missing
        if asked < _ASKED_LEAST or got * 4 >= asked:
            if missing:
                self._missing = missing - (missing >> 4) - 1
            return _TOP + 1
        if missing < _BASE_AT:
            self._base_asked, self._base_extra = asked, calm
        missing += (-extra if -extra < asked else asked) * dt_ms
        self._missing = _TOP if missing > _TOP else missing
        if self._doubt_ms > 0:
            return _MISSING_DOUBT
        if got * 20 < asked * 3:
            grown = asked - self._base_asked
            if grown >= _GROWN and (calm - self._base_extra) * 10 < -grown * 112:  # 0.7 of it, calm being 16 x extra
                return _MISSING_GROWN
            if asked * 4 >= self._gain * 3:
                return _MISSING_FULL
        return _MISSING_SURE

    def _weigh_excess(self, asked, extra, dt_ms):
        """Add up heat that nobody asked for, above a margin, as long as a stuck heater could be its source."""
        excess = self._excess
        if asked * 16 < self._gain * 15 and asked + extra < self._gain_most:
            excess += (extra - self._margin) * dt_ms
            if extra < self._margin:
                excess -= excess >> 6
        else:
            excess -= excess >> 4
        if excess <= 0:
            self._excess = self._excess_ms = 0
        else:
            self._excess = _TOP if excess > _TOP else excess
            self._excess_ms += dt_ms
