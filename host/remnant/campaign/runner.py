"""Run the points of a campaign one after the other, and write down each step before and after it is done.

A point that does not complete ends the campaign there: what made it fail would make the next one fail, and an operator who stopped it means
the campaign. It goes on with `run_campaign` on the same folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from remnant_protocol.errors import RigError

from ..errors import explain
from ..plan import Compiled, Plan, compile_plan, load
from ..record.finish import COMPLETED, STOPPED
from ..rig import open_rig
from ..run import Progress, RunResult, execute
from ..run.manifest import now
from .document import RUNNING, WAITING, Campaign, PointRun, folder_of


@dataclass(frozen=True)
class CampaignProgress:
    """point: number of the one that runs, of `points`; fraction: 0..1 of the whole, by points; run: where that run stands."""

    point: int
    points: int
    name: str
    fraction: float
    run: Progress


Show = Callable[[Progress], None]
RunPoint = Callable[[Campaign, PointRun, Path, Show], Awaitable[RunResult]]


async def run_campaign(
    campaign: Campaign,
    run_point: RunPoint,
    *,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[CampaignProgress], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> tuple[Campaign, RunResult | None]:
    """Run every point that is not completed. run_point: runs one into a folder that does not exist yet (`on_rig` makes one).

    Returns the campaign and the run that ended it before its end, None when all points are completed. `stop`, once set, begins no other
    point. What run_point raises (it could not begin) is written down with its point and raised again.
    """
    say = say or (lambda _text: None)
    campaign = replace(campaign, status=RUNNING).written()
    while (point := campaign.next) is not None:
        if stop is not None and stop.is_set():
            return replace(campaign, status=STOPPED).written(), None
        earlier = point.earlier + ((point.folder,) if point.folder else ())
        point = replace(point, status=RUNNING, folder="", earlier=earlier, started_utc=now(), ended_utc=None, error=None)
        point = replace(point, folder=folder_of(point, campaign))
        campaign = campaign.with_point(point)
        say(f"point {point.number} of {len(campaign.points)}: {point.name}")
        try:
            result = await run_point(campaign, point, campaign.folder / point.folder, _shower(campaign, point, on_progress))
        except BaseException as error:
            begun = (campaign.folder / point.folder).exists()
            told = explain(error) if isinstance(error, RigError) else type(error).__name__
            point = replace(point, status=STOPPED if begun else WAITING, folder=point.folder if begun else "", error=told)
            campaign.with_point(point, status=STOPPED)
            raise
        error = explain(result.error) if result.error else None
        point = replace(point, status=result.status, ended_utc=now(), error=error, liquids=_liquids(campaign, point, result))
        campaign = campaign.with_point(point)
        if result.status != COMPLETED:
            return replace(campaign, status=result.status).written(), result
    return replace(campaign, status=COMPLETED).written(), None


def on_rig(spec: str = "virtual", *, stop: asyncio.Event | None = None, cut: asyncio.Event | None = None, **scenario: Any) -> RunPoint:
    """Return a `run_point` that opens the rig for each point. scenario: of a virtual one, as of `open_rig`."""

    async def run_point(campaign: Campaign, point: PointRun, folder: Path, show: Show) -> RunResult:
        async with open_rig(spec, **scenario) as rig:
            plan, compiled = plan_of(campaign, point, rig.board.description)
            return await execute(
                compiled,
                rig,
                folder,
                title=f"{plan.title}: {point.name}",
                plan_text=plan.text,
                plan_name=campaign.name,
                inputs={name: str(value) for name, value in plan.inputs_used.items()},
                on_progress=show,
                stop=stop,
                cut=cut,
            )

    return run_point


def plan_of(campaign: Campaign, point: PointRun, limits: dict[str, int]) -> tuple[Plan, Compiled]:
    """Return the plan of a point and its program. Raises PlanError."""
    plan = load(campaign.plan, {**campaign.inputs, **point.inputs}, limits)
    return plan, compile_plan(plan, limits)


def _liquids(campaign: Campaign, point: PointRun, _result: RunResult) -> dict[str, dict[str, Any]]:
    _, compiled = plan_of(campaign, point, {})
    return {str(number): asdict(liquid) for number, liquid in compiled.liquids.items()}


def _shower(campaign: Campaign, point: PointRun, on_progress: Callable[[CampaignProgress], None] | None) -> Show:
    def show(progress: Progress) -> None:
        if on_progress:
            fraction = (campaign.done + progress.fraction) / len(campaign.points)
            on_progress(CampaignProgress(point.number, len(campaign.points), point.name, fraction, progress))

    return show
