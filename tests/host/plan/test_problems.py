"""What a wrong plan is told: every problem at once, each with its place, its limit and the next step."""

import pytest

from remnant.errors import Exit, PlanError, exit_code
from remnant.plan import compile_plan, load

LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "temp_cutoff_mc": 130000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 2,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}
HEAD = 'version: "1"\ntitle: a test\ncells: {A: something}\n'


def problems(text, inputs=None):
    """The problems of a plan as (line, column, text with hint)."""
    with pytest.raises(PlanError) as caught:
        compile_plan(load(text, inputs or {}, LIMITS, file="p.yaml"), LIMITS)
    assert exit_code(caught.value) == Exit.PLAN
    return [(p.line, p.column, f"{p.text} {p.hint}") for p in caught.value.problems]


def only(text, inputs=None):
    found = problems(text, inputs)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        ("- soek: {at: 80 degC, for: 5 h}", (5, 5), ("'soek'", "Did you mean 'soak'?")),
        ("- soak: {at: 80 degC, for: 5 h, withn: 1 degC}", (5, 35), ("unknown key 'withn'", "Did you mean 'within'?")),
        ("- soak: {at: 5 mL, for: 5 h}", (5, 16), ("5 mL is a volume; a temperature is needed", "80 degC")),
        ("- soak: {at: 80, for: 5 h}", (5, 16), ("unit", "degC")),
        ("- soak: {at: 180 degC, for: 5 h}", (5, 16), ("180 degC", "board's limit of 120 degC", "Choose 120 degC or less")),
        ("- soak: {at: 80 degC, for: -5 h}", (5, 30), ("-5 h is not above zero", "e.g. 5 h")),
        ("- soak: {at: 80 degC, for: 0 s}", (5, 30), ("not above zero",)),
        ("- soak: {at: 80 degC}", None, ("for",)),
        ("- ramp: {to: 80 degC, rate: 16 degC/min}", (5, 31), ("board's limit of 15 degC/min",)),
        ("- expose: {irradiance: 50 mW/cm2, for: 1 h}", (5, 26), ("board's limit of 40 mW/cm2",)),
        ("- expose: {irradiance: 5 mW/cm2}", None, ("neither for nor until",)),
        ("- infuse: {pump: 3, volume: 1 mL, flow: 1 mL/h}", (5, 20), ("pump 3 does not exist", "pumps 1 to 2")),
        ("- infuse: {pump: antisolvent, volume: 1 mL, flow: 1 mL/h}", (5, 20), ("antisolvent",)),
        ("- infuse: {pump: 1, volume: 1 mL, flow: 7000 mL/h}", (5, 43), ("6000 mL/h",)),
        ("- probe: {pulses: 33}", (5, 21), ("33", "32")),
        ("- probe: {pulses: many}", (5, 21), ("whole number",)),
        ("- repeat: {times: 0, do: [probe]}", (5, 21), ("0",)),
        ("- repeat: {times: 2, do: []}", None, ("do",)),
    ],
)
def test_a_wrong_step_is_told_with_place_limit_and_next_step(step, place, words):
    line, column, text = only(HEAD + "steps:\n  " + step + "\n")
    if place:
        assert (line, column) == place, (line, column, text)
    else:
        assert line == 5
    for word in words:
        assert word in text, text


def test_every_problem_is_told_at_once():
    wrong = ("soak: {at: 200 degC, for: -1 h}", "ramp: {to: 5 mL}", "infuse: {pump: 9, volume: 1 h, flow: 1 mL/h}")
    text = HEAD + "stepps: []\nsteps:\n" + "".join(f"  - {step}\n" for step in wrong)
    assert len(problems(text)) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("empty",)),
        ("# nothing\n", ("empty",)),
        (HEAD + "steps: []\n", ("step",)),
        (HEAD, ("steps",)),
        ("a: [1\nb: }\n", ("YAML syntax",)),
        ("- 1\n- 2\n", ("mapping",)),
        ('version: "2"\ntitle: x\ncells: {A: x}\nsteps: [probe]\n', ("1",)),
        (HEAD + "title: again\nsteps: [probe]\n", ("title", "line 2")),
        (HEAD + "steps:\n  - !!python/object:os.system {}\n", ("tag",)),
    ],
)
def test_a_plan_that_is_none_is_told_in_a_line(text, words):
    found = problems(text.encode())
    assert all("\n" not in told for _, _, told in found)
    assert any(all(word in told for word in words) for _, _, told in found), found


def test_bytes_that_are_no_text_are_told():
    assert "UTF-8" in only(b"title: \xff\xfe\n")[2]


def test_ten_megabytes_are_refused_by_their_size(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a" * 10_000_000)
    told = only(path)[2]
    assert "9766 KiB" in told and "256 KiB" in told


def test_aliases_do_not_grow_without_end():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert problems("\n".join(lines) + "\n")


def test_inputs_are_judged_like_what_they_stand_for():
    text = HEAD + "inputs: {hot: {default: 60 degC, max: 100 degC}}\nsteps:\n  - soak: {at: $hot, for: 1 h}\n"
    assert load(text, {"hot": "90 degC"}, LIMITS).steps[0].soak.at == 90_000
    assert any("100 degC" in told for _, _, told in problems(text, {"hot": "110 degC"}))
    assert any("volume" in told for _, _, told in problems(text, {"hot": "5 mL"}))
    assert any("'hot'" in told for _, _, told in problems(text, {"hott": "90 degC"}))


def test_a_program_that_is_too_large_is_told():
    text = HEAD + "steps:\n" + "  - soak: {at: 80 degC, for: 5 h}\n" * 200
    assert "4096" in only(text)[2]


def test_stop_when_needs_a_probe():
    assert "never probes" in only(HEAD + "steps:\n  - soak: {at: 80 degC, for: 5 h}\n    stop when: {remnant PL of A below: 10 %}\n")[2]
