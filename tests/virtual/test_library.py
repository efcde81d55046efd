"""Every plan of the library on the virtual rig, from YAML to the report. None is left out: a new plan is a new test.

Most run as they are. What holds the rig busy for a day or more (heat, light: every tick is lived through) is made shorter by the plan's own
inputs, SHORTER; the published numbers that lie behind its new end are then "not measured", those before it still have to agree. Waits
with everything off are slept through by the virtual board, so months of storage run whole.
"""

import asyncio
import json
import math

import pytest

from remnant import library, open_rig
from remnant.cli.running import scenario_of
from remnant.plan import compile_plan, load
from remnant.report import write_report
from remnant.run import execute

AT_ONCE = 2
SHORTER = {
    "colloidal": {"telemetry": "1 h"},
    "humid-40-75": {"duration": "8 h"},
    "isos-d-2": {"duration": "4 h"},
    "isos-d-3": {"duration": "4 h"},
    "isos-l-1": {"duration": "4 h"},
    "isos-l-2": {"duration": "4 h"},
    "isos-lc-2h": {"cycles": 2},
    "isos-lc-8h": {"lit": "1 h", "dark": "2 h", "cycles": 2},
    "isos-lc-24h": {"lit": "2 h", "dark": "2 h"},
    "isos-lt-1": {"cycles": 2},
    "isos-t-1": {"cycles": 3},
    "light-24h": {"duration": "3 h"},
    "light-42h": {"duration": "3 h"},
    "light-48h": {"duration": "3 h"},
    "uv-365": {"duration": "3 h"},  # whole in `remnant demo`
}


async def carried_out(name, folder):
    """Run one plan; return its manifest and analysis."""
    limits = scenario = None
    inputs = SHORTER.get(name, {})
    plan = load(name, inputs)
    scenario = scenario_of(compile_plan(plan))
    async with open_rig("virtual", **scenario) as rig:
        limits = rig.board.description
        plan = load(name, inputs, limits)
        result = await execute(
            compile_plan(plan, limits), rig, folder, title=plan.title, plan_text=plan.text, plan_name=name, inputs=inputs
        )
    await asyncio.to_thread(write_report, folder)
    return result.manifest, json.loads((folder / "analysis.json").read_text())


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    """{name: manifest and analysis, or what went wrong} of the plans that are asked for, two at a time, the longest first."""
    wanted = {item.callspec.params["name"] for item in request.session.items if item.path == request.path and hasattr(item, "callspec")}
    base = tmp_path_factory.mktemp("library")

    async def all_of_them():
        free = asyncio.Semaphore(AT_ONCE)

        async def one(name):
            async with free:
                return await carried_out(name, base / name)

        ordered = sorted(wanted, key=lambda name: -compile_plan(load(name, SHORTER.get(name, {}))).duration_s)
        return dict(zip(ordered, await asyncio.gather(*map(one, ordered), return_exceptions=True), strict=True)), base

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", library.names())
def test_a_plan_of_the_library_runs_to_its_report(outcomes, name):
    results, base = outcomes
    if isinstance(results[name], BaseException):
        raise results[name]
    manifest, analysis = results[name]
    assert (manifest["status"], manifest["gaps"], manifest["end_code"]) == ("completed", [], 0)
    assert "fault" not in {incident["kind"] for incident in analysis["incidents"]}
    plan = load(name, SHORTER.get(name, {}))
    assert [cell["cell"] for cell in analysis["cells"]] == sorted(plan.cells)
    for cell in analysis["cells"]:
        headline = cell["headline"]
        assert math.isfinite(headline["remnant_pct"]) and math.isfinite(headline["u_pct"]), headline
        assert 0 <= headline["remnant_pct"] < 130
    compared = {(row["cell"], row["published"]): row for row in analysis["comparisons"]}
    published = manifest["compare"]
    assert len(compared) == len(published)
    end_h = analysis["conditions"]["duration_h"]
    for entry in published:
        row = compared[entry["cell"], entry["published"]]
        wanted = "no published number" if entry["value"] is None else "agrees" if entry["at_s"] / 3600 <= 1.01 * end_h else "not measured"
        assert row["verdict"] == wanted, row
    assert "SIMULATED" in (base / name / "report.html").read_text()
    if plan.protocol:
        assert analysis["compliance"]["protocol"] == plan.protocol


def test_what_is_made_shorter_is_a_plan_and_can_still_be_run_whole():
    assert set(SHORTER) <= set(library.names())
    for name, inputs in SHORTER.items():
        plan = load(name)
        assert set(inputs) <= set(plan.inputs)
        whole, short = compile_plan(plan).duration_s, compile_plan(load(name, inputs)).duration_s
        latest_s = max((entry.at / 1000 for entry in plan.compare), default=0)
        assert short <= whole and whole >= latest_s, name  # the published duration is what the plan does by itself
