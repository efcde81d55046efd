"""Ticks that may be left out: a board whose clock can leap (the virtual one) sleeps through a dark, unheated wait.

A plan that reads a sample once a day for 100 days waits 86 million ticks in which nothing but time passes. Nothing is on then, so there
is nothing to guard; the next tick comes when the program, the telemetry or the board's clock wants one. The way there is felt out: each
rest is at most twice the one before, and short again as soon as the block's temperature moves.
"""

from micropython import const

from .heater import OFF_MC

_TICK_MS = const(100)
_STEADY_MC = const(150)  # from one tick to the next


class Rest:
    """ticks(): how many ticks lie between this tick and the next, at least 1."""

    def __init__(self, rig):
        self._rig = rig
        self._longest = rig.hal.clock.stride_ms // _TICK_MS
        self._ticks = 1
        self._temp_mc = 0

    def ticks(self, telemetry_due_ms):
        """To be asked at the end of a tick; telemetry_due_ms: from now."""
        temp_mc, was_mc = self._rig.thermometry.temp_mc, self._temp_mc
        self._temp_mc = temp_mc
        if not -_STEADY_MC < temp_mc - was_mc < _STEADY_MC or not self._nothing_is_on():
            self._ticks = 1
            return 1
        free = min(self._rig.executor.idle_ms(), telemetry_due_ms) // _TICK_MS
        self._ticks = ticks = max(1, min(2 * self._ticks, free, self._longest))
        return ticks

    def _nothing_is_on(self):
        rig = self._rig
        if rig.heater.target_mc != OFF_MC or rig.lamp.requested_uw_per_cm2 or rig.lamp.duty_u16 or rig.probe.active or rig.triggered():
            return False
        for pump in rig.pumps:
            if pump.busy:
                return False
        return not rig.commands.watching()
