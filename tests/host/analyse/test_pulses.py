import math

import numpy as np
import pytest

from remnant.analyse.folder import Pulse
from remnant.analyse.pulses import probe_exposure_j_per_cm2, readings_by_cell


def pulse(lit=1600.0, dark=600.0, monitor=1200.0, t_s=0.0, cell="A", probe=0, exposure=0.001):
    return Pulse(t_s, probe, "p", cell, "s", 25.0, dark, lit, monitor, exposure)


def test_signal_is_mean_of_ratios_with_standard_error_of_the_mean():
    readings = readings_by_cell([pulse(lit=1600), pulse(lit=1610), pulse(lit=1590)], 200.0)
    (reading,) = readings["A"]
    assert reading.signal == pytest.approx(1.0)
    assert reading.se == pytest.approx(0.01 / math.sqrt(3))


def test_a_far_pulse_is_counted_and_kept_and_widens_the_uncertainty():
    rng = np.random.default_rng(3)
    quiet = [pulse(lit=1600 + rng.normal(0, 2), t_s=float(t)) for t in range(10) for _ in range(16)]
    quiet[5] = pulse(lit=1800, t_s=0.0)
    readings = readings_by_cell(quiet, 200.0)["A"]
    assert [r.outliers for r in readings] == [1] + [0] * 9
    assert readings[0].pulses == 16 and readings[0].signal > 1.005
    assert readings[0].se_best == readings[0].se


def test_pulses_without_excitation_are_left_out_and_counted():
    readings = readings_by_cell([pulse(), pulse(monitor=200.0), pulse(monitor=150.0)], 200.0)
    assert readings["A"][0].bad_pulses == 2 and readings["A"][0].pulses == 1
    assert readings_by_cell([pulse(monitor=0.0)], 200.0) == {}


def test_one_pulse_has_no_standard_error():
    assert readings_by_cell([pulse()], 200.0)["A"][0].se is None


def test_cells_of_one_probe_share_its_exposure():
    cells = readings_by_cell([pulse(cell=c, t_s=t + off) for t in (0.0, 600.0) for c, off in (("A", 0.0), ("B", 0.004))], 200.0)
    assert probe_exposure_j_per_cm2(cells) == pytest.approx(0.002)
