"""`sweep`: every point is a plan of its own, judged before the first one runs."""

import pytest
from test_problems import LIMITS

from remnant.errors import PlanError
from remnant.plan import load, sweep_points

HEAD = """version: "1"
title: a sweep
inputs: {hot: {default: 60 degC, max: 100 degC}, long: {default: 1 h}}
"""
STEPS = "cells: {A: a film}\nsteps:\n  - soak: {at: $hot, for: $long}\n"


def problems(sweep, inputs=None):
    with pytest.raises(PlanError) as caught:
        sweep_points(HEAD + sweep + STEPS, inputs or {}, LIMITS)
    return [str(problem) for problem in caught.value.problems]


def test_a_plan_without_a_sweep_has_no_points():
    assert sweep_points(HEAD + STEPS, {}, LIMITS) == []


def test_one_input_gives_a_point_for_each_value():
    points = sweep_points(HEAD + "sweep: {hot: [40 degC, 60 degC]}\n" + STEPS, {"long": "2 h"}, LIMITS)
    assert [(point.number, point.name, point.inputs) for point in points] == [
        (1, "hot 40 degC", {"hot": "40 degC"}),
        (2, "hot 60 degC", {"hot": "60 degC"}),
    ]
    plan = load(HEAD + "sweep: {hot: [40 degC, 60 degC]}\n" + STEPS, {"long": "2 h", **points[0].inputs}, LIMITS)
    assert plan.steps[0].soak.at == 40_000 and plan.steps[0].soak.for_ == 7_200_000


def test_a_table_gives_a_point_for_each_row():
    table = "sweep:\n  table:\n    - {hot: 40 degC, long: 3 h}\n    - {hot: 80 degC, long: 1 h}\n"
    assert [point.inputs for point in sweep_points(HEAD + table + STEPS, {}, LIMITS)] == [
        {"hot": "40 degC", "long": "3 h"},
        {"hot": "80 degC", "long": "1 h"},
    ]


def test_values_are_held_to_their_input():
    told = problems("sweep: {hot: [40 degC, 5 mL, 110 degC]}\n")
    assert len(told) == 2
    assert "<plan>:4:24: sweep: hot 5 mL is not a temperature, as the default is." in told[0]
    assert "<plan>:4:30: sweep: hot 110 degC is above its max of 100 degC." in told[1]


def test_a_point_that_the_board_refuses_says_which_one():
    text = HEAD.replace(", max: 100 degC", "") + "sweep: {hot: [40 degC, 150 degC]}\n" + STEPS
    with pytest.raises(PlanError) as caught:
        sweep_points(text, {}, LIMITS)
    assert "point 2 (hot 150 degC): at: $hot: 150 degC is above the board's limit" in str(caught.value)


@pytest.mark.parametrize(
    ("sweep", "words"),
    [
        ("sweep:\n", "has no value"),
        ("sweep: [1]\n", "not a mapping"),
        ("sweep: {hot: [40 degC], long: [1 h]}\n", "names 2 things"),
        ("sweep: {hot: 40 degC}\n", "a list of values"),
        ("sweep: {hott: [40 degC]}\n", "Did you mean 'hot'?"),
        ("sweep: {table: [{hot: 40 degC}, {long: 1 h}]}\n", "says nothing of hot"),
        ("sweep: {table: [40 degC]}\n", "a row of the table"),
        ("sweep: {hot: [$long]}\n", "a value is needed"),
        ("sweep: {hot: [" + ", ".join(["40 degC"] * 201) + "]}\n", "201 points"),
    ],
)
def test_a_wrong_sweep_is_told(sweep, words):
    assert any(words in told for told in problems(sweep))


def test_an_input_cannot_be_both_set_and_swept():
    assert "--set hot: the sweep gives it its values." in problems("sweep: {hot: [40 degC]}\n", {"hot": "50 degC"})[0]
