"""Board time as a pair of small integers.

Hardware ticks wrap every 17.9 minutes (2**30 us); the clock folds them into seconds since boot and microseconds, so that no value
grows past what a 32-bit board keeps without allocating.
"""

from micropython import const

_MASK = const((1 << 30) - 1)
_HALF = const(1 << 29)
_SECOND = const(1_000_000)


def ticks_diff(later, earlier):
    """Microseconds from `earlier` to `later` (ticks modulo 2**30), negative when later lies before; valid within 8.9 minutes."""
    return ((later - earlier + _HALF) & _MASK) - _HALF


class Clock:
    """s, us: time since boot; update() at least every 8 minutes.

    passed_ms: whole milliseconds that the last update() folded; what is left over is in the next, so that their sum is the time.
    """

    def __init__(self, source):
        self._source = source
        self._last = source.ticks_us()
        self.s = 0
        self.us = 0
        self.passed_ms = 0

    def update(self):
        """Fold the ticks that have passed; return them in microseconds."""
        now = self._source.ticks_us()
        passed = (now - self._last) & _MASK
        self._last = now
        us = self.us + passed
        self.passed_ms = us // 1000 - self.us // 1000
        while us >= _SECOND:
            us -= _SECOND
            self.s += 1
        self.us = us
        return passed

    def now(self):
        """(s, us) at this instant, without folding: the control tick alone measures its interval."""
        us = self.us + ((self._source.ticks_us() - self._last) & _MASK)
        return self.s + us // _SECOND, us % _SECOND

    def ms_since(self, s, us):
        """Whole milliseconds from an earlier (s, us) to now."""
        return (self.s - s) * 1000 + (self.us - us) // 1000
