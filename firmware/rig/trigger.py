"""Trigger outputs: active for a time that the board's clock measures, then not; inactive at once when whatever wanted them is over."""

from remnant_protocol.messages import TRIGGER_ENDED, TRIGGERED


class Triggers:
    """left_ms: what is left of each output's time, 0 where it is inactive."""

    def __init__(self, rig):
        self._rig = rig
        self._on = [None, None]  # (t_s, t_us, ms) each: since when, and for how long
        self._held = None

    def pulse(self, channel, ms):
        """Active from now on, for so long."""
        self._begin(channel, ms)
        self._rig.journal.event(TRIGGERED, channel, ms)

    def left_ms(self):
        return self._held or [self._left(channel) for channel in (0, 1)]

    def active(self):
        """True while an output is on."""
        return self._on[0] is not None or self._on[1] is not None

    def tick(self):
        for channel in (0, 1):
            if self._on[channel] is not None and not self._left(channel):
                self._end(channel)

    def suspend(self):
        """Inactive; the time that is left stands still until `resume`."""
        held = self.left_ms()
        for channel in (0, 1):
            if held[channel]:
                self._rig.hal.outputs.trigger(channel, False)
                self._on[channel] = None
        self._held = held

    def resume(self, left_ms=None):
        """Go on with what was left, here or in a checkpoint."""
        held, self._held = left_ms or self._held or (0, 0), None
        for channel in (0, 1):
            if held[channel]:
                self._begin(channel, held[channel])

    def off(self):
        """Inactive now, whatever was left."""
        for channel in (0, 1):
            self._end(channel)
        self._held = None

    def _begin(self, channel, ms):
        clock = self._rig.clock
        self._on[channel] = (clock.s, clock.us, ms)
        self._rig.hal.outputs.trigger(channel, True)

    def _left(self, channel):
        on = self._on[channel]
        return max(0, on[2] - self._rig.clock.ms_since(on[0], on[1])) if on is not None else 0

    def _end(self, channel):
        left_ms = self._held[channel] if self._held else self._left(channel)
        if self._on[channel] is None and not left_ms:
            return
        self._rig.hal.outputs.trigger(channel, False)
        self._on[channel] = None
        self._rig.journal.event(TRIGGER_ENDED, channel, left_ms)
