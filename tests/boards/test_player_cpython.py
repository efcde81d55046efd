"""A program played with leaps is the program played tick by tick: the same events at the same instants, the same sums."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATHS = ("boards/virtual/cpython", "boards/virtual", "firmware", "protocol", "boards")
TWICE = """
import json, sys
import board
from remnant_protocol import program as p
from player.hal import PlayedHal, mute
from player.leap import Leaper
from player.rig import PlayedRig, ended

def play(program, leaps):
    hal = PlayedHal(board.LIMITS, 22.0)
    rig = PlayedRig(hal, board.SETTINGS, program)
    events = []
    rig.on_event = lambda t_s, event, arguments: events.append((t_s, event))
    leaper, ticks = Leaper(rig), 0
    rig.begin(b"x")
    while not ended(rig):
        rig.step_on()
        ticks += 1
        if leaps and not ended(rig):
            leaper.go()
    for i in range(len(rig.pumps)):
        rig.account(i)
    return {"events": events, "ticks": ticks, "t_s": rig.t_s(), "peak_c": hal.block_max_q / 1024000, "exposure": rig.exposure.mj_per_cm2,
            "probe": rig.exposure.probe_uj_per_cm2, "steps": [x.steps for x in rig.pumps], "infused": rig.infused_nl,
            "withdrawn": rig.withdrawn_nl, "heater": hal.heater_u16s, "lamp": hal.lamp_u16s, "lit": hal.lit_s, "telemetry": rig.telemetry,
            "records": rig.records, "moving": rig.moving_ticks, "block_c": hal.plant._block_q / 1024000, "trouble": rig.trouble}

mute()
program = json.load(sys.stdin)
print(json.dumps([play(program, False), play(program, True)]))
"""
HEATER, LAMP, FLOW, DISPENSE, PROBE = 32, 33, 34, 35, 36


def played(operations, telemetry_ms=1000):
    """(tick by tick, with leaps)."""
    from remnant_protocol import messages as m

    assert (HEATER, LAMP, FLOW, DISPENSE, PROBE) == (m.HEATER, m.LAMP, m.FLOW, m.DISPENSE, m.PROBE)
    program = [1, telemetry_ms, 3, [1, 1, 0], [0, 60], operations]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in PATHS)}
    done = subprocess.run([sys.executable, "-P", "-c", TWICE], input=json.dumps(program), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
