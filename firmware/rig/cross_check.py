"""Two sensors on one block must agree: SENSORS_DISAGREE when they do not, for as long as it takes to be sure.

A quick ramp sets two sensors apart that are mounted differently: by the ramp times the difference of their delays. So the limit is wider
by _DELAY_S of the slope of the slower-moving reading, smoothed, never by more than as much again; a sensor that fails moves alone, and
the other one's slope gives it no leave.
"""

from micropython import const

from remnant_protocol.errors import OK, SENSORS_DISAGREE

_DELAY_S = const(3)  # by which one sensor may run behind the other
_SMOOTH_MS = const(2000)
_LATE_MS = const(500)
_JUMP_MC = const(30000)


class CrossCheck:
    """tick: a code while the readings have differed without a break; seen: (difference, limit) in mdegC behind it."""

    def __init__(self, limit_mc=3000, ticks=20):
        self.set_limit(limit_mc, ticks)

    def set_limit(self, limit_mc, ticks=20):
        """Changed settings; begins anew."""
        self._limit_mc = limit_mc
        self._ticks = ticks
        self.reset()

    def reset(self):
        """A fault was cleared, a sensor mended."""
        self._apart = self._off_mc = self._allowed_mc = 0
        self._first = self._second = 0
        self._started = False

    def seen(self):
        return self._off_mc, self._allowed_mc

    def tick(self, temp_mc, temp2_mc, dt_ms=100):
        """Return SENSORS_DISAGREE when the readings have differed for `ticks` ticks in a row, or OK."""
        if dt_ms > _LATE_MS:
            dt_ms = _LATE_MS
        rise, rise2 = temp_mc - (self._first >> 6), temp2_mc - (self._second >> 6)  # each over 2 s, as its smoothing lags
        if not self._started or not (-_JUMP_MC < rise < _JUMP_MC and -_JUMP_MC < rise2 < _JUMP_MC):
            self._started = True
            self._first, self._second = temp_mc << 6, temp2_mc << 6
            rise = rise2 = 0
        self._first += (rise << 6) * dt_ms // _SMOOTH_MS
        self._second += (rise2 << 6) * dt_ms // _SMOOTH_MS
        rise, rise2 = abs(rise), abs(rise2)
        slower = rise if rise < rise2 else rise2
        leave = slower * _DELAY_S * 1000 // _SMOOTH_MS
        limit_mc = self._limit_mc
        allowed_mc = limit_mc + (leave if leave < limit_mc else limit_mc)
        off_mc = abs(temp_mc - temp2_mc)
        if off_mc <= allowed_mc:
            self._apart = 0
            return OK
        self._off_mc, self._allowed_mc = off_mc, allowed_mc
        self._apart += 1
        if self._apart < self._ticks:
            return OK
        return SENSORS_DISAGREE
