"""A rig by hand: `async with open_rig("virtual") as rig: await rig.heater.ramp_to(80.0, ramp_c_per_min=5.0)`.

Every method returns when the board has carried out what was asked, with what it measured; it raises RigError when the board refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import fmean, stdev
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from . import units
from .board import Board, Executed
from .errors import explain
from .link import Batch, find_again, resolve_port, serial_number_of
from .virtual import SIMULATED, VirtualBoard

BY_HAND = 65535  # the probe number of readings taken by hand


@dataclass(frozen=True)
class Reading:
    """A probe of one cell: signal = mean of (lit - dark) / monitor over pulses, dimensionless; its standard error."""

    cell: int
    signal: float
    standard_error: float
    temp_c: float


class Heater:
    """The block's heater, by hand."""

    def __init__(self, board: Board):
        self._board = board

    async def ramp_to(self, temp_c: float, ramp_c_per_min: float = 0.0) -> Executed:
        """Go to temp_c (degC) and return once there (+- 1 degC); ramp 0: as fast as it heats."""
        arguments = (m.HEATER, round(temp_c * 1000), round(ramp_c_per_min * 1000))
        return await self._board.executed(await self._board.command(*arguments))

    async def off(self) -> Executed:
        return await self._board.executed(await self._board.command(m.HEATER, None, 0))


class Lamp:
    """The stress light, by hand."""

    def __init__(self, board: Board):
        self._board = board

    async def on(self, irradiance_mw_per_cm2: float) -> Executed:
        """Hold this irradiance; returns after 1 s with what the monitor measures (uW/cm2)."""
        return await self._board.executed(await self._board.command(m.LAMP, round(irradiance_mw_per_cm2 * 1000)))

    async def off(self) -> Executed:
        return await self._board.executed(await self._board.command(m.LAMP, 0))


class Pump:
    """One pump, by hand."""

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


class Pumps(dict[str | int, Pump]):
    """Pumps by number, counted from 1 as in plans, and by the names given to `open_rig`."""

    def __missing__(self, key: object) -> Pump:
        raise RigError(codes.PUMP_UNKNOWN, value=key, limit=", ".join(str(known) for known in self))


class Rig:
    """An open rig: board, heater, lamp, pumps. simulation: facts of a virtual one, else None.

    reopen: where its port is when the line has gone; None: a board that was started here does not come back.
    """

    def __init__(
        self,
        board: Board,
        records: Records,
        pumps: Mapping[str, int],
        virtual: VirtualBoard | None,
        reopen: Callable[[], str] | None = None,
    ):
        self.board = board
        self.reopen = reopen
        self.virtual = virtual
        self.simulation = _simulation(virtual)
        self.heater = Heater(board)
        self.lamp = Lamp(board)
        self.pumps = Pumps({number: Pump(board, number - 1) for number in range(1, board.description.get("pumps", 0) + 1)})
        for name, number in pumps.items():
            self.pumps[name] = self.pumps[number]
        self._records = records

    def records_to(self, journal: Callable[[Batch], None] | None) -> None:
        """Hand every batch of records to `journal` (in the reader thread), which tells the board what is committed; None: to nobody."""
        self._records.journal = journal

    @property
    def by_hand(self) -> bool:
        """True when what nobody records is acknowledged all the same."""
        return self._records.board is not None

    def forget_records(self) -> None:
        """The rig is free: what nobody has recorded may be forgotten, now and from now on."""
        self._records.by_hand(self.board)

    def leave_records(self) -> None:
        """What comes from now on is acknowledged by nobody: the board keeps it for the next host."""
        self._records.journal = self._records.board = None

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


class Records:
    """Where records go: nowhere and unacknowledged until the rig is known to be free, then to a journal, or, by hand, to nobody.

    The history of a board is left to journals: it may be of a run, and it goes nowhere.

    What nobody keeps is acknowledged all the same; else the board would keep it, and a virtual one would wait for the backlog to go.
    """

    def __init__(self) -> None:
        self.journal: Callable[[Batch], None] | None = None
        self.board: Board | None = None
        self._newest = 0

    def by_hand(self, board: Board) -> None:
        """From now on the board may forget what no journal wants."""
        self.board = board
        board.link.committed(self._newest)

    def take(self, batch: Batch) -> None:
        """Reader thread."""
        if batch.records:
            self._newest = batch.records[-1][0]
        if self.journal:
            self.journal(batch)
        elif self.board and batch.records:
            self.board.committed(batch.boot_id, self._newest)


@contextlib.asynccontextmanager
async def open_rig(
    spec: str = "virtual", pumps: Mapping[str, int] | None = None, *, as_it_is: bool = False, **scenario: Any
) -> AsyncIterator[Rig]:
    """Open a rig: "virtual", "emulated", a port, or a USB serial number. pumps: names for pump numbers, {"antisolvent": 1}.

    as_it_is: whatever it is doing; else it must be ready, and what it told nobody is forgotten. `scenario` (seed, cells, speed, faults ...)
    is for a simulated one. Raises RigError when there is none, it is none, or it is busy. Leaving the block closes the port; a virtual
    board ends with it.
    """
    records = Records()
    virtual = reopen = None
    if spec in SIMULATED:
        virtual = await asyncio.to_thread(SIMULATED[spec](**scenario).start)
        path = virtual.port
    else:
        path = resolve_port(spec)
        reopen = partial(find_again, spec, await asyncio.to_thread(serial_number_of, path))
    try:
        try:
            board = await Board.connect(path, records.take)
        except RigError as error:
            if virtual:
                raise RigError(codes.NOT_STARTED, where=virtual.log().strip().rpartition("\n")[2][:400] or explain(error)) from None
            raise
        try:
            if not as_it_is:
                await board.ready()
                records.by_hand(board)
            yield Rig(board, records, pumps or {}, virtual, reopen)
        finally:
            await asyncio.to_thread(board.close)
    finally:
        if virtual:
            await asyncio.to_thread(virtual.close)


def _simulation(virtual: VirtualBoard | None) -> dict[str, Any] | None:
    if virtual is None:
        return None
    facts = {key: virtual.scenario[key] for key in ("seed", "speed", "cells", "faults")}
    return {"rig": virtual.KIND, "interpreter": virtual.description, **facts}
