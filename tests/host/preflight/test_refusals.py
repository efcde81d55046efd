"""What cannot be done is refused before anything is switched on, each in its own words with file, line, limit and what to write instead."""

from dataclasses import replace

import pytest

from remnant.cli.limits import limits_of
from remnant.plan import compile_plan, load
from remnant.preflight import Assumptions, foresee
from remnant_protocol import program as p

LIMITS = limits_of("virtual")
BRIGHT = {**LIMITS, "irradiance_max_uw_per_cm2": 60_000}
HEAD = 'version: "1"\ntitle: a plan\n'


EXACT = {"heat_capacity_tolerance": 0.0, "heater_power_tolerance": 0.0, "ambient_tolerance_c": 0.0}  # played once


def foreseen(body, limits=LIMITS, **assumptions):
    plan = load(HEAD + body, {}, limits, file="plan.yaml")
    return foresee(plan, compile_plan(plan, limits), limits, Assumptions(**{**EXACT, **assumptions}))


# (the plan's steps, the message in whole)
REFUSED = {
    "a ramp that the heater cannot follow": (
        "steps:\n- ramp: {to: 120 degC, rate: 12 degC/min}\n",
        "plan.yaml:4:3: ramp to 120 degC at 12 degC/min: the heater cannot follow; towards 120 degC the block gains 4.4 degC/min at most. "
        "Write rate: 4.1 degC/min or less, or leave the rate out.",
    ),
    "a syringe that is emptied": (
        "pumps: {anti: {pump: 1, holds: 20 mL}}\nsteps:\n- infuse: {pump: anti, volume: 15 mL, flow: 3000 mL/h}\n"
        "- infuse: {pump: anti, volume: 12 mL, flow: 3000 mL/h}\n",
        "plan.yaml:6:3: infuse 12 mL at 3000 mL/h with pump anti: the syringe of pump 1 is empty 18 s after the run's start: it has 5 mL "
        "of 60 mL left and 12 mL are asked. Refill it before (withdraw), or infuse less.",
    ),
    "a syringe that is full": (
        "steps:\n- wait: {for: 10 s}\n- withdraw: {pump: 2, volume: 2 mL, flow: 600 mL/h}\n",
        "plan.yaml:5:3: withdraw 2 mL at 600 mL/h with pump 2: the syringe of pump 2 is full 10 s after the run's start: there is room for "
        "0 mL and 2 mL are asked. Infuse before, or withdraw less.",
    ),
    "more than a syringe holds": (
        "steps:\n- infuse: {pump: 2, volume: 12 mL, flow: 600 mL/h}\n",
        "plan.yaml:4:3: infuse 12 mL at 600 mL/h with pump 2: 12 mL are more than the syringe of pump 2 holds (10 mL). "
        "Divide it, with a refill between, or fit a larger one.",
    ),
    "a temperature below the room's": (
        "steps:\n- soak: {at: 15 degC, for: 30 min}\n",
        "plan.yaml:4:3: soak at 15 degC for 30 min: the block does not settle at 15 degC in a room of 22 degC; the wait would end with a "
        "fault after 31 min. It cannot cool below the room: choose 22 degC or more.",
    ),
}
REFUSED_ELSEWHERE = {
    "a flow beyond motor and syringe": (
        "steps:\n- infuse: {pump: 1, volume: 0.1 mL, flow: 5000 mL/h}\n",
        LIMITS,
        {"settings": {32: 11_214_830, 33: 600_000}},  # pump 1 with a syringe of 0.6 mL
        "plan.yaml:4:3: infuse 100 uL at 5000 mL/h with pump 1: 5000 mL/h is beyond pump 1; its motor and syringe do 3039 mL/h. "
        "Choose 3030 mL/h or less, or a wider syringe.",
    ),
    "a pump without a calibration": (
        "steps:\n- infuse: {pump: 1, volume: 1 mL, flow: 60 mL/h}\n",
        LIMITS,
        {"settings": {32: 0}},
        "plan.yaml:4:3: infuse 1 mL at 60 mL/h with pump 1: pump 1 is not calibrated. Tell the board its syringe, or use another pump.",
    ),
    "an irradiance beyond the lamp": (
        "steps:\n- expose: {irradiance: 48 mW/cm2, for: 30 min}\n",
        BRIGHT,
        {},
        "plan.yaml:4:3: expose to 48 mW/cm2 for 30 min: beyond the lamp, which gives 44.0 mW/cm2 at full duty once it is warm. "
        "Choose 43 mW/cm2 or less.",
    ),
    "an exposure beyond the lamp": (
        "steps:\n- expose: {irradiance: 48 mW/cm2, until: 50 J/cm2}\n",
        BRIGHT,
        {},
        "plan.yaml:4:3: expose to 48 mW/cm2 until 50 J/cm2: beyond the lamp, which gives 44.0 mW/cm2 at full duty once it is warm. "
        "Choose 43 mW/cm2 or less.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_in_these_words(what):
    body, message = REFUSED[what]
    assert [str(problem) for problem in foreseen(body).refused] == [message]


@pytest.mark.parametrize("what", REFUSED_ELSEWHERE)
def test_it_is_refused_on_such_a_rig_in_these_words(what):
    body, limits, assumptions, message = REFUSED_ELSEWHERE[what]
    assert [str(problem) for problem in foreseen(body, limits, **assumptions).refused] == [message]
    if limits is LIMITS:
        assert not foreseen(body).refused  # the virtual rig can


@pytest.mark.parametrize(
    "waits, words",
    [
        ([p.WAIT, [p.EXPOSURE, 1000], 0, p.TIMEOUT_FAULT], "1 J/cm2 have been added"),
        ([p.WAIT, [p.REMNANT_BELOW, 0, 500, 0], 0, p.TIMEOUT_FAULT], "cell A is below 50 % of its first probe 0"),
        ([p.EVERY, 60_000, [[p.EXPOSURE, 1000]], []], "1 J/cm2 have been added"),
        ([p.EVERY, 1000, [[p.VOLUME, 0, 1000]], [[32, [1, 100], 0, 0]]], "pump 1 has moved 1 uL"),
    ],
)
def test_a_wait_that_never_ends_is_refused(waits, words):
    """The language lets none of these through; a program that comes another way is played as well."""
    plan = load(HEAD + "steps:\n- wait: {for: 1 min}\n- wait: {for: 2 min}\n", {}, LIMITS, file="plan.yaml")
    compiled = compile_plan(plan, LIMITS)
    program = [*compiled.program[:5], [[p.STEP, 0, [waits]], compiled.program[5][1]]]
    forecast = foresee(plan, replace(compiled, program=program), LIMITS, Assumptions(**EXACT))
    assert [str(problem) for problem in forecast.refused] == [
        f"plan.yaml:4:3: wait for 1 min: this may never end: nothing in it brings about that {words}. "
        "Give it a time beside, e.g. time: 4 h."
    ]
    assert forecast.steps[-1].lasts_s == pytest.approx(120, abs=0.2)  # what comes behind it is played all the same


def test_a_flow_that_empties_its_syringe_says_when():
    forecast = foreseen(
        "pumps: {e: {pump: 1, holds: 10 mL}}\nsteps:\n- flow: {e: 1000 mL/h}\n  for: 1 min\n  then: keep\n"
        "- flow: {e: 100 mL/h}\n  for: 10 s\n"
    )
    assert [str(problem) for problem in forecast.refused] == [
        "plan.yaml:5:3: flow e 1000 mL/h for 1 min, then keep flowing: the syringe of pump 1 is empty 36 s after the run's start: the flow "
        "is to go on. Refill it before (withdraw), or infuse less."
    ]
    assert forecast.liquids[0].refills == 1
    assert forecast.liquids[0].dispensed_nl == pytest.approx(1000e6 / 60 + 100e6 / 360, rel=0.005)  # it would go on with a new one


def test_several_things_are_refused_together_in_the_order_of_the_file():
    forecast = foreseen(
        "steps:\n- ramp: {to: 110 degC, rate: 10 degC/min}\n- infuse: {pump: 2, volume: 9 mL, flow: 3000 mL/h}\n"
        "- repeat: {times: 4, do: [infuse: {pump: 2, volume: 9 mL, flow: 3000 mL/h}]}\n"
    )
    assert [problem.line for problem in forecast.refused] == [4, 6]
    assert forecast.liquids[0].refills == 4  # one for each time it was empty, though it is told once
    assert forecast.liquids[0].dispensed_nl == pytest.approx(45_000_000, rel=1e-4)


# ---- warnings and notes

WARNED = {
    "a solvent that boils": (
        "cells: {A: {sample: a film, solvent: hexane}}\nsteps:\n- soak: {at: 72 degC, for: 1 min}\n",
        "plan.yaml:3:9: cell A: hexane boils at 68.7 degC and the block gets to 71.8 degC (soak at 72 degC for 1 min). "
        "Close the cell tightly and leave room for pressure, or stay below.",
    ),
    "a ramp down that the room does not follow": (
        "steps:\n- ramp: {to: 60 degC}\n- ramp: {to: 30 degC, rate: 5 degC/min}\n",
        "plan.yaml:5:3: ramp to 30 degC at 5 degC/min: cooling is passive; the block needs 8 min, the ramp alone would take 6 min. "
        "Towards 30 degC it loses 1.6 degC/min by itself: ramp slower, or leave the rate out.",
    ),
    "tubing that was not primed": (
        "pumps: {e: {pump: 2, dead volume: 0.5 mL}}\nsteps:\n- infuse: {pump: e, volume: 1 mL, flow: 60 mL/h}\n",
        "plan.yaml:5:3: e: the first 0.5 mL of what pump 2 dispenses fill the tubing and do not arrive. "
        "Prime it before: prime: {pump: e, flow: 60 mL/h}.",
    ),
    "probing that is an exposure of its own": (
        "cells: {A: a film}\nsteps:\n- expose: {irradiance: 1 mW/cm2, for: 10 min}\n  every: {period: 5 s, do: [probe: {pulses: 32}]}\n",
        "plan.yaml: probing adds 12.3 % to the radiant exposure; more than 1 % is worth a thought. Probe less often or with fewer pulses.",
    ),
}


@pytest.mark.parametrize("what", WARNED)
def test_it_is_warned_of_in_these_words(what):
    body, message = WARNED[what]
    forecast = foreseen(body)
    assert [str(problem) for problem in forecast.warnings] == [message]
    assert not forecast.refused


def test_priming_of_the_dead_volume_is_enough():
    body = (
        "pumps: {e: {pump: 2, dead volume: 0.5 mL}}\nsteps:\n- prime: {pump: e, flow: 60 mL/h}\n"
        "- infuse: {pump: e, volume: 1 mL, flow: 60 mL/h}\n"
    )
    assert not foreseen(body).warnings


def test_a_liquid_that_nobody_knows_is_a_note():
    forecast = foreseen("cells: {A: {sample: a film, solvent: unobtainium}}\nsteps:\n- soak: {at: 40 degC, for: 1 min}\n")
    assert forecast.notes == ("cell A: no boiling point is known for 'unobtainium'; whether it boils was not checked.",)
    assert not forecast.warnings


def test_the_time_of_a_person_and_of_a_trigger_is_not_in_the_duration():
    forecast = foreseen("steps:\n- wait: {operator: Put the film in, at most: 1 h}\n- wait: {trigger: 1, at most: 10 min}\n")
    assert forecast.notes == ("plus the time that a person takes (step 0).", "plus the time that a trigger takes (step 1).")
    assert forecast.waits_for == ((0, "a person"), (1, "a trigger"))
    assert forecast.duration_s < 1


def test_a_condition_on_the_sample_makes_it_at_most():
    forecast = foreseen(
        "cells: {A: a film}\nsteps:\n- soak: {at: 30 degC, for: 1 h}\n  every: {period: 10 min, do: [probe]}\n"
        "  stop when: {remnant PL of A below: 80 %}\n"
    )
    assert forecast.at_most and "it may end earlier" in forecast.notes[0]
    assert forecast.duration_s > 3600


def test_what_only_the_edge_of_the_tolerances_cannot_do_is_a_note():
    forecast = foreseen(
        "steps:\n- soak: {at: 23 degC, for: 1 min}\n", heat_capacity_tolerance=0.1, heater_power_tolerance=0.1, ambient_tolerance_c=3
    )
    assert forecast.notes == (
        "it asks for nearly all that the rig can do: with 1.1 times the heat capacity, 0.9 times the heater's power and a room of 25 degC "
        "step 0 would end with a fault.",
    )
