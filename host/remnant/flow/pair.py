"""Continuous flow from a pair of syringes: one infuses while the other refills, and at the hand-over the two flows are cross-faded.

A pair needs check valves (or a valve that its pump turns), so that a refill draws from the reservoir. The board has no operation that moves
a flow along a ramp, so a fade is a staircase: each tick one flow is set lower and the other higher by the same amount, in one tick. The sum
of the two setpoints is the flow, exactly; what the liquid does in between is `Pair.ripple_pct`.

A period, each pump once each:
  fade  b -> a     `levels` stairs, the first and the last rise half as high: a motor at rest begins at once, one in motion is late
  hold  a          b: rest, backwards with the stroke, forwards until its screw bears again
  fade  a -> b
  hold  b          a refills
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

NL_PER_MIN = 1e6 / 60  # in a mL/h
TICK_S = 0.1  # the board takes a new flow once a tick
LATENCY_S = (0.02, 0.04)  # until a flow that is changed in motion changes (rig/motion.py: 20 ms stay queued, and the slice that is begun)
START_S = 0.0002  # until a motor at rest begins
REST_S = 0.2  # two ticks for a pump to come to rest before it is turned round
BEARING_ML_PER_H = 300.0  # how fast the backlash is taken up after a refill, by infusing one step
MARGIN_S = 0.8  # rest, ramps, backlash twice, and the ticks between the parts of a refill


@dataclass(frozen=True)
class Drive:
    """What turns steps into volume. nl_per_step: liquid a step; accel_steps_per_s2: of its ramps; backlash_steps: play of its screw;
    flow_max_ml_per_h: the fastest that board, motor and syringe go."""

    nl_per_step: float
    accel_steps_per_s2: float = 20000.0
    backlash_steps: int = 40
    flow_max_ml_per_h: float = 6000.0

    def steps_per_s(self, flow_ml_per_h: float) -> float:
        return flow_ml_per_h * NL_PER_MIN / 60 / self.nl_per_step

    def ramp_s(self, change_ml_per_h: float) -> float:
        """How long the motor takes to change its flow by so much."""
        return self.steps_per_s(abs(change_ml_per_h)) / self.accel_steps_per_s2


@dataclass(frozen=True)
class Segment:
    """From t_s on, for lasts_s, these flows of the pair (mL/h, negative refills); what: "fade" or "hold"."""

    t_s: float
    lasts_s: float
    flows_ml_per_h: tuple[float, float]
    what: str


@dataclass(frozen=True)
class Pair:
    """A pair's period. flow and refill flow in mL/h, stroke in mL; levels: stairs of a fade; hold_s: one pump alone."""

    drive: Drive
    flow_nl_per_min: int
    stroke_nl: int
    refill_nl_per_min: int
    levels: int
    step_s: float
    hold_s: float

    @property
    def flow_ml_per_h(self) -> float:
        return self.flow_nl_per_min / NL_PER_MIN

    @property
    def fade_s(self) -> float:
        return self.levels * self.step_s

    @property
    def period_s(self) -> float:
        return 2 * (self.fade_s + self.hold_s)

    @property
    def refill_s(self) -> float:
        """What a refill takes, with the way back through the backlash."""
        drive, refill = self.drive, self.refill_nl_per_min / NL_PER_MIN
        play_s = drive.backlash_steps / drive.steps_per_s(refill) + drive.backlash_steps / drive.steps_per_s(self.bearing_ml_per_h)
        return REST_S + self.stroke_nl / self.refill_nl_per_min * 60 + drive.ramp_s(refill) + play_s + 2 * TICK_S

    @property
    def bearing_nl(self) -> int:
        """One step, infused after a refill: the backlash that it takes up on the way is gone before the fade."""
        return math.ceil(self.drive.nl_per_step)

    @property
    def bearing_ml_per_h(self) -> float:
        """How fast the backlash is taken up: no faster than the flow itself."""
        return min(BEARING_ML_PER_H, self.flow_ml_per_h)

    def stairs(self) -> list[tuple[int, int]]:
        """Return (flow of the pump that ends, flow of the one that begins) in nL/min for each stair; their sum is the flow."""
        rising = [round(self.flow_nl_per_min * (2 * i - 1) / (2 * self.levels)) for i in range(1, self.levels + 1)]
        return [(self.flow_nl_per_min - up, up) for up in rising]

    def segments(self) -> list[Segment]:
        """Return one period, from the fade that pump a begins."""
        found: list[Segment] = []
        t_s = 0.0
        refill = -self.refill_nl_per_min / NL_PER_MIN
        for turn in (False, True):

            def add(flows: tuple[float, float], lasts_s: float, what: str, turn: bool = turn) -> None:
                nonlocal t_s
                found.append(Segment(t_s, lasts_s, (flows[1], flows[0]) if turn else flows, what))
                t_s += lasts_s

            for ends, begins in self.stairs():
                add((begins / NL_PER_MIN, ends / NL_PER_MIN), self.step_s, "fade")
            drawing_s = self.stroke_nl / self.refill_nl_per_min * 60
            add((self.flow_ml_per_h, 0.0), REST_S, "hold")
            add((self.flow_ml_per_h, refill), drawing_s, "hold")
            add((self.flow_ml_per_h, 0.0), self.hold_s - REST_S - drawing_s, "hold")
        return found

    def ripple_pct(self, window_s: float = TICK_S) -> float:
        """Return a bound on the deviation of the sum from the setpoint in percent, as the mean over a window of this length from a tick on.

        At a stair both motors change LATENCY_S late, not together: for the difference the sum is off by a stair. The pump that begins
        from rest is not late at all. Whole steps are counted, so a window has a step of each pump too many or too few (`grid_pct`).
        """
        stair = 1 / self.levels
        begins = stair / 2 * min(1.0, (LATENCY_S[1] - START_S) / window_s)
        moving = stair * min(1.0, (LATENCY_S[1] - LATENCY_S[0]) / min(window_s, self.step_s))
        return 100 * max(begins, moving) + self.grid_pct(window_s)

    def grid_pct(self, window_s: float = TICK_S) -> float:
        """Return what a step of each of both pumps is of the volume in a window, in percent."""
        return 200 / (self.drive.steps_per_s(self.flow_ml_per_h) * window_s)


def plan_pair(
    flow_ml_per_h: float, stroke_ml: float, fade_s: float, drive: Drive, syringe_ml: float, refill_ml_per_h: float | None = None
) -> Pair:
    """Return the period of a pair. fade_s: whole ticks, at least two; refill_ml_per_h: as slow as fits when not given.

    Raises RigError(PLAN_INVALID) when the stroke does not fit the syringe, or the refill does not fit the hold.
    """
    levels = round(fade_s / TICK_S)
    if levels < 2:
        raise _refused(f"a fade of {fade_s:g} s is shorter than two ticks of {TICK_S:g} s", "Choose 1 s or more.")
    if not 0 < stroke_ml < syringe_ml:
        raise _refused(f"a stroke of {stroke_ml:g} mL does not fit a syringe of {syringe_ml:g} mL", "Choose a smaller stroke.")
    flow = round(flow_ml_per_h * NL_PER_MIN)
    if not 0 < flow_ml_per_h <= drive.flow_max_ml_per_h:
        raise _refused(f"{flow_ml_per_h:g} mL/h is beyond the drive's {drive.flow_max_ml_per_h:g} mL/h", "Choose a slower flow.")
    stroke_nl = round(stroke_ml * 1e6)
    ticks = round(stroke_nl / flow * 60 / TICK_S)  # of a stroke: fade in and out are half a fade each
    hold_s = (ticks - levels) * TICK_S
    bearing = drive.steps_per_s(min(BEARING_ML_PER_H, flow_ml_per_h))
    free_s = hold_s - MARGIN_S - 2 * drive.backlash_steps / bearing
    least = stroke_ml / free_s * 3600 if free_s > 0 else float("inf")
    refill = least if refill_ml_per_h is None else refill_ml_per_h
    if refill > drive.flow_max_ml_per_h or refill < least:
        limit = f"the drive gives {drive.flow_max_ml_per_h:g} mL/h" if refill > drive.flow_max_ml_per_h else f"{refill:g} mL/h is slower"
        text = f"refilling {stroke_ml:g} mL while the other pump holds for {max(hold_s, 0):.1f} s needs {least:.0f} mL/h; {limit}"
        raise _refused(text, "Choose a shorter fade or a slower flow.")
    return Pair(drive, flow, round(flow * ticks * TICK_S / 60), round(refill * NL_PER_MIN), levels, TICK_S, hold_s)


def _refused(text: str, hint: str) -> RigError:
    return RigError(codes.PLAN_INVALID, where="pair", text=f"alternating pair: {text}. {hint}")
