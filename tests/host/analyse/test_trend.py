"""Activation energies and exponents over runs: right, and as sure as they say."""

import math

import numpy as np
import pytest
from synthetic_run import Synthetic, make_run, second_order
from trials import Experiment, mono, trial

from remnant.analyse import analyse_run, read_run
from remnant.analyse.across import arrhenius, rates_of
from remnant.analyse.trend import line_through

TRIALS = 1000
RUNS = 60
GAS_KJ = 8.314462618e-3
EA_KJ = 95.0
DEGC = (50.0, 60.0, 70.0, 80.0)
X = -1 / (GAS_KJ * (np.array(DEGC) + 273.15))


@pytest.mark.parametrize("between", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("own", [(0.02, 0.02, 0.02, 0.02), (0.04, 0.03, 0.02, 0.02)])
def test_interval_of_the_energy_holds_the_truth_as_often_as_it_says(between, own):
    inside = 0
    for seed in range(TRIALS):
        rng = np.random.default_rng(5000 + seed)
        u = np.array(own)
        ln_k = EA_KJ * (X - X.mean()) + rng.normal(0, u) + rng.normal(0, between, len(u))
        line = line_through(X, ln_k, u)
        inside += abs(line.slope - EA_KJ) <= line.factor * line.u_slope
    assert 0.93 <= inside / TRIALS <= 0.97


def tau_h(temp_degc):
    return 4.0 * math.exp(EA_KJ / GAS_KJ * (1 / (temp_degc + 273.15) - 1 / 353.15))


@pytest.fixture(scope="module")
def series():
    """Runs at four temperatures, RUNS of each, four cells of one sample in each: trials are drawn from these 4 x 4 x RUNS cells."""
    experiments = [
        Experiment({c: mono(tau_h(t)) for c in "ABCD"}, soak_degc=t, duration_h=1.2 * tau_h(t), readings=6, pulses=6) for t in DEGC
    ]
    return [[analyse_run(trial(e, 4 * seed + i)[0]) for i, e in enumerate(experiments)] for seed in range(RUNS)]


def test_energy_from_runs_at_several_temperatures_through_the_whole_analysis(series):
    every = rates_of([(str(i), analyses[i]) for analyses in series for i in range(len(DEGC))])
    rates = [[r for r in every if r.run == str(i)] for i in range(len(DEGC))]
    rng = np.random.default_rng(7)
    inside, found = 0, []
    for _ in range(TRIALS):
        fitted = arrhenius([of_temp[rng.integers(len(of_temp))] for of_temp in rates])
        found.append(fitted.value)
        inside += fitted.low <= EA_KJ <= fitted.high
        assert fitted.unit == "kJ/mol"
    assert len(found) == TRIALS
    assert np.mean(found) == pytest.approx(EA_KJ, rel=0.005)
    assert 0.93 <= inside / TRIALS <= 0.97


def test_two_temperatures_give_an_energy_that_is_as_sure_as_the_runs(series):
    rows = rates_of([("cold", series[0][0]), ("hot", series[0][3])])
    fitted = arrhenius([r for r in rows if r.cell == "A"])
    assert fitted.low < EA_KJ < fitted.high and "two" in fitted.note


def test_one_temperature_gives_none(series):
    assert arrhenius([r for r in rates_of([("a", series[0][0]), ("b", series[1][0])]) if r.cell == "A"]) is None


def test_samples_that_no_law_describes_give_an_energy_by_their_half_times(tmp_path):
    """Second order, slower by Ea: none of the laws fits, the time to 50 % keeps its share of every lifetime."""
    analyses = []
    for seed, temp in enumerate(DEGC[1:]):
        rate = 1.54 / (tau_h(temp) / 4.0)
        what = Synthetic(seed=seed, soak_degc=temp, decays={"B": second_order(rate)}, duration_h=5 * 1.54 / rate)
        make_run(tmp_path / str(seed), what)
        analyses.append((str(seed), analyse_run(read_run(tmp_path / str(seed)))))
    rows = rates_of(analyses)
    assert [r.law for r in rows] == ["1/T50"] * 3
    fitted = arrhenius(rows)
    assert fitted.value == pytest.approx(EA_KJ, rel=0.02)
    assert fitted.low < fitted.value < fitted.high and fitted.law == "1/T50"
