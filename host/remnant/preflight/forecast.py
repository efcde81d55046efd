"""A forecast: what a run of a plan will be like, as frozen values with their units in their names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..errors import Problem
from .mixing import Mixing


@dataclass(frozen=True)
class Passage:
    """One pass of a step. Times in s since the run's start; volumes of each pump (from 1) in nL; exposure by light and probing together."""

    index: int
    number: int
    name: str
    text: str
    begin_s: float
    end_s: float
    peak_c: float
    exposure_j_per_cm2: float
    probe_exposure_j_per_cm2: float
    infused_nl: dict[int, int]
    withdrawn_nl: dict[int, int]

    @property
    def lasts_s(self) -> float:
        return self.end_s - self.begin_s


@dataclass(frozen=True)
class Liquid:
    """What one pump moves. needed_nl: all that leaves the syringe; of it dead_volume_nl stays in the tubing; steps: net, of
    the motor; refills: syringes to be exchanged or
    refilled by a person beyond what the plan withdraws itself."""

    pump: int
    name: str
    liquid: str | None
    dispensed_nl: int
    primed_nl: int
    withdrawn_nl: int
    dead_volume_nl: int
    needed_nl: int
    steps: int
    holds_nl: int
    refills: int


@dataclass(frozen=True)
class Spool:
    """What a host finds that was away all the time. kept_every: 1 while every record is kept, else one telemetry record in so many at
    the end (0: none); whole_s: how long every record is kept; fits: events and readings are all there in the end."""

    records: int
    telemetry: int
    pages: int
    pages_there: int
    whole_s: float
    kept_every: int
    fits: bool


@dataclass(frozen=True)
class Forecast:
    """duration_s is what is expected, from shortest_s to longest_s with the tolerances of `assumptions`; at_most: a condition on remnant PL
    may end it earlier. waits_for: each wait for a person or a trigger, (step, what); their time is not in the duration.

    refused: what cannot be done, as problems of the plan; warnings: what can be done and should be thought about; notes: what to know.
    curve: rows [t_s, setpoint_c or None, block_c, irradiance_uw_per_cm2, exposure_mj_per_cm2, [net infused nl by pump]] for a figure.
    """

    title: str
    duration_s: float
    shortest_s: float
    longest_s: float
    at_most: bool
    complete: bool
    steps: tuple[Passage, ...]
    peak_c: float
    peak_step: int | None
    exposure_j_per_cm2: dict[str, float]
    probe_exposure_j_per_cm2: dict[str, float]
    liquids: tuple[Liquid, ...]
    mixings: tuple[Mixing, ...]
    energy_j: dict[str, float]
    disk_bytes: int
    spool: Spool
    waits_for: tuple[tuple[int, str], ...]
    refused: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]
    assumptions: dict[str, Any]
    curve: tuple[list[Any], ...]

    @property
    def probe_share(self) -> float | None:
        """The part of the radiant exposure that probing adds; None in the dark."""
        whole = max(self.exposure_j_per_cm2.values(), default=0.0)
        probing = max(self.probe_exposure_j_per_cm2.values(), default=0.0)
        return probing / whole if whole else None

    def to_json(self) -> dict[str, Any]:
        """Return everything but the curve, ready for json.dumps."""
        document = asdict(self)
        del document["curve"]
        return {**document, "probe_share": self.probe_share, "ok": not self.refused}
