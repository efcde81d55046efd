"""The forecast against what then happens: every plan of the library, and small ones with pumps, on the virtual rig.

The player runs the same firmware on the same plant, without noise and with leaps; so the tolerances here are those that are promised
(duration and exposure 1 %, volumes 0.1 %, peak temperature 1 degC), far wider than what is seen. Where a condition on remnant PL
ends a run early, the forecast is "at most".
"""

import csv
import json
import sqlite3

import pytest
from library_runs import inputs_of, manifest_of, names

from remnant.cli.limits import limits_of
from remnant.plan import compile_plan, load
from remnant.preflight import foresee
from remnant.preflight.storage import PAGE_AGE_S
from remnant_protocol import messages as m
from remnant_protocol.packer import Packer

LIMITS = limits_of("virtual")
PLANS = {
    "pumps": """\
version: "1"
title: Dosing back and forth, light by exposure, cycles
cells: {A: {sample: a film, model: fresh}}
pumps:
  antisolvent: {pump: 1, liquid: toluene, dead volume: 0.2 mL}
  precursor: {pump: 2}
steps:
  - prime: {pump: antisolvent, flow: 60 mL/h}
  - probe: {name: start}
  - infuse: {pump: antisolvent, volume: 20 mL, flow: 3000 mL/h}
  - flow: {antisolvent: 1000 mL/h, precursor: 60 mL/h}
    for: 20 s
  - withdraw: {pump: precursor, volume: 0.2 mL, flow: 20 mL/h}
  - expose: {irradiance: 20 mW/cm2, until: 3 J/cm2}
    every: {period: 1 min, do: [probe]}
  - repeat:
      times: 3
      do:
        - infuse: {pump: precursor, volume: 50 uL, flow: 5 mL/h}
        - ramp: {to: 40 degC, rate: 6 degC/min}
        - ramp: {to: 30 degC}
  - parallel:
      - infuse: {pump: 1, volume: 1 mL, flow: 120 mL/h}
      - withdraw: {pump: 2, volume: 0.1 mL, flow: 60 mL/h}
""",
    "hot": """\
version: "1"
title: Two temperatures and a dark wait
cells: {A: {sample: a film, model: fresh}, B: {sample: another, model: control}}
steps:
  - soak: {at: 60 degC, for: 10 min}
    every: {period: 2 min, do: [probe]}
  - soak: {at: 110 degC, for: 5 min}
  - wait: {for: 20 min}
  - ramp: {to: 35 degC}
  - probe: {name: end, at: 30 degC, pulses: 32}
""",
}


@pytest.mark.parametrize("name", [*PLANS, *reversed(names())])  # the other way round than test_library: two workers meet in the middle
def test_what_was_foreseen_is_what_happens(library_run, name, tmp_path):
    if name in PLANS:
        source, inputs = tmp_path / f"{name}.yaml", {}
        source.write_text(PLANS[name])
    else:
        source, inputs = name, inputs_of(name)
    plan = load(source, inputs, LIMITS)
    forecast = foresee(plan, compile_plan(plan, LIMITS), LIMITS)
    assert not forecast.refused and forecast.complete
    folder = library_run(source)
    ran = what_happened(folder)
    if forecast.at_most:
        assert ran["duration_s"] <= 1.01 * forecast.duration_s
        return
    assert forecast.duration_s == pytest.approx(ran["duration_s"], rel=0.01)
    ticks_s = 0.2  # an answer of a person falls into one tick or the next
    assert forecast.shortest_s <= 1.0001 * ran["duration_s"] + ticks_s and ran["duration_s"] <= 1.0001 * forecast.longest_s + ticks_s
    assert forecast.peak_c == pytest.approx(ran["peak_c"], abs=1.0)
    exposure = max(forecast.exposure_j_per_cm2.values(), default=0.0)
    assert exposure == pytest.approx(ran["exposure_j_per_cm2"], rel=0.01, abs=0.002)  # told in whole mJ/cm2, on each side
    steps = {liquid.pump: liquid.steps for liquid in forecast.liquids}
    for pump, (net, moved) in ran["steps"].items():
        assert steps[pump] == pytest.approx(net, abs=1 + 0.001 * moved)  # of all that it moved: a plan may draw in again what it gave
    assert forecast.spool.telemetry == pytest.approx(ran["telemetry"], rel=0.01, abs=3)
    assert forecast.disk_bytes == pytest.approx(ran["bytes"], rel=0.25, abs=60_000)
    for expected, known in zip(first_passes(forecast), manifest_of(folder)["steps"], strict=True):
        assert expected.end_s == pytest.approx(known["ended_s"], rel=0.01, abs=2.0), expected.text


@pytest.mark.parametrize("name", ["light-6h", "heat-80"])
def test_the_pages_foreseen_are_those_that_the_packer_fills(library_run, name):
    """The records of a run go through the packer of the firmware as they would with no host: a page is closed when it is full, ten
    minutes old, or has an event in it."""
    plan = load(name, inputs_of(name), LIMITS)
    spool = foresee(plan, compile_plan(plan, LIMITS), LIMITS).spool
    connection = sqlite3.connect(library_run(name) / "run.sqlite")
    records = connection.execute("SELECT seq, type, t_us, body FROM records ORDER BY boot_id, seq").fetchall()
    connection.close()
    packer, pages, begun_us = Packer(8), 0, 0
    for seq, kind, t_us, body in records:
        if packer.count and (t_us - begun_us > PAGE_AGE_S * 1e6 or not packer.add(body, seq)):
            pages += 1
            packer.forget()
        if not packer.count:
            begun_us = t_us
            packer.add(body, seq)
        if kind == m.EVENT:
            pages += 1
            packer.forget()
    assert spool.pages == pytest.approx(pages, rel=0.15)
    assert spool.records == pytest.approx(len(records), rel=0.01)


def what_happened(folder):
    """Of a run: duration, hottest block, exposure, steps of each pump (net, all), size of its folder."""
    with (folder / "telemetry.csv").open(newline="") as file:
        telemetry = list(csv.DictReader(file))
    with (folder / "events.csv").open(newline="") as file:
        events = list(csv.DictReader(file))
    ended = next(row for row in events if row["kind"] == "run_ended")
    during = [row for row in telemetry if 0 <= float(row["t_s"]) <= float(ended["t_s"])]
    told = [(float(row["t_s"]), json.loads(row["detail"])) for row in events if row["kind"] == "pump_telemetry"]
    counts = {}
    for _, detail in told:
        first, last, moved = counts.get(detail["pump"] + 1, (detail["steps"], detail["steps"], 0))
        counts[detail["pump"] + 1] = (first, detail["steps"], moved + abs(detail["steps"] - last))
    return {
        "duration_s": float(ended["t_s"]),
        "peak_c": max(float(row["temp_degC"]) for row in during),
        "exposure_j_per_cm2": max(float(row["exposure_J_per_cm2"]) for row in during),
        "steps": {pump: (last - first, moved) for pump, (first, last, moved) in counts.items()},
        "telemetry": len(during),
        "bytes": sum(path.stat().st_size for path in folder.iterdir() if path.name not in ("report.html", "analysis.json")),
    }


def first_passes(forecast):
    """The last pass of each step, as the manifest keeps it."""
    last = {step.index: step for step in forecast.steps}
    return [last[index] for index in sorted(last)]
