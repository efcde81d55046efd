"""A rig by hand: `async with open_rig("virtual") as rig: await rig.heater.ramp_to(80.0, ramp_c_per_min=5.0)`.

Every method returns when the board has carried out what was asked, with what it measured; it raises RigError when the board refuses.
"""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from . import units
from .board import Board, Executed
from .link import Batch, resolve_port
from .virtual import VirtualBoard

BY_HAND = 65535  # the probe number of readings taken by hand


@dataclass(frozen=True)
class Reading:
    """A probe of one cell: signal = mean of (lit - dark) / monitor over pulses, dimensionless; its standard error."""

    cell: int
    signal: float
    standard_error: float
    temp_c: float


class Heater:
    def __init__(self, board: Board):
        self._board = board

    async def ramp_to(self, temp_c: float, ramp_c_per_min: float = 0.0) -> Executed:
        """Go to temp_c (degC) and return once there (+- 1 degC); ramp 0: as fast as it heats."""
        arguments = (m.HEATER, round(temp_c * 1000), round(ramp_c_per_min * 1000))
        return await self._board.executed(await self._board.command(*arguments))

    async def off(self) -> Executed:
        return await self._board.executed(await self._board.command(m.HEATER, None, 0))


class Lamp:
    def __init__(self, board: Board):
        self._board = board

    async def on(self, irradiance_mw_per_cm2: float) -> Executed:
        """Hold this irradiance; returns after 1 s with what the monitor measures (uW/cm2)."""
        return await self._board.executed(await self._board.command(m.LAMP, round(irradiance_mw_per_cm2 * 1000)))

    async def off(self) -> Executed:
        return await self._board.executed(await self._board.command(m.LAMP, 0))


class Pump:
    def __init__(self, board: Board, index: int):
        self._board = board
        self._index = index

    async def infuse(self, volume: str, flow: str) -> Executed:
        """Infuse a volume at a flow, both with units ("2 mL", "5000 mL/h"); returns when the last step has been made."""
        return await self._dispense(volume, flow, 1)

    async def withdraw(self, volume: str, flow: str) -> Executed:
        return await self._dispense(volume, flow, -1)

    async def _dispense(self, volume: str, flow: str, sign: int) -> Executed:
        volume_nl, flow_nl_per_min = units.parse(volume, units.VOLUME), units.parse(flow, units.FLOW)
        accepted = await self._board.command(m.DISPENSE, self._index, sign * volume_nl, flow_nl_per_min, True)
        return await self._board.executed(accepted)


class Rig:
    """An open rig: board, heater, lamp, pumps (by number and, from rig.toml, by name). simulation: facts of a virtual one, else None."""

    def __init__(self, board: Board, journals: list[Callable[[Batch], None]], simulation: dict[str, Any] | None, virtual: VirtualBoard | None):
        self.board = board
        self.simulation = simulation
        self.virtual = virtual
        self.heater = Heater(board)
        self.lamp = Lamp(board)
        self.pumps: dict[str | int, Pump] = {i: Pump(board, i) for i in range(board.description.get("pumps", 0))}
        self._journals = journals

    def records_to(self, journal: Callable[[Batch], None] | None) -> None:
        """Hand every batch of records to `journal` (in the reader thread); None: to nobody, and the board keeps them."""
        self._journals[:] = [journal] if journal else []

    async def probe(self, pulses: int = 16, cells: tuple[int, ...] = (0,)) -> list[Reading]:
        """Take a probe; one Reading per cell."""
        bodies: list[list[Any]] = []

        def listen(_seq: int, fields: list[Any]) -> None:
            if fields[0] == m.PROBE_READING:
                bodies.append(fields)

        self.board.listen(listen)
        try:
            accepted = await self.board.command(m.PROBE, BY_HAND, pulses, sum(1 << cell for cell in cells))
            await self.board.executed(accepted)
        finally:
            self.board.unlisten(listen)
        return [_reading(fields, self.board.description.get("monitor_dark_u16", 0)) for fields in bodies]


def _reading(fields: list[Any], monitor_dark: int) -> Reading:
    dark, lit, monitor = (struct.unpack(f"<{len(raw) // 2}H", raw) for raw in fields[8:11])
    signals = [(on - off) / max(light - monitor_dark, 1) for off, on, light in zip(dark, lit, monitor, strict=True)]
    error = stdev(signals) / math.sqrt(len(signals)) if len(signals) > 1 else math.nan
    return Reading(fields[5], fmean(signals), error, fields[6] / 1000)


@contextlib.asynccontextmanager
async def open_rig(spec: str = "virtual", **scenario: Any) -> AsyncIterator[Rig]:
    """Open a rig: "virtual", a port, or a USB serial number. `scenario` (seed, cells, speed, faults ...) is for a virtual one.

    Raises RigError when there is none or it is none. Leaving the block closes the port; a virtual board ends with it.
    """
    journals: list[Callable[[Batch], None]] = []

    def on_records(batch: Batch) -> None:
        for journal in journals:
            journal(batch)

    virtual = None
    if spec == "virtual":
        virtual = VirtualBoard(**scenario).start()
        path = virtual.port
    else:
        path = resolve_port(spec)
    try:
        try:
            board = await Board.connect(path, on_records)
        except RigError as error:
            if virtual:
                raise RigError(codes.NOT_STARTED, where=virtual.log().strip()[-500:] or str(error.code)) from None
            raise
        try:
            await board.ready()
            yield Rig(board, journals, _simulation(virtual), virtual)
        finally:
            board.close()
    finally:
        if virtual:
            virtual.close()


def _simulation(virtual: VirtualBoard | None) -> dict[str, Any] | None:
    if virtual is None or virtual.interpreter is None:
        return None
    facts = {key: virtual.scenario[key] for key in ("seed", "speed", "cells", "faults")}
    return {"interpreter": virtual.interpreter.description, **facts}
