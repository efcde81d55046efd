"""Take up a run that goes on on the board, or has ended or been interrupted there, by whatever host it was begun.

Its folder is found by the run's id in run.sqlite; a run that no folder knows gets a new one. A run that the board no longer names is looked
for among the folders of this board that have no end yet: its last records may still be in the board's ring or flash.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from ..plan import StepInfo
from ..record import FILE_NAME, Journal
from ..record.finish import write_whole
from ..record.span import find_span, open_journal
from ..rig import Rig
from .execute import RunResult, begun, concluded
from .follow import Following, Person
from .manifest import now, of_stranger, refuse_full_disk, rig_toml
from .progress import Follower


@dataclass(frozen=True)
class Kept:
    """A folder with a journal: the manifest as it was noted; start: id, run and boot of its START; began, ended: whether these records
    are there."""

    folder: Path
    manifest: dict[str, Any]
    start: dict[str, Any] | None
    began: bool
    ended: bool

    @property
    def run_id(self) -> bytes:
        return bytes.fromhex(self.manifest["run_id"])


def kept_runs(out: Path) -> list[Kept]:
    """Every run in `out`, the newest first; what is no journal is left out."""
    found = []
    for path in out.glob(f"*/{FILE_NAME}"):
        with contextlib.suppress(sqlite3.Error, OSError, ValueError, KeyError, TypeError):
            found.append((path.stat().st_mtime, _kept(path.parent)))
    return [kept for _, kept in sorted(found, key=lambda pair: pair[0], reverse=True) if kept]


def _kept(folder: Path) -> Kept | None:
    with contextlib.closing(open_journal(folder)) as connection:
        meta = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('manifest', 'start')"))
        if "manifest" not in meta:
            return None
        manifest = json.loads(meta["manifest"])
        span = find_span(connection, bytes.fromhex(manifest["run_id"]))
    start = json.loads(meta["start"]) if "start" in meta else None
    return Kept(folder, manifest, start, span is not None, span is not None and span.extent.ended is not None)


def folder_of(rig: Rig, out: Path) -> Kept | None:
    """The folder of the run that the board names; when it names none, the newest of this board that has no end."""
    welcome = rig.board.welcome
    assert welcome
    runs = kept_runs(out)
    if welcome.run_id:
        return next((kept for kept in runs if kept.run_id == welcome.run_id), None)
    return next((kept for kept in runs if not kept.ended and kept.manifest.get("board", {}).get("uid") == welcome.uid), None)


async def attach(rig: Rig, out: Path, person: Person) -> RunResult:
    """Follow the run that the board is at, or fetch what it still has of the last one. `rig` is opened `as_it_is`.

    Raises RigError(WRONG_STATE) when there is neither.
    """
    kept, going_on = _sought(rig, out)
    return await _followed(rig, kept, person, going_on, may_start=True)


async def resume(rig: Rig, kept: Kept, person: Person, dark_s: int, exposure_mj_per_cm2: int) -> RunResult:
    """Have an interrupted run go on, then follow it. dark_s: how long its outputs were off; exposure: of its newest record.

    Raises RigError(RESUME_WINDOW | RESUME_NOTHING | WRONG_STATE) as the board refuses.
    """
    return await _followed(rig, kept, person, True, (m.RESUME_RUN, kept.run_id, dark_s, exposure_mj_per_cm2))


async def fetch(rig: Rig, kept: Kept, person: Person) -> RunResult:
    """Bring what the board has of a run into its folder, without waiting for its end."""
    return await _followed(rig, kept, person, False)


def _sought(rig: Rig, out: Path) -> tuple[Kept, bool]:
    welcome = rig.board.welcome
    assert welcome
    kept = folder_of(rig, out)
    if kept is None:
        if not welcome.run_id:
            text = f"no run is going on on the board {welcome.uid}, and none in {out} waits for its end"
            raise RigError(codes.WRONG_STATE, where=rig.board.path, value=welcome.state, text=text)
        kept = _stranger(rig, out)
    return kept, bool(welcome.run_id) and not welcome.interrupted


def _stranger(rig: Rig, out: Path) -> Kept:
    """A new folder for a run that nobody here knows."""
    welcome = rig.board.welcome
    assert welcome
    folder = out / f"run-{welcome.run_id.hex()[:12]}"
    refuse_full_disk(folder)
    folder.mkdir(parents=True)
    write_whole(folder / "rig.toml", rig_toml(rig).encode())
    return Kept(folder, of_stranger(rig, welcome.run_id), None, False, False)


async def _followed(
    rig: Rig, kept: Kept, person: Person, going_on: bool, command: tuple[Any, ...] | None = None, may_start: bool = False
) -> RunResult:
    board, manifest = rig.board, kept.manifest
    assert board.welcome
    steps = [StepInfo(**{key: step[key] for key in ("index", "name", "text", "planned_s", "times")}) for step in manifest["steps"]]
    follower = partial(Follower, steps, manifest.get("prompts", []))
    journal = Journal(kept.folder, keeper=board, run_id=kept.run_id, joined=kept.start is None)
    if kept.start is None:
        journal.note("joined", True)
        journal.note("manifest", manifest)
    journal.note("attached", {"utc": now(), "boot_id": board.welcome.boot_id})
    number = None
    start = kept.start
    if may_start and start and not kept.began and not board.welcome.run_id and start["boot_id"] == board.welcome.boot_id:
        command, number = (m.START, kept.run_id), start["id"]  # its REPLY never came; the board answers the same id once more
    error = None
    try:
        async with Following(rig, journal, follower, person, going_on or command is not None, joined=True) as following:
            error = await begun(following, *command, number=number) if command else None
            error = error or await following.to_the_end()
    except RigError:
        if kept.start is None and not kept.began:
            shutil.rmtree(kept.folder, ignore_errors=True)
        raise
    return await concluded(kept.folder, manifest, error)
