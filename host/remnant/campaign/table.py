"""The table of a campaign: for each point its condition, what flowed, what that makes, and what a spectrometer said of it.

What flows in a point is said by its plan (flow/of_plan.py). Volumes of the step that is kept: requested (flow x time), accepted (the
nearest whole number of steps), measured (steps that left the pin, between its beginning and its end).
"""

from __future__ import annotations

from dataclasses import dataclass

from remnant_protocol.errors import RigError

from ..flow import Condition, Production, Solvent, produced, solvent
from ..flow.of_plan import PRECURSOR, flat, primes, synthesis_of
from ..plan import Plan
from ..record.finish import COMPLETED
from .document import Campaign, PointRun
from .measured import Pumped, read_pumped
from .runner import plan_of
from .spectra import Spectrum, attached


@dataclass(frozen=True)
class Volume:
    """Of one pump in the step that is kept, in mL."""

    requested_ml: float
    accepted_ml: float
    measured_ml: float

    @property
    def deviation_pct(self) -> float:
        """Measured against requested."""
        return 100 * (self.measured_ml / self.requested_ml - 1) if self.requested_ml else 0.0


@dataclass(frozen=True)
class Pump:
    """What one pump did in a whole run, in mL: asked for (all but priming), given (all but priming), primed to waste, drawn in."""

    requested_ml: float
    measured_ml: float
    primed_ml: float
    withdrawn_ml: float


@dataclass(frozen=True)
class Synthesis:
    """What flowed in one point. begun_apart_us: between the starts of the two pumps; let_pass_s: how long the same flows went to waste
    before what was collected."""

    condition: Condition
    production: Production
    volumes: dict[str, Volume]
    begun_apart_us: int | None
    let_pass_s: float
    collected_s: float


@dataclass(frozen=True)
class Row:
    """One point. pumps: by their names in the plan; solvents: of its cells; synthesis: None for a plan without flows of two liquids.
    All of a run that did not complete are empty."""

    point: PointRun
    pumps: dict[str, Pump]
    solvents: tuple[Solvent, ...]
    synthesis: Synthesis | None
    spectra: tuple[Spectrum, ...]


def rows(campaign: Campaign) -> list[Row]:
    """Return a row for each point. Raises RigError(STORE_CORRUPT) for a folder of a completed run that cannot be read."""
    spectra, _ = attached(campaign)
    return [_row(campaign, point, tuple(one for one in spectra if one.point == point.number)) for point in campaign.points]


def _row(campaign: Campaign, point: PointRun, spectra: tuple[Spectrum, ...]) -> Row:
    if point.status != COMPLETED:
        return Row(point, {}, (), None, spectra)
    plan, compiled = plan_of(campaign, point, {})
    solvents = tuple(found for cell in plan.cells.values() if (found := _solvent(cell.solvent)) is not None)
    if not compiled.liquids:
        return Row(point, {}, solvents, None, spectra)
    pumped = read_pumped(campaign.folder / point.folder)
    filling = [number for number, step in enumerate(flat(plan.steps)) if primes(step)]
    pumps = {}
    for number, liquid in compiled.liquids.items():
        primed = sum(_infused(pumped, number, step) for step in filling)
        given, drawn = pumped.infused_nl(number) - primed, pumped.withdrawn_nl(number)
        pumps[liquid.name or str(number)] = Pump(liquid.dispensed_nl / 1e6, given / 1e6, primed / 1e6, drawn / 1e6)
    return Row(point, pumps, solvents, _synthesis(plan, pumped), spectra)


def _solvent(name: str | None) -> Solvent | None:
    try:
        return solvent(name) if name else None
    except RigError:  # a name of the user's own
        return None


def _synthesis(plan: Plan, pumped: Pumped) -> Synthesis | None:
    try:
        asked = synthesis_of(plan)
    except RigError:  # liquids of the user's own, whose properties no table has
        return None
    times = {time.step: time for time in pumped.steps}
    if asked is None or asked.step not in times:
        return None
    kept, first = times[asked.step], times[asked.first_step]
    volumes, starts = {}, []
    for name, flow in asked.flows_nl_per_min.items():
        number = plan.pump_number(name)
        volumes[name] = _volume(pumped, number, flow * asked.collected_s / 60, kept.began_s, kept.ended_s)
        starts.append(pumped.started_us(number, first.began_s))
    apart = None if None in starts else abs(starts[0] - starts[1])
    made = asked.condition
    yielded = produced(made.precursor_ml_per_h, volumes[PRECURSOR].measured_ml)
    return Synthesis(made, yielded, volumes, apart, asked.let_pass_s, asked.collected_s)


def _volume(pumped: Pumped, pump: int, requested_nl: float, from_s: float, to_s: float) -> Volume:
    per_step = pumped.pumps[pump].nl_per_step
    accepted = round(requested_nl / per_step) * per_step if per_step else 0.0
    return Volume(requested_nl / 1e6, accepted / 1e6, pumped.infused_nl(pump, from_s, to_s) / 1e6)


def _infused(pumped: Pumped, pump: int, step: int) -> float:
    return sum(pumped.infused_nl(pump, time.began_s, time.ended_s) for time in pumped.steps if time.step == step)
