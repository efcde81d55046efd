"""The ADC for the control tick: 240 conversions a reading at 2 us, summed without allocating.

480 us are one whole period of the lamp's dimming (leases.py), so the mean of the monitor is the mean irradiance whatever the phase; and
240 conversions of 12 bit bring the sensor's noise to a fifteenth. The processor waits meanwhile.
"""

import micropython
from machine import ADC
from micropython import const

_CONVERSIONS = const(240)


@micropython.viper
def _burst(channel: int, count: int) -> int:
    """Sum of `count` conversions in a row, 12 bit each. Source: RP2040 datasheet, section 4.9.6."""
    adc = ptr32(0x4004C000)
    adc[0] = 1 | (channel << 12)
    while not adc[0] & 0x100:  # an earlier conversion ends
        pass
    adc[2] = 0
    while (adc[2] >> 16) & 15:
        adc[3]
    adc[2] = 1  # conversions go into the FIFO
    adc[0] = 1 | 8 | (channel << 12)  # one after another
    total = 0
    while count > 0:
        while not (adc[2] >> 16) & 15:
            pass
        total += adc[3] & 0xFFF
        count -= 1
    adc[0] = 1 | (channel << 12)
    while not adc[0] & 0x100:
        pass
    adc[2] = 0
    while (adc[2] >> 16) & 15:
        adc[3]
    return total


class Analog:
    """hal.contract.Analog. While a probe is going on the ADC is the probe's, and nobody else gets a reading.

    The supply comes through the multiplexer of the cells, input 4.
    """

    sensors = 1

    def __init__(self, optics, sensor_adc, monitor_adc, supply_adc):
        self._optics = optics
        self._channels = (sensor_adc, monitor_adc, supply_adc)
        for channel in self._channels:
            ADC(26 + channel)

    def read_sum(self, channel, samples):
        if self._optics.active:
            return -1
        total = _burst(self._channels[channel], _CONVERSIONS)
        total = (total << 4) + (total >> 8)  # as 16 bit, the way MicroPython's read_u16 widens 12 bit
        return total * samples // _CONVERSIONS
