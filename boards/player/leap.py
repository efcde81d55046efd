"""Leaps: where every output is steady, the next thing to happen is worked out and the time until then passes at once.

Steady is: the block settled at its setpoint, or the heater without a say (off, or its duty 0 while the block cools by itself, an
exponential); the lamp dark or held by its monitor; each pump at rest or in its cruise; no probe, no trigger pulse. What happens next is
read from the program's position: a time, a radiant exposure, a band around a temperature, the end of a motion, the next round. A leap ends
a little before it, and ordinary ticks do the rest.
"""

from math import log

from plant import lamp as plant_lamp
from plant import rig as plant_rig
from plant import thermal
from remnant_protocol import program as p
from rig.heater import OFF_MC

from .hal import FULL
from .passing import Passing, cruise_steps_per_s

NEVER = float("inf")
LEAST_S = 2.0  # a shorter leap is not worth it
_BEFORE_S = 0.3  # so much before what happens next, ticks take over
_NEAR_MC = 100
_STILL_MC = 2  # within a second: what crosses its setpoint faster is going to overshoot
_CALM_TICKS = 30
_ROOM_MC = 20
_IDLE_ROUNDS = 10
_WARM_UW = int(plant_lamp.FULL_UW_PER_CM2 * (1 - plant_lamp.DROOP_PER_K * plant_lamp.RISE_FULL_MK / 1000)) - 100
_BRAKE_S = 2.0
_Q_PER_MC = 1024


class Leaper:
    """`go()` after each tick; returns the seconds leapt. A wait that would never end is noted and ended."""

    def __init__(self, rig):
        self._rig = rig
        self._calm = 0
        self._past_mc = [0] * 10
        self._tau_s = -thermal.STEP_S / log(1 - plant_rig.LOSS_Q22 / (1 << 22))
        self._passing = Passing(rig, self._tau_s)
        self._idle_since = None
        self.leapt_s = 0.0

    def go(self, most_s=NEVER):
        """Leap if the rig is steady; 0.0 when there is nothing to leap over. most_s: of a leap in which the temperature moves."""
        rig = self._rig
        heat = self._heat()
        if heat is None or not self._light_steady() or rig.probe.active:
            return 0.0
        seconds = min(self._pumps_s(), self._heat_s(heat))
        if heat != "held" and not self._at_room():
            seconds = min(seconds, max(most_s, 2 * LEAST_S))
        if seconds < LEAST_S:
            return 0.0
        wait_s = self._program_s(heat)
        seconds = min(seconds, wait_s)
        for left_ms in rig.triggers.left_ms():
            if left_ms:
                seconds = min(seconds, left_ms / 1000)
        if seconds == NEVER:
            self._end_it()
            return 0.0
        ticks = int((seconds - _BEFORE_S) * 10)
        if ticks < LEAST_S * 10:
            return 0.0
        self._passing.pass_(ticks, heat)
        self.leapt_s += ticks / 10
        return ticks / 10

    # ---- is it steady?

    def _heat(self):
        """ "off", "held" or "cooling"; None while the block is on its way under the heater."""
        rig = self._rig
        heater, temp_mc = rig.heater, rig.thermometry.temp_mc
        past = self._past_mc
        still = abs(temp_mc - past.pop(0)) <= _STILL_MC
        past.append(temp_mc)
        if heater.target_mc == OFF_MC:
            return "off"
        if heater.setpoint_mc != heater.target_mc:
            self._calm = 0
            return None
        off_mc = temp_mc - heater.setpoint_mc
        near = -_NEAR_MC < off_mc < _NEAR_MC
        if still and heater.duty_u16 < FULL and (near or off_mc > 0 and self._at_room() and not heater.duty_u16):
            self._calm += 1
            if self._calm > _CALM_TICKS:
                return "held" if near else "off"
            return None
        self._calm = 0
        return "cooling" if heater.duty_u16 == 0 and off_mc > self._say_mc() else None

    def _at_room(self):
        hal = self._rig.hal
        return abs(hal.plant._block_q - hal.ambient_q) < _ROOM_MC * _Q_PER_MC

    def _say_mc(self):
        """The heater comes on again when the block is less than so much above its setpoint."""
        heater = self._rig.heater
        return (heater._integral >> 12) * 1000 // max(heater._kp, 1) + 300

    def _light_steady(self):
        lamp = self._rig.lamp
        if not lamp.requested_uw_per_cm2:
            return not lamp.measured_uw_per_cm2
        if lamp.requested_uw_per_cm2 > _WARM_UW:
            return False  # as its LED warms the lamp may come to its end: that is played
        off = lamp.requested_uw_per_cm2 - lamp.measured_uw_per_cm2
        return not lamp.suspended and lamp._settled_ticks >= 2 and 0 <= off <= max(4, lamp.requested_uw_per_cm2 // 1000)

    # ---- what comes next

    def _pumps_s(self):
        """Seconds until a pump leaves its cruise; 0 while one is on its ramp."""
        seconds = NEVER
        for i, pump in enumerate(self._rig.pumps):
            if pump.busy:
                planner = pump._feeder.planner
                speed = cruise_steps_per_s(planner)
                if pump.starting or pump._after_nl_per_min or planner.k != planner._goal or not pump._feeder.now()[0]:
                    return 0.0
                seconds = min(seconds, (planner.left - planner.k - planner._cruise_n) / speed - _BRAKE_S)
            else:
                self._passing.steps_owed[i] = 0.0
        return seconds

    def _heat_s(self, heat):
        """Seconds until the heater has a say again."""
        if heat != "cooling":
            return NEVER
        return self._cools_to_s(self._rig.heater.setpoint_mc + self._say_mc())

    def _cools_to_s(self, temp_mc):
        """Seconds until the free block passes a temperature; NEVER when it does not."""
        ambient_mc = self._rig.hal.ambient_q // _Q_PER_MC
        here, there = self._rig.thermometry.temp_mc - ambient_mc, temp_mc - ambient_mc
        if here * there <= 0 or abs(there) >= abs(here) or abs(there) < 2:
            return NEVER
        return self._tau_s * log(here / there)

    def _program_s(self, heat):
        """Seconds until the program goes on; 0 when that cannot be told."""
        executor = self._rig.executor
        if executor._wait is not None:
            wait, since = executor._wait, executor._wait_since
            seconds = self._until(wait[1], since, heat)
            if wait[2]:
                seconds = min(seconds, self._left_s(wait[2], since))
            return seconds
        block = executor._stack[-1] if executor._stack else None
        if block is None or block.kind != p.EVERY or block.at < len(block.operations):
            return 0.0
        seconds = min(self._until(condition, block.since, heat) for condition in block.conditions)
        if seconds == NEVER and self._idle_rounds(block):
            return NEVER
        return min(seconds, self._left_s((block.count + 1) * block.period_ms, block.since))

    def _idle_rounds(self, block):
        """True when rounds do not bring the conditions nearer either."""
        if not block.operations or all([condition[0] == p.REMNANT_BELOW for condition in block.conditions]):
            return True
        rig = self._rig
        now = [rig.exposure.mj_per_cm2] + [pump.steps for pump in rig.pumps]
        if self._idle_since is None or self._idle_since[0] is not block or self._idle_since[1] != now:
            self._idle_since = (block, now, block.count)
        return block.count - self._idle_since[2] > _IDLE_ROUNDS

    def _left_s(self, ms, since):
        return (ms - self._rig.clock.ms_since(since.s, since.us)) / 1000

    def _until(self, condition, since, heat):
        rig, kind = self._rig, condition[0]
        if kind == p.DURATION:
            return self._left_s(condition[1], since)
        if kind == p.TEMPERATURE:
            return self._settles_s(condition, since, heat)
        if kind == p.EXPOSURE:
            irradiance = rig.lamp.measured_uw_per_cm2
            left_mj = condition[1] - (rig.exposure.mj_per_cm2 - since.exposure_mj) - rig.exposure._nj / 1e6
            return left_mj * 1000 / irradiance if irradiance else NEVER
        if kind == p.PUMPS_DONE:
            return NEVER if any(pump.busy for i, pump in enumerate(rig.pumps) if condition[1] & 1 << i) else 0.0
        if kind == p.REMNANT_BELOW:
            return NEVER  # nobody knows: the forecast is "at most"
        if kind == p.TIMEOUT:
            return self._left_s(condition[1], since)
        if kind == p.VOLUME:
            return self._moves_s(condition, since)
        return 0.0

    def _settles_s(self, condition, since, heat):
        """Seconds until a band is reached, or has been held for long enough."""
        _, target_mc, band_mc, hold_ms = condition
        clock, temp_mc = self._rig.clock, self._rig.thermometry.temp_mc
        if abs(temp_mc - target_mc) <= band_mc:
            inside_ms = clock.ms_since(since.inside_s, since.inside_us) if since.inside_s >= 0 else 0
            hold_s = (hold_ms - inside_ms) / 1000
            if heat == "held":
                return hold_s
            edge_mc = target_mc - band_mc if temp_mc > self._rig.hal.ambient_q // _Q_PER_MC else target_mc + band_mc
            return min(hold_s, self._cools_to_s(edge_mc))
        if heat == "held":
            return NEVER
        return min(self._cools_to_s(target_mc + band_mc), self._cools_to_s(target_mc - band_mc))

    def _moves_s(self, condition, since):
        """Seconds until a pump has moved a volume."""
        _, i, volume_nl = condition
        pump = self._rig.pumps[i]
        if not pump.busy:
            return NEVER
        left_nl = volume_nl - abs(pump._nl(pump.plunger - since.plungers[i]))
        flow = abs(pump._feeder.now()[0])
        return left_nl / flow * 60 - _BRAKE_S if flow else 0.0

    def _end_it(self):
        """Nothing will ever happen: note it and let the program go on behind the wait."""
        rig = self._rig
        rig.note("endless", conditions=rig.drop_wait())
