"""Campaigns: every step is on disk before and after it is done, and one that was left goes on where it was left."""

import asyncio
import json
from dataclasses import replace

import pytest

from remnant.campaign import begin, run_campaign, take_up
from remnant.campaign.document import FILE_NAME, RUNNING, WAITING, read
from remnant.plan import sweep_points
from remnant.run import Progress, RunResult
from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

PLAN = """\
version: "1"
title: Three flows
inputs: {flow: {default: 60 mL/h}}
sweep: {flow: [10 mL/h, 20 mL/h, 30 mL/h]}
pumps: {precursor: {pump: 1}}
steps:
  - flow: {precursor: $flow}
    for: 10 s
"""
HALF = Progress(0.5, "a step", 5.0, None, None, None)


@pytest.fixture
def campaign(tmp_path):
    points = sweep_points(PLAN.encode())
    return begin(
        tmp_path / "three",
        name="three",
        title="Three flows",
        plan_text=PLAN,
        points=points,
        inputs={},
        rig="virtual",
        now="2026-01-01T00:00:00Z",
    )


def ran(folder, status="completed", error=None):
    """A run that has been: its folder and its manifest."""
    folder.mkdir()
    manifest = {"status": status, "simulated": True}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return RunResult(status, folder, manifest, error)


class Rig:
    """Runs points by writing their manifests; `outcomes`: of each run in turn, completed when there are none left."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.asked = []

    async def __call__(self, campaign, point, folder, show):
        on_disk = read(campaign.folder)
        assert next(p for p in on_disk.points if p.number == point.number).status == RUNNING  # written before it begins
        self.asked.append(point.number)
        show(HALF)
        outcome = self.outcomes.pop(0) if self.outcomes else "completed"
        if isinstance(outcome, BaseException):
            raise outcome
        if callable(outcome):
            return outcome(folder)
        return ran(folder, outcome, None if outcome in ("completed", "stopped") else RigError(codes.PUMP_STALLED))


def run(campaign, rig, **how):
    return asyncio.run(run_campaign(campaign, rig, **how))


def test_every_point_is_a_run_in_its_folder(campaign):
    rig = Rig()
    done, ended = run(campaign, rig)
    assert (done.status, ended, rig.asked) == ("completed", None, [1, 2, 3])
    kept = read(campaign.folder)
    assert kept == done
    assert [point.folder for point in kept.points] == ["01-10-mL-h", "02-20-mL-h", "03-30-mL-h"]
    assert all((campaign.folder / point.folder / "manifest.json").is_file() for point in kept.points)
    assert kept.points[1].liquids["1"]["dispensed_nl"] == pytest.approx(20e6 / 3600 * 10, abs=1)


def test_progress_is_of_the_whole(campaign):
    told = []
    run(campaign, Rig(), on_progress=told.append)
    assert [(one.point, one.points, round(one.fraction, 3)) for one in told] == [(1, 3, 0.167), (2, 3, 0.5), (3, 3, 0.833)]


def test_a_point_that_does_not_complete_ends_the_campaign_there(campaign):
    done, ended = run(campaign, Rig("completed", "fault"))
    assert (done.status, ended.status) == ("fault", "fault")
    assert [point.status for point in done.points] == ["completed", "fault", WAITING]
    assert "E204" in done.points[1].error


def test_it_goes_on_at_the_first_point_that_is_not_completed_and_keeps_the_folder_of_the_one_that_failed(campaign):
    run(campaign, Rig("completed", "fault"))
    rig = Rig()
    done, _ = run(take_up(campaign.folder, PLAN), rig)
    assert (done.status, rig.asked) == ("completed", [2, 3])
    assert done.points[1].folder == "02-20-mL-h-2"
    assert done.points[1].earlier == ("02-20-mL-h",)
    assert done.points[1].error is None
    assert (campaign.folder / "02-20-mL-h" / "manifest.json").is_file()


def test_a_completed_campaign_has_nothing_to_go_on_with(campaign):
    run(campaign, Rig())
    rig = Rig()
    assert run(take_up(campaign.folder), rig)[0].status == "completed"
    assert rig.asked == []


def test_stop_during_a_point_stops_the_campaign(campaign):
    stop = asyncio.Event()

    def stopped(folder):
        stop.set()
        return ran(folder, "stopped")

    rig = Rig("completed", stopped)
    done, ended = run(campaign, rig, stop=stop)
    assert (done.status, ended.status, rig.asked) == ("stopped", "stopped", [1, 2])


def test_stop_between_points_begins_no_other(campaign):
    stop = asyncio.Event()

    def last(folder):
        stop.set()
        return ran(folder)

    rig = Rig(last)
    done, ended = run(campaign, rig, stop=stop)
    assert (done.status, ended, rig.asked) == ("stopped", None, [1])
    assert [point.status for point in done.points] == ["completed", WAITING, WAITING]


def test_a_point_that_cannot_begin_is_written_down_and_raised(campaign):
    with pytest.raises(RigError):
        run(campaign, Rig("completed", RigError(codes.PORT_NOT_FOUND)))
    kept = read(campaign.folder)
    assert (kept.status, kept.points[1].status, kept.points[1].folder) == ("stopped", WAITING, "")
    assert "E101" in kept.points[1].error
    assert run(take_up(campaign.folder), Rig())[0].status == "completed"


@pytest.mark.parametrize("left, goes_on_at", [("completed", 3), ("interrupted", 2), ("no journal yet", 2), (None, 2)])
def test_a_host_that_died_in_a_point_is_found_out(campaign, left, goes_on_at):
    """It left `running`; the folder of the run says what became of it: completed all the same, broken off, or never begun."""
    run(campaign, Rig("completed", "fault"))
    kept = read(campaign.folder)
    died = replace(kept.points[1], status=RUNNING, folder="02-again")
    kept.with_point(died, status=RUNNING)
    if left == "no journal yet":
        (campaign.folder / "02-again").mkdir()
        (campaign.folder / "02-again" / "run.sqlite").touch()
    elif left:
        ran(campaign.folder / "02-again", left)
    rig = Rig()
    done, _ = run(take_up(campaign.folder), rig)
    assert done.status == "completed"
    assert rig.asked[0] == goes_on_at


def test_a_crash_while_writing_leaves_the_campaign_before(campaign, monkeypatch):
    before = (campaign.folder / FILE_NAME).read_bytes()

    def gone(*_):
        raise OSError("the disk is gone")

    monkeypatch.setattr("os.replace", gone)
    with pytest.raises(OSError):
        campaign.with_point(replace(campaign.points[0], status="completed"))
    assert (campaign.folder / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    "plan, inputs, words", [(PLAN + "# changed\n", {}, "another text of this plan"), (PLAN, {"flow": "5 mL/h"}, "other inputs (none)")]
)
def test_another_plan_or_other_inputs_do_not_go_on(campaign, plan, inputs, words):
    with pytest.raises(RigError) as raised:
        take_up(campaign.folder, plan, inputs)
    assert words in raised.value.text


@pytest.mark.parametrize("text", [None, "", "[]", '{"campaign_version": 99}', '{"campaign_version": 1, "points": [{}]}'])
def test_a_folder_that_is_no_campaign_is_told(tmp_path, text):
    if text is not None:
        (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(RigError) as raised:
        read(tmp_path)
    assert raised.value.code == codes.STORE_CORRUPT
