"""Radiant exposure: irradiance x the time that really passed, added up in integers with the rest carried.

Units: uW/cm2 x us make pJ/cm2; the sum is kept as mJ/cm2 (u32: 4.2 MJ/cm2) and a rest in nJ/cm2.
"""

from micropython import const

_NJ_PER_MJ = const(1_000_000)


class Exposure:
    """mj_per_cm2: total since start(); of it probing gave probe_nj + 1e6 probe_mj."""

    def __init__(self):
        self.mj_per_cm2 = 0
        self._nj = 0
        self._dt_rest_us = 0
        self.probe_uj_per_cm2 = 0

    def start(self):
        """Begin a new run at zero."""
        self.__init__()

    def restore(self, mj_per_cm2, probe_uj_per_cm2):
        """Go on from what a run had before an interruption."""
        self.start()
        self.mj_per_cm2 = mj_per_cm2
        self.probe_uj_per_cm2 = probe_uj_per_cm2

    def add(self, irradiance_uw_per_cm2, dt_us):
        """Add an interval of at most 1 s at up to 1 W/cm2 without leaving small integers."""
        dt_us += self._dt_rest_us
        tenths_ms = dt_us // 100
        self._dt_rest_us = dt_us - tenths_ms * 100
        self._add_nj(irradiance_uw_per_cm2 * tenths_ms // 10)

    def add_probe(self, uj_per_cm2):
        """Add the light of a probe."""
        self.probe_uj_per_cm2 += uj_per_cm2
        self._add_nj(uj_per_cm2 * 1000)

    def _add_nj(self, nj):
        nj += self._nj
        if nj >= _NJ_PER_MJ:
            mj = nj // _NJ_PER_MJ
            self.mj_per_cm2 += mj
            nj -= mj * _NJ_PER_MJ
        self._nj = nj
