"""A run on a fake board: whatever happens, the folder is complete and says what happened."""

import asyncio
import contextlib
import json
import sqlite3
import time

import pytest
from fake_board import FakeBoard
from small_run import COMPILED, COMPLETE, TICKS, kinds

from remnant.rig import open_rig
from remnant.run import execute, follow
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

FILES = {"plan.yaml", "program.msgpack", "rig.toml", "run.sqlite", "telemetry.csv", "telemetry.parquet", "events.csv", "probes.csv"}


def run(fake, folder, meddle=None, comes_back=True, **wishes):
    """Execute COMPILED; `meddle(stop, cut)` runs beside it. comes_back: False for a board that was started by the command itself."""

    async def main():
        stop, cut = asyncio.Event(), asyncio.Event()
        async with open_rig(fake.port) as rig:
            if not comes_back:
                rig.reopen = None
            meddling = asyncio.create_task(meddle(stop, cut)) if meddle else None
            result = await execute(
                COMPILED, rig, folder, title="A test", plan_text="version: 1\n", plan_name="test", stop=stop, cut=cut, **wishes
            )
            if meddling:
                await meddling
            return result

    with fake:
        return asyncio.run(main())


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
    monkeypatch.setattr(follow, "STOP_WITHIN_S", 0.3)

    async def meddle(stop, cut):
        stop.set()

    result = run(FakeBoard(script=TICKS, stop_answers=False), tmp_path / "run", meddle)
    assert (result.status, result.error.code) == ("board lost", codes.NO_ANSWER)


def test_a_board_that_was_started_here_is_lost_when_it_dies(tmp_path):
    async def meddle(stop, cut):
        await asyncio.sleep(0.2)
        await asyncio.to_thread(fake.pull_the_plug)

    fake = FakeBoard(script=COMPLETE[:-2])
    result = run(fake, tmp_path / "run", meddle, comes_back=False)
    assert (result.status, result.error.code) == ("board lost", codes.BOARD_LOST)
    assert result.manifest["records"]["telemetry"] == 5
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "board lost"


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
    assert result.manifest["gaps"] == [{"boot_id": 77, "first_seq": 5, "last_seq": 6, "kind": "lost"}]


def test_a_full_disk_ends_nothing(tmp_path, monkeypatch):
    """Three seconds without room: told at once, no STOP, and in the end every record is there."""
    from remnant.record.store import Store

    keep, full, said = Store.keep, [], []

    def keep_or_not(self, work):
        if full and full[0] > time.monotonic():
            raise sqlite3.OperationalError("database or disk is full")
        keep(self, work)

    async def meddle(stop, cut):
        await asyncio.sleep(0.1)
        full.append(time.monotonic() + 1.5)
        for body in [*TICKS, (m.EVENT, m.STEP_ENDED, 0, 1), (m.EVENT, m.RUN_ENDED, m.BY_COMPLETION, 0)]:
            await asyncio.sleep(0.05)
            fake.add(*body)

    monkeypatch.setattr(Store, "keep", keep_or_not)
    fake = FakeBoard(script=COMPLETE[:-2])
    result = run(fake, tmp_path / "run", meddle, say=said.append)
    assert (result.status, result.error, result.manifest["gaps"]) == ("completed", None, [])
    assert result.manifest["records"]["telemetry"] == 10
    assert fake.executed[m.STOP] == 0
    assert "disk is full" in said[0] and "written again" in said[1]
    assert "disk is full" in result.manifest["disk_failures"][0]["text"]


def test_a_disk_that_is_full_at_the_start_is_refused_before_start(tmp_path, monkeypatch):
    from remnant.run import manifest

    monkeypatch.setattr(manifest, "FREE_BYTES_MIN", 1 << 62)
    fake = FakeBoard(script=COMPLETE)
    with pytest.raises(RigError) as raised:
        run(fake, tmp_path / "run")
    assert raised.value.code == codes.STORE_FULL
    assert "MB left" in raised.value.text
    assert fake.executed[m.START] == 0
    assert not (tmp_path / "run").exists()


def test_a_disk_that_takes_no_tables_is_told_and_the_journal_stays(tmp_path, monkeypatch):
    from remnant.record import finish as finish_room

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(__import__("sys").modules[finish_room.__module__], "_write_telemetry", full)
    result = run(FakeBoard(script=COMPLETE), tmp_path / "run")
    assert result.error.code == codes.JOURNAL_FAILED
    assert "remnant report" in result.error.text
    assert (tmp_path / "run/run.sqlite").is_file()


def test_what_start_will_be_is_on_disk_before_it_is_sent(tmp_path):
    fake = FakeBoard(script=COMPLETE)
    run(fake, tmp_path / "run")
    (sent,) = [asked for asked in fake.asked if asked[0] == m.COMMAND and asked[2] == m.START]
    with contextlib.closing(sqlite3.connect(tmp_path / "run/run.sqlite")) as connection:
        ((value,),) = connection.execute("SELECT value FROM meta WHERE key = 'start'").fetchall()
    assert json.loads(value) == {"id": sent[1], "run_id": sent[3].hex(), "boot_id": 77}


def test_a_host_that_fails_in_the_middle_leaves_the_folder_of_a_started_run(tmp_path):
    def broken(progress):
        if progress.board_s > 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(FakeBoard(script=COMPLETE[:-2]), tmp_path / "run", on_progress=broken)
    with contextlib.closing(sqlite3.connect(tmp_path / "run/run.sqlite")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM records").fetchone()[0] >= 5


ASKING = [*COMPLETE[:-2], [m.EVENT, m.OPERATOR_WANTED, 0]]


def test_what_a_person_is_asked_is_handed_to_them_and_their_answer_to_the_board(tmp_path):
    asked = []

    async def operator(text):
        asked.append(text)

    async def meddle(stop, cut):
        while not fake.executed[m.CONTINUE]:
            await asyncio.sleep(0.01)
        stop.set()

    fake = FakeBoard(script=ASKING)
    assert run(fake, tmp_path / "run", meddle, operator=operator).status == "stopped"
    assert asked == ["question 0 of its plan"] and fake.executed[m.CONTINUE] == 1


def test_without_a_person_it_is_said_what_the_board_waits_for(tmp_path):
    said = []

    async def meddle(stop, cut):
        while not said:
            await asyncio.sleep(0.01)
        stop.set()

    fake = FakeBoard(script=ASKING)
    assert run(fake, tmp_path / "run", meddle, say=said.append).status == "stopped"
    assert "question 0 of its plan" in said[0] and f"`remnant continue {tmp_path / 'run'}`" in said[0]
    assert not fake.executed[m.CONTINUE]


def test_an_answer_from_elsewhere_comes_through_the_folder(tmp_path):
    said = []

    async def meddle(stop, cut):
        while not said:
            await asyncio.sleep(0.01)
        (tmp_path / "run/continue").touch()
        while not fake.executed[m.CONTINUE]:
            await asyncio.sleep(0.01)
        stop.set()

    fake = FakeBoard(script=ASKING)
    assert run(fake, tmp_path / "run", meddle, say=said.append).status == "stopped"
    assert fake.executed[m.CONTINUE] == 1 and not (tmp_path / "run/continue").exists()
