"""Commands by hand over a bad line: what the host was told against what the board says it did."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hosts import Host
from tap import Truth
from trial import Stage
from verdict import Verdict, unpacked

from remnant import open_rig
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

DOSES = 12
DOSE_NL = 2_000
FLOW_NL_PER_MIN = 2_000_000
WAIT_S = 40.0


def doses_by_hand(stage: Stage) -> dict[str, Any]:
    """DOSES times DISPENSE; every command is known by its id, so none may be executed twice and none that was confirmed left out."""
    kept = stage.folder / "told.json"
    host = Host(lambda: asyncio.run(_dose(stage.link, kept)), stage.folder / "hand.txt")
    stage.hosts.append(host)
    if host.wait(WAIT_S) is None:
        raise RuntimeError(f"the doses were not over after {WAIT_S:.0f} s: {host.said()[-200:]!r}")
    if not kept.exists():
        raise RuntimeError(f"no rig could be opened: {host.said()[-200:]!r}")
    stage.cable.do("damage")
    told = json.loads(kept.read_text())
    return {"later": lambda truth: _judged(truth, told)}


async def _dose(link: str, kept: Path) -> int:
    done, unanswered = [], 0
    async with open_rig(link) as rig:
        for _ in range(DOSES):
            try:
                accepted = await rig.board.command(m.DISPENSE, 0, DOSE_NL, FLOW_NL_PER_MIN, True)
            except RigError as error:
                if error.code not in (codes.NO_ANSWER, codes.PUMP_BUSY):
                    raise
                unanswered += 1
                await asyncio.sleep(0.05)
                continue
            async with asyncio.timeout(WAIT_S / 2):
                done.append(list((await rig.board.executed(accepted)).measured))
    kept.write_text(json.dumps({"done": done, "unanswered": unanswered}))
    return 0


def _judged(truth: Truth, told: dict[str, Any]) -> Verdict:
    verdict = Verdict(records=len(truth.records), status="by hand")
    executed = Counter()
    steps = {}
    for body in truth.records.values():
        fields = unpacked(body)
        if fields[0] == m.EXECUTED and fields[5] == m.DISPENSE:
            executed[fields[4]] += 1
            steps[fields[4]] = fields[9:]
    verdict.twice = sum(count - 1 for count in executed.values())
    if len(executed) > len(told["done"]) + told["unanswered"]:
        verdict.twice += len(executed) - len(told["done"]) - told["unanswered"]
    if len(executed) < len(told["done"]):
        verdict.why.append(f"{len(told['done'])} doses were confirmed, {len(executed)} are in the records")
    return verdict
