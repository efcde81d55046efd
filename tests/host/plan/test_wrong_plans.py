"""Wrong plans and what they are told: every file of wrong/, and messages.txt with the messages, which a person has read.

`python tests/host/plan/test_wrong_plans.py` writes messages.txt again; read what has changed.
"""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from remnant.cli.app import app
from remnant.errors import Exit, PlanError
from remnant.plan import compile_plan, load, sweep_points

FOLDER = Path(__file__).parent / "wrong"
SNAPSHOT = FOLDER / "messages.txt"
PLANS = sorted(FOLDER.glob("*.yaml"))
LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "temp_cutoff_mc": 130000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 4,  # as the virtual board
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}
SET = re.compile(r"# set: (\w+)=(.*)")  # on the first line: what --set gives


def inputs(path):
    match = SET.match(path.read_text(encoding="utf-8"))
    return {match[1]: match[2]} if match else {}


def messages(path):
    """What `check` tells of a plan, a line for each problem."""
    content = path.read_bytes()
    try:
        sweep_points(content, inputs(path), LIMITS, file=path.name)
        compile_plan(load(content, inputs(path), LIMITS, file=path.name), LIMITS)
    except PlanError as error:
        return [str(problem) for problem in error.problems]
    return []


def snapshot():
    return "".join(f"{message}\n" for path in PLANS for message in messages(path))


def test_there_are_many_and_all_different():
    assert len({path.read_text(encoding="utf-8") for path in PLANS}) == len(PLANS) >= 60


def test_the_messages_are_those_that_were_read():
    assert snapshot() == SNAPSHOT.read_text(encoding="utf-8"), f"python {Path(__file__).name}, and read what has changed"


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_each_is_refused_in_clear_lines(path):
    told = messages(path)
    assert told
    for message in told:
        assert message.isascii() and message.isprintable()
        assert re.match(rf"{re.escape(path.name)}:\d+:\d+: \S", message)
        assert message.endswith((".", "?")) and ". ." not in message and len(message) < 400
        for ours in ("pydantic", "union", "Tag", "loc", "None", "NoneType", "tuple", "dict"):
            assert not re.search(rf"\b{ours}\b", message), message


def test_several_errors_are_told_together():
    assert len(messages(FOLDER / "many-at-once.yaml")) == 11


def test_check_starts_nothing(monkeypatch, tmp_path):
    def started(*_arguments, **_words):
        raise AssertionError("check has started something")

    for owner, name in ((subprocess, "Popen"), (asyncio, "run"), (asyncio, "create_subprocess_exec")):
        monkeypatch.setattr(owner, name, started)
    monkeypatch.chdir(tmp_path)
    for path in PLANS:
        given = [f"{name}={value}" for name, value in inputs(path).items()]
        done = CliRunner().invoke(app, ["check", str(path), *(part for each in given for part in ("--set", each))])
        assert done.exit_code == Exit.PLAN, (path.name, done.output)
    assert not list(tmp_path.iterdir())


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(), encoding="utf-8")
    print(SNAPSHOT)
