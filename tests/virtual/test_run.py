"""A plan on the virtual board, from YAML to the run folder: complete, true to the plan, and the same twice."""

import asyncio
import csv
import json
import sqlite3

import pytest

from remnant import open_rig
from remnant.plan import compile_plan, load
from remnant.run import execute
from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

RUN_ID = b"the same twice.."


def run(plan, folder, meddle=None, run_id=None, **scenario):
    """Run a plan by the library; `meddle(rig)` beside it."""

    async def main():
        async with open_rig("virtual", **scenario) as rig:
            loaded = load(plan, {}, rig.board.description)
            compiled = compile_plan(loaded, rig.board.description)
            beside = asyncio.create_task(meddle(rig)) if meddle else None
            result = await execute(compiled, rig, folder, title=loaded.title, plan_text=loaded.text, plan_name="heat", run_id=run_id)
            if beside:
                await beside
            return result

    return asyncio.run(main())


def table(folder, name):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_is_complete_and_did_what_the_plan_says(heat, tmp_path):
    result = run(heat, tmp_path / "run")
    assert (result.status, result.manifest["gaps"]) == ("completed", [])
    telemetry = table(tmp_path / "run", "telemetry.csv")
    soak = result.manifest["steps"][2]
    temps = [float(row["temp_degC"]) for row in telemetry if soak["began_s"] + 60 < float(row["t_s"]) < soak["ended_s"]]
    assert len(temps) > 1000
    assert all(abs(temp - 60.0) < 0.5 for temp in temps)  # PID with 14 mK rms of sensor noise; the plan's own band is 1 K
    times = [float(row["t_s"]) for row in telemetry]
    assert max(b - a for a, b in zip(times[1:], times[2:], strict=False)) == pytest.approx(1.0, abs=0.11)  # 1 s on 100 ms ticks
    probes = table(tmp_path / "run", "probes.csv")
    assert {row["cell"] for row in probes} == {"A", "B"}
    assert {row["name"] for row in probes} == {"baseline", "hot"}
    assert result.manifest["simulated"] is True


def test_records_have_no_hole(heat, tmp_path):
    run(heat, tmp_path / "run")
    connection = sqlite3.connect(tmp_path / "run/run.sqlite")
    seqs = [row[0] for row in connection.execute("SELECT seq FROM records ORDER BY seq")]
    connection.close()
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def test_one_plan_and_one_seed_give_the_same_bytes(heat, tmp_path):
    first = run(heat, tmp_path / "one", run_id=RUN_ID, seed=5)
    second = run(heat, tmp_path / "two", run_id=RUN_ID, seed=5)
    for name in ("telemetry.csv", "telemetry.parquet", "events.csv", "probes.csv"):
        assert first.manifest["files"][name] == second.manifest["files"][name], name
    assert records(tmp_path / "one") == records(tmp_path / "two")


def test_another_seed_gives_other_noise(heat, tmp_path):
    first = run(heat, tmp_path / "one", seed=5)
    second = run(heat, tmp_path / "two", seed=6)
    assert first.manifest["files"]["telemetry.csv"] != second.manifest["files"]["telemetry.csv"]


def records(folder):
    connection = sqlite3.connect(folder / "run.sqlite")
    rows = connection.execute("SELECT * FROM records ORDER BY boot_id, seq").fetchall()
    connection.close()
    return rows


def test_killing_the_board_keeps_what_was_recorded(heat, tmp_path):
    async def meddle(rig):
        while not list((tmp_path / "run").glob("run.sqlite")):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(rig.virtual.kill)

    result = run(heat, tmp_path / "run", meddle, speed=60)
    assert (result.status, result.error.code) == ("board lost", codes.BOARD_LOST)
    assert result.manifest["records"]["telemetry"] > 5
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "board lost"
    assert len(table(tmp_path / "run", "telemetry.csv")) == result.manifest["records"]["telemetry"]


@pytest.mark.parametrize(
    "fault, code", [("sensor_open", codes.SENSOR_OPEN), ("interlock_open", codes.INTERLOCK_OPEN), ("stop_pressed", codes.STOP_PRESSED)]
)
def test_a_fault_ends_the_run_with_outputs_off(heat, tmp_path, fault, code):
    result = run(heat, tmp_path / "run", faults=[[60, fault, True]])
    assert (result.status, result.error.code) == ("fault", code)
    kinds = [row["kind"] for row in table(tmp_path / "run", "events.csv")]
    assert kinds[-3:] == ["fault", "outputs_off", "run_ended"]
    assert float(table(tmp_path / "run", "telemetry.csv")[-1]["t_s"]) < 65


def test_a_scenario_that_the_plant_does_not_know_is_told_in_a_line(heat, tmp_path):
    with pytest.raises(RigError) as raised:
        run(heat, tmp_path / "run", cells=["unobtainium"])
    assert raised.value.code == codes.NOT_STARTED
    assert "unobtainium" in raised.value.where
    assert "\n" not in raised.value.where
