"""A run through a lost line, a reset, a host that dies and comes back: the folder has everything, once."""

import asyncio
import contextlib
import sqlite3

import msgpack
import pytest
from fake_board import FakeBoard, wait_until
from small_run import COMPILED, COMPLETE, TICKS, kinds

from remnant.board import client, return_
from remnant.rig import open_rig
from remnant.run import Person, attach, execute, follow, resume
from remnant.run.attach import folder_of, kept_runs
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

STARTED = COMPLETE[:-2]
ENDING = [*TICKS, *COMPLETE[-2:]]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(return_, "BACK_OFF_MAX_S", 0.1)
    monkeypatch.setattr(client, "HELLO_GIVE_UP_S", 0.7)
    monkeypatch.setattr(client, "ANSWER_S", 0.15)


class Scene:
    """A fake board behind a link that leads to whatever its port is called; a person; what was said."""

    def __init__(self, tmp_path, **facts):
        self.link = tmp_path / "rig"
        self.out = tmp_path / "runs"
        self.fake = FakeBoard(link=self.link, **facts)
        self.said = []

    async def unplugged(self, for_s=0.3):
        await asyncio.to_thread(self.fake.pull_the_plug)
        await asyncio.sleep(for_s)

    async def plugged_in(self):
        await asyncio.to_thread(self.fake.plug_in)

    def run(self, meddle):
        return self._with_rig(meddle, False, self._execute)

    def attach(self, meddle=None):
        return self._with_rig(meddle, True, self._attach)

    def resume(self, dark_s, exposure_mj):
        async def do(rig, stop, cut):
            return await resume(rig, folder_of(rig, self.out), Person(stop, cut, self.said.append), dark_s, exposure_mj)

        return self._with_rig(None, True, do)

    async def _execute(self, rig, stop, cut):
        return await execute(
            COMPILED,
            rig,
            self.out / "run",
            title="A test",
            plan_text="version: 1\n",
            plan_name="test",
            stop=stop,
            cut=cut,
            say=self.said.append,
        )

    async def _attach(self, rig, stop, cut):
        return await attach(rig, self.out, Person(stop, cut, self.said.append))

    def _with_rig(self, meddle, as_it_is, do):
        async def main():
            stop, cut = asyncio.Event(), asyncio.Event()
            async with open_rig(str(self.link), as_it_is=as_it_is) as rig:
                meddling = asyncio.create_task(meddle(rig, stop)) if meddle else None
                result = await do(rig, stop, cut)
                if meddling:
                    await meddling
                return result

        return asyncio.run(asyncio.wait_for(main(), 30))

    def table(self, name):
        with contextlib.closing(sqlite3.connect(self.out / "run/run.sqlite")) as connection:
            return connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()

    def add(self, *bodies):
        for body in bodies:
            self.fake.add(*body)
            if body[:2] == (m.EVENT, m.RUN_ENDED):
                self.fake.state, self.fake.run_id = m.READY, b""


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path, script=STARTED)
    with scene.fake:
        yield scene


async def begun(scene):
    await asyncio.to_thread(wait_until, lambda: scene.fake.acknowledged >= len(STARTED))


def test_a_cable_that_is_pulled_and_put_back_costs_nothing(scene):
    async def meddle(rig, stop):
        await begun(scene)
        await scene.unplugged()
        scene.add(*TICKS)
        await scene.plugged_in()
        await asyncio.sleep(0.3)
        scene.add(*ENDING)

    result = scene.run(meddle)
    assert (result.status, result.error, result.manifest["gaps"]) == ("completed", None, [])
    assert result.manifest["records"]["telemetry"] == 15
    assert result.manifest["reconnects"] == 1
    assert [("lost" in line, "back" in line) for line in scene.said] == [(True, False), (False, True)]
    assert scene.fake.executed[m.START] == 1
    assert len(scene.table("clock")) >= 2


def test_what_left_the_ring_while_the_line_was_away_comes_by_history(scene):
    async def meddle(rig, stop):
        await begun(scene)
        await scene.unplugged()
        scene.add(*TICKS, *TICKS)
        scene.fake.spool([seq for seq in scene.fake.journal if seq > scene.fake.acknowledged][:8])
        await scene.plugged_in()
        await asyncio.sleep(0.3)
        scene.add(*ENDING)

    result = scene.run(meddle)
    assert (result.status, result.manifest["gaps"]) == ("completed", [])
    assert result.manifest["records"]["telemetry"] == 20
    assert scene.fake.pages == {}
    assert result.manifest["conflicts"] == 0


def test_a_run_that_ended_while_the_line_was_away_is_complete(scene):
    async def meddle(rig, stop):
        await begun(scene)
        await scene.unplugged()
        scene.add(*ENDING)
        scene.fake.spool([seq for seq in scene.fake.journal if seq > scene.fake.acknowledged])
        await scene.plugged_in()

    result = scene.run(meddle)
    assert (result.status, result.error, result.manifest["gaps"]) == ("completed", None, [])
    assert result.manifest["records"]["telemetry"] == 10


def test_thinned_and_lost_are_told_apart(scene):
    async def meddle(rig, stop):
        await begun(scene)
        await scene.unplugged()
        first = scene.fake.next_seq
        scene.add(*TICKS, *TICKS)
        scene.fake.spool([first, first + 4])  # telemetry in between was thinned
        for seq in range(first + 1, first + 4):
            del scene.fake.journal[seq]
        del scene.fake.journal[first + 6]  # and this one gave way
        await scene.plugged_in()
        await asyncio.sleep(0.3)
        scene.add(*ENDING)
        facts.append(first)

    facts = []
    gaps = scene.run(meddle).manifest["gaps"]
    assert [(g["first_seq"] - facts[0], g["last_seq"] - facts[0], g["kind"]) for g in gaps] == [(1, 3, "thinned"), (6, 6, "lost")]


def test_a_line_that_falls_silent_is_opened_again(scene, monkeypatch):
    monkeypatch.setattr(follow, "SILENT_S", 0.3)

    async def meddle(rig, stop):
        await begun(scene)
        scene.fake.deaf = True
        await asyncio.to_thread(wait_until, lambda: scene.said)
        scene.fake.deaf = False
        await asyncio.sleep(0.5)
        scene.add(*ENDING)

    result = scene.run(meddle)
    assert (result.status, result.manifest["gaps"]) == ("completed", [])
    assert result.manifest["reconnects"] >= 1


def test_ctrl_c_while_the_line_is_away_leaves_the_board_to_itself_and_attach_comes_back(scene):
    async def meddle(rig, stop):
        await begun(scene)
        await scene.unplugged()
        stop.set()

    result = scene.run(meddle)
    assert (result.status, result.error.code) == ("board lost", codes.NO_ANSWER)
    assert "goes on by itself" in result.error.text and "`remnant attach`" in result.error.text
    assert scene.fake.executed[m.STOP] == 0
    scene.add(*ENDING)
    scene.fake.plug_in()
    result = scene.attach()
    assert (result.folder, result.status, result.error) == (scene.out / "run", "completed", None)
    assert result.manifest["gaps"] == [] and result.manifest["records"]["telemetry"] == 10


def test_another_board_is_refused_and_the_right_one_is_waited_for(scene):
    async def meddle(rig, stop):
        await begun(scene)
        await scene.unplugged(0.0)
        with FakeBoard([*TICKS], link=scene.link, uid="F-2") as other:
            await asyncio.to_thread(wait_until, lambda: any("another board" in line for line in scene.said))
            acknowledged.append(other.acknowledged)
        await scene.plugged_in()
        await asyncio.sleep(0.3)
        scene.add(*ENDING)

    acknowledged = []
    result = scene.run(meddle)
    assert (result.status, result.manifest["records"]["telemetry"], acknowledged) == ("completed", 10, [0])


def test_a_command_that_was_on_its_way_is_sent_again_with_its_id_and_carried_out_once(scene):
    async def meddle(rig, stop):
        await begun(scene)
        scene.fake.swallow.add(m.SETTING)
        command = asyncio.create_task(rig.board.command(m.SETTING, 1, 2))
        await asyncio.to_thread(wait_until, lambda: scene.fake.executed[m.SETTING])
        await scene.unplugged()
        await scene.plugged_in()
        assert (await command).accepted == (1, 2)
        scene.add(*ENDING)

    scene.run(meddle)
    assert scene.fake.executed[m.SETTING] == 1


def reset(scene, **facts):
    """The board is reset in the middle of the run, whatever it had not got rid of becomes history."""

    async def meddle(rig, stop):
        await begun(scene)
        scene.add((m.TELEMETRY, m.RUNNING, 0, 80000, 79000, 0, 0, 0, 432, 10))
        await scene.unplugged()
        run_id = scene.fake.run_id
        scene.fake.reset(run_id, **facts)
        scene.add((m.TELEMETRY, m.READY, 0, -300000, 61000, 0, 0, 0, 0, 10))
        await scene.plugged_in()

    return meddle


def test_a_reset_interrupts_the_run_and_says_so(scene):
    result = scene.run(reset(scene))
    assert (result.status, result.error.code) == ("interrupted", codes.BOARD_LOST)
    assert "`remnant resume`" in result.error.text
    (interruption,) = result.manifest["interruptions"]
    assert (interruption["from_temp_c"], interruption["dark_s"], interruption["step"]) == (79.0, None, 0)
    assert [boot["boot_id"] for boot in result.manifest["boots"]] == [77, 78]
    assert result.manifest["gaps"] == []
    assert kinds(scene.out / "run")[-1] == "run_interrupted"


def test_a_run_that_is_resumed_has_one_time_axis(scene):
    scene.run(reset(scene))
    scene.fake.script = ENDING
    result = scene.resume(7, 432)
    assert (result.status, result.error, result.manifest["gaps"]) == ("completed", None, [])
    (interruption,) = result.manifest["interruptions"]
    assert (interruption["dark_s"], interruption["to_temp_c"]) == (7, 61.0)
    asked = [asked for asked in scene.fake.asked if asked[0] == m.COMMAND and asked[2] == m.RESUME_RUN]
    assert asked[0][4:] == [7, 432]
    assert "run_resumed" in kinds(scene.out / "run")
    rows = (scene.out / "run/telemetry.csv").read_text().splitlines()[1:]
    times = [float(row.split(",")[0]) for row in rows]
    assert times == sorted(times)
    assert len(rows) == 5 + 1 + 1 + 5


def test_records_that_a_reset_lost_are_declared_lost(scene):
    result = scene.run(reset(scene, keep=False))
    last = len(STARTED) + 2  # RUN_STARTED, the script, and one more that nobody had yet
    assert result.manifest["gaps"] in ([], [{"boot_id": 77, "first_seq": last, "last_seq": last, "kind": "lost"}])
    seqs = [row[1] for row in scene.table("records") if row[0] == 77]
    assert len(seqs) + len(result.manifest["gaps"]) == last


def test_a_resume_that_the_board_refuses_is_told_with_its_code(scene):
    scene.run(reset(scene))
    scene.fake.refuse[m.RESUME_RUN] = [codes.RESUME_WINDOW, 7200, 3600]
    with pytest.raises(RigError) as raised:
        scene.resume(7200, 432)
    assert (raised.value.code, raised.value.value, raised.value.limit) == (codes.RESUME_WINDOW, 7200, 3600)
    assert (scene.out / "run/run.sqlite").is_file()


def killed(scene, at):
    """A host that dies after `at` records of its run were on disk."""

    class Killed(BaseException):
        pass

    async def meddle(rig, stop):
        await asyncio.to_thread(wait_until, lambda: scene.fake.acknowledged >= at)
        rig.board.link.close()
        raise Killed

    async def main():
        async with open_rig(str(scene.link)) as rig:
            running = asyncio.create_task(scene._execute(rig, asyncio.Event(), asyncio.Event()))
            with contextlib.suppress(Killed):
                await meddle(rig, None)
            copy = (scene.out / "run").rename(scene.out / "dead")  # what a killed host leaves; its task may do what it likes
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await running
            copy.rename(scene.out / "run")

    asyncio.run(main())


def test_another_host_takes_a_run_up_and_finishes_it(scene):
    killed(scene, len(STARTED))
    scene.add(*ENDING)
    result = scene.attach()
    assert (result.status, result.manifest["gaps"], result.manifest["records"]["telemetry"]) == ("completed", [], 10)
    assert scene.fake.executed[m.START] == 1


def test_attach_to_a_run_that_nobody_here_knows_makes_a_folder(scene):
    scene.fake.run_id, scene.fake.state = b"stranger........", m.RUNNING
    scene.add(*STARTED, *ENDING[:-1])

    async def meddle(rig, stop):
        await asyncio.sleep(0.3)
        scene.add(ENDING[-1])

    result = scene.attach(meddle)
    assert result.folder.name.startswith("run-")
    assert (result.status, result.manifest["plan"]["name"], result.manifest["joined"]) == ("completed", None, True)
    assert result.manifest["records"]["telemetry"] == 10


def test_attach_when_there_is_nothing_is_told(scene):
    with pytest.raises(RigError) as raised:
        scene.attach()
    assert raised.value.code == codes.WRONG_STATE
    assert not list(scene.out.glob("*"))


def test_a_start_whose_reply_never_came_is_sent_again_with_its_id(scene):
    """The host dies between START and its REPLY; the next one sends the same id, and nothing is started twice."""
    scene.fake.swallow = {m.START}
    scene.fake.script = []
    killed(scene, 1)
    assert scene.fake.executed[m.START] == 1
    with contextlib.closing(sqlite3.connect(scene.out / "run/run.sqlite")) as connection, connection:
        connection.execute("DELETE FROM records")  # nothing of it was on disk
    scene.fake.run_id = b""  # and it is over already
    scene.add(*ENDING)
    scene.fake.acknowledged = 0
    (kept,) = kept_runs(scene.out)
    assert not kept.began
    result = scene.attach()
    assert result.status == "completed"
    sent = [asked[1] for asked in scene.fake.asked if asked[0] == m.COMMAND and asked[2] == m.START]
    assert len(sent) >= 2 and len(set(sent)) == 1
    assert scene.fake.executed[m.START] == 1


def test_bodies_are_the_board_s_own(scene):
    async def meddle(rig, stop):
        await begun(scene)
        scene.add(*ENDING)

    scene.run(meddle)
    assert {row[1]: row[4] for row in scene.table("records")} == {
        seq: msgpack.packb(body) for seq, body in scene.fake.journal.items() if seq <= max(row[1] for row in scene.table("records"))
    }
