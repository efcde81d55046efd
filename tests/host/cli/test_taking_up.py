"""attach, resume, status, stop, pause, clear: the commands for a rig that is at something."""

import asyncio
import json
import threading
import time

import msgpack
import pytest
from fake_board import FakeBoard, wait_until
from typer.testing import CliRunner

from remnant.board import client
from remnant.cli import attaching, person
from remnant.cli.app import app
from remnant_protocol import errors as codes
from remnant_protocol import messages as m

PLAN = """\
version: "1"
title: A short wait
cells: {A: film}
steps:
  - wait: {for: 10 s}
"""
TICK = (m.TELEMETRY, m.RUNNING, 0, 80000, 79000, 0, 0, 0, 432, 10)
BEGUN = [(m.EVENT, m.STEP_BEGAN, 0, 1), *[TICK] * 5]
ENDING = [*[TICK] * 5, (m.EVENT, m.STEP_ENDED, 0, 1), (m.EVENT, m.RUN_ENDED, m.BY_COMPLETION, 0)]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(client, "HELLO_GIVE_UP_S", 0.5)


@pytest.fixture
def board(tmp_path):
    with FakeBoard(link=tmp_path / "rig", script=BEGUN) as board:
        yield board


def remnant(*arguments, **wishes):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], **wishes)
    assert "Traceback" not in result.output
    return result


def as_json(*arguments):
    return json.loads(remnant(*arguments, "--json").stdout)


def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def interrupted_run(tmp_path, board):
    """A run whose board is reset in its middle: `remnant run` ends with exit 4."""

    def meddle():
        wait_until(lambda: board.acknowledged >= len(BEGUN))
        board.pull_the_plug()
        board.reset(board.run_id)
        board.add(m.TELEMETRY, m.READY, 0, -300000, 61000, 0, 0, 0, 0, 10)
        board.plug_in()

    meddling = threading.Thread(target=meddle)
    meddling.start()
    result = remnant("run", plan(tmp_path), "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    meddling.join()
    return result


def test_status_of_a_free_rig(board, tmp_path):
    facts = as_json("status", "--rig", tmp_path / "rig", "--out", tmp_path)
    assert (facts["state"], facts["uid"], facts["run_id"], facts["temp_c"], facts["setpoint_c"]) == ("ready", "F-1", None, 25.0, None)
    assert "ready" in remnant("status", "--rig", tmp_path / "rig").stdout


def test_status_acknowledges_nothing(board, tmp_path):
    board.add(m.EVENT, m.MARKED, 1)
    board.spool([1])
    board.add(m.EVENT, m.MARKED, 2)
    facts = as_json("status", "--rig", tmp_path / "rig")
    assert facts["history_pages"] == 1
    assert (board.acknowledged, len(board.pages)) == (0, 1)


def test_stop_and_pause_say_how_the_rig_is(board, tmp_path):
    assert as_json("stop", "--rig", tmp_path / "rig")["state"] == "ready"
    assert (board.executed[m.STOP], board.acknowledged) == (1, 0)
    remnant("pause", "--rig", tmp_path / "rig")
    assert board.executed[m.PAUSE] == 1


def test_clear_works_only_when_the_cause_is_gone(board, tmp_path):
    board.refuse[m.CLEAR] = [codes.CAUSE_REMAINS, 301]
    result = remnant("clear", "--rig", tmp_path / "rig")
    assert result.exit_code == 5
    assert result.stderr.startswith("E704 rig: the cause of the fault is still there (code 301)")
    board.refuse.clear()
    assert remnant("clear", "--rig", tmp_path / "rig").exit_code == 0


def test_an_interrupted_run_is_exit_4_and_names_the_way_on(board, tmp_path):
    result = interrupted_run(tmp_path, board)
    assert result.exit_code == 4
    assert "`remnant resume`" in result.stderr
    assert "interrupted" in result.stdout and "reset" in result.stdout
    facts = as_json("status", "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    assert facts["interrupted"] is True
    assert facts["folder"].startswith(str(tmp_path / "runs"))


def test_resume_shows_what_happened_asks_and_goes_on(board, tmp_path):
    interrupted_run(tmp_path, board)
    (folder,) = (tmp_path / "runs").iterdir()
    program = msgpack.unpackb((folder / "program.msgpack").read_bytes())
    program[4] = [0, 0, 3600]
    (folder / "program.msgpack").write_bytes(msgpack.packb(program))
    arguments = ("resume", "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    left = remnant(*arguments, input="n\n")
    assert left.exit_code == 0
    assert board.executed[m.RESUME_RUN] == 0
    told = left.stdout
    for words in ("A short wait", "ago", "wait for 10 s", "79.0 degC then, 25.0 degC now", "0.432 J/cm2", "within 1:00:00"):
        assert words in told
    board.script = ENDING
    result = remnant(*arguments, "--yes")
    assert result.exit_code == 0, result.output
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["status"], manifest["gaps"], len(manifest["interruptions"])) == ("completed", [], 1)
    (asked,) = [asked for asked in board.asked if asked[0] == m.COMMAND and asked[2] == m.RESUME_RUN]
    assert asked[3].hex() == manifest["run_id"] and 0 < asked[4] < 60 and asked[5] == 432


def test_a_new_run_does_not_give_up_one_that_may_be_resumed(board, tmp_path):
    interrupted_run(tmp_path, board)
    (folder,) = (tmp_path / "runs").iterdir()
    arguments = ("run", plan(tmp_path), "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    program = msgpack.unpackb((folder / "program.msgpack").read_bytes())
    program[4] = [0, 0, 3600]
    (folder / "program.msgpack").write_bytes(msgpack.packb(program))
    result = remnant(*arguments)
    assert result.exit_code == 4
    assert result.stderr.startswith("E716 rig: the board still has a run that was interrupted") and str(folder) in result.stderr
    assert board.executed[m.START] == 1
    board.script = ENDING
    assert remnant(*arguments, "--give-up").exit_code == 0
    assert board.executed[m.START] == 2


def test_a_run_that_its_plan_never_takes_up_again_stands_in_nobody_s_way(board, tmp_path):
    interrupted_run(tmp_path, board)
    board.script = ENDING
    assert remnant("run", plan(tmp_path), "--rig", tmp_path / "rig", "--out", tmp_path / "runs").exit_code == 0


def test_a_resume_outside_of_the_window_is_told_with_the_board_s_code(board, tmp_path):
    interrupted_run(tmp_path, board)
    board.refuse[m.RESUME_RUN] = [codes.RESUME_WINDOW, 7200, 3600]
    result = remnant("resume", "--rig", tmp_path / "rig", "--out", tmp_path / "runs", "--yes")
    assert "E609 plan: the run was interrupted 7200 s ago and its plan allows to resume within 3600 s" in result.stderr


def test_nothing_to_resume(board, tmp_path):
    result = remnant("resume", "--rig", tmp_path / "rig", "--out", tmp_path / "runs", "--yes")
    assert result.stderr.startswith("E610 plan:")


def test_a_paused_run_goes_on(board, tmp_path):
    board.run_id, board.state, board.interrupted = b"paused.........!", m.PAUSED, False
    board.add(m.EVENT, m.RUN_STARTED, board.run_id)

    def meddle():
        wait_until(lambda: board.executed[m.RESUME])
        for body in ENDING:
            board.add(*body)
        board.run_id, board.state = b"", m.READY

    meddling = threading.Thread(target=meddle)
    meddling.start()
    result = remnant("resume", "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    meddling.join()
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", [("attach",), ("run", "--attach")])
def test_attach_follows_a_run_that_goes_on(board, tmp_path, command):
    board.run_id, board.state = b"going on.......!", m.RUNNING
    board.add(m.EVENT, m.RUN_STARTED, board.run_id)
    for body in (*BEGUN, *ENDING):
        board.add(*body)
    result = remnant(*command, "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "completed"


def test_attach_to_nothing_is_exit_4(board, tmp_path):
    result = remnant("attach", "--rig", tmp_path / "rig", "--out", tmp_path / "runs")
    assert result.exit_code == 4
    assert "no run is going on" in result.stderr


def test_records_of_an_earlier_run_are_fetched_before_the_next_one_begins(board, tmp_path, monkeypatch):
    """The host of the first run was killed; the board went on to its end and kept it."""
    arguments = (plan(tmp_path), "--rig", tmp_path / "rig", "--out", tmp_path / "runs")

    pressed = []

    def leave():
        wait_until(lambda: board.acknowledged >= len(BEGUN))
        board.pull_the_plug()
        loop, interrupts = pressed[0]
        wait_until(lambda: not interrupts.boards[0].connected)
        loop.call_soon_threadsafe(interrupts.stop.set)

    with monkeypatch.context() as keys:  # Ctrl-C reaches the main thread only, and a test has none of its own
        keys.setattr(person.Interrupts, "listen", lambda self: pressed.append((asyncio.get_running_loop(), self)))
        leaving = threading.Thread(target=leave)
        leaving.start()
        first = remnant("run", *arguments)
        leaving.join()
    assert first.exit_code == 4 and "`remnant attach`" in first.stderr
    for body in ENDING:
        board.add(*body)
    board.run_id, board.state = b"", m.READY
    board.script = [*BEGUN, *ENDING]
    board.plug_in()
    time.sleep(1.1)  # folders are named by the second
    second = remnant("run", *arguments)
    assert second.exit_code == 0, second.output
    assert "an earlier run" in second.stdout
    manifests = [json.loads(path.read_text()) for path in sorted((tmp_path / "runs").glob("*/manifest.json"))]
    assert [(manifest["status"], manifest["gaps"]) for manifest in manifests] == [("completed", []), ("completed", [])]
    assert [manifest["records"]["telemetry"] for manifest in manifests] == [10, 10]


def test_no_rig_said_and_none_on_usb(monkeypatch):
    monkeypatch.setattr(attaching, "find_ports", lambda: [])
    result = remnant("status")
    assert result.exit_code == 4
    assert "Use --rig" in result.stderr


def test_run_wants_a_plan_or_attach(tmp_path):
    assert remnant("run").exit_code == 2
    assert remnant("run", "heat-80", "--attach").exit_code == 2
