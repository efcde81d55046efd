"""How long a step goes on that may end early, as far as `stop when` tells beforehand."""

from __future__ import annotations

import math
from typing import Any

from .check import body_s
from .dosing import doses_of, flows_of
from .model import Plan
from .steps import ExposeStep, FlowStep
from .stops import EXPOSURE, TIME, VOLUME_OF


def volumes_in(step: Any, plan: Plan) -> dict[int, int]:
    """Return {pump from 1: nL} of the volumes that end the step."""
    matches = [(VOLUME_OF.fullmatch(key), value) for key, value in (step.stop_when or {}).items()]
    return {plan.pump_number(match[1]): int(value) for match, value in matches if match}


def stopped_s(step: Any, lasts_s: float, plan: Plan) -> float:
    """Return the seconds until the first of the step's ends; a remnant PL and a temperature come when they come."""
    stops = step.stop_when or {}
    if TIME in stops:
        lasts_s = min(lasts_s, stops[TIME] / 1000)
    if EXPOSURE in stops and isinstance(step, ExposeStep):
        lasts_s = min(lasts_s, stops[EXPOSURE] * 1000 / step.expose.irradiance)
    flows = flows_of(step, plan) if isinstance(step, FlowStep) else {}
    every = step.every
    for pump, volume in volumes_in(step, plan).items():
        doses = [dose for inner in (every.do if every else ()) for dose in doses_of(inner, plan) if dose[0] == pump]
        if pump in flows:
            lasts_s = min(lasts_s, volume / abs(flows[pump]) * 60)
        elif every and doses:
            per_round = sum(dose[1] for dose in doses)
            whole = math.ceil(volume / per_round) - 1
            last_s = _until(pump, volume - whole * per_round, every.do, plan)
            lasts_s = min(lasts_s, whole * every.period / 1000 + last_s)
    return lasts_s


def _until(pump: int, volume: int, body: tuple[Any, ...], plan: Plan) -> float:
    """Return the seconds from the beginning of a round until the pump has moved `volume` in it."""
    seconds = 0.0
    for inner in body:
        for number, dose, flow, _ in doses_of(inner, plan):
            if number == pump:
                if volume <= dose:
                    return seconds + volume / flow * 60
                volume -= dose
        seconds += body_s((inner,), plan)
    return seconds
