"""An hour without a host at ten records a second: the host is killed, comes back and fetches everything. For the test and the benchmark."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from remnant.virtual import VirtualBoard

RECORDS = 0x52  # kind of a page, firmware/rig/spool.py
ROOT = Path(__file__).resolve().parents[2]
SPEED = 600  # the hour takes 6 s where nothing else runs
PAGES = 560  # of 65 records: an hour and a bit
WALL_S = 240
PLAN = """\
version: "1"
title: An hour alone
cells: {A: {sample: templated, model: templated}}
steps:
  - soak: {at: 30 degC, for: 62 min, settle: 1 s}
    every: {period: 10 min, do: [probe]}
record: {period: 100 ms}
"""


def pages_in(flash: Path) -> int:
    """Pages that have been written, by their magic."""
    data = flash.read_bytes()
    return sum(data[at + 2 : at + 4] == b"RM" and data[at + 1] == RECORDS for at in range(0, len(data), 256))


def away(folder: Path, seed: int = 1) -> dict:
    """Returns {manifest, folder, attach_s, pages}: of the run that was followed to its end after the host came back."""
    plan = folder / "alone.yaml"
    plan.write_text(PLAN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "host"), str(ROOT / "protocol")]), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "from remnant.cli import main; main()"]
    state = folder / "state"
    with VirtualBoard(seed=seed, speed=SPEED, state=str(state)) as board:
        where = ["--rig", board.port, "--out", str(folder / "runs")]
        host = subprocess.Popen([*command, "run", str(plan), *where], env=environment, stdout=subprocess.PIPE, text=True)
        assert host.stdout
        with host.stdout as told_by_host:
            for line in told_by_host:
                if "run time" in line:
                    break
            host.send_signal(signal.SIGKILL)
            host.wait()
        end = time.monotonic() + WALL_S
        while pages_in(state / "flash") < PAGES and time.monotonic() < end:
            time.sleep(0.2)
        ask = [*command, "status", "--rig", board.port, "--json"]
        told = subprocess.run(ask, env=environment, capture_output=True, text=True, check=True)
        began = time.perf_counter()
        done = subprocess.run([*command, "attach", *where], env=environment, capture_output=True, text=True, timeout=300)
        taken = time.perf_counter() - began
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (folder / "runs").iterdir()
    manifest = json.loads((run / "manifest.json").read_text())
    return {"manifest": manifest, "folder": run, "attach_s": taken, "pages": json.loads(told.stdout)["history_pages"]}
