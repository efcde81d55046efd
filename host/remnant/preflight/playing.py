"""Start the player (boards/player) in a process of its own, hand it a job, and take what it tells line by line.

Firmware and plant never run in this process: like the virtual board they are started from the bundle, here always on CPython.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .. import bundle

PATHS = ("boards/virtual/cpython", "boards/virtual", "firmware", "protocol", "boards")


@dataclass
class Played:
    """steps: one entry per pass, in the order they ended; trouble: what the board would refuse; totals: of each play, the nominal first."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    trouble: list[dict[str, Any]] = field(default_factory=list)
    curve: list[list[Any]] = field(default_factory=list)
    totals: list[dict[str, Any]] = field(default_factory=list)


def played(job: dict[str, Any], on_progress: Callable[[float], None] | None = None) -> Played:
    """Play a job; `on_progress` is told the seconds of the run that have been played. Raises RigError(NOT_STARTED | its own code)."""
    root = bundle.root()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(root / path) for path in PATHS)}
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "player"],  # -P: a file of the working folder that is called rig.py is none of ours
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        except OSError as error:
            raise RigError(codes.NOT_STARTED, where=str(error)) from None
        with process:
            try:
                return _taken(process, job, on_progress, log)
            except BaseException:
                process.kill()
                raise


def _taken(process: subprocess.Popen[bytes], job: dict[str, Any], on_progress: Callable[[float], None] | None, log: Any) -> Played:
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps(job).encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # it says on its error output why
    result = Played()
    for text in process.stdout:
        line = json.loads(text)
        if "at_s" in line:
            if on_progress:
                on_progress(line["at_s"])
        elif "error" in line:
            raise RigError(line["error"], where=line["where"], value=line["value"], limit=line["limit"])
        elif "total" in line:
            result.totals.append(line["total"])
        elif "curve" in line:
            result.curve = line["curve"]
        else:
            (result.trouble if "trouble" in line else result.steps).append(line)
    if process.wait() or len(result.totals) != len(job["plays"]):
        log.seek(0)
        told = log.read().decode(errors="replace").strip().splitlines()
        reason = told[-1] if told else f"exit code {process.returncode}"
        raise RigError(codes.NOT_STARTED, text=f"the plan cannot be played: {reason}")
    return result
