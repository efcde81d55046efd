"""From ADC counts to temperature: an NTC in a divider, by table.

The equation (beta or Steinhart-Hart) is evaluated once, at start, at 513 points of the ratio; a reading is then two look-ups and one
multiplication in integers, which allocates nothing. Interpolation error stays below 10 mK from 15 to 130 degC for a 10 kohm NTC with
4.7 kohm (tests/firmware/test_thermometry.py).
"""

from array import array
from math import log

from micropython import const

SAMPLES = const(16)  # a power of two: 16 x 16 bit makes a 20-bit ratio
_SHIFT = const(11)  # 20 bit / 512 segments
_FRACTION = const((1 << 11) - 1)
FULL = const(16 * 65535)
OPEN_ABOVE = const(16 * 64300)  # about -45 degC; an open sensor reads the rail
SHORT_BELOW = const(16 * 1100)  # about 200 degC; a shorted sensor reads 0
_COLDEST_MC = const(-60000)
_HOTTEST_MC = const(300000)


def beta_celsius(r_ohm, r25_ohm, beta_k):
    """Temperature in degC of an NTC of r_ohm. Source: 1/T = 1/T25 + ln(R/R25)/B."""
    return _celsius(1.0 / 298.15 + log(r_ohm / r25_ohm) / beta_k)


def steinhart_hart_celsius(r_ohm, a, b, c):
    """Temperature in degC. Source: Steinhart and Hart, Deep-Sea Res. 15 (1968) 497: 1/T = a + b ln R + c (ln R)^3."""
    ln_r = log(r_ohm)
    return _celsius(a + b * ln_r + c * ln_r * ln_r * ln_r)


def _celsius(per_kelvin):
    """From 1/T; coefficients that give no temperature give a very hot one."""
    return 1.0 / per_kelvin - 273.15 if per_kelvin > 1e-4 else 9726.85


def build_table(settings):
    """array('i') of 513 temperatures in mdegC at ratio i / 512 of full scale; the sensor pulls down, the resistor up."""
    pullup = settings["ntc_pullup_ohm"]
    a, b, c = settings["ntc_sh_a_e12"], settings["ntc_sh_b_e13"], settings["ntc_sh_c_e16"]
    offset_mc = settings["sensor_offset_mc"]
    table = array("i", [0] * 513)
    for i in range(513):
        ratio = i / 512
        if i == 0:
            celsius = 400.0
        elif i == 512:
            celsius = -100.0
        else:
            r_ohm = pullup * ratio / (1.0 - ratio)
            if a or b or c:
                celsius = steinhart_hart_celsius(r_ohm, a * 1e-12, b * 1e-13, c * 1e-16)
            else:
                celsius = beta_celsius(r_ohm, settings["ntc_r25_ohm"], settings["ntc_beta_k"])
        table[i] = max(_COLDEST_MC, min(_HOTTEST_MC, int(celsius * 1000))) + offset_mc
    return table


class Thermometry:
    """temp_mc: the reading; raw_sum: SAMPLES conversions added; repeats: readings in a row with the very same sum (a live sensor has
    noise, so many repeats mean that nobody measures any more); slope_mc_per_s over the last second."""

    def __init__(self, adc, channel, settings):
        self._read_sum = adc.read_sum
        self._channel = channel
        self._settings = settings
        self._table = build_table(settings)
        self._past = array("i", [0] * 10)
        self._at = 0
        self._filled = 0
        self.temp_mc = _COLDEST_MC
        self.raw_sum = 0
        self.repeats = 0
        self.slope_mc_per_s = 0

    def reload(self):
        """Take over changed settings."""
        self._table = build_table(self._settings)
        self._filled = 0

    def forget(self):
        """What was read came from a broken sensor: the slope begins anew."""
        self._filled = 0
        self.slope_mc_per_s = 0

    def sample(self):
        """Take one reading; called every control tick."""
        raw = self._read_sum(self._channel, SAMPLES)
        if raw < 0 or raw == self.raw_sum:
            self.repeats += 1
            if raw < 0:
                return
        else:
            self.repeats = 0
            self.raw_sum = raw
        table = self._table
        i = raw >> _SHIFT
        low = table[i]
        temp_mc = low + (((table[i + 1] - low) * (raw & _FRACTION)) >> _SHIFT)
        self.temp_mc = temp_mc
        past = self._past
        at = self._at
        if self._filled < 10:
            self._filled += 1
            self.slope_mc_per_s = 0
        else:
            self.slope_mc_per_s = temp_mc - past[at]
        past[at] = temp_mc
        self._at = at + 1 if at < 9 else 0
