"""The 365 nm LED and its monitor photodiode.

Assumed parts: 50 mW/cm2 at the sample plane at full duty with a cold LED; it warms by 40 K at full duty with a time constant of 60 s and
loses 0.3 % of its output per kelvin ("droop"). The monitor is linear, 1000 counts per mW/cm2 above a dark reading of 200.
Irradiance in uW/cm2, duty 0..65535. Warming and droop move once a second.
"""

from .thermal import approach

FULL_UW_PER_CM2 = 50000
RISE_FULL_MK = 40000  # LED above ambient at full duty, steady
RISE_TAU_S = 60.0
DROOP_PER_K = 0.003
MONITOR_DARK_COUNTS = 200
MONITOR_NOISE_COUNTS = 20
PROBE_UW_PER_CM2 = 10000  # a probe pulse from a cold LED
PROBE_DUTY_U16 = 13107
PULSE_US = 2000

GAIN_COLD = 12500  # irradiance = duty x gain >> 14
_RISE_Q15 = int(approach(1.0, RISE_TAU_S) * (1 << 15) + 0.5)
_DROOP_Q20 = int(DROOP_PER_K / 1000 * GAIN_COLD * (1 << 20) + 0.5)  # of each mK; gives gain


class Lamp:
    """gain: irradiance in uW/cm2 of a duty is duty x gain >> 14, at the LED's present temperature."""

    def __init__(self):
        self._rise_uk = 0
        self.gain = GAIN_COLD

    def second(self, duty_sum):
        """Warm or cool for one second; duty_sum: ten duties of 100 ms added. Returns True while there is anything to do."""
        target_uk = (duty_sum // 10) * RISE_FULL_MK // 65535 * 1000
        rise_uk = self._rise_uk
        rise_uk += ((target_uk - rise_uk) >> 5) * _RISE_Q15 >> 10
        if not duty_sum and rise_uk < 30000:  # 30 mK are 0.01 % of output
            rise_uk = 0
        self._rise_uk = rise_uk
        self.gain = GAIN_COLD - ((rise_uk // 1000) * _DROOP_Q20 >> 20)
        return rise_uk != 0

    def rise_c(self):
        """LED above ambient in K."""
        return self._rise_uk / 1e6
