"""What a board says, as values: who it is, what it took, what it did, how it is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from typing import Any


@dataclass(frozen=True)
class Welcome:
    """What a board says of itself at HELLO; fields as in protocol/SPEC.md. The last three are there from protocol 1.1 on."""

    major: int
    minor: int
    board: str
    uid: str
    firmware_hash: int
    table_hash: int
    boot_id: int
    reset_cause: int
    state: int
    first_seq: int
    next_seq: int
    description_pages: int
    simulated: bool
    history_pages: int = 0
    run_id: bytes = b""
    interrupted: bool = False


WELCOME_FIELDS = len(fields(Welcome))


@dataclass(frozen=True)
class Accepted:
    """A command the board has taken: requested and accepted arguments, in the units of the wire."""

    id: int
    op: int
    requested: tuple[Any, ...]
    accepted: tuple[Any, ...]


@dataclass(frozen=True)
class Executed:
    """A command the board has carried out: board time of beginning and end (s since boot), what was measured; code 0: as asked."""

    id: int
    op: int
    code: int
    begun_s: float
    ended_s: float
    measured: tuple[Any, ...]


@dataclass(frozen=True)
class Status:
    """The board at this instant: temperatures in mdegC, irradiance in uW/cm2, exposure in mJ/cm2; history_pages: not yet with the host."""

    state: int
    fault_code: int
    temp_mc: int
    setpoint_mc: int
    irradiance_uw_per_cm2: int
    exposure_mj_per_cm2: int
    step: int
    heap_free_bytes: int
    history_pages: int = 0


STATUS_FIELDS = len(fields(Status))


@dataclass(frozen=True)
class ClockPair:
    """One instant on two clocks: board time (us since boot) and UTC (s since 1970), to +- uncertainty_us."""

    boot_id: int
    t_us: int
    utc_s: float
    uncertainty_us: int


class Line(Enum):
    """What has become of the line: LOST; BACK (the same boot); RESET (back, but the board has started anew); REFUSED (something else is
    there: another board, another firmware)."""

    LOST = "lost"
    BACK = "back"
    RESET = "reset"
    REFUSED = "refused"
