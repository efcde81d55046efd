"""The commands: exit codes, one message each, JSON for machines."""

import json

import pytest
from fake_board import FakeBoard
from typer.testing import CliRunner

from remnant.board import client
from remnant.cli.app import app

PLAN = """\
version: "1"
title: A short wait
cells: {A: film}
steps:
  - wait: {for: 10 s}
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(client, "HELLO_GIVE_UP_S", 0.5)


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def remnant(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def one_line(result):
    (line,) = [line for line in result.stderr.splitlines() if line]
    return line


def test_check_tells_steps_and_duration(plan):
    result = remnant("check", plan)
    assert result.exit_code == 0
    assert "wait for 10 s" in result.stdout


def test_check_as_json(plan):
    document = json.loads(remnant("check", plan, "--json").stdout)
    assert document["ok"] is True and document["duration_s"] == 10.0


def test_a_plan_that_is_none_is_exit_3_with_file_and_line(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(PLAN.replace("wait:", "wiat:"))
    result = remnant("check", path)
    assert result.exit_code == 3
    assert one_line(result).startswith(f"{path}:5:")
    assert "Did you mean 'wait'?" in result.stderr


def test_problems_as_json_name_their_place(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(PLAN.replace("10 s", "-10 s"))
    result = remnant("check", path, "--json")
    (problem,) = json.loads(result.stdout)["problems"]
    assert result.exit_code == 3
    assert (problem["line"], problem["file"]) == (5, str(path))


def test_no_such_port_is_exit_4(plan, tmp_path):
    result = remnant("run", plan, "--rig", "/dev/no-such-port", "--out", tmp_path / "runs")
    assert result.exit_code == 4
    assert one_line(result).startswith("E101 link: there is no port /dev/no-such-port.")
    assert not (tmp_path / "runs").exists()


def test_a_port_that_is_no_rig_is_exit_4(plan, tmp_path):
    with FakeBoard(deaf=True) as board:
        result = remnant("run", plan, "--rig", board.port, "--out", tmp_path / "runs")
        assert result.exit_code == 4
        assert one_line(result).startswith(f"E102 link: what is on {board.port} does not answer as a rig.")


def test_a_firmware_of_another_protocol_is_exit_4(plan, tmp_path):
    with FakeBoard(major=2) as board:
        result = remnant("run", plan, "--rig", board.port, "--out", tmp_path / "runs")
        assert result.exit_code == 4
        assert one_line(result).startswith("E103 link: the board speaks protocol 2.2, this host speaks 1.2.")


def test_a_port_that_is_in_use_is_exit_4(plan, tmp_path):
    from remnant.link import Link

    with FakeBoard() as board:
        link = Link(board.port, lambda batch: None)
        result = remnant("run", plan, "--rig", board.port, "--out", tmp_path / "runs")
        link.close()
        assert result.exit_code == 4
        assert "in use by another program" in one_line(result)


def test_errors_as_json(plan, tmp_path):
    result = remnant("run", plan, "--rig", "/dev/no-such-port", "--json")
    document = json.loads(result.stdout)
    assert (document["ok"], document["exit"], document["code"]) == (False, 4, 101)


@pytest.mark.parametrize(
    "arguments",
    [("run", "heat-80", "--speed", "fast"), ("run", "heat-80", "--set", "duration"), ("list", "cats"), ("frobnicate",), ("run",)],
    ids=["speed", "set", "list", "command", "no plan"],
)
def test_wrong_use_is_exit_2(arguments):
    assert remnant(*arguments).exit_code == 2


def test_a_scenario_that_is_no_json_is_exit_2(plan, tmp_path):
    (tmp_path / "faults.json").write_text("[")
    assert remnant("run", plan, "--scenario", tmp_path / "faults.json").exit_code == 2


def test_list_names_the_library():
    result = remnant("list")
    assert result.exit_code == 0
    assert "heat-80" in result.stdout and "uv-365" in result.stdout


def test_list_runs_survives_what_is_no_run(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/manifest.json").write_text("{")
    (tmp_path / "two").mkdir()
    (tmp_path / "two/manifest.json").write_text(json.dumps({"status": "stopped", "title": "T", "simulated": True}))
    rows = json.loads(remnant("list", "runs", "--out", tmp_path, "--json").stdout)["runs"]
    assert [(row["folder"], row["status"], row["simulated"]) for row in rows][1] == ("two", "stopped", "SIMULATED")


def test_a_report_of_nothing_is_told(tmp_path):
    result = remnant("report", tmp_path)
    assert result.exit_code == 4
    assert one_line(result).startswith("E502 storage:")


def test_a_defect_of_ours_is_one_line_with_a_file(plan, monkeypatch):
    from remnant import plan as room

    def broken(*_arguments):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(room, "load", broken)
    result = remnant("check", plan)
    line = one_line(result)
    assert result.exit_code == 4
    assert line.startswith("internal error, ZeroDivisionError: division by zero. Please report it with ")
    with open(line.rpartition(" ")[2]) as log:
        assert "Traceback" in log.read()


def test_demo_leaves_alone_what_is_no_run(tmp_path):
    (tmp_path / "heat-80").mkdir()
    (tmp_path / "heat-80/thesis.docx").write_text("years of work")
    result = remnant("demo", "--out", tmp_path)
    assert result.exit_code == 4
    assert (tmp_path / "heat-80/thesis.docx").is_file()
