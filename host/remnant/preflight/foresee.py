"""Play a compiled plan ahead of time and say what a run will be like: `foresee(plan, compiled, limits) -> Forecast`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from remnant_protocol import program as p

from ..errors import Problem
from ..plan import Compiled, Plan
from . import boiling
from .forecast import Forecast, Liquid, Passage
from .judge import Judge
from .mixing import Mixing, mixings
from .places import Places
from .playing import Played, played
from .storage import disk_bytes, spool_of

_CURVE_POINTS = 400


@dataclass(frozen=True)
class Assumptions:
    """What a forecast takes for granted of a rig; everything is told with it.

    heat_capacity_tolerance, heater_power_tolerance: +- of the block's and heater's values; ambient_tolerance_c: +- of the room. settings:
    by key (firmware/rig/settings.py), where the board's differ from the virtual board's: syringes, gains. Watts: what a driven part takes.
    """

    ambient_c: float = 22.0
    ambient_tolerance_c: float = 3.0
    heat_capacity_tolerance: float = 0.1
    heater_power_tolerance: float = 0.1
    lamp_w: float = 3.0
    pump_w: float = 5.0
    board_w: float = 0.5
    settings: Mapping[int, int] = field(default_factory=dict)


def foresee(
    plan: Plan,
    compiled: Compiled,
    limits: Mapping[str, int],
    assumptions: Assumptions | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Forecast:
    """Return the forecast of a checked plan on a board with these limits. `on_progress` is told seconds of the run as they are played.

    What cannot be done is in `Forecast.refused`; nothing is raised for it. Raises RigError when the player does not start.
    """
    given = assumptions or Assumptions()
    job = {
        "program": compiled.program,
        "limits": dict(limits),
        "settings": dict(given.settings),
        "holds_nl": {pump - 1: held for pump, held in _held(plan).items()},
        "ambient_c": given.ambient_c,
        "curve_s": max(1.0, compiled.duration_s / _CURVE_POINTS),
        "plays": list(_plays(given)),
    }
    result = played(job, on_progress)
    return _forecast(plan, compiled, given, result)


def _plays(given: Assumptions) -> Iterable[dict[str, float]]:
    """The nominal rig, then the corners of the tolerances: a larger block with a weaker heater is slower and the reverse is faster whatever
    the room, so these four hold every other rig between them."""
    yield {}
    if not (given.heat_capacity_tolerance or given.heater_power_tolerance or given.ambient_tolerance_c):
        return
    for slow in (1, -1):
        for room in (1, -1):
            yield {
                "capacity": 1 + slow * given.heat_capacity_tolerance,
                "power": 1 - slow * given.heater_power_tolerance,
                "ambient_c": given.ambient_c + room * given.ambient_tolerance_c,
            }


def _held(plan: Plan) -> dict[int, int]:
    """What the plan says is in a syringe, in nL by the pump's number."""
    return {pump.pump: int(pump.holds) for pump in plan.pumps.values() if pump.holds is not None}


def _forecast(plan: Plan, compiled: Compiled, given: Assumptions, result: Played) -> Forecast:
    total = result.totals[0]
    durations = [one["duration_s"] for one in result.totals]
    places = Places(plan)
    judge = Judge(compiled, places, total["block"], given.ambient_c)
    judge.troubles(result.trouble)
    judge.steps(result.steps)
    steps = tuple(_passages(compiled, result))
    hottest_c = max((step.peak_c for step in steps), default=0.0)
    peak = next((step for step in steps if step.peak_c >= hottest_c - 0.1), None)
    liquids = tuple(_liquids(plan, compiled, result))
    for liquid in liquids:
        first = next((step.index for step in steps if liquid.pump in step.infused_nl), None)
        judge.tubing(liquid.pump, liquid.name, liquid.dispensed_nl, liquid.primed_nl, liquid.dead_volume_nl, first)
    exposure_j, probing_j = _exposures(compiled, total)
    share = max(probing_j.values()) / max(exposure_j.values()) if exposure_j and max(exposure_j.values()) > 0 else None
    judge.probing(share)
    boils = list(boiling.judged(plan, compiled, places, total["peak_c"], peak.index if peak else None))
    warnings = [*judge.warnings, *(found for found in boils if isinstance(found, Problem))]
    mixed = list(mixings(plan, places))
    notes = [found for found in (*boils, *mixed) if isinstance(found, str)]
    at_most = _conditions(compiled.program[5], p.REMNANT_BELOW)
    waits = tuple(_waits(compiled))
    notes += _notes(total, result, at_most, waits)
    return Forecast(
        title=plan.title,
        duration_s=total["duration_s"],
        shortest_s=min(durations),
        longest_s=max(durations),
        at_most=at_most,
        complete=total["complete"],
        steps=steps,
        peak_c=total["peak_c"],
        peak_step=peak.index if peak else None,
        exposure_j_per_cm2=exposure_j,
        probe_exposure_j_per_cm2=probing_j,
        liquids=liquids,
        mixings=tuple(one for one in mixed if isinstance(one, Mixing)),
        energy_j={
            "heater": round(total["heater_j"], 1),
            "lamp": round(total["lamp_full_s"] * given.lamp_w, 1),
            "pumps": round(sum(total["moving_s"]) * given.pump_w, 1),
            "board": round(total["duration_s"] * given.board_w, 1),
        },
        disk_bytes=disk_bytes(total),
        spool=spool_of(total),
        waits_for=waits,
        refused=tuple(sorted(judge.refused)),
        warnings=tuple(sorted(warnings)),
        notes=tuple(notes),
        assumptions=asdict(given),
        curve=tuple(result.curve),
    )


def _passages(compiled: Compiled, result: Played) -> Iterable[Passage]:
    infos = {info.index: info for info in compiled.steps}
    for step in result.steps:
        info = infos[step["step"]]
        yield Passage(
            index=info.index,
            number=step["pass"],
            name=info.name,
            text=info.text,
            begin_s=step["began_s"],
            end_s=step["ended_s"],
            peak_c=round(step["peak_c"], 2),
            exposure_j_per_cm2=step["exposure_mj"] / 1000,
            probe_exposure_j_per_cm2=step["probe_uj"] / 1e6,
            infused_nl={i + 1: nl for i, nl in enumerate(step["infused_nl"]) if nl},
            withdrawn_nl={i + 1: nl for i, nl in enumerate(step["withdrawn_nl"]) if nl},
        )


def _exposures(compiled: Compiled, total: dict[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Radiant exposure of each cell and what of it is probing: lamp and probe light fall on all cells of the block alike."""
    letters = list(compiled.cells) or ["A"] * bool(total["exposure_mj"])
    return {letter: total["exposure_mj"] / 1000 for letter in letters}, {letter: total["probe_uj"] / 1e6 for letter in letters}


def _liquids(plan: Plan, compiled: Compiled, result: Played) -> Iterable[Liquid]:
    total = result.totals[0]
    words = {info.index: info.word for info in compiled.steps}
    named = {pump.pump: (name, pump) for name, pump in plan.pumps.items()}
    for i, (infused, withdrawn) in enumerate(zip(total["infused_nl"], total["withdrawn_nl"], strict=True)):
        number = i + 1
        if not infused and not withdrawn and number not in named:
            continue
        name, pump = named.get(number, (f"pump {number}", None))
        primed = sum(step["infused_nl"][i] for step in result.steps if words[step["step"]] == "prime")
        if number in compiled.liquids and not primed:  # inside `parallel`, where a step has more than one word
            primed = min(infused, compiled.liquids[number].primed_nl)
        dead = int(pump.dead_volume or 0) if pump else 0
        yield Liquid(
            pump=number,
            name=name,
            liquid=pump.liquid if pump else None,
            dispensed_nl=infused - primed,
            primed_nl=primed,
            withdrawn_nl=withdrawn,
            dead_volume_nl=dead,
            needed_nl=infused,
            steps=total["steps"][i],
            holds_nl=total["syringes_nl"][i],
            refills=total["refills"][i],
        )


def _edge(one: dict[str, Any]) -> str:
    """A play at a corner of the tolerances that did not come to its end."""
    rig = one["variant"]
    return (
        f"it asks for nearly all that the rig can do: with {rig['capacity']:g} times the heat capacity, {rig['power']:g} times the "
        f"heater's power and a room of {rig['ambient_c']:g} degC step {one['at_step']} would end with a fault."
    )


def _conditions(operations: list[Any], kind: int) -> bool:
    """True when a condition of this kind stands anywhere in a program."""
    for operation in operations:
        op = operation[0]
        if op == p.EVERY and (any(c[0] == kind for c in operation[2]) or _conditions(operation[3], kind)):
            return True
        if op == p.WAIT and operation[1][0] == kind:
            return True
        if op in (p.STEP, p.REPEAT) and _conditions(operation[2], kind):
            return True
    return False


def _waits(compiled: Compiled) -> Iterable[tuple[int, str]]:
    """Every step that waits for a person or for a trigger."""
    for operation in _steps(compiled.program[5]):
        for kind, what in ((p.OPERATOR, "a person"), (p.TRIGGER_IN, "a trigger")):
            if _conditions(operation[2], kind):
                yield operation[1], what


def _steps(operations: list[Any]) -> Iterable[list[Any]]:
    for operation in operations:
        if operation[0] == p.STEP:
            yield operation
        elif operation[0] == p.REPEAT:
            yield from _steps(operation[2])


def _notes(total: dict[str, Any], result: Played, at_most: bool, waits: tuple[tuple[int, str], ...]) -> list[str]:
    notes = []
    if at_most:
        notes.append("it may end earlier: a condition on remnant PL is in it, and what the samples do nobody knows before.")
    for what in dict.fromkeys(what for _, what in waits):
        steps = ", ".join(str(step) for step, one in waits if one == what)
        notes.append(f"plus the time that {what} takes (step {steps}).")
    if not total["complete"]:
        notes.append("the forecast ends before the plan does: it was too long to be played to its end.")
    if not (total["timeouts"] or total["faults"]):
        notes += [_edge(one) for one in result.totals[1:] if one["timeouts"] or one["faults"]][:1]
    return notes
