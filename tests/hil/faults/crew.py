"""Two workers at a time carry out a list of trials; one that hangs is ended and its trial told as failed."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trial import Trial

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HANGS_AFTER_S = 180.0
LONG_S = 900.0


class Crew:
    """`carry_out(trials, on_result)`; close ends the workers."""

    def __init__(self, work: Path, size: int = 2):
        self._work = work
        self._workers = [Worker(work) for _ in range(size)]

    def carry_out(self, trials: list[Trial], on_result: Callable[[dict[str, Any]], None]) -> None:
        waiting = list(reversed(trials))
        while waiting or any(worker.trial for worker in self._workers):
            for worker in self._workers:
                if worker.ready and waiting:
                    worker.give(waiting.pop())
            select.select([worker.out for worker in self._workers], [], [], 1.0)
            for at, worker in enumerate(self._workers):
                result = worker.taken()
                if result:
                    on_result(result)
                elif worker.dead():
                    self._workers[at] = Worker(self._work)
                    if worker.trial:
                        on_result(_failed(worker.trial, "the worker ended or hung"))
                        worker.trial = None

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


class Worker:
    def __init__(self, work: Path):
        paths = [str(ROOT / "host"), str(ROOT / "protocol")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "svg"}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), str(work)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.out = self.process.stdout
        os.set_blocking(self.out.fileno(), False)
        self.ready = False
        self.trial: Trial | None = None
        self._begun = time.monotonic()
        self._text = b""

    def give(self, trial: Trial) -> None:
        self.trial, self.ready, self._begun = trial, False, time.monotonic()
        self.process.stdin.write(json.dumps(trial.as_dict()).encode() + b"\n")
        self.process.stdin.flush()

    def taken(self) -> dict[str, Any] | None:
        """The result of the trial that has just ended."""
        self._text += self.out.read() or b""
        line, newline, rest = self._text.partition(b"\n")
        if not newline:
            return None
        self._text = rest
        self.ready, self.trial = True, None
        answer = json.loads(line)
        return None if answer == "ready" else answer

    def dead(self) -> bool:
        limit_s = LONG_S if self.trial and self.trial.facts.get("long") else HANGS_AFTER_S
        if self.process.poll() is None and (self.ready or time.monotonic() - self._begun < limit_s):
            return False
        self.close()
        return True

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def _failed(trial: Trial, why: str) -> dict[str, Any]:
    return {
        "good": False,
        "lost": 0,
        "declared": 0,
        "doubled": 0,
        "twice": 0,
        "altered": 0,
        "differs": [],
        "why": [why],
        "trial": trial.as_dict(),
    }
