"""One syringe pump: volumes and flows in, whole steps out, and an exact account of what the plunger has done.

Positive infuses (liquid leaves the syringe), negative withdraws. The calibration is `pl_per_turn`, picolitres of liquid per turn of the
screw (lead x pi d**2 / 4), a whole number; a step is the rational pl_per_turn / steps_per_turn, never rounded. Rates and volumes are
worked out from it in whole numbers, so the mean flow is exact to the crystal (rig/motion.py) and a volume to half a step, the rest of
which goes into the next volume.

Backlash: after a change of direction the first `backlash_steps` turn the screw without moving the plunger. They are added to a
volume, count as steps, and do not count as volume. A rig starts with the screw bearing on infusing and the syringe full: prime it, or
say what is in it with `load`. Steps that the channel says have left the pin are the only source of position and volume.
"""

from micropython import const

from remnant_protocol.errors import PUMP_BUSY, PUMP_FLOW_LIMIT, PUMP_NOT_CALIBRATED, PUMP_TRAVEL_END, RigError

from .motion import Feeder, Planner

_CYCLES_PER_MIN_NL = const(7_500_000)  # 125e6 cycles/s x 60 s/min / 1000 pl/nl
_IDLE = const(0)
_FLOWING = const(1)
_DISPENSING = const(2)
_STOPPING = const(3)


def make_pumps(hal, settings, limits):
    """One Pump for each step channel of the board."""
    return [Pump(i, hal.pumps[i], settings, limits, hal.clock.ticks_us) for i in range(limits["pumps"])]


def steps_for_volume(volume_nl, pl_per_turn, steps_per_turn, carry=0):
    """Return (steps, carry) for a signed volume; positive infuses.

    Rounds half away from zero; hand the carry (in pl / steps_per_turn) to the next call so that many small volumes do not drift.
    Source: travel x pi d^2 / 4.
    """
    wanted = volume_nl * 1000 * steps_per_turn + carry
    steps = (2 * abs(wanted) + pl_per_turn) // (2 * pl_per_turn)
    if wanted < 0:
        steps = -steps
    return steps, wanted - steps * pl_per_turn


def volume_for_steps(steps, pl_per_turn, steps_per_turn):
    """Volume in nl of signed steps, half rounded away from zero."""
    per = 1000 * steps_per_turn
    volume_nl = (2 * abs(steps) * pl_per_turn + per) // (2 * per)
    return -volume_nl if steps < 0 else volume_nl


class Pump:
    """busy: moving, or going to; then `top_up` wants to be called every 100 ms (at most 200 ms apart). starting: has queued its first steps
    and waits for `hal.start_together`. carry: see steps_for_volume."""

    def __init__(self, index, channel, settings, limits, ticks_us):
        self._where = "pump%d" % index
        self._channel = channel
        self._settings = settings
        self._flow_max_nl_per_min = limits["flow_max_nl_per_min"]
        self._ticks_us = ticks_us
        self.busy = self.starting = False
        self.failed = 0  # code of what stopped it for good, until a person clears it
        self.flow_wanted = 0
        self._mode = _IDLE
        self._after_nl_per_min = 0  # flow to begin with when the motor has stopped to turn round
        self._stale = False
        self._play = 0  # steps that infusing would turn without moving the plunger; 0: the screw bears on infusing
        if channel.running():
            channel.abort()
        self._counted = self._plunger = channel.emitted()
        self._began = self._plunger
        self._dose = (0, 0)
        self._full = 0
        self._read_settings()

    # ---- what may be asked for

    def set_flow(self, flow_nl_per_min):
        """Flow at this rate from now on; 0 brakes to rest. Returns the accepted flow, which is met exactly as a mean.

        Any time: a running dispense becomes a flow; the other direction begins after braking to rest. In motion the change begins as
        soon as what the hardware holds has passed (within 100 ms), at most one interval later at slow rates.
        Raises RigError(PUMP_NOT_CALIBRATED | PUMP_FLOW_LIMIT | PUMP_TRAVEL_END).
        """
        if not flow_nl_per_min:
            self.stop()
            return 0
        self._check_flow(flow_nl_per_min)
        direction = 1 if flow_nl_per_min > 0 else -1
        if self._room_steps(direction) <= 0:
            raise RigError(PUMP_TRAVEL_END, self._where, value=0, limit=0)
        feeder = self._feeder
        if not self.busy:
            self._begin_flow(flow_nl_per_min)
        elif direction == feeder.direction:
            feeder.take_back(self._ticks_us())
            feeder.planner.left = self._way_steps(direction) - abs(feeder.planned - self._counted)
            self._aim(flow_nl_per_min)
            self._after_nl_per_min = 0
            self._carry = 0
            self._mode = _FLOWING
            feeder.feed(self._ticks_us())
        else:
            self.stop()
            self._after_nl_per_min = flow_nl_per_min
        self.flow_wanted = flow_nl_per_min
        return flow_nl_per_min

    def dispense(self, volume_nl, flow_nl_per_min):
        """Move a signed volume at a flow (its sign does not matter). Returns the accepted volume in nl: what the whole steps give.

        Raises RigError(PUMP_BUSY | PUMP_NOT_CALIBRATED | PUMP_FLOW_LIMIT | PUMP_TRAVEL_END); nothing has moved then.
        """
        if self.busy:
            raise RigError(PUMP_BUSY, self._where)
        self._check_flow(flow_nl_per_min)
        steps, carry = steps_for_volume(volume_nl, self._pl_per_turn, self._steps_per_turn, self._carry)
        direction = 1 if steps > 0 else -1
        room = self._room_steps(direction)
        if abs(steps) > room:
            raise RigError(PUMP_TRAVEL_END, self._where, value=volume_nl, limit=self._nl(room * direction))
        self._carry = carry
        self._began = self._plunger
        self._dose = (self._nl(steps), abs(flow_nl_per_min))
        if steps:
            self._start(direction, abs(steps) + self._take_up(direction), abs(flow_nl_per_min) * direction, _DISPENSING)
        return self._nl(steps)

    def stop(self):
        """Brake to rest along the ramp."""
        self.flow_wanted = 0
        self._after_nl_per_min = 0
        if self.busy:
            self._mode = _STOPPING
            self._carry = 0
            self._feeder.take_back(self._ticks_us())
            self._feeder.planner.stop()
            self._feeder.feed(self._ticks_us())

    def abort(self):
        """Stop at once, without a ramp. Returns the exact signed count of steps."""
        self._feeder.abort()
        self._account()
        self._rest()
        self._carry = 0
        return self._counted

    def load(self, volume_nl):
        """Say how much liquid is in the syringe. Raises RigError(PUMP_BUSY | PUMP_NOT_CALIBRATED | PUMP_TRAVEL_END)."""
        if self.busy:
            raise RigError(PUMP_BUSY, self._where)
        self._check_calibration()
        if not 0 <= volume_nl <= self._syringe_nl:
            raise RigError(PUMP_TRAVEL_END, self._where, value=volume_nl, limit=self._syringe_nl)
        self._account()
        steps = steps_for_volume(volume_nl, self._pl_per_turn, self._steps_per_turn)[0]  # to the nearest: restarts do not add up
        self._full = self._plunger - (self._travel - min(self._travel, steps))

    def restore(self, left_nl, play):
        """Take over from a checkpoint what is in the syringe, and how far the screw has to turn before the plunger moves."""
        if self._pl_per_turn and 0 <= left_nl <= self._syringe_nl:
            self.load(left_nl)
            self._play = max(0, min(self._backlash, play))

    def fail(self, code):
        """Stop for good: nothing is taken until `failed` is 0 again."""
        self.failed = code
        return self.abort()

    def reload(self):
        """Settings have changed: they hold from the next rest on; position and what has been moved stay."""
        self._stale = True
        if not self.busy:
            self._read_settings()

    # ---- every tick

    def top_up(self, now_us):
        """Plan ahead (at most motion.SEGMENTS_MAX segments). Raises RigError(PUMP_TRAVEL_END) when a flow has come to an end of travel."""
        if not self.busy or self._feeder.feed(now_us):
            return
        self._account()
        after, mode = self._after_nl_per_min, self._mode
        self._rest()
        if after:
            self._begin_flow(after)
            self.flow_wanted = after
        elif mode == _FLOWING and not self._room_steps(self._feeder.direction):
            raise RigError(PUMP_TRAVEL_END, self._where, value=self.left_nl, limit=self._syringe_nl)

    # ---- what was done

    @property
    def steps(self):
        """Signed steps that have left the pin since the board started."""
        return self._channel.emitted()

    @property
    def delivered_nl(self):
        """Net liquid moved since the board started, from the steps; backlash does not count."""
        self._account()
        return self._nl(self._plunger)

    @property
    def moved_nl(self):
        """Liquid moved since the last flow or dispense began from rest."""
        self._account()
        return self._nl(self._plunger - self._began)

    @property
    def plunger(self):
        """Signed steps that have moved the plunger since the board started."""
        self._account()
        return self._plunger

    def reached(self, began, volume_nl):
        """Liquid moved either way since the plunger was at `began`, once that is `volume_nl` or more; None before.

        At rest a step less will do: what rounding took from the doses that add up to it."""
        moved = abs(self.plunger - began)
        if not moved or not self._pl_per_turn:
            return None
        steps = steps_for_volume(volume_nl, self._pl_per_turn, self._steps_per_turn)[0]
        return self._nl(moved) if moved + (not self.busy) >= steps else None

    @property
    def dose(self):
        """(volume left, flow) of the dispense that is going on; (0, flow) of a flow, (0, 0) at rest."""
        if self._mode != _DISPENSING:
            return 0, self.flow_wanted
        return self._dose[0] - self.moved_nl, self._dose[1]

    @property
    def left_nl(self):
        """Liquid in the syringe."""
        self._account()
        return self._nl(self._room_steps(1))

    @property
    def play(self):
        """Steps that infusing would turn without moving the plunger."""
        self._account()
        return self._play

    @property
    def flow_nl_per_min(self):
        """Signed flow of the slice that was running at the last top_up; 0 at rest."""
        if not self.busy:
            return 0
        flow, k = self._feeder.now()
        if not flow and k:
            flow = self._planner.speed_steps_per_s(k) * 60 * self._pl_per_turn // (1000 * self._steps_per_turn)
            flow *= self._feeder.direction
        return flow

    @property
    def underruns(self):
        """Times the queue ran dry in motion."""
        return self._feeder.underruns

    # ---- inside

    def _read_settings(self):
        settings, name = self._settings, self._where
        self._pl_per_turn = settings[name + "_pl_per_turn"]
        self._steps_per_turn = settings[name + "_steps_per_turn"]
        self._syringe_nl = settings[name + "_syringe_nl"]
        self._backlash = settings[name + "_backlash_steps"]
        self._play = min(self._play, self._backlash)
        self._travel = self._syringe_nl * 1000 * self._steps_per_turn // self._pl_per_turn if self._pl_per_turn else 0
        self._planner = Planner(settings[name + "_accel_steps_per_s2"])
        underruns = self._feeder.underruns if self._stale else 0
        self._feeder = Feeder(self._channel, self._planner)
        self._feeder.underruns = underruns
        self._carry = 0
        self._stale = False

    def _check_calibration(self):
        if not self._pl_per_turn:
            raise RigError(PUMP_NOT_CALIBRATED, self._where)

    def _check_flow(self, flow_nl_per_min):
        if self.failed:
            raise RigError(self.failed, self._where)
        self._check_calibration()
        fastest = _CYCLES_PER_MIN_NL * self._pl_per_turn // (self._channel.interval_min_cycles * self._steps_per_turn)
        limit = min(self._flow_max_nl_per_min, fastest)
        if not 0 < abs(flow_nl_per_min) <= limit:
            raise RigError(PUMP_FLOW_LIMIT, self._where, value=flow_nl_per_min, limit=limit)

    def _aim(self, flow_nl_per_min):
        cycles = _CYCLES_PER_MIN_NL * self._pl_per_turn
        self._planner.aim(cycles, abs(flow_nl_per_min) * self._steps_per_turn, flow_nl_per_min)

    def _begin_flow(self, flow_nl_per_min):
        direction = 1 if flow_nl_per_min > 0 else -1
        if self._room_steps(direction) <= 0:
            raise RigError(PUMP_TRAVEL_END, self._where, value=0, limit=0)
        self._began = self._plunger
        self._carry = 0
        self._start(direction, self._way_steps(direction), flow_nl_per_min, _FLOWING)

    def _start(self, direction, steps, flow_nl_per_min, mode):
        self._planner.rest()
        self._aim(flow_nl_per_min)
        self.busy = self.starting = True
        self._mode = mode
        self._feeder.start(direction, steps, self._ticks_us())

    def _rest(self):
        self.busy = self.starting = False
        self.flow_wanted = 0
        self._mode = _IDLE
        self._after_nl_per_min = 0
        if self._stale:
            self._read_settings()

    def _account(self):
        """Take over the steps emitted since the last call. They all have one direction, because the Feeder never queues two."""
        steps = self._channel.emitted() - self._counted
        if not steps:
            return
        self._counted += steps
        play = self._play - steps
        self._play = max(0, min(self._backlash, play))
        self._plunger += self._play - play

    def _take_up(self, direction):
        return self._play if direction > 0 else self._backlash - self._play

    def _room_steps(self, direction):
        """Steps that the plunger can still go in a direction."""
        self._account()
        gone = self._plunger - self._full
        return self._travel - gone if direction > 0 else gone

    def _way_steps(self, direction):
        """Steps to the end of travel, backlash included."""
        return self._room_steps(direction) + self._take_up(direction)

    def _nl(self, steps):
        return volume_for_steps(steps, self._pl_per_turn, self._steps_per_turn) if self._pl_per_turn else 0
