"""Random numbers that are the same on every interpreter: a small multiply-with-carry generator and a table of normal quantiles.

The generator is z -> A (z mod 2**15) + z // 2**15 (Marsaglia's multiply-with-carry, base 2**15). A 2**15 - 1 and its half are prime,
so the period is A 2**14 - 1 = 5.2e8; z and every intermediate stay below 2**30, a small integer on a 32-bit MicroPython. The hot
readers (rig.py) keep z in an attribute and write the step out; `Noise` is the same step as an object.
"""

from array import array
from math import log, sqrt

MULTIPLIER = 31926
DIGIT = 32767  # z & DIGIT is uniform over 0..32767
GAUSS_ONE = 4096  # GAUSS holds standard deviations in 1/4096
GAUSS_LAST = 511
_SCALE = 4100.98  # of a quantile, so that the table has a standard deviation of GAUSS_ONE


def start(seed, stream):
    """A generator state from any integer seed and a stream number, so that one reader's noise does not depend on another's."""
    z = (seed % 1000003) * 1021 + stream * 7919 + 12345
    z = z % (MULTIPLIER * 32768 - 2) + 1
    for _ in range(16):
        z = MULTIPLIER * (z & DIGIT) + (z >> 15)
    return z


def _quantile(p):
    """Normal quantile for 0 < p <= 0.5, to 1e-4: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23."""
    t = sqrt(-2.0 * log(p))
    return -(t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t))


def _gauss_table():
    """Quantiles at the middle of 512 equal shares; scaled, because cut tails leave them 0.12 % short of a standard deviation of one.

    Filled in place: results kept as floats would lie spread among the garbage and break a small heap into pieces.
    """
    table = array("h", [0] * (GAUSS_LAST + 1))
    for i in range((GAUSS_LAST + 1) // 2):
        q = int(_quantile((i + 0.5) / (GAUSS_LAST + 1)) * _SCALE - 0.5)
        table[i] = q
        table[GAUSS_LAST - i] = -q
    return table


GAUSS = _gauss_table()


class Noise:
    """A stream of normal deviates."""

    def __init__(self, seed, stream):
        self._z = start(seed, stream)

    def uniform(self):
        """An integer in 0..32767."""
        z = self._z
        z = MULTIPLIER * (z & DIGIT) + (z >> 15)
        self._z = z
        return z & DIGIT

    def gauss(self, sigma):
        """A deviate with this standard deviation; sigma and result are integers in the caller's unit."""
        return GAUSS[self.uniform() & GAUSS_LAST] * sigma // GAUSS_ONE
