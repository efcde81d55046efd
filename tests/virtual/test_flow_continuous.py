"""Continuous flow from two alternating pairs on the virtual rig: the sum holds at the hand-over, measured from the motors' steps."""

import json

import pytest

from remnant.campaign.measured import read_pumped
from remnant.campaign.ripple import ripple, sums
from remnant.flow.continuous import SYRINGE_10, SYRINGE_60
from remnant.flow.pair import plan_pair

PAIRS = {"antisolvent": ((1, 3), plan_pair(5000, 50, 4.0, SYRINGE_60, 60)), "precursor": ((2, 4), plan_pair(60, 0.6, 4.0, SYRINGE_10, 10))}
FIRST_FLOW = 1  # the step behind priming


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One period, run once: (what the pumps did, from when to when both liquids flow, the page that shows it)."""
    import os
    import subprocess
    import sys
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "host"), str(root / "protocol")])}
    out = tmp_path_factory.mktemp("continuous")
    command = [sys.executable, "-c", "from remnant.cli import main; main()", "run", "flow-continuous", "--set", "periods=1"]
    done = subprocess.run([*command, "--out", out, "--json"], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["folder"])
    pumped = read_pumped(folder)
    began = next(step.began_s for step in pumped.steps if step.step == FIRST_FLOW)
    return pumped, began + 1, pumped.steps[-1].began_s, (folder / "flow.html").read_text(encoding="utf-8")


def measured(run, name, window_s):
    pumped, from_s, to_s, _ = run
    pumps, pair = PAIRS[name]
    return ripple(sums(pumped, pumps, from_s, to_s), pair.flow_ml_per_h, window_s)


def test_the_antisolvent_stays_within_one_percent_in_every_tick(run):
    found = measured(run, "antisolvent", 0.1)
    assert found.windows > 1000
    assert abs(found.largest_pct) < 1.0  # the target; 0.58 % measured, of which a step of each pump is 0.5 %


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("window_s", [0.1, 0.2, 0.5, 1.0, 2.0])
def test_the_ripple_is_within_what_the_planner_foresees(run, name, window_s):
    assert abs(measured(run, name, window_s).largest_pct) <= PAIRS[name][1].ripple_pct(window_s)


def test_the_precursor_is_as_even_as_its_steps_allow(run):
    """162 steps/s: a tick has 16 of them, so it is a second that holds to a percent."""
    assert abs(measured(run, "precursor", 1.0).largest_pct) < 1.0


@pytest.mark.parametrize("name", PAIRS)
def test_the_mean_is_the_flow(run, name):
    pumped, from_s, to_s, _ = run
    points = sums(pumped, PAIRS[name][0], from_s, to_s)
    (t_0, v_0), (t_1, v_1) = points[0], points[-1]
    step_nl = PAIRS[name][1].drive.nl_per_step
    setpoint = PAIRS[name][1].flow_ml_per_h * 1e6 / 3600
    assert v_1 - v_0 == pytest.approx(setpoint * (t_1 - t_0), rel=2e-4, abs=2 * step_nl)


@pytest.mark.parametrize("name", PAIRS)
def test_a_pump_draws_in_what_a_stroke_is(run, name):
    pumped = run[0]
    pumps, pair = PAIRS[name]
    for pump in pumps:
        assert pumped.withdrawn_nl(pump) == pytest.approx(pair.stroke_nl + pair.bearing_nl, abs=pair.drive.nl_per_step)


def test_the_ripple_is_shown_with_its_figure(run):
    page = run[3]
    assert page.count("<svg") == len(PAIRS)
    shown = f"{measured(run, 'antisolvent', 0.1).largest_pct:+.2f} %"
    assert f'<th scope="row">antisolvent</th><td class=n>0.1 s</td><td class=n>{shown}</td>' in page
