"""`python -m player`: a job (JSON) on stdin, what will happen as JSON lines on stdout.

job: {program: the array of remnant_protocol.program, limits, settings: {key: value} that differ from the virtual board's,
      holds_nl: {pump: volume in its syringe}, ambient_c, curve_s: period of the curve or 0,
      plays: [{capacity, power, ambient_c}]: the nominal one first, then those that differ by the tolerances}

Lines: {"step", "pass", "began_s", "ended_s" ...} at the end of each step of the nominal play (Steps.event); {"trouble", "step", "t_s",
facts}; {"at_s"} from time to time; {"total"} of each play; {"curve"}; {"error"}.
"""

import json
import sys
import time

import board  # the virtual one

from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

from . import tolerances
from .curve import Curve
from .hal import FULL, PlayedHal, mute
from .leap import NEVER, Leaper
from .passes import Passes
from .rig import PlayedRig, ended

TICKS_MOST = 6_000_000  # half a minute; a program that wants more is not played to its end
_PROGRESS_S = 0.25


class Steps:
    """Listens to the beginnings and ends of steps."""

    def __init__(self, rig, tell):
        self._rig = rig
        self._tell = tell
        self._begun = {}
        rig.on_event = self.event

    def event(self, t_s, event, arguments):
        if event == m.STEP_BEGAN:
            rig = self._rig
            self._begun[arguments[0]] = (t_s, self._counts(), rig.thermometry.temp_mc)
            rig.hal.block_max_q = rig.hal.plant._block_q
            rig.behind_ticks, rig.dim_uw = 0, None
        elif event == m.STEP_ENDED:
            began_s, before, from_mc = self._begun[arguments[0]]
            now, rig = self._counts(), self._rig
            self._tell(
                {
                    "step": arguments[0],
                    "pass": arguments[1],
                    "began_s": round(began_s, 2),
                    "ended_s": round(t_s, 2),
                    "exposure_mj": now[0] - before[0],
                    "probe_uj": now[1] - before[1],
                    "infused_nl": [a - b for a, b in zip(now[2], before[2])],
                    "withdrawn_nl": [a - b for a, b in zip(now[3], before[3])],
                    "peak_c": rig.hal.block_max_q / 1024000,
                    "from_c": from_mc / 1000,
                    "target_c": rig.heater.target_mc / 1000,
                    "rate_c_per_min": rig.heater.ramp_mc_per_min / 1000,
                    "behind_s": rig.behind_ticks / 10,
                    "dim_uw": rig.dim_uw,
                }
            )

    def _counts(self):
        rig = self._rig
        for i in range(len(rig.pumps)):
            rig.account(i)
        return rig.exposure_mj(), rig.exposure.probe_uj_per_cm2, list(rig.infused_nl), list(rig.withdrawn_nl)


def play(job, variant, tell, nominal):
    """Play the program once; returns the totals."""
    capacity, power = variant.get("capacity", 1.0), variant.get("power", 1.0)
    tolerances.apply(capacity, power)
    hal = PlayedHal(job["limits"], variant.get("ambient_c", job["ambient_c"]))
    rig = PlayedRig(hal, {**board.SETTINGS, **job.get("settings", {})}, job["program"])
    for pump, held_nl in job.get("holds_nl", {}).items():
        rig.pumps[int(pump)].load(held_nl)
    leaper, curve = Leaper(rig), Curve(rig, job.get("curve_s", 0) if nominal else 0)
    passes = None if nominal else Passes(rig)
    if nominal:
        Steps(rig, tell)
    rig.begin()
    ticks, told_at = 0, time.monotonic()
    peak_q = hal.block_max_q
    while not ended(rig) and ticks < TICKS_MOST:
        rig.step_on()
        if passes:
            passes.look()
        curve.look()
        ticks += 1
        if hal.block_max_q > peak_q:
            peak_q = hal.block_max_q
        if not ended(rig):
            before_s = rig.t_s()
            if leaper.go(curve.period_s or NEVER):
                curve.bridge(before_s)
        if nominal and ticks % 4096 == 0 and time.monotonic() - told_at > _PROGRESS_S:
            told_at = time.monotonic()
            tell({"at_s": rig.t_s()})
    if nominal:
        for what, step, t_s, facts in rig.trouble:
            tell({"trouble": what, "step": step, "t_s": t_s, **facts})
        if curve.rows:
            curve.end()
            tell({"curve": curve.rows})
    for i in range(len(rig.pumps)):
        rig.account(i)
    return {
        "variant": variant,
        "duration_s": round(rig.t_s() + (passes.skipped_s if passes else 0.0), 2),
        "complete": ended(rig),
        "faults": [facts["code"] for what, _, _, facts in rig.trouble if what == "fault"],
        "timeouts": [step for what, step, _, _ in rig.trouble if what == "timeout"],
        "at_step": next((step for what, step, _, _ in rig.trouble if what in ("fault", "timeout")), None),
        "peak_c": peak_q / 1024000,
        "exposure_mj": rig.exposure_mj(),
        "probe_uj": rig.exposure.probe_uj_per_cm2,
        "infused_nl": rig.infused_nl,
        "withdrawn_nl": rig.withdrawn_nl,
        "steps": [pump.steps for pump in rig.pumps],
        "refills": rig.refills,
        "syringes_nl": [rig.settings["pump%d_syringe_nl" % i] for i in range(len(rig.pumps))],
        "moving_s": [count / 10 for count in rig.moving_ticks],
        "heater_j": hal.heater_u16s * tolerances.heater_w(power) / FULL,
        "lamp_full_s": hal.lamp_u16s / FULL,
        "block": {"heater_w": tolerances.heater_w(power), **tolerances.block(capacity)},
        "lit_s": round(hal.lit_s, 1),
        "records": rig.records,
        "events": rig.events,
        "pulses": rig.pulses,
        "readings": rig.readings,
        "telemetry": rig.telemetry,
        "asked": rig.asked,
        "ticks": ticks,
        "leapt_s": round(leaper.leapt_s, 1),
    }


def main():
    def tell(line):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    job = json.load(sys.stdin)
    mute()
    try:
        for number, variant in enumerate(job["plays"]):
            tell({"total": play(job, variant, tell, number == 0)})
    except RigError as error:
        tell({"error": error.code, "where": error.where, "value": error.value, "limit": error.limit})
        return 1
    return 0


sys.exit(main())
