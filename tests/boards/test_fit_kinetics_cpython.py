"""The constants in plant/ageing.py are what the fit of the published points gives."""

import csv
from pathlib import Path

import pytest

from plant import fit_kinetics
from plant.ageing import MODELS

DATA = Path(fit_kinetics.__file__).parents[2] / "host/remnant/library/data/reference_stability.csv"


@pytest.mark.parametrize("sample", ["control", "templated"])
def test_source_holds_the_fitted_constants(sample):
    fitted, kept = fit_kinetics.fit()[sample], MODELS[sample]
    assert kept[0] == fitted[0]
    assert kept[1:] == pytest.approx(fitted[1:], rel=1e-4)  # the source keeps four to five digits


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
