"""Runs on the virtual board: the real firmware in its own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # host_away, library_runs
HEAT = """\
version: "1"
title: A short heat stress
cells:
  A: {sample: PS-capped CsPbBr3, model: templated}
  B: {sample: control, model: control}
steps:
  - probe: {name: baseline, at: 25 degC, pulses: 4}
  - ramp: {to: 60 degC, rate: 10 degC/min}
  - soak: {at: 60 degC, for: 20 min}
    every: {period: 5 min, do: [probe]}
    name: hot
"""


@pytest.fixture
def heat(tmp_path):
    path = tmp_path / "heat.yaml"
    path.write_text(HEAT)
    return path


@pytest.fixture
def command():
    """The command line as a process: (argv prefix, environment)."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "host"), str(ROOT / "protocol")]), "PYTHONUNBUFFERED": "1"}
    return [sys.executable, "-c", "from remnant.cli import main; main()"], environment


@pytest.fixture
def remnant(command):
    """Run the command line to its end: remnant("check", "heat-80") -> CompletedProcess."""
    argv, environment = command

    def run(*arguments):
        done = subprocess.run([*argv, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=120)
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def library_run(tmp_path_factory, request):
    """The folder of a completed run of a plan of the library, run once a session: library_run("heat-80")."""
    from library_runs import run_of, shared_folder

    shared = shared_folder(tmp_path_factory, getattr(request.config, "workerinput", {}).get("workerid", "master"))
    return lambda name, inputs=None: run_of(name, shared, inputs)
