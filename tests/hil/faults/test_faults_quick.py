"""A few attacks of each kind, as a part of the tests; all of them are `make faults`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
WITHIN_S = 240  # 60 s on an idle 2-core machine


def test_a_few_attacks_of_each_kind_lose_and_double_nothing(request, tmp_path):
    if request.config.getoption("--rig", default="virtual") != "virtual":
        pytest.skip("the fault suite brings its own boards")
    result = tmp_path / "faults.json"
    done = subprocess.run(
        [sys.executable, str(HERE / "run.py"), "--quick", "--work", str(tmp_path / "work"), "--json", str(result)],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    totals = json.loads(result.read_text())["totals"]
    assert totals["attacks"] > 25 and totals["records"] > 5000
    for name in ("records_lost", "records_doubled", "executed_twice", "false_faults", "analysis_differs"):
        assert totals[name] == 0, name
