"""Every plan of the library on the virtual rig, from YAML to the report. None is left out: a new plan is a new test.

Where a run is made shorter (library_runs.py says which), published numbers that lie behind its new end are "not measured"; those before it
have to agree all the same.
"""

import json
import math

import pytest
from library_runs import SHORTER, inputs_of, manifest_of, names

from remnant.plan import compile_plan, load
from remnant.report import write_report


@pytest.mark.parametrize("name", names())
def test_a_plan_of_the_library_runs_to_its_report(library_run, name):
    folder = library_run(name)
    report = write_report(folder)
    manifest, analysis = manifest_of(folder), json.loads((folder / "analysis.json").read_text())
    assert (manifest["status"], manifest["gaps"], manifest["end_code"]) == ("completed", [], 0)
    assert not [incident for incident in analysis["incidents"] if incident["kind"] in ("fault", "wait_timed_out", "period_missed")]
    assert "SIMULATED" in report.read_text()
    plan = load(name, inputs_of(name))
    assert [cell["cell"] for cell in analysis["cells"]] == sorted(plan.cells)
    for cell in analysis["cells"]:
        headline = cell["headline"]
        assert math.isfinite(headline["remnant_pct"]) and math.isfinite(headline["u_pct"]), headline
        assert 0 <= headline["remnant_pct"] < 130
    assert len(analysis["comparisons"]) == len(manifest["compare"]) == len(plan.compare)
    end_h = analysis["conditions"]["duration_h"]
    for entry, row in zip(manifest["compare"], analysis["comparisons"], strict=True):
        reached = entry["at_s"] / 3600 <= 1.01 * end_h
        assert row["verdict"] == ("no published number" if entry["value"] is None else "agrees" if reached else "not measured"), row


def test_what_is_made_shorter_is_a_plan_whose_own_duration_is_the_published_one():
    assert set(SHORTER) <= set(names())
    for name, inputs in SHORTER.items():
        plan = load(name)
        assert set(inputs) <= set(plan.inputs)
        whole, short = compile_plan(plan).duration_s, compile_plan(load(name, inputs)).duration_s
        assert max((entry.at / 1000 for entry in plan.compare), default=0) <= whole >= short, name
