"""The block's temperature sensor: an NTC to ground under a pull-up, read by a 16-bit ADC against the same 3.3 V.

Assumed parts: 10 kohm at 25 degC, B = 3950 K, 4.7 kohm, so counts = 65535 R / (R + 4.7 kohm); 20 counts rms of noise a sample.
`TABLE` is worked out once at start and read with linear interpolation, error below 2 mK from 0 to 130 degC.
"""

from array import array
from math import exp

R25_OHM = 10000.0
BETA_K = 3950.0
PULLUP_OHM = 4700.0
NOISE_COUNTS = 20
FULL = 65535

FIRST_MC = -60000  # temperature of TABLE[0]
CELL_MC = 512  # from one entry to the next
ENTRIES = 542  # up to 217 degC
FRACTION = 64  # TABLE is in counts / 64


def resistance_ohm(temp_c):
    """NTC resistance by the beta equation, R = R25 exp(B (1/T - 1/T25))."""
    return R25_OHM * exp(BETA_K * (1.0 / (temp_c + 273.15) - 1.0 / 298.15))


def counts(temp_c):
    """ADC counts (float) at a temperature, no noise."""
    r_ohm = resistance_ohm(temp_c)
    return FULL * r_ohm / (r_ohm + PULLUP_OHM)


def _table():
    table = array("i", [0] * ENTRIES)
    for i in range(ENTRIES):
        table[i] = int(counts((FIRST_MC + i * CELL_MC) / 1000) * FRACTION + 0.5)
    return table


TABLE = _table()
