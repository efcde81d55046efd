"""The synthesis that a plan describes, known before it runs."""

import pytest

from remnant.flow.of_plan import synthesis_of
from remnant.plan import load, sweep_points

PLAN = """\
version: "1"
title: flow
pumps:
  antisolvent: {{pump: 1, liquid: {liquid}}}
  precursor: {{pump: 2, liquid: DMF}}
steps:
  - flow: {{antisolvent: 5000 mL/h, precursor: 60 mL/h}}
    for: {settle}
    then: keep
  - flow: {{antisolvent: 5000 mL/h, precursor: 60 mL/h}}
    for: 30 s
    then: keep
    name: collect
  - flow: {{antisolvent: 600 mL/h, precursor: 1 mL/h}}
    for: 10 s
"""


def planned(liquid="toluene", settle="2 s"):
    return synthesis_of(load(PLAN.format(liquid=liquid, settle=settle).encode()))


def test_the_step_named_collect_is_the_one_that_is_kept():
    found = planned()
    assert (found.step, found.first_step, found.collected_s, found.let_pass_s) == (1, 0, 30, 2)
    assert found.condition.reynolds == pytest.approx(1755, abs=1)
    assert found.production.mg == pytest.approx(139 / 3600 * 30)
    assert found.settled and not any("warning" in line for line in found.lines())


def test_collecting_too_early_is_warned_of():
    found = planned(settle="1 s")
    assert not found.settled
    assert "less than 3 residence times (1.27 s)" in found.lines()[-1]


def test_another_antisolvent_makes_another_reynolds_number():
    assert planned("dichloromethane").condition.reynolds > 1.5 * planned().condition.reynolds


def test_a_plan_without_two_liquids_is_none():
    assert synthesis_of(load("heat-80")) is None


@pytest.mark.parametrize("name, points", [("flow-antisolvent", 5), ("flow-precursor", 6)])
def test_every_point_of_the_library_lets_three_residence_times_pass_and_fits_its_syringes(name, points):
    found = sweep_points(name)
    assert len(found) == points
    for point in found:
        plan = load(name, point.inputs)
        assert synthesis_of(plan).settled, point.name
