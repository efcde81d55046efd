"""A run on a fake board: whatever happens, the folder is complete and says what happened."""

import asyncio
import csv
import json

import pytest
from fake_board import FakeBoard

from remnant.plan import CellInfo, Compiled, ProbeInfo, StepInfo
from remnant.rig import open_rig
from remnant.run import execute
from remnant.run import execute as execute_function
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

execute_module = __import__("sys").modules[execute_function.__module__]

COMPILED = Compiled(
    program=[],
    data=b"\x01" * 400,
    steps=[StepInfo(0, "wait", "wait for 10 s", 10.0)],
    probes=[ProbeInfo(0, "baseline", 25.0, False)],
    cells={"A": CellInfo(0, "templated", None)},
    duration_s=10.0,
    telemetry_ms=1000,
    stress="time",
    source=None,
    compare=[],
)
TICKS = [(m.TELEMETRY, m.RUNNING, 0, 25000, 25000, 0, 0, 0, 0, 10)] * 5
COMPLETE = [(m.EVENT, m.STEP_BEGAN, 0, 1), *TICKS, (m.EVENT, m.STEP_ENDED, 0, 1), (m.EVENT, m.RUN_ENDED, m.BY_COMPLETION, 0)]
FILES = {"plan.yaml", "program.msgpack", "rig.toml", "run.sqlite", "telemetry.csv", "telemetry.parquet", "events.csv", "probes.csv"}


def run(fake, folder, meddle=None, **wishes):
    """Execute COMPILED; `meddle(stop, cut)` runs beside it."""

    async def main():
        stop, cut = asyncio.Event(), asyncio.Event()
        async with open_rig(fake.port) as rig:
            meddling = asyncio.create_task(meddle(stop, cut)) if meddle else None
            result = await execute(
                COMPILED, rig, folder, title="A test", plan_text="version: 1\n", plan_name="test", stop=stop, cut=cut, **wishes
            )
            if meddling:
                await meddling
            return result

    with fake:
        return asyncio.run(main())


def kinds(folder):
    with (folder / "events.csv").open(newline="") as file:
        return [row["kind"] for row in csv.DictReader(file)]


def test_completed(tmp_path):
    seen = []
    fake = FakeBoard(script=COMPLETE)
    result = run(fake, tmp_path / "run", on_progress=seen.append)
    assert (result.status, result.error) == ("completed", None)
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES | {"manifest.json"}
    assert set(result.manifest["files"]) == FILES
    assert result.manifest["simulated"] is True
    assert result.manifest["monitor_dark_u16"] == 200
    assert seen[-1].fraction == 1.0
    assert (tmp_path / "run/program.msgpack").read_bytes() == COMPILED.data


def test_everything_of_the_run_is_acknowledged_once_on_disk(tmp_path):
    fake = FakeBoard(script=COMPLETE)
    run(fake, tmp_path / "run")
    assert fake.acknowledged >= len(COMPLETE) + 1


def test_stop_takes_outputs_off_and_waits_for_the_board_to_say_so(tmp_path):
    async def meddle(stop, cut):
        await asyncio.sleep(0.1)
        stop.set()

    fake = FakeBoard(script=COMPLETE[:-2])
    result = run(fake, tmp_path / "run", meddle)
    assert (result.status, result.error) == ("stopped", None)
    assert kinds(tmp_path / "run")[-2:] == ["outputs_off", "run_ended"]
    assert fake.executed[m.STOP] == 1 and fake.executed[m.CUT] == 0


def test_cut_after_a_stop_that_is_not_obeyed(tmp_path):
    async def meddle(stop, cut):
        await asyncio.sleep(0.05)
        stop.set()
        await asyncio.sleep(0.1)
        fake.stop_answers = True
        cut.set()

    fake = FakeBoard(script=COMPLETE[:-2], stop_answers=False)
    result = run(fake, tmp_path / "run", meddle)
    assert result.status == "stopped"
    assert (fake.executed[m.STOP], fake.executed[m.CUT]) == (1, 1)


def test_a_board_that_does_not_confirm_the_stop_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(execute_module, "STOP_WITHIN_S", 0.3)

    async def meddle(stop, cut):
        stop.set()

    result = run(FakeBoard(script=TICKS, stop_answers=False), tmp_path / "run", meddle)
    assert (result.status, result.error.code) == ("board lost", codes.NO_ANSWER)


def test_a_pulled_cable_leaves_what_was_recorded(tmp_path):
    async def meddle(stop, cut):
        await asyncio.sleep(0.2)
        await asyncio.to_thread(fake.pull_the_plug)

    fake = FakeBoard(script=COMPLETE[:-2])
    result = run(fake, tmp_path / "run", meddle)
    assert (result.status, result.error.code) == ("board lost", codes.BOARD_LOST)
    assert result.manifest["records"]["telemetry"] == 5
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "board lost"


def test_a_board_that_falls_silent_is_lost(tmp_path, monkeypatch):
    from remnant.board import client

    monkeypatch.setattr(execute_module, "SILENT_S", 0.2)
    monkeypatch.setattr(client, "ANSWER_S", 0.1)

    async def meddle(stop, cut):
        await asyncio.sleep(0.1)
        fake.deaf = True

    fake = FakeBoard(script=TICKS)
    result = run(fake, tmp_path / "run", meddle)
    assert (result.status, result.error.code) == ("board lost", codes.BOARD_LOST)


def test_a_fault_ends_the_run_with_its_own_facts(tmp_path):
    fault = (m.FAULT, codes.SENSOR_OPEN, 65530, 65000, 25000, 0, 20)
    script = [*TICKS, fault, (m.EVENT, m.OUTPUTS_OFF, m.BY_FAULT, 1, 0, 0, 5), (m.EVENT, m.RUN_ENDED, m.BY_FAULT, codes.SENSOR_OPEN)]
    result = run(FakeBoard(script=script), tmp_path / "run")
    assert result.status == "fault"
    assert (result.error.code, result.error.value, result.error.limit) == (codes.SENSOR_OPEN, 65530, 65000)


def test_a_refused_start_leaves_no_folder(tmp_path):
    with pytest.raises(RigError) as raised:
        run(FakeBoard(refuse={m.START: [codes.WRONG_STATE, 4]}), tmp_path / "run")
    assert raised.value.code == codes.WRONG_STATE
    assert not (tmp_path / "run").exists()


def test_a_refused_program_leaves_no_folder(tmp_path):
    with pytest.raises(RigError) as raised:
        run(FakeBoard(refuse={m.PROGRAM_COMMIT: [codes.PROGRAM_CORRUPT]}), tmp_path / "run")
    assert raised.value.code == codes.PROGRAM_CORRUPT
    assert not (tmp_path / "run").exists()


def test_an_older_run_is_never_written_into(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(FileExistsError):
        run(FakeBoard(script=COMPLETE), tmp_path / "run")


def test_damaged_frames_cost_no_record(tmp_path):
    result = run(FakeBoard(script=[*TICKS * 20, COMPLETE[-1]], damage={3, 4, 40, 77}), tmp_path / "run")
    assert (result.status, result.manifest["gaps"], result.manifest["records"]["telemetry"]) == ("completed", [], 100)


def test_a_gap_is_in_the_manifest(tmp_path):
    result = run(FakeBoard(script=[*TICKS * 4, COMPLETE[-1]], forgotten={5, 6}), tmp_path / "run")
    assert result.manifest["gaps"] == [{"boot_id": 77, "first_seq": 5, "last_seq": 6}]


def test_a_disk_that_takes_no_more_stops_the_run(tmp_path, monkeypatch):
    from remnant.record import Journal

    commit = Journal._commit

    def full(self, connection, items):
        if any(getattr(item, "records", None) and item.records[-1][0] >= 4 for item in items):
            raise __import__("sqlite3").OperationalError("database or disk is full")
        return commit(self, connection, items)

    monkeypatch.setattr(Journal, "_commit", full)
    result = run(FakeBoard(script=TICKS, stop_answers=False), tmp_path / "run")
    assert result.error.code == codes.JOURNAL_FAILED
    assert "disk is full" in result.error.text
