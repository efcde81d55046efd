"""The UV lamp: an irradiance at the sample plane, held by the monitor photodiode; a leased output.

Units: irradiance uW/cm2, duty 0..65535. The monitor corrects droop by an integrator; a probe suspends the lamp and gives it back.
"""

from micropython import const

from remnant_protocol.errors import IRRADIANCE_LIMIT, RigError

MONITOR_SAMPLES = const(16)
_FULL = const(65535)
_DARK_BELOW_UW = const(30)  # monitor noise: less than this is dark (program.IRRADIANCE_MIN_UW_PER_CM2)


class Lamp:
    def __init__(self, output, adc, channel, settings, limits):
        self._output = output
        self._renew = output.renew
        self._read_sum = adc.read_sum
        self._channel = channel
        self._settings = settings
        self._limits = limits
        self.requested_uw_per_cm2 = 0
        self.measured_uw_per_cm2 = 0
        self.duty_u16 = 0
        self.suspended = False
        self._settled_ticks = 0
        self.reload()

    def reload(self):
        """Take over changed scales."""
        self._scale_q10 = self._settings["monitor_uw_per_cm2_per_count_q10"]
        self._dark_sum = self._settings["monitor_dark_counts"] * MONITOR_SAMPLES
        self._full_uw = self._settings["lamp_full_uw_per_cm2"]

    def set(self, irradiance_uw_per_cm2):
        """Hold this irradiance; 0 is off, else 30 at least. Raises RigError(IRRADIANCE_LIMIT); nothing changes then."""
        limit = self._limits["irradiance_max_uw_per_cm2"]
        if not 0 <= irradiance_uw_per_cm2 <= limit:
            raise RigError(IRRADIANCE_LIMIT, value=irradiance_uw_per_cm2, limit=limit)
        if 0 < irradiance_uw_per_cm2 < _DARK_BELOW_UW:  # less than the monitor can tell from nothing
            raise RigError(IRRADIANCE_LIMIT, value=irradiance_uw_per_cm2, limit=_DARK_BELOW_UW)
        self.requested_uw_per_cm2 = irradiance_uw_per_cm2
        if irradiance_uw_per_cm2 == 0:
            self.off()
            return
        duty = irradiance_uw_per_cm2 * 64 // self._full_uw * 1024 + irradiance_uw_per_cm2 * 64 % self._full_uw * 1024 // self._full_uw
        self.duty_u16 = duty if duty < _FULL else _FULL
        self._settled_ticks = 0

    def off(self):
        """Pin low, request forgotten."""
        self.requested_uw_per_cm2 = 0
        self.duty_u16 = 0
        self.suspended = False
        self._output.off()

    def suspend(self):
        """Dark for a probe; the request stays."""
        self.suspended = True
        self._output.off()

    def resume(self):
        self.suspended = False
        self._settled_ticks = 0

    def tick(self):
        """Read the monitor, correct the duty, renew the lease."""
        if self.requested_uw_per_cm2 == 0:
            if self.measured_uw_per_cm2:
                self._measure()
            return
        self._measure()
        if self.suspended:
            return
        duty = self.duty_u16
        if self._settled_ticks < 2:  # the reading still belongs to the time before
            self._settled_ticks += 1
        else:
            duty += (self.requested_uw_per_cm2 - self.measured_uw_per_cm2) >> 2
            duty = 0 if duty < 0 else (_FULL if duty > _FULL else duty)
            self.duty_u16 = duty
        self._renew(duty)

    def _measure(self):
        counts = (self._read_sum(self._channel, MONITOR_SAMPLES) - self._dark_sum) >> 4
        measured = counts * self._scale_q10 >> 10
        self.measured_uw_per_cm2 = measured if measured >= _DARK_BELOW_UW else 0
