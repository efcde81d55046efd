"""The ADC for the control tick: 64 conversions a reading, 130 us, summed without allocating."""

from machine import ADC
import micropython
from micropython import const

_CONVERSIONS = const(64)


@micropython.viper
def _sum(channel: int, count: int) -> int:
    """Sum of `count` single conversions, 12 bit each. Source: RP2040 datasheet, section 4.9.6."""
    adc = ptr32(0x4004C000)
    adc[0] = 1 | (channel << 12)
    total = 0
    while count > 0:
        adc[0] = 1 | 4 | (channel << 12)
        while not adc[0] & 0x100:
            pass
        total += adc[1]
        count -= 1
    return total


class Analog:
    """hal.contract.Analog. While a probe is going on the ADC is the probe's, and nobody else gets a reading.

    The supply comes through the multiplexer of the cells, input 4.
    """

    def __init__(self, optics, sensor_adc, monitor_adc, supply_adc):
        self._optics = optics
        self._channels = (sensor_adc, monitor_adc, supply_adc)
        for channel in self._channels:
            ADC(26 + channel)

    def read_sum(self, channel, samples):
        if self._optics.active:
            return -1
        total = _sum(self._channels[channel], _CONVERSIONS)
        total = (total << 4) + (total >> 8)  # as 16 bit, the way MicroPython's read_u16 widens 12 bit
        return total * samples // _CONVERSIONS
