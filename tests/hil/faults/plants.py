"""A part of the rig breaks (boards/plant/faults.py) in each phase of a run: is it seen in time, is the cause right, is everything off?

STATED: fault -> (code, seconds within which it is seen, what has to be going on for it to show). Seconds count from the moment the fault is
there and what shows it is going on; a tick of the plant (0.1 s) is allowed on top. Sources: the tables of firmware/rig/safety.py and, for
the heater's three, firmware/rig/thermal_model.py (not calibrated, 40 to 80 degC).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kept import records_in_ram
from tap import Truth
from trial import GIVE_UP_S, Stage, Trial
from verdict import Run, Verdict, judge, unpacked

from remnant_protocol import errors as codes
from remnant_protocol import messages as m

PHASES = ("heat up", "soak", "probe", "expose", "dispense", "cool down")
ALWAYS, LIT, PUMPING, HEATED = "always", "expose", "dispense", "heated"
STATED: dict[str, tuple[tuple[int, ...], float, str]] = {
    "sensor_open": ((codes.SENSOR_OPEN,), 0.3, ALWAYS),
    "sensor_short": ((codes.SENSOR_SHORT,), 0.3, ALWAYS),
    "sensor_stuck": ((codes.SENSOR_STALE,), 2.0, ALWAYS),
    "sensor_detached": ((codes.SENSOR_DETACHED, codes.SENSOR_SLOPE), 3.3, ALWAYS),
    "heater_dead": ((codes.HEATER_DEAD,), 40.0, HEATED),
    "heater_stuck_on": ((codes.HEATER_STUCK_ON, codes.HEATER_OVERSHOOT), 26.0, ALWAYS),
    "lamp_dead": ((codes.LAMP_NOT_LIT,), 2.0, LIT),
    "pump_stall_0": ((codes.PUMP_STALLED,), 0.2, PUMPING),
    "interlock_open": ((codes.INTERLOCK_OPEN,), 0.1, ALWAYS),
    "stop_pressed": ((codes.STOP_PRESSED,), 0.1, ALWAYS),
}
NEAR_ROOM_C = 22.0 + 13.0  # a sensor that comes off below falls too slowly: firmware/rig/thermal_model.py says HEATER_DEAD within 60 s
NEAR_ROOM = ((*STATED["sensor_detached"][0], codes.HEATER_DEAD), 60.0, ALWAYS)
NEVER_SHOWS = ("pump_stall_1",)  # the plan leaves that pump alone: the run has to complete
TICK_S = 0.1
ON_CHIP = ("sensor_open", "interlock_open", "sensor_short", "stop_pressed", "sensor_stuck", "lamp_dead")
CHIP_BYTES = (6_000, 24_000)  # in the ramp, under the lamp
CHIP_S = 150.0
SLICE_S = 0.4  # board time between the record that names the instant and the switch of the fault: slices, pipes, the cable
FAULT_EXIT = 5
OFF_WITHIN_MS = 500
WATCHED_S = 6.0  # wall, after a stuck switch: a block on full power would be 2 K warmer


def plant_trials(seed: int, share: float) -> list[Trial]:
    """Every fault in every phase; a share of less than a half: each fault in one phase."""
    return list(_trials(seed, share))


def _trials(seed: int, share: float) -> Iterator[Trial]:
    for number, fault in enumerate((*STATED, *NEVER_SHOWS)):
        for at, phase in enumerate(PHASES):
            if share >= 0.5 or at == number % len(PHASES):
                about = {"fault": fault, "phase": phase, "course_changes": True}
                yield Trial(f"plant: {fault}", "plant", seed * 1000 + number * 10 + at, "phases", facts=about)


def with_fault(trial: Trial, calm: Run) -> Trial:
    """The trial with its scenario: the fault falls into its phase, at an instant drawn from the seed."""
    manifest = calm.manifest()
    began = {step["name"]: step for step in manifest["steps"]}
    start_s = _started_s(calm)
    chance = random.Random(f"{trial.attack} {trial.seed}")
    phase = trial.facts["phase"]
    if phase == "probe":
        times = sorted({float(row["t_s"]) for row in calm.rows("probes.csv")})
        at_s = start_s + chance.choice(times[1:-1]) - TICK_S
    else:
        step = _named(began, phase)
        at_s = start_s + chance.uniform(step["began_s"] + 0.5, step["began_s"] + 0.7 * (step["ended_s"] - step["began_s"]))
    at_s = round(at_s, 1)
    shows_s = _shows_s(trial.facts["fault"], at_s, start_s, calm)
    scenario = {"faults": [[at_s, trial.facts["fault"], True]]}
    temp_c = min((abs(start_s + float(row["t_s"]) - at_s), float(row["temp_degC"])) for row in calm.rows("telemetry.csv"))[1]
    return replace(trial, facts={**trial.facts, "scenario": scenario, "shows_s": shows_s, "at_s": at_s, "temp_c": temp_c})


def _shows_s(fault: str, at_s: float, start_s: float, calm: Run) -> float | None:
    """Board time from which the fault can be seen; None: not in the rest of this run. calm: what goes on when, in an undisturbed run."""
    needs = STATED[fault][2] if fault in STATED else None
    if needs == ALWAYS:
        return at_s
    if needs is None:
        return None
    steps = {step["name"]: step for step in calm.manifest()["steps"]}
    if needs == HEATED:
        return at_s if at_s < start_s + _named(steps, "cool down")["began_s"] - STATED[fault][1] else None
    if needs == LIT:
        going = [start_s + float(row["t_s"]) for row in calm.rows("telemetry.csv") if float(row["lamp_duty_pct"])]
    else:
        step = _named(steps, needs)
        going = [start_s + step["began_s"], start_s + step["ended_s"]]
    if at_s > going[-1] - 3:  # what is almost over may end before it is seen
        return None
    return next((max(at_s, time_s) for time_s in going if time_s >= at_s), at_s) if needs == LIT else max(at_s, going[0])


def _named(steps: dict[str, Any], name: str) -> Any:
    return next(step for key, step in steps.items() if key == name)


def _started_s(run: Run) -> float:
    for body in run.records.values():
        fields = unpacked(body)
        if fields[0] == m.EVENT and fields[4] == m.RUN_STARTED:
            return fields[2] + fields[3] / 1e6
    raise RuntimeError("a run without a start")


def broken(stage: Stage) -> dict[str, Any]:
    """Run until the fault, or the end."""
    host = stage.run()
    if host.wait(GIVE_UP_S) not in (0, FAULT_EXIT):
        raise RuntimeError(f"the host ended with {host.code}: {host.said()[-300:]!r}")
    facts = stage.trial.facts
    after: list[list[Any]] = []
    if facts["fault"] == "heater_stuck_on":
        time.sleep(WATCHED_S)  # the board goes on by the wall clock; what it says stays in its RAM
        stage.board.kill()
        after = [fields for fields in map(unpacked, records_in_ram(stage.state)) if fields[0] == m.TELEMETRY]
    found: dict[str, Any] = {}

    def later(truth: Truth) -> Verdict:
        verdict = judge(stage.runs, truth, None)
        found.update(_seen(facts, truth, verdict, after))
        return verdict

    return {"later": later, "found": found}


def _seen(facts: dict[str, Any], truth: Truth, verdict: Verdict, after: list[list[Any]], late_s: float = 0.05) -> dict[str, Any]:
    fields = [unpacked(body) for _, body in sorted(truth.records.items())]
    faults = [body for body in fields if body[0] == m.FAULT or (body[0] == m.EVENT and body[4] == m.PUMP_FAILED)]
    shows_s = facts["shows_s"]
    told = f"{facts['fault']} in {facts['phase']}"
    if not faults:
        if shows_s is not None:
            verdict.why.append(f"{told} was never seen")
        elif verdict.status != "completed":
            verdict.why.append(f"{told}: the run is {verdict.status}")
        return {}
    first = faults[0]
    at_s = first[2] + first[3] / 1e6
    if at_s < facts["at_s"]:
        verdict.why.append(f"fault {first[4]} before anything was broken")
        return {"false_faults": 1}
    accepted, within_s, _ = STATED.get(facts["fault"], ((), 0.0, ""))
    if facts["fault"] == "sensor_detached" and facts["temp_c"] < NEAR_ROOM_C:
        accepted, within_s, _ = NEAR_ROOM
    took_s = at_s - (facts["at_s"] if shows_s is None else shows_s)
    contained = first[0] == m.EVENT
    code = first[5] if contained else first[4]
    if code not in accepted:
        verdict.why.append(f"{told} was taken for {first[4:7]}")
    elif took_s > within_s + TICK_S + late_s:
        verdict.why.append(f"{told} was seen after {took_s:.1f} s, stated {within_s:.1f} s")
    if contained:
        if verdict.status != "completed":
            verdict.why.append(f"{told}: the run is {verdict.status}")
        return {"detected_s": max(0.0, took_s), "first_code": code}
    off_ms = _off_ms(fields, first, at_s)
    if off_ms is None or off_ms > OFF_WITHIN_MS:
        verdict.why.append(f"{told}: outputs off after {off_ms} ms")
    if len(after) > 2 and after[-1][7] > after[1][7] + 500:
        verdict.why.append(f"{told}: the block goes on warming, {after[1][7]} to {after[-1][7]} mdegC")
    return {"detected_s": max(0.0, took_s), "off_ms": off_ms, "first_code": code}


def chip_trials(seed: int, share: float) -> list[Trial]:
    """Some of it on the emulated chip, where the wall clock is a minute's: what is seen at once, while heater or lamp are on."""
    if share < 0.5:
        return []
    made = []
    for number, fault in enumerate(ON_CHIP):
        script = [[{"run_bytes": CHIP_BYTES[number % 2]}, {"do": "tell", "what": "now"}]]
        about = {"fault": fault, "phase": "on the chip", "course_changes": True, "compare": False, "long": True}
        made.append(Trial(f"emulated chip: {fault}", "chip", seed * 1000 + number, "chip", speed=8, script=script, facts=about))
    return made


def broken_on_chip(stage: Stage) -> dict[str, Any]:
    """The fault is switched on when so many bytes have come; board time of the newest record is its instant, a tenth of a second early."""
    host = stage.run()
    facts = stage.trial.facts
    end = time.monotonic() + CHIP_S
    message = None
    while not (message and message["tell"] == "now"):
        if host.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the run did not get so far: {host.said()[-200:]!r}")
        message = stage.cable.told(0.05)
    stage.board.set_fault(facts["fault"], True)
    if host.wait(CHIP_S) != FAULT_EXIT:
        raise RuntimeError(f"the host ended with {host.code}: {host.said()[-200:]!r}")
    instant = {**facts, "at_s": message["t_s"], "shows_s": message["t_s"], "temp_c": NEAR_ROOM_C}
    found: dict[str, Any] = {}

    def later(truth: Truth) -> Verdict:
        verdict = judge(stage.runs, truth, None)
        found.update(_seen(instant, truth, verdict, [], SLICE_S))
        return verdict

    return {"later": later, "found": found}


def _off_ms(fields: list[list[Any]], fault: list[Any], at_s: float) -> float | None:
    """From the fault to OUTPUTS_OFF, and what the board says it took; None when a later record shows an output on."""
    off = [body for body in fields if body[0] == m.EVENT and body[4] == m.OUTPUTS_OFF and body[1] > fault[1]]
    lit = [body for body in fields if body[0] == m.TELEMETRY and body[1] > fault[1] and (body[8] or body[9])]
    if not off or lit:
        return None
    return (off[0][2] + off[0][3] / 1e6 - at_s) * 1000 + fault[9] / 1000
