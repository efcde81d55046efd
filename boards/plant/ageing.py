"""Irreversible loss of emission: heat by reduced time, light by radiant exposure, liquids by contact; the factors multiply.

Constants come from fit_kinetics.py (points, source and reasons there; a test runs the fit again). One line a sample:

    name, order of the heat reaction, rate at 80 degC in 1/h, light constant in cm2/J, then for each of LIQUIDS a rate in 1/h at a volume
    fraction of 1; columns left out are 0. Below 0: it brightens, up to BRIGHTEST.

    order 2 (ligands only):   heat leaves 1 / (1 + k t), Ea of the control
    order 1 (encapsulated):   heat leaves exp(-k t), Ea of the templated sample
    light, liquids:           exp(-light H - sum of rate x integral of volume fraction over time)

Reduced time is the time at 80 degC that does the same: dt exp(Ea/R (1/353.15 K - 1/T)). Assumptions: Arrhenius holds between 25 and 80
degC (both ends are published, liang2023 figs 5a and 5c); light acts by exposure, whatever the irradiance and the temperature; a liquid
acts in proportion to its volume fraction.
"""

from array import array
from math import exp

from . import thermistor

GAS_J_PER_MOL_K = 8.314
LIQUIDS = ("water", "ethanol", "acetone", "halide")
EA_J_PER_MOL = (0.0, 143960.0, 108690.0)  # by order
BRIGHTEST = 0.25  # most that light and liquids together add to the exponent

# a text takes a third of the heap that tuples of floats would
_SAMPLES = """\
control 2 1.5404 1.1054e-3
templated 1 0.071335 1.2890e-4
sio2-janus 1 0.071335 9.3297e-5 0.00264
sio2-janus-bare 2 1.5404 7.6113e-4 0.01761
zro2-janus 1 0.071335 9.7533e-4 0.002308
zro2-janus-bare 2 1.5404 3.2564e-3 0.02831
sio2-shell 1 0.071335 1.2890e-4 -0.3398
sio2-shell-bare 2 1.5404 1.1054e-3 34.49
mn-sio2 1 0.0076098 1.2890e-4 0.001462
mn-sio2-bare 2 0.1375 1.1054e-3 0.06367
cspbi3-oxide 1 0.071335 5.1398e-3 -0.01491
cspbi3-bare 2 1.5404 1.2498e-2 0.5414
tio2 1 0.071335 3.3273e-4 0.0001444
tio2-bare 2 1.5404 1.1054e-3 36.84
ag2s 1 0.071335 1.2890e-4 0.007641
ag2s-bare 2 1.5404 1.1054e-3 0.09285
zns 1 0.071335 2.9538e-4
zns-bare 2 1.5404 6.3914e-2
rb4pbbr6 1 0.071335 6.9449e-5
rb4pbbr6-bare 2 1.5404 6.3914e-2
cds 1 1.9325 4.3641e-4
cds-bare 2 19.484 3.4160e-4
pbso4 1 0.071335 -2.7129e-4 0 0.2301 0.1405
pbso4-bare 2 1.5404 1.1936e-3 0 0.6535 0.9209
znso4 1 0.071335 1.2890e-4
znso4-bare 2 1.5404 1.1054e-3 0 0 0 6.901
paa-ps 1 0.071335 2.3159e-3
paa-ps-bare 2 1.5404 4.7587e-2 36.84
ag 1 0.07133 1.2890e-4
fresh 1 0 0
"""
_SWITCHING = {"ag": (0.8, 900.0, 1800.0)}  # emission lost at most, time constants in s: into it in light, out of it in darkness
_FASTEST = 1 << 29  # reduced us a second; above about 135 degC every sample is gone in seconds anyway


def names():
    """Names of the samples."""
    return [line[: line.index(" ")] for line in _SAMPLES.split("\n") if line]


def constants(name):
    """(order, heat rate at 80 degC in 1/h, Ea in J/mol, light constant in cm2/J, rates in LIQUIDS in 1/h). Raises KeyError."""
    for line in _SAMPLES.split("\n"):
        words = line.split()
        if words and words[0] == name:
            order = int(words[1])
            rates = [float(word) for word in words[4:]]
            return order, float(words[2]), EA_J_PER_MOL[order], float(words[3]), rates + [0.0] * (len(LIQUIDS) - len(rates))
    raise KeyError(name)


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


class Contact:
    """Integral of one liquid's volume fraction over time, as s and us; fraction_ppm is what it is now."""

    def __init__(self):
        self.s = 0
        self.us = 0
        self.fraction_ppm = 0

    def seconds(self, n):
        us = self.us + self.fraction_ppm * n
        if us >= 1000000:
            self.s += us // 1000000
            us %= 1000000
        self.us = us


class Sample:
    """One cell's content. scale: its own brightness; probe_nj_per_cm2: light spent on probing this cell; contacts: by LIQUIDS or empty."""

    def __init__(self, model, reduced_time, scale, contacts=()):
        order, rate_per_h, _, light, rates = constants(model)
        self.model = model
        self.scale = scale
        self.probe_nj_per_cm2 = 0
        self._second_order = order == 2
        self._rate_per_s = rate_per_h / 3600
        self._light = light
        self._time = reduced_time
        self._contacts = [(contact, rate / 3600) for contact, rate in zip(contacts, rates) if rate]
        self.switching = _SWITCHING.get(model)
        self.switched = 0.0  # part of what light takes reversibly that is gone

    def remnant(self, stress_mj_per_cm2):
        """Fraction of the first emission left, at equal temperature."""
        x = self._rate_per_s * (self._time.s + self._time.us / 1e6)
        heat = 1.0 / (1.0 + x) if self._second_order else exp(-x)
        spent = self._light * (stress_mj_per_cm2 + self.probe_nj_per_cm2 / 1000000) / 1000
        for contact, rate_per_s in self._contacts:
            spent += rate_per_s * (contact.s + contact.us / 1e6)
        left = heat * exp(-max(spent, -BRIGHTEST))
        return left * (1.0 - self.switching[0] * self.switched) if self.switching else left

    def switch_second(self):
        """One second of light for a sample that switches."""
        self.switched += (1.0 - self.switched) / self.switching[1]

    def switch_back(self, seconds):
        """Seconds of darkness."""
        if self.switched:
            self.switched *= exp(-seconds / self.switching[2])
