"""The sums of a forecast, its text, its JSON and its figure."""

import json
import re
from xml.etree import ElementTree

import pytest

from remnant.cli.forecast_lines import clock, lines_of, span
from remnant.cli.limits import limits_of
from remnant.plan import compile_plan, load
from remnant.preflight import Forecast, draw, foresee

LIMITS = limits_of("virtual")
PLAN = """\
version: "1"
title: All kinds
cells: {A: a film, B: another}
pumps:
  antisolvent: {pump: 1, liquid: toluene, dead volume: 0.2 mL, holds: 30 mL}
steps:
  - prime: {pump: antisolvent, flow: 60 mL/h}
  - probe: {name: baseline, at: 25 degC}
  - repeat: {times: 6, do: [infuse: {pump: antisolvent, volume: 1 mL, flow: 600 mL/h}]}
  - withdraw: {pump: 1, volume: 2 mL, flow: 600 mL/h}
  - ramp: {to: 40 degC, rate: 5 degC/min}
  - expose: {irradiance: 10 mW/cm2, for: 10 min, at: 40 degC}
    every: {period: 5 min, do: [probe]}
"""


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    plan = load(PLAN, {}, LIMITS)
    return foresee(plan, compile_plan(plan, LIMITS), LIMITS)


def test_steps_follow_each_other_and_fill_the_run(forecast):
    steps = forecast.steps
    assert [(step.index, step.number) for step in steps] == [(0, 1), (1, 1), *((2, n) for n in range(1, 7)), (3, 1), (4, 1), (5, 1)]
    assert all(a.end_s <= b.begin_s + 0.2 for a, b in zip(steps, steps[1:], strict=False))
    assert steps[-1].end_s == pytest.approx(forecast.duration_s, abs=0.2)
    assert forecast.shortest_s < forecast.duration_s < forecast.longest_s


def test_a_liquid_is_told_with_priming_dead_volume_and_what_was_drawn(forecast):
    (liquid,) = forecast.liquids
    assert (liquid.name, liquid.liquid, liquid.pump, liquid.refills) == ("antisolvent", "toluene", 1, 0)
    assert liquid.primed_nl == pytest.approx(200_000, abs=200)
    assert liquid.dispensed_nl == pytest.approx(6_000_000, abs=400)  # half a step, 350 nL
    assert liquid.withdrawn_nl == pytest.approx(2_000_000, abs=400)
    assert liquid.needed_nl == liquid.dispensed_nl + liquid.primed_nl


def test_light_of_lamp_and_probe_are_told_apart(forecast):
    assert forecast.exposure_j_per_cm2["A"] == pytest.approx(6.0, rel=0.005)
    assert forecast.exposure_j_per_cm2["A"] == forecast.exposure_j_per_cm2["B"]
    probes, pulses, pulse_j = 4, 16, 10e-3 * 2e-3  # 10 mW/cm2 for 2 ms; 0, 5 and after 10 min beside the baseline
    assert forecast.probe_exposure_j_per_cm2["A"] == pytest.approx(probes * pulses * pulse_j, rel=0.05)
    assert forecast.probe_share == pytest.approx(probes * pulses * pulse_j / 6.0, rel=0.05)


def test_energy_is_that_of_the_heater_the_lamp_and_the_rest(forecast):
    """By hand: 60 J/K over 18 K, and 0.2 W/K of loss over the run; 10 of 50 mW/cm2 of a 3 W lamp for 10 min."""
    assert forecast.energy_j["lamp"] == pytest.approx(3.0 * 0.2 * 600, rel=0.05)
    assert forecast.energy_j["board"] == pytest.approx(0.5 * forecast.duration_s, rel=0.01)
    assert 60 * 18 < forecast.energy_j["heater"] < 60 * 18 + 0.2 * 18 * forecast.duration_s
    assert forecast.energy_j["pumps"] == pytest.approx(5.0 * (12 + 6 * 6 + 12), rel=0.1)


def test_the_text_has_a_line_for_each_step_and_shortens_many_passes(forecast):
    lines = lines_of(forecast)
    assert sum("(pass " in line for line in lines) == 4  # the first three and the last of six
    assert [line for line in lines if "passes 4 to 5" in line]
    text = "\n".join(lines)
    assert re.search(
        r"antisolvent \(pump 1\) +6\.2 mL of toluene \(6 mL dispensed, 0\.2\d* mL primed, 0\.2 mL of it stay in the tubing\)", text
    )
    assert text.isascii()


def test_json_holds_everything_but_the_curve(forecast):
    document = json.loads(json.dumps(forecast.to_json()))
    assert document["ok"] is True and "curve" not in document
    assert document["liquids"][0]["liquid"] == "toluene"
    assert document["steps"][0]["text"] == "prime pump antisolvent with its dead volume at 60 mL/h"
    assert {"duration_s", "shortest_s", "longest_s", "spool", "disk_bytes", "energy_j", "assumptions"} <= set(document)


def test_the_figure_has_a_panel_for_all_there_is_and_stands_alone(forecast):
    svg = draw(forecast)
    ElementTree.fromstring(svg)
    for label in ("temperature", "irradiance", "exposure", "infused, net", "time since run start / min", "antisolvent"):
        assert label in svg, label
    assert "--series-0" in svg.split("</style>")[0]  # its colours come with it
    assert draw(forecast) == svg


def test_the_curve_rises_to_what_is_told(forecast):
    rows = forecast.curve
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert max(row[2] for row in rows) == pytest.approx(forecast.peak_c, abs=0.2)
    assert rows[-1][4] / 1000 == forecast.exposure_j_per_cm2["A"]
    (liquid,) = forecast.liquids
    assert rows[-1][5][0] == liquid.dispensed_nl + liquid.primed_nl - liquid.withdrawn_nl
    assert len(rows) < 2000


@pytest.mark.parametrize("seconds, text", [(0, "0:00:00"), (89.4, "0:01:29"), (3_661, "1:01:01"), (172_979, "2 d 00:02:59")])
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize("seconds, text", [(0.2, "0.2 s"), (88.7, "88.7 s"), (360, "6 min"), (18_030, "5.01 h"), (8_640_000, "100 d")])
def test_span(seconds, text):
    assert span(seconds) == text
