"""The 48 h plan foreseen: in s, and as a share of playing it on the virtual board tick by tick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from remnant.cli.limits import limits_of
from remnant.plan import compile_plan, load
from remnant.preflight import foresee

ROOT = Path(__file__).resolve().parent.parent.parent
TIMES = 5
PLAN, HOURS = "uv-365", 48

# the same program with the same code, without a leap: what the control loop of the virtual board lives through, on the same interpreter
TICKS = """
import json, sys
import board
from player.hal import PlayedHal, mute
from player.rig import PlayedRig, ended
mute()
rig = PlayedRig(PlayedHal(board.LIMITS, 22.0), board.SETTINGS, json.load(sys.stdin))
rig.begin()
while not ended(rig):
    rig.step_on()
print(rig.t_s())
"""


def run() -> list[dict]:
    limits = limits_of("virtual")
    plan = load(PLAN, {}, limits)
    compiled = compile_plan(plan, limits)
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        forecast = foresee(plan, compiled, limits)
        taken.append(time.perf_counter() - began)
    began = time.perf_counter()
    paths = ("boards/virtual/cpython", "boards/virtual", "firmware", "protocol", "boards")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in paths)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", TICKS], input=json.dumps(compiled.program).encode(), capture_output=True, env=environment, check=True
    )
    ticked = time.perf_counter() - began
    apart = abs(float(done.stdout) - forecast.duration_s)
    what = f"{PLAN}, {HOURS} h: played once and at four corners of the tolerances"
    return [
        _row("dry_run_48h_s", median(taken), "s", "<= 2", what),
        _row(
            "dry_run_48h_over_ticks", median(taken) / ticked, "", "<= 0.2", f"all five plays over one of them tick by tick ({ticked:.1f} s)"
        ),
        _row("dry_run_48h_apart_s", apart, "s", "<= 1", "duration with leaps against tick by tick"),
    ]


def _row(name: str, value: float, unit: str, goal: str, compared_with: str) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
