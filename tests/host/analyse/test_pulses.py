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


def test_a_far_pulse_is_rejected_and_counted():
    rng = np.random.default_rng(3)
    quiet = [pulse(lit=1600 + rng.normal(0, 2), t_s=float(t)) for t in range(10) for _ in range(16)]
    quiet[5] = pulse(lit=1800, t_s=0.0)
    readings = readings_by_cell(quiet, 200.0)["A"]
    assert [r.outliers for r in readings] == [1] + [0] * 9
    assert readings[0].pulses == 15 and readings[0].signal == pytest.approx(1.0, abs=0.002)
    assert readings[0].se_best == readings[0].se_pooled < 0.001
    assert readings[0].freedom == 14 + 9 * 15


def test_where_a_third_of_the_pulses_is_far_none_is_rejected_and_the_uncertainty_says_so():
    rng = np.random.default_rng(4)
    pulses = [pulse(lit=1600 + rng.normal(0, 2), t_s=float(t)) for t in range(10) for _ in range(8)]
    for i in (1, 4, 6):
        pulses[i] = pulse(lit=1900, t_s=0.0)
    first = readings_by_cell(pulses, 200.0)["A"][0]
    assert (first.outliers, first.unsure, first.pulses) == (0, 3, 8)
    assert first.se_best == first.se > 0.03


def test_three_pulses_are_too_few_to_reject_one():
    (reading,) = readings_by_cell([pulse(), pulse(), pulse(lit=5000)], 200.0)["A"]
    assert reading.pulses == 3 and reading.outliers == 0


def test_excitation_that_drifts_drops_out():
    before, after = pulse(), pulse(lit=600 + 1000 * 0.7, monitor=200 + 1000 * 0.7, t_s=60.0)
    assert [r.signal for r in readings_by_cell([before, after], 200.0)["A"]] == [pytest.approx(1.0)] * 2


def test_pulses_without_excitation_are_left_out_and_counted():
    readings = readings_by_cell([pulse(), pulse(monitor=200.0), pulse(monitor=150.0)], 200.0)
    assert readings["A"][0].bad_pulses == 2 and readings["A"][0].pulses == 1
    assert readings_by_cell([pulse(monitor=0.0)], 200.0) == {}


def test_one_pulse_has_no_standard_error():
    assert readings_by_cell([pulse()], 200.0)["A"][0].se is None


def test_cells_of_one_probe_share_its_exposure():
    cells = readings_by_cell([pulse(cell=c, t_s=t + off) for t in (0.0, 600.0) for c, off in (("A", 0.0), ("B", 0.004))], 200.0)
    assert probe_exposure_j_per_cm2(cells) == pytest.approx(0.002)
