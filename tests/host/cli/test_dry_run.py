"""`remnant dry-run`: text, JSON, program, figure, exit codes."""

import json
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from remnant.cli.app import app

PLAN = """\
version: "1"
title: A short wait
inputs: {volume: {default: 2 mL}}
pumps: {toluene: {pump: 1}}
steps:
  - wait: {for: 10 s}
  - infuse: {pump: toluene, volume: $volume, flow: 600 mL/h}
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def remnant(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def test_it_tells_timeline_and_sums(plan):
    result = remnant("dry-run", plan)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[2].split("  ")[0] == "0" and lines[2].endswith("wait for 10 s")
    assert lines[3].endswith("infuse 2 mL at 600 mL/h with pump toluene")
    assert any(line.startswith("duration") and "0:00:22" in line for line in lines)
    assert any(line.startswith("toluene (pump 1)") and "2 mL (2 mL dispensed)" in line for line in lines)


def test_an_input_changes_it(plan):
    document = json.loads(remnant("dry-run", plan, "--set", "volume=4 mL", "--json").stdout)
    assert document["ok"] is True and document["exit"] == 0
    assert document["liquids"][0]["dispensed_nl"] == pytest.approx(4_000_000, abs=400)
    assert document["duration_s"] == pytest.approx(34, abs=1)


def test_what_cannot_be_done_is_exit_3_with_the_place_in_the_file(plan):
    result = remnant("dry-run", plan, "--set", "volume=61 mL", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["ok"], document["exit"]) == (3, False, 3)
    (problem,) = document["refused"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(plan), 7, 5)
    assert "61 mL are more than the syringe of pump 1 holds (60 mL)" in problem["text"]
    assert "refused: " in remnant("dry-run", plan, "--set", "volume=61 mL").stdout


def test_the_program_is_told_back(plan):
    result = remnant("dry-run", plan, "--program")
    assert result.exit_code == 0
    assert [line.strip() for line in result.stdout.splitlines()[2:]] == [
        "step 0",
        "wait until 10 s have passed",
        "step 1",
        "pump 1 infuse 2 mL at 600 mL/h and wait",
    ]
    assert json.loads(remnant("dry-run", plan, "--program", "--json").stdout)["program"] == result.stdout.splitlines()


def test_the_figure_is_a_file(plan, tmp_path):
    result = remnant("dry-run", plan, "--figure", tmp_path / "forecast.svg")
    assert result.exit_code == 0 and f"figure: {tmp_path / 'forecast.svg'}" in result.stdout
    ElementTree.parse(tmp_path / "forecast.svg")


def test_a_figure_that_cannot_be_written_is_one_line(plan, tmp_path):
    result = remnant("dry-run", plan, "--figure", tmp_path / "nowhere" / "forecast.svg")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1 and "nowhere" in result.stderr


def test_a_wrong_plan_is_told_as_check_tells_it(plan):
    plan.write_text(PLAN.replace("600 mL/h", "600 mL"))
    assert remnant("dry-run", plan).stderr == remnant("check", plan).stderr
    assert remnant("dry-run", plan).exit_code == 3


SWEEP = """\
version: "1"
title: Two flows
inputs: {antisolvent_flow: {default: 1000 mL/h}}
sweep: {antisolvent_flow: [1000 mL/h, 5000 mL/h, 9000 mL/h]}
pumps:
  antisolvent: {pump: 1, liquid: toluene, dead volume: 1 mL, holds: 30 mL}
  precursor: {pump: 2, liquid: dimethylformamide}
steps:
  - prime: {pump: antisolvent, flow: 600 mL/h}
  - flow: {antisolvent: $antisolvent_flow, precursor: 60 mL/h}
    for: 30 s
"""


def test_a_sweep_is_told_point_by_point_with_what_all_need(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP.replace(", 9000 mL/h", ""))
    result = remnant("dry-run", path)
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]
    assert any(line.startswith("all 2 points: 0:01:1") and "antisolvent 52 mL, precursor 1 mL" in line for line in lines)
    (refused,) = [line for line in lines if "refused: " in line]
    assert refused.startswith("point 2: refused: ") and "it has 29 mL of 60 mL left and 41.667 mL are asked" in refused
    assert result.exit_code == 3
    document = json.loads(remnant("dry-run", path, "--json").stdout)
    assert [point["inputs"] for point in document["points"]] == [{"antisolvent_flow": "1000 mL/h"}, {"antisolvent_flow": "5000 mL/h"}]
    assert [point["ok"] for point in document["points"]] == [True, False]
    reynolds = [point["mixings"][0]["reynolds"] for point in document["points"]]
    assert reynolds == pytest.approx([363, 1755], abs=1)  # host/remnant/flow/README.md, "Against the paper"
    assert document["points"][0]["mixings"][0]["yield_g_per_h"] == pytest.approx(0.139)


def test_a_point_that_no_board_can_is_told_as_a_wrong_plan(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    result = remnant("dry-run", path)
    assert result.exit_code == 3 and "9000 mL/h" in result.stderr and "6000 mL/h" in result.stderr
