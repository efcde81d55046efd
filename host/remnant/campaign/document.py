"""campaign.json: what a campaign is and how far it has come; written whole at every step, so that a crash leaves a whole one.

A point is waiting, running, or what its run ended as (completed, stopped, fault, interrupted, board lost). Only completed is done: a
campaign that is taken up goes on at its first point that is not. The folder of a run that did not complete is kept and named in `earlier`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from ..plan import Point
from ..record import recover
from ..record.finish import BOARD_LOST, COMPLETED, write_whole

FILE_NAME = "campaign.json"
PLAN_FILE = "plan.yaml"
VERSION = 1
WAITING, RUNNING = "waiting", "running"


@dataclass(frozen=True)
class PointRun:
    """One point and its run. folder: name inside the campaign's, "" before it began; earlier: folders of runs that did not complete.

    liquids: by the pump's number as text, what the plan asks of it in nL (plan.compiled.Liquid as a dict).
    """

    number: int
    name: str
    inputs: dict[str, str]
    status: str = WAITING
    folder: str = ""
    earlier: tuple[str, ...] = ()
    started_utc: str | None = None
    ended_utc: str | None = None
    error: str | None = None
    liquids: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """A campaign in its folder. inputs: those given for all points (--set); status as of a run, or running."""

    folder: Path
    name: str
    title: str
    source: str
    plan_sha256: str
    inputs: dict[str, str]
    rig: str
    created_utc: str
    status: str
    points: tuple[PointRun, ...]

    @property
    def plan(self) -> Path:
        """The plan as it was when the campaign began; every point is run from it."""
        return self.folder / PLAN_FILE

    @property
    def next(self) -> PointRun | None:
        """The first point that is not completed."""
        return next((point for point in self.points if point.status != COMPLETED), None)

    @property
    def done(self) -> int:
        return sum(point.status == COMPLETED for point in self.points)

    def with_point(self, changed: PointRun, status: str | None = None) -> Campaign:
        """Return the campaign with one point changed, on disk already."""
        points = tuple(changed if point.number == changed.number else point for point in self.points)
        return replace(self, points=points, status=status or self.status).written()

    def written(self) -> Campaign:
        """Write campaign.json. Raises OSError."""
        facts = {key: value for key, value in asdict(self).items() if key != "folder"}
        text = json.dumps({"campaign_version": VERSION, **facts}, indent=2) + "\n"
        write_whole(self.folder / FILE_NAME, text.encode("ascii"))
        return self


def begin(
    folder: Path,
    *,
    name: str,
    title: str,
    plan_text: str,
    points: Sequence[Point],
    inputs: dict[str, str],
    rig: str,
    now: str,
    source: str | None = None,
) -> Campaign:
    """Make the folder of a campaign that is about to begin. Raises FileExistsError when there is one, OSError."""
    folder.mkdir(parents=True, exist_ok=False)
    write_whole(folder / PLAN_FILE, plan_text.encode())
    runs = tuple(PointRun(point.number, point.name, point.inputs) for point in points)
    return Campaign(folder, name, title, source or "", _hash(plan_text), inputs, rig, now, RUNNING, runs).written()


def read(folder: Path) -> Campaign:
    """Return the campaign of a folder. Raises RigError(STORE_CORRUPT) when there is none that can be read."""
    path = folder / FILE_NAME
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if facts.pop("campaign_version") != VERSION:
            raise ValueError("it was written by another version of remnant")
        points = tuple(PointRun(**{**point, "earlier": tuple(point["earlier"])}) for point in facts.pop("points"))
        return Campaign(folder=folder, points=points, **facts)
    except FileNotFoundError:
        text = f"{folder} is no campaign: it has no {FILE_NAME}. Name the folder that `remnant run` made for a plan with sweep"
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        text = f"{path} cannot be read ({error})"
    raise RigError(codes.STORE_CORRUPT, where=str(path), text=text)


def take_up(folder: Path, plan_text: str | None = None, inputs: dict[str, str] | None = None) -> Campaign:
    """Return the campaign of a folder as it can be gone on with: what was running when its host died is looked at and told.

    plan_text, inputs: what it is to be gone on with; they must be those it began with. Raises RigError(PLAN_INVALID | STORE_CORRUPT).
    """
    campaign = read(folder)
    if plan_text is not None and _hash(plan_text) != campaign.plan_sha256:
        text = (
            f"{folder} was begun with another text of this plan. Go on with {campaign.plan}, or begin a campaign of its own without --into"
        )
        raise RigError(codes.PLAN_INVALID, where=str(folder), text=text)
    if inputs and inputs != campaign.inputs:
        was = ", ".join(f"{name}={value}" for name, value in campaign.inputs.items()) or "none"
        text = f"{folder} was begun with other inputs ({was}). Leave --set out, or begin a campaign of its own without --into"
        raise RigError(codes.PLAN_INVALID, where=str(folder), text=text)
    for point in campaign.points:
        if point.status == RUNNING:
            campaign = campaign.with_point(replace(point, status=_found(folder / point.folder)))
    return campaign


def folder_of(point: PointRun, campaign: Campaign) -> str:
    """Return the name of a new run folder for a point: its number, the first value that varies, and a number where that is taken."""
    varied = (value for name, value in point.inputs.items() if len({other.inputs.get(name) for other in campaign.points}) > 1)
    stem = f"{point.number:02}-{re.sub(r'[^A-Za-z0-9.]+', '-', next(varied, 'point'))[:40].strip('-')}"
    taken, name = 1, stem
    while (campaign.folder / name).exists():
        taken += 1
        name = f"{stem}-{taken}"
    return name


def _found(folder: Path) -> str:
    """Return what a run ended as whose host died, from its folder; WAITING when it had not begun."""
    if not folder.is_dir():
        return WAITING
    try:
        recover(folder)
        return str(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["status"])
    except (RigError, OSError, ValueError, KeyError):  # it died before the journal was one
        return BOARD_LOST


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
