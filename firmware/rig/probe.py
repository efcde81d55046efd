"""A probe: stress light off, dark counts, N short pulses sampled in step with the LED, one reading per cell into the journal.

The pulses and their sampling belong to hardware (hal.optics); this is the table around them. The light spent counts into the exposure.
"""

from micropython import const

from remnant_protocol.errors import CELL_UNKNOWN, PROBE_BUSY, PROBE_LIMIT, RigError
from remnant_protocol.messages import PROBE_READING

_IDLE = const(0)
_DARKENING = const(1)  # one tick for the light to go and the diode to settle
_PULSING = const(2)
_SIGNAL_ONE = const(4096)


class Probe:
    """active: a probe is going on; readings: cells read by the last one; signal(cell), reference(probe, cell): (lit - dark) /
    monitor x 4096."""

    def __init__(self, optics, lamp, exposure, journal, settings, limits):
        self._optics = optics
        self._lamp = lamp
        self._exposure = exposure
        self._journal = journal
        self._settings = settings
        self._limits = limits
        self._state = _IDLE
        self._probe = self._pulses = self._mask = 0
        self._last = {}
        self._first = {}
        self.active = False
        self.readings = 0

    def start(self, probe, pulses, cells_mask):
        """Begin. Raises RigError(PROBE_BUSY | PROBE_LIMIT | CELL_UNKNOWN)."""
        if self.active:
            raise RigError(PROBE_BUSY)
        limit = self._limits["probe_pulses_max"]
        if not 1 <= pulses <= limit:
            raise RigError(PROBE_LIMIT, value=pulses, limit=limit)
        if not 0 < cells_mask < (1 << self._limits["cells"]):
            raise RigError(CELL_UNKNOWN, value=cells_mask, limit=self._limits["cells"])
        self._probe, self._pulses, self._mask = probe, pulses, cells_mask
        self._lamp.suspend()
        self._state = _DARKENING
        self.active = True

    def cancel(self):
        """Forget a probe that is going on; the lamp is the caller's."""
        if self._state == _PULSING:
            self._optics.stop()
        self._state = _IDLE
        self.active = False

    def forget(self):
        """A new run: signals of an earlier one are no reference."""
        self._last.clear()
        self._first.clear()

    def references(self, wanted):
        """[[probe, cell, signal], ...] of those (probe, cell) that have been read."""
        return [[probe, cell, self._first[(probe, cell)]] for probe, cell in wanted if (probe, cell) in self._first]

    def restore(self, references):
        """Take over what `references` gave before a restart."""
        self.forget()
        for probe, cell, signal in references:
            self._first[(probe, cell)] = signal

    def tick(self, temp_mc):
        """One control tick of an active probe."""
        if self._state == _DARKENING:
            self._optics.start(self._pulses, self._mask)
            self._state = _PULSING
        elif self._state == _PULSING and self._optics.ready():
            self._finish(temp_mc)
            self._lamp.resume()
            self._state = _IDLE
            self.active = False

    def remnant_permille(self, cell, probe):
        """Last signal of the cell over its first in `probe`, in 1/1000; None while either is missing."""
        reference = self._first.get((probe, cell))
        last = self._last.get(cell)
        if not reference or last is None:
            return None
        return last * 1000 // reference

    def _finish(self, temp_mc):
        optics = self._optics
        monitor = optics.monitor()
        dark_monitor = self._settings["monitor_dark_counts"]
        monitor_sum = 0
        for counts in monitor:
            monitor_sum += counts - dark_monitor
        irradiance_uw = (monitor_sum // self._pulses) * self._settings["monitor_uw_per_cm2_per_count_q10"] >> 10
        spent_uj = irradiance_uw * self._pulses * optics.PULSE_US // 1_000_000
        self._exposure.add_probe(spent_uj)
        self.readings = 0
        for cell in range(self._limits["cells"]):
            if not self._mask & (1 << cell):
                continue
            dark, lit = optics.dark(cell), optics.lit(cell)
            lit_sum = 0
            for i in range(self._pulses):
                lit_sum += lit[i] - dark[i]
            signal = lit_sum * 256 // monitor_sum * (_SIGNAL_ONE // 256) if monitor_sum > 0 else 0
            self._last[cell] = signal
            if (self._probe, cell) not in self._first:
                self._first[(self._probe, cell)] = signal
            self._journal.write(PROBE_READING, self._probe, cell, temp_mc, spent_uj, bytes(dark), bytes(lit), bytes(monitor))
            self.readings += 1
