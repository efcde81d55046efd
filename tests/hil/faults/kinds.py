"""What a trial of each kind does: KINDS[kind](Stage) -> facts; RuntimeError when the host did not do its part."""

from __future__ import annotations

import re
import time
from typing import Any

from by_hand import doses_by_hand
from clocks import jumping
from healthy import days
from hosts import Host
from plants import broken, broken_on_chip
from rigs import alive
from trial import GIVE_UP_S, Stage, _calm, finished, stop_and_go

_FULL = re.compile(r"disk|space|written", re.I)


def on_the_line(stage: Stage) -> dict[str, Any]:
    """The cable does it all by its script."""
    finished(stage.run(), stage.trial.facts.get("give_up_s", GIVE_UP_S))
    return {}


def host_stops(stage: Stage) -> dict[str, Any]:
    """The host's process stands still with its port open."""
    host = stage.run()
    for _ in range(stage.trial.count):
        if not told(stage, host, "now"):
            break
        stop_and_go(host, stage.trial.facts["for_s"])
    finished(host, GIVE_UP_S)
    return {}


def host_killed(stage: Stage) -> dict[str, Any]:
    """kill -9, a pause, and another host that attaches; the last one is left to finish."""
    host = stage.run()
    killed = 0
    while told(stage, host, "now"):
        host.kill()
        killed += 1
        time.sleep(stage.chance.uniform(0.0, stage.trial.facts.get("pause_s", 0.2)))
        host = attach(stage)
    finished(host, GIVE_UP_S)
    return {"killed": killed}


def board_reset(stage: Stage) -> dict[str, Any]:
    """The board's process is killed at random instants, its run taken up again each time; in the end it has to be complete."""
    host = stage.run()
    resets = 0
    while told(stage, host, "now"):
        stage.reset_board(stage.trial.facts["power_cut"])
        resets += 1
        if host.wait(GIVE_UP_S) is None:
            raise RuntimeError(f"the host follows a board that was reset: {host.said()[-200:]!r}")
        if host.code == 0:  # it came before the run was taken up, and that host has taken it up after it
            break
        host = resume(stage)
    taken_up(stage, host)
    return {"resets": resets, "predicted": len(stage.only_in_ram)}


def page_torn(stage: Stage) -> dict[str, Any]:
    """Nobody listens, records go to flash, and the power goes while a page is written; a host that comes later gets what is whole."""
    host = stage.run()
    end = time.monotonic() + GIVE_UP_S
    while alive(stage.board) and (stage.cable.told(0.01) or {}).get("tell") != "now":  # an early page, a checkpoint, needs no silence
        if host.poll() is not None:
            raise RuntimeError(f"the host ended with {host.code} before its time: {host.said()[-200:]!r}")
    host.kill()
    while alive(stage.board):
        if time.monotonic() > end:
            raise RuntimeError("the page that was to be torn was never written")
        time.sleep(0.01)
    stage.trial.facts["preset"] = None
    stage.reset_board(power_cut=True)
    taken_up(stage, resume(stage))
    return {"resets": 1, "predicted": len(stage.only_in_ram)}


def disk_full(stage: Stage) -> dict[str, Any]:
    """No file of the host may grow any more (RLIMIT_FSIZE); it has to say so at once, and to have everything once there is space."""
    host = stage.run()
    said_after_s = None
    if told(stage, host, "now"):
        before, begun = len(host.said()), time.monotonic()
        host.file_limit(0)
        end = begun + stage.trial.facts["for_s"]
        while time.monotonic() < end and host.poll() is None:
            if said_after_s is None and _FULL.search(host.said()[before:]):
                said_after_s = time.monotonic() - begun
            time.sleep(0.005)
        host.file_limit(-1)
        if said_after_s is None:
            raise RuntimeError(f"the host said nothing of a full disk: {host.said()[before:]!r}")
    finished(host, GIVE_UP_S)
    return {"detected_s": said_after_s}


def clock_jumps(stage: Stage) -> dict[str, Any]:
    """The host's wall clock jumps by up to a week."""
    finished(stage.run(before=jumping(stage.trial.seed)), GIVE_UP_S)
    return {}


def told(stage: Stage, host: Host, what: str) -> bool:
    """Wait until the cable tells `what`; False when the host has ended or the run has, and it will not be told."""
    end = time.monotonic() + GIVE_UP_S
    while time.monotonic() < end:
        message = stage.cable.told(0.02)
        if message and message["tell"] == what:
            return True
        if host.poll() is not None:
            return False
    raise RuntimeError(f"the cable never told '{what}': {host.said()[-200:]!r}")


def attach(stage: Stage) -> Host:
    """Another host that takes the run up."""
    return stage.start("attach", "--rig", stage.link, "--out", str(stage.runs))


def resume(stage: Stage) -> Host:
    """A person has the interrupted run go on."""
    return stage.start("resume", "--rig", stage.link, "--out", str(stage.runs), "--yes")


def taken_up(stage: Stage, host: Host) -> None:
    """The run is complete, or the power went in its first or last tick and there is nothing to resume: then what is there is fetched."""
    if host.wait(GIVE_UP_S) and stage.trial.facts.get("may_declare") and "E610" in host.said():
        attach(stage).wait(GIVE_UP_S)
        return
    finished(host, GIVE_UP_S)


KINDS = {
    "calm": _calm,
    "line": on_the_line,
    "stops": host_stops,
    "killed": host_killed,
    "reset": board_reset,
    "torn": page_torn,
    "disk": disk_full,
    "jumps": clock_jumps,
    "hand": doses_by_hand,
    "plant": broken,
    "chip": broken_on_chip,
    "healthy": days,
}
