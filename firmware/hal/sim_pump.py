"""The step generator of the virtual board: hal.contract.StepChannel in virtual time, exact to the cycle.

Like the one on a chip: an edge, then its interval; a dwell is an interval without an edge; when nothing is queued it stops low. Two
segments behind the running one have been handed over to the hardware and cannot be recalled. The plant is moved once per `advance`.
"""

from micropython import const

_CYCLES_PER_US = const(125)
_SEGMENTS = const(64)
_HANDED_OVER = const(2)


class SimPump:
    """One motor. `plant.move_syringe(pump, steps)` gets the signed steps of each stretch of time."""

    interval_min_cycles = 519  # as boards/rpi_pico with its pulse of 2 us

    def __init__(self, plant, pump):
        self._plant = plant
        self._pump = pump
        self._queue = [None] * _SEGMENTS
        self._first = 0
        self._length = 0
        self._steps = 0  # of the running segment, edges still to come
        self._interval = 0
        self._direction = 1
        self._rest = 0  # cycles until the next edge or the next segment
        self._emitted = 0

    def push(self, steps, interval_cycles, direction):
        """Queue `steps` edges, each followed by `interval_cycles`; 0 steps: one interval without an edge. direction 1 or -1.

        Returns False when the queue is full.
        """
        if self._length >= _SEGMENTS:
            return False
        self._queue[(self._first + self._length) % _SEGMENTS] = (steps, interval_cycles, direction)
        self._length += 1
        return True

    def hold(self):
        """Time stands still while the firmware works: whatever is queued in one turn begins together."""

    def free(self):
        return _SEGMENTS - self._length

    def emitted(self):
        return self._emitted

    def running(self):
        return self._length > 0 or self._steps > 0 or self._rest > 0

    def recall(self, most):
        """Forget the queued segments that the hardware has not been handed; returns how many."""
        kept = _HANDED_OVER if self._steps or self._rest else _HANDED_OVER + 1
        gone = min(most, max(0, self._length - kept))
        self._length -= gone
        return gone

    def abort(self):
        """Stop at once, forget everything queued; returns the exact signed count."""
        self._length = self._steps = self._rest = 0
        return self._emitted

    def advance(self, dt_us):
        """Let `dt_us` pass. An edge that falls on the end of the stretch belongs to the next one."""
        cycles = dt_us * _CYCLES_PER_US
        if self._rest >= cycles:
            self._rest -= cycles
            return
        cycles -= self._rest
        self._rest = 0
        moved = 0
        while cycles > 0:
            if not self._steps:
                if not self._length:
                    break
                self._steps, self._interval, self._direction = self._queue[self._first]
                self._first = (self._first + 1) % _SEGMENTS
                self._length -= 1
            interval = self._interval
            edges = 1
            if self._steps:
                edges = min(self._steps, (cycles + interval - 1) // interval)
                self._steps -= edges
                moved += edges * self._direction
            cycles -= edges * interval
        if cycles < 0:
            self._rest = -cycles
        if moved:
            self._emitted += moved
            self._plant.move_syringe(self._pump, moved)
