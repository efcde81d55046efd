"""The constants in plant/ageing.py are what the fit of the published points gives."""

import csv
from pathlib import Path

import pytest

from plant import fit_kinetics
from plant.ageing import constants, names

DATA = Path(fit_kinetics.__file__).parents[2] / "host/remnant/library/data/reference_stability.csv"


FITTED = fit_kinetics.fit()


@pytest.mark.parametrize("sample", FITTED)
def test_source_holds_the_fitted_constants(sample):
    fitted, kept = FITTED[sample], constants(sample)
    assert kept[0] == fitted[0]
    assert kept[1:4] == pytest.approx(fitted[1:4], rel=4e-4)  # the source keeps four to five digits
    assert kept[4] == pytest.approx(fitted[4], rel=5e-4)  # and four of these


def test_every_sample_of_the_source_is_fitted_or_explained():
    assert set(names()) - set(FITTED) == {"fresh", "ag"}  # never ages; templated with a switch, of which no number is published


def test_second_order_meets_the_control_points_and_first_order_does_not():
    def worst(form):
        rate = fit_kinetics.fit_rate(form, fit_kinetics.CONTROL_HEAT_80)
        return max(abs(form(rate * t) - r) for t, r in fit_kinetics.CONTROL_HEAT_80)

    assert worst(fit_kinetics.second_order) < 0.02 < 0.05 < worst(fit_kinetics.first_order)


def test_script_prints_its_parameters(capsys):
    fit_kinetics.main()
    told = capsys.readouterr().out
    assert "1.54037" in told and "108.69" in told and "templated" in told


def test_points_are_those_of_the_reference_table():
    with DATA.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "liang2023"]
    heat = {float(row["duration_before_h"]): row["remnant_before_pct"] for row in rows if row["stressor"] == "heat"}
    assert {t: f"~{r * 100:.0f}" for t, r in fit_kinetics.CONTROL_HEAT_80} == heat
    assert {row["remnant_after_pct"] for row in rows if row["stressor"] == "heat"} == {f"~{fit_kinetics.TEMPLATED_HEAT_80[0][1] * 100:.0f}"}
    uv = next(row for row in rows if row["stressor"] == "light")
    assert (float(uv["duration_after_h"]), uv["remnant_after_pct"]) == (48.0, "~80")


def numbers(text):
    """The middle of what is printed, as a fraction: "52-64", "~0", "80"."""
    parts = [float(part) / 100 for part in text.removeprefix("~").split("-")]
    return sum(parts) / len(parts)


STRESSOR = {"light": "light", "heat": "heat", "water": "water", "ethanol": "solvent", "acetone": "solvent", "halide": "anion_exchange"}


@pytest.mark.parametrize(
    ("sample", "stress"), [(sample, stress) for sample, (_, _, points) in fit_kinetics.ZHONG2021.items() for stress in points]
)
def test_points_are_those_of_zhong2021(sample, stress):
    ref, order, points = fit_kinetics.ZHONG2021[sample]
    *_, hours, fraction = points[stress]
    which = "before" if order == 2 else "after"
    with DATA.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["table_ref"] == str(ref) and row["stressor"].startswith(STRESSOR[stress])]
    rows = [row for row in rows if row["stressor"] != "solvent" or row["condition"].startswith(stress)]
    (row,) = [row for row in rows if row[f"duration_{which}_h"]]
    printed = row[f"remnant_{which}_pct"]
    if not printed:  # of these the source says only what happened
        assert sample in ("paa-ps-bare", "znso4-bare")
        return
    assert hours == float(row[f"duration_{which}_h"])
    assert fraction == pytest.approx(numbers(printed), abs=0.0501 if numbers(printed) == 0 else 1e-6)
