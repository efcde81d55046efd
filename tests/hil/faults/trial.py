"""One trial: a virtual board, a cable, the host's command, an attack, and what became of the run.

A Trial is plain data, so that a command line repeats it. Everything random comes from its seed; attacks are fired by how many bytes of the
run have passed, not by the wall clock. With speed 0 the board's course does not depend on the host and the tables are compared byte
for byte with those of the undisturbed run; with another speed time goes on without a host, and numbers and bodies are compared.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cable import Cable
from hosts import Host
from kept import Kept
from rigs import board
from verdict import Run, Verdict, judge

from remnant.virtual import VirtualBoard

HERE = Path(__file__).resolve().parent
GIVE_UP_S = 45.0
LONG_S = 600.0
CELLS = ["templated", "control"]


@dataclass
class Trial:
    """attack: row of the table; seed: of the attack; script: for the cable; blows: how often the trial acts at a `tell` of the cable."""

    attack: str
    kind: str
    seed: int
    plan: str = "short"
    board_seed: int = 1
    speed: float = 0
    script: list[list[Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    count: int = 1  # attacks in this trial

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Stage:
    """The pieces of a running trial; `close` ends all of them."""

    def __init__(self, trial: Trial, folder: Path):
        self.trial = trial
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "by-id").mkdir(parents=True)
        self.chance = random.Random(f"{trial.attack} {trial.seed}")
        self.state = folder / "state"
        self.last_of: dict[int, int] = {}
        self.only_in_ram: set[tuple[int, int]] = set()
        self.hosts: list[Host] = []
        self.board: VirtualBoard | None = None
        self.cable: Cable | None = None

    def open(self) -> None:
        self.board = self._new_board()
        self.cable = Cable(self.board.port, self.folder / "by-id/usb-Remnant_rig", self.trial.seed, self.trial.script, self.folder)

    @property
    def link(self) -> str:
        return str(self.cable.link)

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def start(self, *arguments: str, before: Callable[[], None] | None = None) -> Host:
        host = Host(list(arguments), self.folder / f"host{len(self.hosts)}.txt", before)
        self.hosts.append(host)
        return host

    def run(self, before: Callable[[], None] | None = None) -> Host:
        plan = HERE / f"{self.trial.plan}.yaml"
        if "plan_text" in self.trial.facts:
            plan = self.folder / "plan.yaml"
            plan.write_text(self.trial.facts["plan_text"])
        return self.start("run", str(plan), "--rig", self.link, "--out", str(self.runs), before=before)

    def reset_board(self, power_cut: bool = False, dark_s: float = 0.0) -> None:
        """SIGKILL, then a new process on the same flash; a power cut also takes the RAM that survives a reset."""
        self.board.kill()
        self.cable.do("board", port="")
        kept = Kept(self.state)
        if kept.boot_id:
            self.last_of[kept.boot_id] = kept.next_seq - 1
        if power_cut:
            self.only_in_ram |= kept.only_in_ram
            (self.state / "retained").unlink(missing_ok=True)
        self.board.close()
        if dark_s:
            time.sleep(dark_s)
        self.board = self._new_board()
        self.cable.do("board", port=self.board.port)

    def close(self) -> Any:
        for host in self.hosts:
            host.close()
        truth = None
        if self.cable:
            truth = self.cable.close()
        if self.board:
            self.board.close()
        return truth

    def _new_board(self) -> VirtualBoard:
        trial = self.trial
        facts = {"preset": trial.facts.get("preset"), **trial.facts.get("scenario", {})}
        return board(emulated=trial.kind == "chip", seed=trial.board_seed, speed=trial.speed, cells=CELLS, state=str(self.state), **facts)


def carry_out(trial: Trial, work: Path) -> dict[str, Any]:
    """Do it in a folder of `work`; returns the verdict's facts and what the trial was."""
    from kinds import KINDS
    from plants import with_fault

    began = time.monotonic()
    verdict, extra = Verdict(), {}
    folder = work / f"{re.sub('[^a-z0-9]+', '_', trial.attack.lower())}-{trial.seed}"
    try:
        reference = undisturbed(trial, work) if trial.speed == 0 and trial.facts.get("compare", True) else None
        if trial.kind == "plant":
            trial = with_fault(trial, reference)
        verdict, extra = _staged(trial, folder, KINDS[trial.kind], reference)
    except Exception as error:
        verdict.why.append(f"{type(error).__name__}: {error}")
    if verdict.good and not os.environ.get("REMNANT_FAULTS_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
    return {**verdict.facts(), **extra, "trial": trial.as_dict(), "wall_s": round(time.monotonic() - began, 2)}


def undisturbed(trial: Trial, work: Path) -> Run:
    """The same run without an attack, made once."""
    folder = work / f"undisturbed-{trial.plan}-{trial.board_seed}"
    if not (folder / "done").exists():
        calm = Trial("none", "calm", 0, trial.plan, trial.board_seed)
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        verdict, _ = _staged(calm, part, _calm, None)
        if not verdict.good or verdict.status != "completed":
            raise RuntimeError(f"the undisturbed run failed: {verdict.facts()} in {part}")
        (part / "done").touch()
        with contextlib.suppress(OSError):  # the other worker may have been first
            part.rename(folder)
        shutil.rmtree(part, ignore_errors=True)
    return Run(next(path.parent for path in folder.glob("runs/*/run.sqlite")))


def _calm(stage: Stage) -> dict[str, Any]:
    finished(stage.run(), GIVE_UP_S)
    return {}


def finished(host: Host, within_s: float) -> None:
    """Raises RuntimeError when the command does not end, or not well."""
    code = host.wait(within_s)
    if code is None:
        raise RuntimeError(f"the host still runs after {within_s:.0f} s: {host.said()[-200:]!r}")
    if code != 0:
        raise RuntimeError(f"the host ended with {code}: {host.said()[-300:]!r}")


def _staged(trial: Trial, folder: Path, act: Callable[[Stage], dict[str, Any]], reference: Run | None) -> tuple[Verdict, dict[str, Any]]:
    stage = Stage(trial, folder)
    why, extra = [], {}
    try:
        stage.open()
        extra = act(stage) or {}
    except RuntimeError as error:
        why.append(str(error))
    finally:
        truth = stage.close()
    later = extra.pop("later", None)
    calm = None if trial.facts.get("course_changes") else reference
    verdict = later(truth) if later else judge(stage.runs, truth, calm, stage.last_of, stage.only_in_ram)
    extra.update(extra.pop("found", {}))
    if verdict.declared and not trial.facts.get("may_declare"):
        verdict.why.append(f"{verdict.declared} records declared lost though nothing was outrun")
    if stage.only_in_ram and verdict.declared > len(stage.only_in_ram):
        verdict.why.append(f"{verdict.declared} declared, only {len(stage.only_in_ram)} were in RAM alone")
    verdict.why += why
    extra["line"] = truth.counts
    return verdict, extra


def stop_and_go(host: Host, seconds: float) -> None:
    """The host's process stands still for a while, its port open."""
    host.signal(signal.SIGSTOP)
    time.sleep(seconds)
    host.signal(signal.SIGCONT)
