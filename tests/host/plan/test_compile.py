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


def compiled(text, inputs=None, limits=LIMITS):
    return compile_plan(load(text, inputs or {}, limits), limits)


def body(steps):
    """The operations of the first step of a plan with these steps."""
    return compiled(HEAD + "steps:\n" + steps).program[5][0][2]


@pytest.mark.parametrize(("name", "listing"), [("heat-80", HEAT_80), ("uv-365", UV_365)])
def test_library_plans_are_the_golden_programs(name, listing):
    told = disassemble(compiled(name).program)
    assert (told if isinstance(told, str) else "\n".join(told)) == listing


def test_every_library_plan_compiles_and_is_cited():
    for name in library.names():
        plan = compiled(name, limits={**LIMITS, "pumps": 4})
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


PUMPS = "pumps: {antisolvent: {pump: 1, liquid: toluene, dead volume: 0.2 mL, holds: 60 mL}, precursor: {pump: 2}}\n"


def steps_of(steps, head=HEAD + PUMPS):
    return [operation[2] for operation in compiled(head + "steps:\n" + steps).program[5]]


def test_pumps_flow_together_and_stop_together():
    (operations,) = steps_of("  - flow: {antisolvent: 5000 mL/h, 2: -60 mL/h}\n    for: 30 s\n")
    assert operations == [
        [m.DISPENSE, 0, 41_666_666, 83_333_333, False],
        [m.DISPENSE, 1, -500_000, 1_000_000, False],
        [p.WAIT, [p.DURATION, 30_000], 0, p.TIMEOUT_FAULT],
        [p.WAIT, [p.PUMPS_DONE, 3], 0, p.TIMEOUT_FAULT],
    ]


def test_a_flow_that_a_reading_may_end_is_stopped_in_the_same_tick():
    (operations,) = steps_of(
        "  - flow: {antisolvent: 60 mL/h, 2: 60 mL/h}\n    for: 30 s\n    every: {period: 10 s, do: [probe]}\n"
        "    stop when: {remnant PL of A below: 80 %}\n"
    )
    assert [operation[0] for operation in operations] == [m.DISPENSE, m.DISPENSE, p.EVERY, m.FLOW, m.FLOW, p.WAIT, m.PROBE]


def test_a_flow_that_is_kept_changes_without_a_halt():
    first, second = steps_of(
        "  - flow: {antisolvent: 60 mL/h, precursor: 60 mL/h}\n    for: 10 s\n    then: keep\n"
        "  - flow: {antisolvent: 120 mL/h}\n    for: 10 s\n"
    )
    assert first[-1][0] == p.WAIT and first[-1][1][0] == p.DURATION
    assert second[:2] == [[m.FLOW, 0, 2_000_000], [m.FLOW, 1, 0]]
    assert second[3:] == [[m.FLOW, 0, 0], [p.WAIT, [p.PUMPS_DONE, 1], 0, p.TIMEOUT_FAULT]]


def test_a_flow_ends_by_the_first_of_its_conditions():
    (operations,) = steps_of(
        "  - flow: {antisolvent: 5000 mL/h}\n    for: 30 s\n"
        "    stop when: {volume of antisolvent: 2 mL, temperature settled at: 40 degC, time: 20 s}\n"
    )
    kinds = [[p.DURATION, 30_000], [p.VOLUME, 0, 2_000_000], [p.TEMPERATURE, 40_000, 1000, 30_000], [p.DURATION, 20_000]]
    assert operations[0] == [m.DISPENSE, 0, 2_000_000, 83_333_333, False]  # what the volume and the time give, exactly
    assert operations[1][0] == p.EVERY and operations[1][2:] == [kinds, []]
    assert operations[2] == [m.FLOW, 0, 0]


def test_an_exposure_that_may_end_early_still_has_its_timeout():
    (operations,) = steps_of(
        "  - expose: {irradiance: 10 mW/cm2, until: 100 J/cm2}\n    every: {period: 10 min, do: [probe]}\n"
        "    stop when: {radiant exposure: 50 J/cm2}\n"
    )
    assert operations[1][2][:2] == [[p.EXPOSURE, 100_000], [p.EXPOSURE, 50_000]]
    assert operations[1][2][2][0] == p.TIMEOUT and operations[1][2][2][1] > 20_000_000


def test_doses_in_parallel_start_together_and_are_waited_for():
    (operations,) = steps_of(
        "  - parallel:\n      - prime: {pump: antisolvent, flow: 60 mL/h}\n      - withdraw: {pump: 2, volume: 1 mL, flow: 60 mL/h}\n"
    )
    assert operations == [
        [m.DISPENSE, 0, 200_000, 1_000_000, False],
        [m.DISPENSE, 1, -1_000_000, 1_000_000, False],
        [p.WAIT, [p.PUMPS_DONE, 3], 0, p.TIMEOUT_FAULT],
    ]


def test_trigger_and_what_is_waited_for():
    pulse, short, wait, ask = steps_of(
        "  - trigger: {output: 1, for: 16 min}\n  - trigger: {output: 2, for: 2 s, wait: false}\n"
        "  - wait: {trigger: 1, at most: 10 min}\n  - wait: {operator: Put the film in, at most: 1 h}\n"
    )
    assert pulse == [[p.TRIGGER, 0, 960_000], [p.WAIT, [p.DURATION, 960_000], 0, p.TIMEOUT_FAULT]]
    assert short == [[p.TRIGGER, 1, 2000]]
    assert wait == [[p.WAIT, [p.TRIGGER_IN, 0], 600_000, p.TIMEOUT_FAULT]]
    assert ask == [[p.WAIT, [p.OPERATOR, 0], 3_600_000, p.TIMEOUT_FAULT]]
    assert compiled(HEAD + "steps: [{wait: {operator: Put the film in}}]\n").prompts == ["Put the film in"]


def test_a_wait_takes_readings_and_may_end_early():
    (operations,) = steps_of(
        "  - wait: {for: 1 h}\n    every: {period: 20 min, do: [probe]}\n    stop when: {remnant PL of A below: 80 %}\n"
    )
    assert operations[0][:3] == [p.EVERY, 1_200_000, [[p.DURATION, 3_600_000], [p.REMNANT_BELOW, 0, 800, 0]]]
    assert operations[-1][0] == m.PROBE


def test_liquids_are_what_the_steps_add_up_to():
    found = compiled(
        HEAD
        + PUMPS
        + "steps:\n"
        + "  - prime: {pump: antisolvent, flow: 60 mL/h}\n"
        + "  - repeat: {times: 3, do: [{infuse: {pump: antisolvent, volume: 1 mL, flow: 60 mL/h}}, {wait: {for: 1 s}}]}\n"
        + "  - soak: {at: 40 degC, for: 1 h}\n    every: {period: 10 min, do: [{infuse: {pump: 2, volume: 100 uL, flow: 60 mL/h}}]}\n"
        + "  - flow: {antisolvent: 60 mL/h, precursor: -30 mL/h}\n    for: 60 s\n"
        + "  - parallel: [{withdraw: {pump: 1, volume: 2 mL, flow: 60 mL/h}}]\n"
    ).liquids
    one, two = found[1], found[2]
    assert (one.name, one.liquid, one.dead_volume_nl, one.holds_nl) == ("antisolvent", "toluene", 200_000, 60_000_000)
    assert (one.dispensed_nl, one.primed_nl, one.withdrawn_nl) == (4_000_000, 200_000, 2_000_000)
    assert (two.dispensed_nl, two.primed_nl, two.withdrawn_nl) == (600_000, 0, 500_000)


def test_liquids_of_a_step_that_ends_by_volume():
    head = HEAD + PUMPS + "steps:\n"
    soak = "  - soak: {at: 40 degC, for: 10 h}\n    every: {period: 10 min, do: [{infuse: {pump: 1, volume: 0.3 mL, flow: 60 mL/h}}]}\n"
    assert compiled(head + soak + "    stop when: {volume of 1: 0.7 mL}\n").liquids[1].dispensed_nl == 700_000
    flow = "  - flow: {1: 60 mL/h, 2: 30 mL/h}\n    stop when: {volume of 1: 1 mL}\n"
    found = compiled(head + flow)
    assert (found.liquids[1].dispensed_nl, found.liquids[2].dispensed_nl) == (1_000_000, 500_000)
    assert found.steps[0].planned_s == 60


def test_each_step_knows_its_word():
    text = "steps: [{ramp: {to: 40 degC}}, {wait: {for: 1 s}}, {trigger: {output: 1, for: 1 s}}, {note: x}, probe]\n"
    assert [step.word for step in compiled(HEAD + text).steps] == ["ramp", "wait", "trigger", "note", "probe"]


def test_the_solvent_of_a_cell_is_handed_on():
    text = 'version: "1"\ntitle: x\ncells: {A: {sample: x, solvent: toluene}}\nsteps: [probe]\n'
    assert compiled(text).cells["A"].solvent == "toluene"


def test_every_operation_has_its_line():
    text = "\n".join(
        disassemble(
            compiled(
                HEAD
                + "steps:\n  - flow: {1: 60 mL/h}\n    for: 30 s\n    stop when: {volume of 1: 0.2 mL}\n"
                + "  - expose: {irradiance: 10 mW/cm2, until: 1 J/cm2}\n    stop when: {time: 1 min}\n"
                + "  - trigger: {output: 2, for: 1 s, wait: false}\n  - wait: {trigger: 1, at most: 1 min}\n"
            ).program
        )
    )
    assert "wait until 30 s have passed or pump 1 has moved 200 uL\n" in text
    assert "wait until 1 J/cm2 have been added or 1 min have passed (at most 34 min, then fault)" in text
    assert "trigger output 2 for 1 s\n" in text
    assert "wait until trigger input 1 is active (at most 1 min, then fault)" in text


def test_telemetry_is_thinned_in_long_runs_unless_told():
    assert compiled(HEAD + "steps: [{wait: {for: 5 h}}]\n").telemetry_ms == 1000
    assert compiled(HEAD + "steps: [{wait: {for: 7 h}}]\n").telemetry_ms == 10_000
    assert compiled(HEAD + "record: {period: 2 s}\nsteps: [{wait: {for: 7 h}}]\n").telemetry_ms == 2000


def test_the_published_schema_is_that_of_the_models():
    assert PATH.read_text(encoding="utf-8") == schema_text(), "python -m remnant.plan.schema"
