"""Irreversible loss of emission: heat by reduced time, light by radiant exposure; the two factors multiply.

Constants come from fit_kinetics.py (points, source and reasons there; a test runs the fit again):

| sample | heat at 80 degC | Ea | light at 365 nm |
|---|---|---|---|
| control (OA/OAm) | 1 / (1 + t 1.5404 /h) | 108.7 kJ/mol | exp(-H 1.1054e-3 cm2/J) |
| templated (PS-capped) | exp(-t 0.07133 /h) | 144.0 kJ/mol | exp(-H 1.2890e-4 cm2/J) |

Reduced time is the time at 80 degC that does the same: dt exp(Ea/R (1/353.15 K - 1/T)). Assumptions: Arrhenius holds between 25 and 80
degC (both ends are published, liang2023 figs 5a and 5c); light acts by exposure, whatever the irradiance and the temperature.
"""

from array import array
from math import exp

from . import thermistor

GAS_J_PER_MOL_K = 8.314

# order of the heat reaction, rate at 80 degC in 1/h, Ea in J/mol, light constant in cm2/J
MODELS = {
    "control": (2, 1.5404, 108690.0, 1.1054e-3),
    "templated": (1, 0.07133, 143960.0, 1.2890e-4),
    "fresh": (1, 0.0, 0.0, 0.0),  # does not age
}
_FASTEST = 1 << 29  # reduced us a second; above about 135 degC every sample is gone in seconds anyway


def reduced_us_per_s(temp_c, ea_j_per_mol):
    """Microseconds at 80 degC that age as much as one second at temp_c."""
    rate = 1e6 * exp(ea_j_per_mol / GAS_J_PER_MOL_K * (1.0 / 353.15 - 1.0 / (temp_c + 273.15)))
    return int(min(rate, _FASTEST) + 0.5)


class ReducedTime:
    """Time at 80 degC, as s and us, of every sample with one activation energy."""

    def __init__(self, ea_j_per_mol):
        self.s = 0
        self.us = 0
        first_mc, cell_mc = thermistor.FIRST_MC, thermistor.CELL_MC
        table = array("i", [0] * thermistor.ENTRIES)
        for i in range(thermistor.ENTRIES):
            table[i] = reduced_us_per_s((first_mc + i * cell_mc) / 1000, ea_j_per_mol)
        self._table = table

    def second(self, cell, part):
        """One second at the temperature FIRST_MC + cell CELL_MC + part (part in mK)."""
        table = self._table
        low = table[cell]
        us = self.us + low + ((table[cell + 1] - low) * part >> 9)
        if us >= 1000000:
            s = us // 1000000
            self.s += s
            us -= s * 1000000
        self.us = us

    def seconds(self, cell, part, n):
        """n seconds at once."""
        table = self._table
        low = table[cell]
        us = self.us + (low + ((table[cell + 1] - low) * part >> 9)) * n
        self.s += us // 1000000
        self.us = us % 1000000


class Sample:
    """One cell's content. scale: its own brightness; probe_nj_per_cm2: light spent on probing this cell."""

    def __init__(self, model, reduced_time, scale):
        order, rate_per_h, _, light = MODELS[model]
        self.model = model
        self.scale = scale
        self.probe_nj_per_cm2 = 0
        self._second_order = order == 2
        self._rate_per_s = rate_per_h / 3600
        self._light = light
        self._time = reduced_time

    def remnant(self, stress_mj_per_cm2):
        """Fraction of the first emission left, at equal temperature."""
        x = self._rate_per_s * (self._time.s + self._time.us / 1e6)
        heat = 1.0 / (1.0 + x) if self._second_order else exp(-x)
        return heat * exp(-self._light * (stress_mj_per_cm2 + self.probe_nj_per_cm2 / 1000000) / 1000)
