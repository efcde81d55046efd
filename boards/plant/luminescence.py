"""From excitation to emission counts: brightness, reversible thermal quenching, dark current, shot noise.

Counts are 16 bit. A fresh sample at 25 degC gives 30000 counts over dark at 10 mW/cm2 of excitation, times a brightness of its own
(0.9 to 1.1, from the seed), and emission is proportional to excitation. Quenching is I(T) = 1 / (1 + A exp(-E / kT)) with E = 0.30 eV
and A = 17500: an assumption, chosen so that 60 % of the 25 degC emission is left at 80 degC (heating quenches reversibly, so a hot
reading is not degradation). Shot noise is 0.2 % rms at 30000 counts and goes with the square root of the signal; the photodiode
amplifier adds 10 counts rms. Its dark reading is 600 counts at 25 degC of the block and rises by 2 counts per kelvin (leakage).
"""

from math import exp, sqrt

FRESH_COUNTS = 30000
FRESH_AT_UW_PER_CM2 = 10000
QUENCHING_EV = 0.30
QUENCHING_A = 17500.0
BOLTZMANN_EV_PER_K = 8.617333e-5
DARK_COUNTS = 600
DARK_PER_K = 2
READ_NOISE_COUNTS = 10
SHOT_VARIANCE_PER_COUNT = 0.12  # (0.2 % of 30000)**2 / 30000


def _efficiency(temp_c):
    return 1.0 / (1.0 + QUENCHING_A * exp(-QUENCHING_EV / (BOLTZMANN_EV_PER_K * (temp_c + 273.15))))


_AT_25 = _efficiency(25.0)


def quenching(temp_c):
    """Emission at a temperature over emission at 25 degC of the same, unaged sample."""
    return _efficiency(temp_c) / _AT_25


def dark_counts(block_c):
    """Photodiode counts without light."""
    return DARK_COUNTS + int(DARK_PER_K * (block_c - 25.0))


def signal_counts(excitation_uw_per_cm2, brightness):
    """Counts over dark; brightness: remnant fraction x quenching x the sample's own scale."""
    return int(excitation_uw_per_cm2 * brightness * (FRESH_COUNTS / FRESH_AT_UW_PER_CM2))


def noise_counts(signal):
    """Standard deviation in counts of one reading with this signal."""
    return int(sqrt(SHOT_VARIANCE_PER_COUNT * signal + READ_NOISE_COUNTS * READ_NOISE_COUNTS) + 0.5)
