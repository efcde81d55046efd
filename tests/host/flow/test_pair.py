"""Alternating pairs: the sum of the setpoints is the flow, a refill fits the hold, and the plan of the library is what the planner says."""

from itertools import pairwise

import pytest

from remnant import library
from remnant.flow.continuous import HEAD, SYRINGE_10, SYRINGE_60, Line, library_plan, plan_text
from remnant.flow.pair import Drive, plan_pair
from remnant.plan import compile_plan, load
from remnant_protocol.errors import RigError


@pytest.fixture
def pair():
    return plan_pair(5000, 50, 4.0, SYRINGE_60, 60)


def test_both_setpoints_add_up_to_the_flow_at_every_stair(pair):
    assert {ends + begins for ends, begins in pair.stairs()} == {pair.flow_nl_per_min}
    assert len(pair.stairs()) == pair.levels == 40


def test_the_first_and_the_last_stair_are_half_as_high(pair):
    rising = [0, *(begins for _, begins in pair.stairs()), pair.flow_nl_per_min]
    heights = [b - a for a, b in pairwise(rising)]
    assert heights[0] == pytest.approx(heights[1] / 2, abs=2)
    assert heights[-1] == pytest.approx(heights[1] / 2, abs=2)
    assert max(heights[1:-1]) - min(heights[1:-1]) <= 1


def test_segments_are_one_period_without_a_gap_and_with_the_flow_at_every_instant(pair):
    segments = pair.segments()
    t_s = 0.0
    for segment in segments:
        assert segment.t_s == pytest.approx(t_s)
        t_s += segment.lasts_s
        assert sum(flow for flow in segment.flows_ml_per_h if flow > 0) == pytest.approx(pair.flow_ml_per_h, abs=1e-4)
    assert t_s == pytest.approx(pair.period_s)


def test_each_pump_draws_in_a_period_what_it_gives(pair):
    for pump in (0, 1):
        given = sum(s.flows_ml_per_h[pump] * s.lasts_s / 3600 for s in pair.segments() if s.flows_ml_per_h[pump] > 0)
        drawn = -sum(s.flows_ml_per_h[pump] * s.lasts_s / 3600 for s in pair.segments() if s.flows_ml_per_h[pump] < 0)
        assert given == pytest.approx(50, rel=1e-6)
        assert drawn == pytest.approx(given, rel=1e-6)


def test_a_refill_fits_the_hold_of_the_other_pump(pair):
    assert pair.refill_s < pair.hold_s
    slow = plan_pair(60, 0.6, 4.0, SYRINGE_10, 10)
    assert slow.refill_s < slow.hold_s == pair.hold_s  # both liquids hand over together


def test_more_stairs_make_less_ripple_and_a_window_averages_it():
    coarse, fine = plan_pair(2000, 50, 2.0, SYRINGE_60, 60), plan_pair(2000, 50, 8.0, SYRINGE_60, 60)
    assert fine.ripple_pct() < coarse.ripple_pct()
    assert fine.ripple_pct(1.0) < fine.ripple_pct(0.1)
    assert fine.ripple_pct() > fine.grid_pct() > 0


@pytest.mark.parametrize(
    "flow, stroke, fade_s, words",
    [
        (5000, 50, 0.1, "shorter than two ticks"),
        (5000, 60, 4.0, "does not fit a syringe of 60 mL"),
        (7000, 50, 4.0, "7000 mL/h is beyond the drive's 6000 mL/h"),
        (5000, 50, 8.0, "needs 6"),  # the other pump is alone for too short a time
        (5000, 5, 4.0, "needs inf"),  # it is never alone
    ],
)
def test_what_a_pair_cannot_do_is_told(flow, stroke, fade_s, words):
    with pytest.raises(RigError) as raised:
        plan_pair(flow, stroke, fade_s, SYRINGE_60, 60)
    assert words in raised.value.text


def test_a_refill_that_is_too_slow_is_told():
    with pytest.raises(RigError) as raised:
        plan_pair(1000, 50, 4.0, SYRINGE_60, 60, refill_ml_per_h=900)
    assert "900 mL/h is slower" in raised.value.text


def test_pairs_that_hand_over_at_different_moments_are_no_plan(pair):
    other = plan_pair(60, 0.9, 4.0, SYRINGE_10, 10)
    with pytest.raises(RigError):
        plan_text([Line("a", "toluene", (1, 3), pair, 60, 1), Line("b", "DMF", (2, 4), other, 10, 0.3)], HEAD)


def test_the_plan_of_the_library_is_what_the_planner_writes():
    assert library.path("flow-continuous").read_text(encoding="utf-8") == library_plan()


def test_its_program_fits_the_smallest_board_and_draws_what_it_gives():
    compiled = compile_plan(load("flow-continuous", {"periods": "5"}, {}))
    assert len(compiled.data) <= 4096
    given, drawn = compiled.liquids[1].dispensed_nl, compiled.liquids[1].withdrawn_nl
    assert given == drawn  # a step of bearing included
    assert drawn == pytest.approx(5 * 50e6, rel=1e-4)


def test_ramps_of_a_drive():
    drive = Drive(nl_per_step=1000.0, accel_steps_per_s2=100.0)
    assert drive.steps_per_s(3600) == pytest.approx(1000)
    assert drive.ramp_s(-3600) == pytest.approx(10)
