"""`remnant run` of a plan with `sweep`: its points as runs of one campaign, one bar for the whole; and going on with one."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from remnant_protocol.errors import RigError

from ..campaign import FILE_NAME, Campaign, CampaignProgress, PointRun, begin, run_campaign, take_up
from ..campaign.document import read
from ..campaign.page import facts_of, write_campaign_report
from ..campaign.spectra import attach
from ..campaign.table import rows
from ..errors import Exit, exit_code, explain
from ..flow.of_plan import synthesis_of
from ..plan import Plan, Point, load, sweep_points
from ..record.finish import COMPLETED, STOPPED
from ..run import Progress, RunResult
from ..run.manifest import now
from ..virtual import LIMITS_OF
from .bars import Bars
from .limits import limits_of
from .output import Output
from .person import Interrupts
from .running import Interrupted, Wish, compiled_plan, folder_for, plan_name, run_one, simulation


@dataclass
class _Part:
    """The bar of the whole, as one of its runs sees it."""

    bars: Bars
    name: str
    on_progress: Any = None

    @property
    def json(self) -> bool:
        return self.bars.json

    def say(self, text: str) -> None:
        self.bars.say(text)

    def show(self, name: str, progress: Progress) -> None:
        del name  # the campaign's bar has its own
        if self.on_progress:
            self.on_progress(progress)


def is_campaign(folder: Path) -> bool:
    return (folder / FILE_NAME).is_file()


def points_of(source: str, inputs: dict[str, str], rig: str) -> list[Point]:
    """Return the points of a plan that sweeps, none of one that does not. Raises PlanError with the problems of every point."""
    limits = limits_of(LIMITS_OF[rig]) if rig in LIMITS_OF else {}
    points = sweep_points(source, inputs, limits)
    for point in points:
        compiled_plan(source, {**inputs, **point.inputs}, limits)
    return points


def flow_lines(source: str, plan: Plan, points: list[Point], inputs: dict[str, str], limits: dict[str, int]) -> list[str]:
    """Return what the flows of a plan make, for each point where it sweeps; [] for a plan that is no flow synthesis."""
    if not points:
        return _of_one(plan)
    plans = ((point.number, load(source, {**inputs, **point.inputs}, limits)) for point in points)
    return [f"point {number}: {line}" for number, one in plans for line in _of_one(one)]


def _of_one(plan: Plan) -> list[str]:
    try:
        asked = synthesis_of(plan)
    except RigError as error:  # liquids of the user's own
        return [f"flow: Re and residence time are not known: {error.text}"]
    return asked.lines() if asked else []


def made(source: str, points: list[Point], inputs: dict[str, str], rig: str, out: Path, into: Path | None) -> Campaign:
    """Return a new campaign in a folder of `out`, or the one of `into` as it can be gone on with."""
    limits = limits_of(LIMITS_OF[rig]) if rig in LIMITS_OF else {}
    plan = load(source, inputs, limits)
    name = plan_name(source)
    if into is not None:
        return replace(take_up(into, plan.text, inputs), rig=rig)
    facts = {"name": name, "title": plan.title, "source": plan.source, "plan_text": plan.text, "points": points}
    return begin(folder_for(out, name), inputs=inputs, rig=rig, now=now(), **facts)


def carried_out(campaign: Campaign, scenario: dict[str, Any], output: Output) -> Exit:
    """Run what is left of a campaign, write its report, tell; return the exit code. Raises RigError when a point cannot begin."""
    virtual = simulation({campaign.rig}, output)
    output.say(f"campaign of {len(campaign.points)} runs, {campaign.done} completed: {campaign.folder}")
    campaign, ended = asyncio.run(_run(campaign, scenario, virtual, output))
    return _told(campaign, ended, output)


async def _run(campaign: Campaign, scenario: dict[str, Any], virtual: dict[str, Any], output: Output) -> tuple[Campaign, RunResult | None]:
    with Bars(output, [campaign.name]) as bars:
        interrupts = Interrupts(bars.say)
        interrupts.listen()

        async def run_point(campaign: Campaign, point: PointRun, folder: Path, show: Any) -> RunResult:
            interrupts.boards.clear()  # those of earlier points are closed
            inputs = {**campaign.inputs, **point.inputs}
            wish = Wish(campaign.name, str(campaign.plan), inputs, folder, campaign.rig, scenario)
            return await run_one(wish, _Part(bars, campaign.name, show), virtual, interrupts)

        def show(progress: CampaignProgress) -> None:
            last = progress.fraction >= 1.0
            told = replace(progress.run, fraction=progress.fraction, left_s=progress.run.left_s if last else _left_s(progress))
            bars.show(campaign.name, told)

        try:
            return await run_campaign(campaign, run_point, stop=interrupts.stop, on_progress=show, say=bars.say)
        except Interrupted:
            return read(campaign.folder), None


def _left_s(progress: CampaignProgress) -> float | None:
    """The wall time left of this run, and the same again for each that is to come."""
    run = progress.run
    if run.left_s is None or run.fraction <= 0:
        return None
    whole_s = run.left_s / (1 - run.fraction) if run.fraction < 1 else 0.0
    return run.left_s + whole_s * (progress.points - progress.point)


def _told(campaign: Campaign, ended: RunResult | None, output: Output) -> Exit:
    page = reported(campaign, output)
    output.say(f"{campaign.status}: {campaign.done} of {len(campaign.points)} runs, {campaign.folder}")
    document = {"status": campaign.status, "folder": str(campaign.folder), "report": page, "points": _points(campaign)}
    code = Exit.OK if campaign.status == COMPLETED else Exit.INTERRUPTED
    if campaign.status != COMPLETED:
        output.say(
            f"`remnant run {campaign.name} --into {campaign.folder}` goes on with point {campaign.next.number if campaign.next else 1}"
        )
    if ended is not None and ended.error is not None and campaign.status != STOPPED:
        code = exit_code(ended.error)
        output.result({"ok": False, "exit": int(code), "code": ended.error.code, "error": explain(ended.error), **document})
        print(explain(ended.error), file=sys.stderr)
        return code
    output.result({"ok": code == Exit.OK, "exit": int(code), **document})
    return code


def reported(campaign: Campaign, output: Output) -> str | None:
    """Write the report of a campaign; None when that cannot be done, which is told."""
    try:
        page = str(write_campaign_report(campaign))
    except RigError as error:
        output.say(f"no report: {explain(error)}")
        return None
    output.say(f"report: {page}")
    return page


def _points(campaign: Campaign) -> list[dict[str, Any]]:
    try:
        return [facts_of(row) for row in rows(campaign)]
    except RigError:
        return [{"point": point.number, "status": point.status, "run": point.folder} for point in campaign.points]


def attached_to(folder: Path, table: Path, output: Output) -> None:
    """Attach spectrometer results to a campaign and write its report again."""
    campaign = read(folder)
    found = attach(campaign, table)
    output.say(f"{table.name}: {len(found)} results for {len({one.point for one in found})} of {len(campaign.points)} points")
    page = reported(campaign, output)
    output.result({"ok": True, "results": len(found), "report": page, "points": _points(campaign)})
