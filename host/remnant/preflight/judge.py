"""From what the player met to what a person is told: the step, what it asks, what the rig can do, what to write instead."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

from .. import units
from ..errors import Problem, explain
from ..plan import Compiled
from ..plan.disassemble import condition_words
from .places import Places

_BEHIND_S = 10.0  # a ramp that waited for the block this long is one that the heater cannot follow
PROBE_SHARE_MAX = 0.01


class Judge:
    """`refused` and `warnings`, in the order of the program; each step is told once of each thing, whatever its passes."""

    def __init__(self, compiled: Compiled, places: Places, block: dict[str, float], ambient_c: float):
        self._compiled = compiled
        self._places = places
        self._block = block
        self._ambient_c = ambient_c
        self.refused: list[Problem] = []
        self.warnings: list[Problem] = []
        self._said: set[tuple[Any, ...]] = set()

    def troubles(self, troubles: Iterable[dict[str, Any]]) -> None:
        """Judge what the player noted while it played."""
        for trouble in troubles:
            kind, step = trouble["trouble"], trouble["step"]
            if self._first(kind, step, trouble.get("pump"), trouble.get("code")):
                getattr(self, f"_{kind}")(step, trouble)

    def steps(self, steps: Iterable[dict[str, Any]]) -> None:
        """Judge what became of the steps: ramps that were not followed, light that was not reached."""
        for step in steps:
            index = step["step"]
            if step["behind_s"] > _BEHIND_S and self._first("ramp", index):
                self._ramp(index, step)
            if step["dim_uw"] is not None and self._first("dim", index):
                self._dim(index, step)

    def _first(self, *what: Any) -> bool:
        known = what in self._said
        self._said.add(what)
        return not known

    def _refuse(self, index: int | None, text: str, hint: str) -> None:
        self.refused.append(self._places.problem(index, text, hint))

    def _text(self, index: int) -> str:
        return next((info.text for info in self._compiled.steps if info.index == index), f"step {index}")

    # ---- heat and light

    def _ramp(self, index: int, step: dict[str, Any]) -> None:
        to_c, asked = step["target_c"], step["rate_c_per_min"]
        block, ambient_c = self._block, self._ambient_c
        loss_k_per_min = block["loss_w_per_k"] * (to_c - ambient_c) / block["j_per_k"] * 60
        if step["behind_s"] and to_c >= step["from_c"]:
            able = block["heater_w"] / block["j_per_k"] * 60 - loss_k_per_min
            choice = math.floor(able * 10 * 0.95) / 10  # a little below: the loop needs room
            self._refuse(
                index,
                f"{self._text(index)}: the heater cannot follow; towards {to_c:g} degC the block gains {able:.1f} degC/min at most.",
                f"Write rate: {choice:g} degC/min or less, or leave the rate out.",
            )
            return
        needs, ramp = (step["ended_s"] - step["began_s"]) / 60, abs(to_c - step["from_c"]) / asked
        self.warnings.append(
            self._places.problem(
                index,
                f"{self._text(index)}: cooling is passive; the block needs {needs:.0f} min, the ramp alone would take {ramp:.0f} min.",
                f"Towards {to_c:g} degC it loses {loss_k_per_min:.1f} degC/min by itself: ramp slower, or leave the rate out.",
            )
        )

    def _dim(self, index: int, step: dict[str, Any]) -> None:
        able = step["dim_uw"] / 1000
        self._refuse(
            index,
            f"{self._text(index)}: beyond the lamp, which gives {able:.1f} mW/cm2 at full duty once it is warm.",
            f"Choose {math.floor(able * 0.98):g} mW/cm2 or less.",
        )

    # ---- liquids

    def _travel(self, index: int, trouble: dict[str, Any]) -> None:
        pump, asked = self._pump(trouble["pump"]), trouble["wanted_nl"]
        wanted, left, holds = (_ml(trouble[key]) for key in ("wanted_nl", "left_nl", "syringe_nl"))
        after = f"{trouble['t_s']:.0f} s after the run's start"
        if asked > trouble["syringe_nl"]:
            text = f"{wanted} are more than the syringe of {pump} holds ({holds})."
            hint = "Divide it, with a refill between, or fit a larger one."
        elif trouble["infuses"]:
            rest = f"it has {left} of {holds} left and {wanted} are asked." if asked else "the flow is to go on."
            text, hint = f"the syringe of {pump} is empty {after}: {rest}", "Refill it before (withdraw), or infuse less."
        else:
            rest = f"there is room for {left} and {wanted} are asked." if asked else "the flow is to go on."
            text, hint = f"the syringe of {pump} is full {after}: {rest}", "Infuse before, or withdraw less."
        self._refuse(index, f"{self._text(index)}: {text}", hint)

    def _refused(self, index: int, trouble: dict[str, Any]) -> None:
        code = trouble["code"]
        if code == codes.PUMP_FLOW_LIMIT:
            able, asked = trouble["limit"] * 60e-6, trouble["value"] * 60e-6
            self._refuse(
                index,
                f"{self._text(index)}: {asked:.4g} mL/h is beyond {self._pump(trouble['pump'])}; its motor and syringe do {able:.4g} mL/h.",
                f"Choose {_floor(able):g} mL/h or less, or a wider syringe.",
            )
        elif code == codes.PUMP_NOT_CALIBRATED:
            self._refuse(
                index,
                f"{self._text(index)}: {self._pump(trouble['pump'])} is not calibrated.",
                "Tell the board its syringe, or use another pump.",
            )
        else:
            what = {m.HEATER: "the heater", m.LAMP: "the lamp", m.PROBE: "the probe"}.get(trouble["op"], "the board")
            error = RigError(code, value=trouble["value"], limit=trouble["limit"], where=what)
            self._refuse(index, f"{self._text(index)}: {what} would refuse it: {explain(error)}", "Change that step.")

    def _pump(self, index: int) -> str:
        return f"pump {index + 1}"

    # ---- waits

    def _timeout(self, index: int, trouble: dict[str, Any]) -> None:
        condition = next((one for one in trouble["conditions"] if one[0] != p.TIMEOUT), trouble["conditions"][0])
        limit = units.show(trouble["limit_ms"], units.DURATION)
        reason, hint = f"what it waits for does not come ({condition_words(condition)})", "Change the condition."
        if condition[0] == p.TEMPERATURE:
            reason = f"the block does not settle at {units.show(condition[1], units.TEMPERATURE)} in a room of {self._ambient_c:g} degC"
            cold = (condition[1] + condition[2]) / 1000 <= self._ambient_c
            above = f"It cannot cool below the room: choose {math.ceil(self._ambient_c)} degC or more."
            hint = above if cold else "Choose another temperature."
        self._refuse(index, f"{self._text(index)}: {reason}; the wait would end with a fault after {limit}.", hint)

    def _endless(self, index: int, trouble: dict[str, Any]) -> None:
        words = " or ".join(condition_words(condition) for condition in trouble["conditions"])
        self._refuse(
            index,
            f"{self._text(index)}: this may never end: nothing in it brings about that {words}.",
            "Give it a time beside, e.g. time: 4 h.",
        )

    def _fault(self, index: int, trouble: dict[str, Any]) -> None:
        error = RigError(trouble["code"], where="the board", value=trouble["value"], limit=trouble["limit"])
        self._refuse(index, f"{self._text(index)}: the board would stop here: {explain(error)}", "Change this step or the one before.")

    # ---- what is worth a thought

    def tubing(self, number: int, name: str, dispensed_nl: int, primed_nl: int, dead_nl: int, step: int | None) -> None:
        """Warn when the first of what is dispensed only fills the tubing."""
        if dispensed_nl and primed_nl < 0.99 * dead_nl:  # priming is exact to half a step
            text = f"{name}: the first {_ml(dead_nl - primed_nl)} of what pump {number} dispenses fill the tubing and do not arrive."
            self.warnings.append(self._places.problem(step, text, f"Prime it before: prime: {{pump: {name}, flow: 60 mL/h}}."))

    def probing(self, share: float | None) -> None:
        """Warn when the light of probing is more than a hundredth of the exposure."""
        if share is not None and PROBE_SHARE_MAX < share < 1 and self._compiled.stress in ("light", "heat and light"):
            text = f"probing adds {share * 100:.1f} % to the radiant exposure; more than {PROBE_SHARE_MAX * 100:g} % is worth a thought."
            self.warnings.append(self._places.problem(None, text, "Probe less often or with fewer pulses."))


def _ml(volume_nl: int) -> str:
    """A volume to the microlitre."""
    return f"{round(volume_nl / 1e6, 3):g} mL"


def _floor(value: float) -> float:
    """Three digits, rounded down."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.floor(value / unit) * unit
