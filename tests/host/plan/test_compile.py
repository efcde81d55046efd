"""Plans to programs: the library plans as the board gets them, and what each word becomes."""

import pytest
from test_problems import HEAD, LIMITS

from remnant import library
from remnant.plan import compile_plan, disassemble, load
from remnant.plan.schema import PATH, schema_text
from remnant_protocol import messages as m
from remnant_protocol import program as p

HEAT_80 = """\
program version 1, cells A B, telemetry each 1 s
when a pump fails: heater keep, lamp keep, pumps stop; host lost for 1 min: continue; may be resumed within 30 min
step 0
  heater 25 degC
  wait until 25 degC +- 0.5 degC for 1 min (at most 76 min, then fault)
  probe 0, 32 pulses, cells A B
step 1
  heater 80 degC at 10 degC/min
  wait until the ramp is done (at most 37 min, then fault)
  wait until 80 degC +- 1 degC for 30 s (at most 37 min, then fault)
step 2
  heater 80 degC
  wait until 80 degC +- 1 degC for 30 s (at most 34 min, then fault)
  every 10 min until 5 h have passed
    probe 1, 16 pulses, cells A B
  probe 1, 16 pulses, cells A B
step 3
  heater 25 degC
  wait until 25 degC +- 1 degC for 30 s (at most 74 min, then fault)
step 4
  heater 25 degC
  wait until 25 degC +- 0.5 degC for 1 min (at most 76 min, then fault)
  probe 2, 32 pulses, cells A B"""
UV_365 = """\
program version 1, cells A B, telemetry each 10 s
when a pump fails: heater keep, lamp keep, pumps stop; host lost for 1 min: continue; may be resumed within 12 h
step 0
  heater 25 degC
  wait until 25 degC +- 0.5 degC for 1 min (at most 32 min, then fault)
  probe 0, 32 pulses, cells A B
step 1
  heater 25 degC
  wait until 25 degC +- 1 degC for 30 s (at most 31 min, then fault)
  lamp 10 mW/cm2
  every 30 min until 48 h have passed
    probe 1, 16 pulses, cells A B
  lamp off
  probe 1, 16 pulses, cells A B
step 2
  heater 25 degC
  wait until 25 degC +- 0.5 degC for 1 min (at most 32 min, then fault)
  probe 2, 32 pulses, cells A B"""


def compiled(text, inputs=None):
    return compile_plan(load(text, inputs or {}, LIMITS), LIMITS)


def body(steps):
    """The operations of the first step of a plan with these steps."""
    return compiled(HEAD + "steps:\n" + steps).program[5][0][2]


@pytest.mark.parametrize(("name", "listing"), [("heat-80", HEAT_80), ("uv-365", UV_365)])
def test_library_plans_are_the_golden_programs(name, listing):
    told = disassemble(compiled(name).program)
    assert (told if isinstance(told, str) else "\n".join(told)) == listing


def test_every_library_plan_compiles_and_is_cited():
    for name in library.names():
        plan = compiled(name)
        assert plan.source
        assert p.decode(plan.data) == plan.program
        assert all(entry["source"] for entry in plan.compare)


def test_a_changed_condition_takes_the_published_values_away():
    assert compiled("heat-80").compare
    assert compiled("heat-80", {"duration": "1 h"}).compare
    assert not compiled("heat-80", {"temperature": "60 degC"}).compare


def test_units_of_the_same_kind_are_the_same():
    for written in ("80 degC", "353.15 K", "176 degF", "80 \u00b0C"):
        assert body(f"  - soak: {{at: {written}, for: 1 h}}\n")[0] == [m.HEATER, 80_000, 0]
    for written in ("2 mL", "2000 uL", "2000 \u00b5L", "2000 \u03bcL", "0.002 L"):
        assert body(f"  - infuse: {{pump: 1, volume: {written}, flow: 60 mL/h}}\n") == [[m.DISPENSE, 0, 2_000_000, 1_000_000, True]]


def test_exposure_ends_by_its_radiant_exposure_and_the_lamp_goes_off():
    operations = body("  - expose: {irradiance: 10 mW/cm2, until: 100 J/cm2}\n")
    assert operations[0] == [m.LAMP, 10_000]
    assert operations[1][:2] == [p.WAIT, [p.EXPOSURE, 100_000]]
    assert operations[1][2] > 10_000_000  # 100 J/cm2 take 10 000 s; a lamp that never gets there is a fault, not an endless wait
    assert operations[-1] == [m.LAMP, 0]


def test_stop_when_refers_to_the_first_reading_of_its_series():
    text = "  - soak: {at: 80 degC, for: 5 h}\n    every: {period: 10 min, do: [probe]}\n    stop when: {remnant PL of A below: 10 %}\n"
    every = next(operation for operation in body(text) if operation[0] == p.EVERY)
    assert every[2][1] == [p.REMNANT_BELOW, 0, 100, 0]


def test_withdrawing_is_negative_and_pumps_have_names():
    text = HEAD + "pumps: {antisolvent: {pump: 2}}\nsteps:\n  - withdraw: {pump: antisolvent, volume: 1 mL, flow: 60 mL/h}\n"
    assert compiled(text).program[5][0][2] == [[m.DISPENSE, 1, -1_000_000, 1_000_000, True]]


def test_a_plan_that_probes_nothing_needs_no_cells():
    text = 'version: "1"\ntitle: prime\nsteps:\n  - infuse: {pump: 1, volume: 1 mL, flow: 60 mL/h}\n'
    assert compiled(text).program[2] == 0


def test_telemetry_is_thinned_in_long_runs_unless_told():
    assert compiled(HEAD + "steps: [{wait: {for: 5 h}}]\n").telemetry_ms == 1000
    assert compiled(HEAD + "steps: [{wait: {for: 7 h}}]\n").telemetry_ms == 10_000
    assert compiled(HEAD + "record: {period: 2 s}\nsteps: [{wait: {for: 7 h}}]\n").telemetry_ms == 2000


def test_the_published_schema_is_that_of_the_models():
    assert PATH.read_text(encoding="utf-8") == schema_text(), "python -m remnant.plan.schema"
