"""`remnant list plans` and `remnant show`: what a plan is, where it is from, what is published."""

import json

import pytest
from typer.testing import CliRunner

from remnant import library
from remnant.cli.app import app
from remnant.cli.showing import duration_text


def remnant(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_list_names_source_and_duration_of_every_plan():
    rows = json.loads(remnant("list", "plans", "--json").stdout)["plans"]
    assert [row["name"] for row in rows] == library.names()
    assert all(row["title"] and row["source"] and row["duration"] for row in rows)
    assert {row["name"]: row["duration"] for row in rows}["colloidal"] == "100 d"


def test_show_tells_citation_reference_values_and_limits():
    told = remnant("show", "heat-80").stdout
    assert library.CITATIONS["liang2023"] in told
    assert "temperature  80 degC  80 degC  40 degC  100 degC" in told
    assert "70 +- 10 %" in told and "~40 %" in told
    assert library.path("heat-80").read_text() in told


def test_show_as_json_and_with_an_input():
    facts = json.loads(remnant("show", "water", "--set", "readings=2", "--json").stdout)
    assert facts["ok"] and facts["name"] == "water" and facts["stress"] == "liquid"
    assert {entry["name"]: entry["value"] for entry in facts["inputs"]}["readings"] == 2
    assert [entry["published"] for entry in facts["published"]] == ["80 %", "17.8 %", "80 %", "5 %"]
    assert facts["liquids"][0]["liquid"] == "water"


def test_show_names_the_protocol_and_its_source():
    told = remnant("show", "isos-l-1").stdout
    assert "protocol: ISOS-L-1" in told and library.CITATIONS["khenkin2020"] in told


@pytest.mark.parametrize(
    ("arguments", "hint", "code"), [(("show", "heta-80"), "Did you mean 'heat-80'?", 3), (("list", "plnas"), "did you mean plans?", 2)]
)
def test_a_name_that_is_wrong_gets_the_nearest(arguments, hint, code):
    result = remnant(*arguments)
    assert result.exit_code == code
    assert hint in result.output


@pytest.mark.parametrize(
    ("seconds", "text"), [(61, "1.02 min"), (30, "30 s"), (5400, "1.5 h"), (172800, "48 h"), (360000, "4.17 d"), (8640000, "100 d")]
)
def test_durations_read_well(seconds, text):
    assert duration_text(seconds) == text
