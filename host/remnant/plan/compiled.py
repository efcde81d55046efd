"""What a plan becomes: the program for the board, and what the host needs to name and follow it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepInfo:
    """One STEP of the program. planned_s: estimate for all its passes together; times: passes (more than 1 inside repeat); word: the
    word of the language it was written with ("soak")."""

    index: int
    name: str
    text: str
    planned_s: float
    times: int = 1
    word: str = ""


@dataclass(frozen=True)
class ProbeInfo:
    """One probe id of the program.

    reference_c: the temperature (degC) the sample is brought to or held at for it, None where it is read as it is.
    hot: read at another temperature than the plan's reference, so quenching is in the signal.
    """

    id: int
    name: str
    reference_c: float | None
    hot: bool


@dataclass(frozen=True)
class CellInfo:
    """One cell: its channel on the board (0..3), what it holds, which model a virtual rig puts in, and its solvent (None: not said)."""

    index: int
    sample: str
    model: str | None
    solvent: str | None = None


@dataclass(frozen=True)
class Liquid:
    """What a plan asks of one pump, in nL over the whole program with every repetition; names and volumes as the plan says (None: not).

    dispensed: by infuse and flow; primed: to waste; withdrawn: by withdraw and negative flow. A step that may end early counts in full.
    """

    pump: int
    name: str | None
    liquid: str | None
    dispensed_nl: int
    primed_nl: int
    withdrawn_nl: int
    dead_volume_nl: int | None = None
    holds_nl: int | None = None


@dataclass(frozen=True)
class Compiled:
    """A plan, ready for a board.

    program: positional arrays of remnant_protocol.program; data: the same as msgpack. duration_s: estimate. stress: what acts on the
    sample ("heat", "light", "heat and light", "liquid" or "time"). compare: published values, each a dict with cell, at (as written), at_s,
    from_step (index of the step whose beginning is time zero, None: the run's), published, value and scatter (percent or None), source.
    liquids: by the pump's number on the board (from 1), for each pump that is named or used. prompts: what an operator is asked, by number.
    protocol: the one that the report holds the run to.
    """

    program: list[Any]
    data: bytes
    steps: list[StepInfo]
    probes: list[ProbeInfo]
    cells: dict[str, CellInfo]
    duration_s: float
    telemetry_ms: int
    stress: str
    source: str | None
    compare: list[dict[str, Any]]
    liquids: dict[int, Liquid] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    protocol: str | None = None
