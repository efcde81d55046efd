"""The stated 95 % intervals hold the truth in 93 to 97 % of 1000 trials, through the whole analysis of runs from pulses on.

What a trial draws: photon and read noise of every pulse, the excitation from pulse to pulse, far pulses, the activation energy with which
the sample ages on the ramps (as uncertain as the analysis says), when the lamp came on within a step of the telemetry.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import pytest
from scipy.special import gamma
from trials import Experiment, bi, mono, stretched, trial

from remnant.analyse import analyse_run

TRIALS = 1000
LOWEST, HIGHEST = 0.93, 0.97

HEAT = Experiment({"B": bi(0.4, 0.5, 9.0), "S": stretched(2.5, 0.6)}, readings=16, pulses=6)
LIGHT = Experiment({"M": mono(60.0)}, light=True, duration_h=48.0, readings=16, pulses=8, outlier_share=0.01)
TRUE = {
    "B": ("bi", {"w": 0.4, "tau_1": 0.5, "tau_2": 9.0, "k_1": 2.0, "k_2": 1 / 9, "k": 1 / (0.4 * 0.5 + 0.6 * 9)}),
    "S": ("stretched", {"tau": 2.5, "beta": 0.6, "k_tau": 1 / 2.5, "k": 0.6 / 2.5 / gamma(1 / 0.6)}),
    "M": ("mono", {"tau": 60.0, "k": 1 / 60.0}),
}


class Tally:
    """How often the truth was inside, by quantity; what was preferred; how often a level was seen."""

    def __init__(self):
        self.inside = defaultdict(list)
        self.preferred = Counter()

    def add(self, what, low, truth, high):
        self.inside[what].append(low is not None and low <= truth <= (math.inf if high is None else high))

    def share(self, what):
        return sum(self.inside[what]) / len(self.inside[what])


@pytest.fixture(scope="module")
def tally():
    told = Tally()
    for experiment in (HEAT, LIGHT):
        for seed in range(TRIALS):
            data, truth = trial(experiment, seed)
            for cell in analyse_run(data).cells:
                letter = cell.cell
                law, values = TRUE[letter]
                told.add((letter, "remnant"), cell.headline.low_pct, 100 * truth.final(letter), cell.headline.high_pct)
                for name, crossing in (("T80", cell.t80), ("T50", cell.t50)):
                    told.add((letter, name), crossing.low_h, truth.time_to(letter, crossing.level_pct / 100), crossing.high_h)
                fit = next(f for f in cell.fits if f.model == law)
                for p in (*fit.parameters, *fit.rates):
                    told.add((letter, p.name), p.low, values[p.name], p.high)
                told.preferred[letter, next((f.model for f in cell.fits if f.preferred), "")] += 1
    return told


NAMES = [(letter, name) for letter in TRUE for name in ("remnant", "T80", "T50", *TRUE[letter][1])]


@pytest.mark.parametrize(("letter", "name"), NAMES, ids=["-".join(n) for n in NAMES])
def test_intervals_hold_the_truth_as_often_as_they_say(tally, letter, name):
    assert len(tally.inside[letter, name]) >= TRIALS - 5
    assert LOWEST <= tally.share((letter, name)) <= HIGHEST


def test_the_law_behind_the_readings_is_preferred(tally):
    for letter, (law, _) in TRUE.items():
        assert tally.preferred[letter, law] >= 0.95 * TRIALS
