"""A program played with leaps is the program played tick by tick: the same events at the same instants, the same sums."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remnant_protocol import messages as m
from remnant_protocol import program as p

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


def played(operations, telemetry_ms=1000):
    """(tick by tick, with leaps)."""
    program = [p.VERSION, telemetry_ms, 3, [1, 1, 0], [0, 60], operations]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in PATHS)}
    done = subprocess.run([sys.executable, "-P", "-c", TWICE], input=json.dumps(program), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def step(number, *operations):
    return [p.STEP, number, list(operations)]


def wait(*condition, timeout_ms=0):
    return [p.WAIT, list(condition), timeout_ms, p.TIMEOUT_FAULT]


PROGRAMS = {
    "hot, held, cooled by itself": [
        step(0, [m.HEATER, 80000, 10000], wait(p.RAMP_DONE, timeout_ms=3600000), wait(p.TEMPERATURE, 80000, 1000, 30000)),
        step(1, [p.EVERY, 600000, [[p.DURATION, 5400000]], [[m.PROBE, 1, 16, 3]]]),
        step(2, [m.HEATER, 25000, 0], wait(p.TEMPERATURE, 25000, 500, 60000, timeout_ms=7200000)),
        step(3, [m.HEATER, None, 0], wait(p.DURATION, 1800000)),
    ],
    "lit by exposure, dimmed, dark": [
        step(0, [m.LAMP, 20000], wait(p.EXPOSURE, 9000), [m.LAMP, 0], wait(p.DURATION, 600000)),
        step(1, [m.LAMP, 500], [p.EVERY, 60000, [[p.EXPOSURE, 400]], [[m.PROBE, 2, 32, 3]]], [m.LAMP, 0]),
        step(2, [m.LAMP, 40000], wait(p.DURATION, 1200000), [m.LAMP, 0]),
    ],
    "doses fast and slow, both ways, a flow": [
        step(0, [m.DISPENSE, 0, 12000000, 80000000, True], [m.DISPENSE, 1, 700000, 33000, True]),
        step(1, [p.REPEAT, 3, [[m.DISPENSE, 1, -90000, 17000, True], [m.DISPENSE, 1, 60000, 900000, True], wait(p.DURATION, 7000)]]),
        step(2, [m.FLOW, 0, 300000], [m.FLOW, 1, -20000], wait(p.DURATION, 600000), [m.FLOW, 0, 0], [m.FLOW, 1, 0], wait(p.PUMPS_DONE, 3)),
        step(3, [m.FLOW, 0, 400000], [p.EVERY, 3600000, [[p.VOLUME, 0, 5000000]], []], [m.FLOW, 0, 0], wait(p.PUMPS_DONE, 1)),
    ],
    "a trigger, a person, a slow flow under light and heat": [
        step(0, [p.TRIGGER, 0, 900000], wait(p.DURATION, 300000), wait(p.OPERATOR, 0, timeout_ms=600000)),
        step(1, [m.HEATER, 45000, 0], [m.LAMP, 10000], [m.DISPENSE, 1, 400000, 10000, False]),
        step(
            2, [p.EVERY, 600000, [[p.DURATION, 3600000], [p.TIMEOUT, 7200000]], [[m.PROBE, 1, 16, 1]]], [m.LAMP, 0], wait(p.PUMPS_DONE, 2)
        ),
    ],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_leaps_change_nothing(name):
    ticks, leaps = played(PROGRAMS[name])
    assert leaps["ticks"] < 0.6 * ticks["ticks"]
    assert [event for _, event in leaps["events"]] == [event for _, event in ticks["events"]]
    for (at_s, event), (leapt_s, _) in zip(ticks["events"], leaps["events"], strict=True):
        assert leapt_s == pytest.approx(at_s, abs=1.0), event  # the controller's last millidegrees; a step of a slow pump
    stopped = 2 if "a flow" in name else 0  # a dose is exact; where a flow is stopped depends on where a step stood just then
    assert leaps["steps"] == pytest.approx(ticks["steps"], abs=stopped)
    for moved in ("infused", "withdrawn"):
        assert leaps[moved] == pytest.approx(ticks[moved], abs=stopped * 351)  # nL a step
    assert leaps["peak_c"] == pytest.approx(ticks["peak_c"], abs=0.02)
    assert leaps["block_c"] == pytest.approx(ticks["block_c"], abs=0.1)
    assert leaps["exposure"] == pytest.approx(ticks["exposure"], rel=0.002, abs=1)
    assert leaps["probe"] == pytest.approx(ticks["probe"], rel=0.002, abs=2)
    for sum_, told in (("heater", 0.01), ("lamp", 0.01), ("lit", 0.002)):
        assert leaps[sum_] == pytest.approx(ticks[sum_], rel=told, abs=100), sum_
    assert leaps["telemetry"] == pytest.approx(ticks["telemetry"], abs=2)
    assert leaps["records"] == pytest.approx(ticks["records"], abs=8)
    assert leaps["moving"] == pytest.approx(ticks["moving"], rel=0.01, abs=5)
    assert leaps["trouble"] == ticks["trouble"] == []


def test_a_player_does_not_take_a_file_of_the_working_folder_for_the_firmware(tmp_path):
    from remnant.preflight.playing import played as by_the_host

    (tmp_path / "rig.py").write_text("raise SystemExit('not this one')")
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        job = {"program": [1, 1000, 0, [1, 1, 0], [0, 60], [step(0, wait(p.DURATION, 1000))]], "plays": [{}], "ambient_c": 22.0}
        import runpy

        limits = runpy.run_path(str(ROOT / "boards/virtual/board.py"))["LIMITS"]
        assert by_the_host({**job, "limits": limits}).totals[0]["duration_s"] == pytest.approx(1.1, abs=0.2)
    finally:
        os.chdir(before)
