"""What a trial of each kind does: KINDS[kind](Stage) -> facts; RuntimeError when the host did not do its part."""

from __future__ import annotations

import time
from typing import Any

from hosts import Host
from trial import GIVE_UP_S, QUIET_END_S, Stage, _calm, finished, stop_and_go


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
    """The board's process is killed at random instants; what the host has in the end is judged."""
    host = stage.run()
    resets = 0
    while told(stage, host, "now"):
        stage.reset_board(stage.trial.facts.get("power_cut", False))
        resets += 1
        if host.wait(QUIET_END_S) is not None:
            host = attach(stage)
    host.wait(GIVE_UP_S)
    return {"resets": resets, "predicted": len(stage.only_in_ram)}


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


KINDS = {
    "calm": _calm,
    "line": on_the_line,
    "stops": host_stops,
    "killed": host_killed,
    "reset": board_reset,
}
