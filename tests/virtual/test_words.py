"""Every word that moves pumps, triggers or people, from YAML to the record of a run on the virtual board."""

import asyncio
import csv
import json

import pytest

from remnant import open_rig
from remnant.plan import compile_plan, load
from remnant.run import execute

PLAN = """version: "1"
title: every word
pumps: {antisolvent: {pump: 1, dead volume: 0.2 mL}, precursor: {pump: 2}}
steps:
  - wait: {operator: Put the film in, at most: 1 h}
  - trigger: {output: 1, for: 20 s, wait: false}
  - wait: {trigger: 1, at most: 10 s}
  - trigger: {output: 2, for: 3 s}
  - prime: {pump: antisolvent, flow: 60 mL/h}
  - flow: {antisolvent: 1000 mL/h, precursor: 60 mL/h}
    for: 10 s
    stop when: {volume of antisolvent: 1 mL}
  - flow: {antisolvent: 500 mL/h}
    for: 2 s
    then: keep
  - flow: {antisolvent: 1000 mL/h, precursor: 60 mL/h}
    for: 3 s
  - parallel:
      - withdraw: {pump: antisolvent, volume: 0.5 mL, flow: 600 mL/h}
      - infuse: {pump: precursor, volume: 0.1 mL, flow: 60 mL/h}
  - wait: {for: 1 h}
    every: {period: 10 s, do: [{infuse: {pump: antisolvent, volume: 0.1 mL, flow: 60 mL/h}}]}
    stop when: {volume of antisolvent: 0.25 mL, time: 30 min}
"""


def run(text, folder, operator):
    async def main():
        async with open_rig("virtual", seed=4) as rig:
            plan = load(text, {}, rig.board.description)
            compiled = compile_plan(plan, rig.board.description)
            result = await execute(compiled, rig, folder, title=plan.title, plan_text=plan.text, plan_name="words", operator=operator)
            return result, compiled

    return asyncio.run(main())


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    asked = []

    async def operator(text):
        asked.append(text)

    folder = tmp_path_factory.mktemp("words") / "run"
    result, compiled = run(PLAN, folder, operator)
    with (folder / "events.csv").open(newline="") as file:
        events = [(row["kind"], float(row["t_s"]), json.loads(row["detail"])) for row in csv.DictReader(file)]
    return result, compiled, asked, events


def of(events, kind):
    return [(t_s, detail) for found, t_s, detail in events if found == kind]


def test_the_run_completes_and_each_step_lasts_what_it_should(ran):
    result, compiled, _, _ = ran
    assert result.status == "completed", result.error
    for step, told in zip(compiled.steps, result.manifest["steps"], strict=True):
        lasted_s = told["ended_s"] - told["began_s"]
        assert abs(lasted_s - step.planned_s) < 1.0, (step.text, lasted_s, step.planned_s)  # an operator, a brake, a tick


def test_the_operator_is_asked_once_and_the_answer_is_in_the_record(ran):
    _, _, asked, events = ran
    assert asked == ["Put the film in"]
    assert [len(of(events, kind)) for kind in ("operator_wanted", "operator_answered")] == [1, 1]


def test_triggers_are_as_long_as_they_say(ran):
    *_, events = ran
    began = {detail["channel"]: (t_s, detail["duration_ms"] / 1000) for t_s, detail in of(events, "triggered")}
    for t_s, detail in of(events, "trigger_ended"):
        begun_s, lasts_s = began[detail["channel"]]
        assert detail["left_ms"] == 0 and t_s - begun_s == pytest.approx(lasts_s, abs=0.11)
    assert len(began) == 2


def test_what_ended_a_step_is_told(ran):
    *_, events = ran
    assert [detail["condition"] for _, detail in of(events, "condition_met")] == [9, 9]
    values = [detail["value"] for _, detail in of(events, "condition_met")]
    assert values[0] == pytest.approx(1_000_000, abs=400)  # a step of the motor
    assert 249_500 <= values[1] <= 252_000  # and what passes in a tick at 60 mL/h


def test_liquids_of_the_manifest_are_those_of_the_plan(ran):
    result, *_ = ran
    one, two = result.manifest["liquids"]
    assert (one["primed_nl"], one["withdrawn_nl"]) == (200_000, 500_000)
    assert one["dispensed_nl"] == 1_000_000 + 277_778 + 833_333 + 250_000
    assert two["dispensed_nl"] == 60_000 + 50_000 + 100_000
