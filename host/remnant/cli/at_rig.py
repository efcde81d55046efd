"""A rig at the moment: what it is doing, and the few things that may be asked of it while it does. No record is acknowledged here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from remnant_protocol import messages as m

from ..board import Status, Welcome
from ..rig import open_rig
from ..run import folder_of

STATES = {m.STARTING: "starting", m.READY: "ready", m.RUNNING: "running", m.PAUSED: "paused", m.FAULTED: "faulted"}
SETPOINT_OFF_MC = -300000


def facts_of(spec: str, out: Path) -> dict[str, Any]:
    """What a board says of itself and its run; `folder`: of that run in `out`, None when it is not there. Raises RigError."""

    async def look() -> dict[str, Any]:
        async with open_rig(spec, as_it_is=True) as rig:
            status = await rig.board.started()
            assert rig.board.welcome
            kept = folder_of(rig, out)
            return _facts(rig.board.path, rig.board.welcome, status, str(kept.folder) if kept else None)

    return asyncio.run(look())


def asked(spec: str, op: int) -> int:
    """Have a board do one thing; return the state it is in then. Raises RigError as it refuses."""

    async def ask() -> int:
        async with open_rig(spec, as_it_is=True) as rig:
            await rig.board.started()
            await rig.board.command(op)
            return (await rig.board.status()).state

    return asyncio.run(ask())


def _facts(path: str, welcome: Welcome, status: Status, folder: str | None) -> dict[str, Any]:
    return {
        "port": path,
        "board": welcome.board,
        "uid": welcome.uid,
        "simulated": welcome.simulated,
        "boot_id": welcome.boot_id,
        "state": STATES.get(status.state, str(status.state)),
        "fault_code": status.fault_code or None,
        "temp_c": status.temp_mc / 1000,
        "setpoint_c": None if status.setpoint_mc == SETPOINT_OFF_MC else status.setpoint_mc / 1000,
        "irradiance_mw_per_cm2": status.irradiance_uw_per_cm2 / 1000,
        "exposure_j_per_cm2": status.exposure_mj_per_cm2 / 1000,
        "step": status.step,
        "run_id": welcome.run_id.hex() or None,
        "interrupted": welcome.interrupted,
        "history_pages": status.history_pages,
        "folder": folder,
    }


def lines_of(facts: dict[str, Any]) -> list[str]:
    """The same for people."""
    lines = [f"{facts['port']}: {'SIMULATED ' if facts['simulated'] else ''}{facts['board']} {facts['uid']}"]
    fault = f" (fault {facts['fault_code']})" if facts["fault_code"] else ""
    setpoint = "off" if facts["setpoint_c"] is None else f"set to {facts['setpoint_c']:.1f} degC"
    lines.append(f"state     {facts['state']}{fault}")
    lines.append(f"block     {facts['temp_c']:.1f} degC, heater {setpoint}")
    lines.append(f"light     {facts['irradiance_mw_per_cm2']:.1f} mW/cm2, {facts['exposure_j_per_cm2']:.3f} J/cm2 so far")
    if facts["run_id"]:
        what = "interrupted; `remnant resume` takes it up" if facts["interrupted"] else f"step {facts['step']}; `remnant attach` follows it"
        lines.append(f"run       {facts['run_id']}, {what}")
    if facts["folder"]:
        lines.append(f"folder    {facts['folder']}")
    if facts["history_pages"]:
        lines.append(f"history   {facts['history_pages']} pages that no host has; `remnant attach` fetches them")
    return lines
