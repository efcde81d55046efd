"""Spectrometer results: each line finds its point, and what is wrong is told with its line."""

import pytest

from remnant.campaign import begin
from remnant.campaign.spectra import attach, attached
from remnant.plan import Point
from remnant_protocol.errors import RigError

POINTS = [
    Point(1, "a 1000 mL/h", {"a": "1000 mL/h", "b": "60 mL/h", "settle": "6 s"}),
    Point(2, "a 5000 mL/h", {"a": "5000 mL/h", "b": "60 mL/h", "settle": "1 s"}),
]


@pytest.fixture
def campaign(tmp_path):
    return begin(tmp_path / "c", name="c", title="c", plan_text="", points=POINTS, inputs={}, rig="virtual", now="")


def written(tmp_path, text):
    path = tmp_path / "plqy.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("condition", ["2", "a 5000 mL/h", "5000 mL/h", "5 L/h", "1 s"])
def test_a_condition_is_a_number_a_name_or_a_value_that_is_swept(campaign, tmp_path, condition):
    (found,) = attach(campaign, written(tmp_path, f"condition,plqy_pct\n{condition},61.5\n"))
    assert (found.point, found.plqy_pct, found.peak_nm, found.sample) == (2, 61.5, None, "")


def test_results_are_kept_with_where_they_came_from(campaign, tmp_path):
    text = "# measured on 3 May, integrating sphere\ncondition,sample,plqy_pct,peak_nm,fwhm_nm\n1,templated,31,516,21\n1,control,38,519,\n"
    attach(campaign, written(tmp_path, text))
    found, origin = attached(campaign)
    assert [(one.sample, one.peak_nm, one.fwhm_nm) for one in found] == [("templated", 516, 21), ("control", 519, None)]
    assert origin == "plqy.csv: measured on 3 May, integrating sphere"
    assert (campaign.folder / "spectra.csv").read_text() == text


def test_nothing_is_attached_at_first(campaign):
    assert attached(campaign) == ([], "")


@pytest.mark.parametrize(
    "text, words",
    [
        ("condition,plqy\n1,30\n", "no column plqy_pct"),
        ("", "no column condition, plqy_pct"),
        ("condition,plqy_pct\n", "no rows"),
        ("condition,plqy_pct\n7,30\n", "condition '7' is no point"),
        ("condition,plqy_pct\n60 mL/h,30\n", "condition '60 mL/h' is no point"),  # what every point has tells none of them
        ("condition,plqy_pct\n1,130\n", "plqy_pct '130' is not a number within 0..120"),
        ("condition,plqy_pct\n1,nan\n", "plqy_pct 'nan'"),
        ("condition,plqy_pct\n1,\n", "line 2 of its table: plqy_pct is missing"),
        ("condition,plqy_pct,peak_nm\n1,30,5\n", "peak_nm '5' is not a number within 200..2500"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_kept(campaign, tmp_path, text, words):
    with pytest.raises(RigError) as raised:
        attach(campaign, written(tmp_path, text))
    assert words in raised.value.text
    assert not (campaign.folder / "spectra.csv").exists()
