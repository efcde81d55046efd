"""Motion of one stepper: ramps and cruise in whole cycles of 8 ns, planned a quarter of a second ahead.

`Planner` knows only numbers. Its speed is a whole number k, the ramp index: at constant acceleration from rest, step k comes T(k) =
sqrt(2 k / a) after step 0, and stopping from index k takes exactly k steps. So every decision (speed up, cruise, brake) is a comparison
of whole numbers and no motion can end beside its target. `Feeder` keeps a step channel (hal/contract.py) supplied with what the planner
gives, and takes back what has not been handed over when the target changes.

A slice is n steps in c cycles, pushed as at most two runs: (c mod n) intervals of c // n + 1 and the rest of c // n. An interval follows
its edge. Rounding:
  cruise  a slice lasts the floor of its ideal length, one cycle more whenever the carried fraction (in 2**-29 cycles) is full; an edge lies
          at most 1 + n / 4 cycles beside its ideal instant, and after 48 h the sum is less than one cycle out.
  ramp    slices begin and end within 2 cycles of T(k); inside one the speed is constant, so a step lies at most a tau**2 / 8 steps beside
          the parabola, tau being the slice (8 ms, or a tenth of the ramp when that is less).
Slices of cruise work on integers below 2**30. A slice of a ramp takes one square root of a larger one.
"""

from array import array

from micropython import const

CYCLES_PER_S = const(125_000_000)
SEGMENTS_MAX = const(64)  # pushed by one call of Feeder.feed
_SLICE = const(2_500_000)  # 20 ms
_RAMP_SLICE = const(1_000_000)  # 8 ms
_RAMP_SLICE_MIN = const(50_000)  # 0.4 ms
_RAMP_PARTS = const(10)
_WAIT_MIN = const(12_500)  # 0.1 ms: what is left of a wait and shorter is not waited for
_KEPT = const(2_500_000)  # 20 ms that a change of target does not take back
_HORIZON = const(28_750_000)  # 230 ms; with the slice that crosses it at most 250 ms are queued
_FRACTION = const(1 << 29)
_DIRECTION_SETUP = const(25_000)  # 0.2 ms between the direction pin and the first step; drivers ask for up to 20 us
_MASK = const((1 << 30) - 1)
_HALF = const(1 << 29)

# one planned slice in the Feeder's ring
_N = const(0)  # steps
_CYCLES = const(1)
_N2 = const(2)  # second run; _I2 0: there is none
_I2 = const(3)
_TAG = const(4)  # tag of the cruise, 0 on a ramp
_K = const(5)  # the planner's state behind the slice
_CARRY = const(6)
_WAIT = const(7)
_PIECE = const(8)
_PIECES = const(9)
_STRIDE = const(10)
_SLOTS = const(64)


def isqrt(x):
    """Return floor(sqrt(x)), exact whatever the precision of the board's floats, which only give the first guess."""
    if x <= 0:
        return 0
    root = int(x**0.5) or 1
    root = (root + x // root) >> 1
    while root * root > x:
        root -= 1
    while (root + 1) * (root + 1) <= x:
        root += 1
    return root


class Planner:
    """Slices of motion in one direction: `next` leaves n steps in `cycles` and is told its target by `aim`, `left` and `stop`.

    k: ramp index (0 is rest); left: steps not yet planned; wait: pieces of `piece` cycles still to pass before the next step.
    """

    def __init__(self, accel_steps_per_s2):
        self.accel = accel_steps_per_s2
        self._cycles2 = 2 * CYCLES_PER_S * CYCLES_PER_S // accel_steps_per_s2
        self.k = self.left = self.carry = 0
        self.wait = self.piece = 0
        self.pieces = 1
        self.n = self.cycles = self.tag = 0
        self._t = 0
        self._goal = self._cruise_n = self._cruise_cycles = self._cruise_fraction = self._cruise_tag = 0
        self._tau = _RAMP_SLICE
        self._gain = 0

    def ramp_cycles(self, k):
        """T(k): cycles from rest to ramp index k."""
        return isqrt(k * self._cycles2)

    def speed_steps_per_s(self, k):
        return self.accel * self.ramp_cycles(k) // CYCLES_PER_S

    def aim(self, cycles, per, tag):
        """Cruise with an interval of cycles / per (any whole numbers) from now on. `tag` marks its slices; not 0."""
        self._goal = CYCLES_PER_S * CYCLES_PER_S * per * per // (2 * self.accel * cycles * cycles)
        n = max(1, _SLICE * per // cycles)
        self._cruise_n = n
        self._cruise_cycles = n * cycles // per
        self._cruise_fraction = (n * cycles % per << 29) // per
        self._cruise_tag = tag
        self._choose_tau()
        if self.wait and not self.k:  # part of a slow interval has passed: the same part of the new one counts as passed
            self._rescale(self.ramp_cycles(1) if self._goal else self._cruise_cycles)
            self.tag = 0 if self._goal else tag

    def stop(self):
        """Brake from here: exactly k more steps."""
        self.left = self.k
        if not self.k:
            self.wait = 0
        self._choose_tau()

    def rest(self):
        """The motor stands: nothing is carried over but the steps that are left."""
        self.restore(0, 0, 0, 0, 1)

    def restore(self, k, carry, wait, piece, pieces):
        """Go back to the state behind an earlier slice."""
        self.k, self.carry, self.wait, self.piece, self.pieces = k, carry, wait, piece, pieces
        self._t = self.ramp_cycles(k)

    def next(self):
        """Plan one slice: n steps in `cycles`, tag. False: at rest, nothing left."""
        if self.wait:
            self.wait -= 1
            self.n = 0
            self.cycles = self.piece
            return True  # the tag stays that of the step before
        k = self.k
        spare = self.left - k  # steps that braking does not need
        if spare <= 0:
            if not k:
                return False
            return self._ramp(-1, k)
        goal = self._goal
        if k > goal:
            return self._ramp(-1, k - goal)
        if k < goal:
            if spare > 1:
                return self._ramp(1, min(goal - k, spare >> 1))
            return self._set(1, self.ramp_cycles(k + 1) - self._t, 0)
        n = self._cruise_n
        if n > spare:
            return self._set(spare, self._cruise_cycles * spare // n, self._cruise_tag)
        cycles = self._cruise_cycles
        carry = self.carry + self._cruise_fraction
        if carry >= _FRACTION:
            carry -= _FRACTION
            cycles += 1
        self.carry = carry
        return self._set(n, cycles, self._cruise_tag)

    def _ramp(self, sign, most):
        n = (self.accel * self._t // CYCLES_PER_S + sign * self._gain) * self._tau // CYCLES_PER_S
        if n > most:
            n = most
        elif n < 1:
            n = 1
        self.k += sign * n
        before = self._t
        self._t = self.ramp_cycles(self.k)
        return self._set(n, (self._t - before) * sign, 0)

    def _set(self, n, cycles, tag):
        self.left -= n
        self.n = n
        self.tag = tag
        if n == 1 and cycles > _SLICE:
            self.pieces = -(-cycles // _SLICE)
            self.wait = self.pieces - 1
            self.piece = cycles // self.pieces
            cycles -= self.wait * self.piece
        self.cycles = cycles
        return True

    def _rescale(self, cycles):
        cycles = cycles * self.wait // self.pieces
        if cycles < _WAIT_MIN:
            self.wait = 0
            return
        wait = -(-cycles // _SLICE)
        self.pieces = max(wait, self.pieces * wait // self.wait)
        self.wait = wait
        self.piece = cycles // wait

    def _choose_tau(self):
        tau = self.ramp_cycles(max(self.k, self._goal)) // _RAMP_PARTS
        self._tau = tau = min(_RAMP_SLICE, max(_RAMP_SLICE_MIN, tau))
        self._gain = self.accel * tau // (2 * CYCLES_PER_S)


class Feeder:
    """Keeps a step channel supplied: each `feed` leaves 230 to 250 ms of the plan queued, so a tick may come 100 ms late.

    All that is queued has one direction: a motor turns round only at rest with its queue empty, so the signed count of the channel is
    never ambiguous.

    planned: signed count of steps handed to the channel since start, comparable with channel.emitted().
    underruns: times the queue ran dry in motion (the motor stopped without its ramp and starts again from rest).
    """

    def __init__(self, channel, planner):
        self._channel = channel
        self._recall = getattr(channel, "recall", None)
        self.planner = planner
        self.planned = channel.emitted()
        self.direction = 1
        self.underruns = 0
        self._ring = array("i", bytes(4 * _STRIDE * _SLOTS))
        self._head = self._tail = 0  # slices planned; slices done
        self._queued = 0  # cycles of the slices from tail to head
        self._end_us = self._end_cycles = 0  # when the last of them ends, ticks and cycles

    def start(self, direction, steps, now_us):
        """Begin from rest: `steps` in `direction` (1 infuses, -1 withdraws), at the speed the planner was told to aim at."""
        self.direction = direction
        self._channel.hold()
        self.planner.rest()
        self.planner.left = steps
        self._empty(now_us)
        self._push(0, _DIRECTION_SETUP)
        self._keep(0, _DIRECTION_SETUP, 0, 0)
        self.feed(now_us)

    def feed(self, now_us):
        """Top up the queue, at most SEGMENTS_MAX segments. False: everything planned has been emitted and the motor rests."""
        planner = self.planner
        if not self._channel.running():
            if self._channel.emitted() != self.planned:  # stopped by another hand: it stays so
                self.abort()
            if planner.left <= 0 and not planner.wait:
                self._empty(now_us)
                return False
            self.underruns += 1
            planner.rest()
            self._empty(now_us)
        ahead = (((self._end_us - now_us + _HALF) & _MASK) - _HALF) * 125 + self._end_cycles
        self._drop_done(ahead)
        room = min(SEGMENTS_MAX, self._channel.free())
        slots = _SLOTS - 1 - (self._head - self._tail)
        while ahead < _HORIZON and room > 1 and slots > 0 and planner.next():
            n, cycles = planner.n, planner.cycles
            ahead += cycles
            slots -= 1
            room -= 1
            if n > 1:
                interval = cycles // n
                longer = cycles - n * interval
                if longer:
                    self._push(longer, interval + 1)
                    self._push(n - longer, interval)
                    self._keep(n, cycles, n - longer, interval)
                    room -= 1
                    continue
                cycles = interval
            self._push(n, cycles)
            self._keep(n, planner.cycles, 0, 0)
        return True

    def take_back(self, now_us):
        """Recall from the channel what it has not begun, so that a new target begins there. Call `feed` right afterwards.

        What lies within the next 20 ms stays, or the motor would run dry while the new plan is made."""
        ring = self._ring
        ahead = (((self._end_us - now_us + _HALF) & _MASK) - _HALF) * 125 + self._end_cycles
        most, head = 0, self._head
        while head > self._tail:
            at = ((head - 1) % _SLOTS) * _STRIDE
            ahead -= ring[at + _CYCLES]
            if ahead < _KEPT:
                break
            most += 2 if ring[at + _I2] else 1
            head -= 1
        gone = self._recall(most) if self._recall and most else 0
        while gone > 0:
            at = ((self._head - 1) % _SLOTS) * _STRIDE
            segments = 2 if ring[at + _I2] else 1
            if gone < segments:  # the first run has been handed over: its slice is completed
                self._channel.push(ring[at + _N2], ring[at + _I2], self.direction)
                break
            gone -= segments
            self._head -= 1
            if self._head < self._tail:  # the board's clock was ahead of the step generator's
                self._tail = self._head
            else:
                self._queued -= ring[at + _CYCLES]
            self._move_end(-ring[at + _CYCLES])
            self.planner.left += ring[at + _N]
            self.planned -= ring[at + _N] * self.direction
        at = ((self._head - 1) % _SLOTS) * _STRIDE
        self.planner.tag = ring[at + _TAG]
        self.planner.restore(ring[at + _K], ring[at + _CARRY], ring[at + _WAIT], ring[at + _PIECE], ring[at + _PIECES])

    def abort(self):
        """Stop at once. Returns the exact signed count."""
        self.planned = self._channel.abort()
        self.planner.left = 0
        self.planner.rest()
        self._empty(0)
        return self.planned

    def now(self):
        """(tag, k) of the slice that was running at the last `feed`; tag 0: on a ramp."""
        if self._head == self._tail:
            return 0, 0
        at = (self._tail % _SLOTS) * _STRIDE
        return self._ring[at + _TAG], self._ring[at + _K]

    def _push(self, n, interval):
        if not self._channel.push(n, interval, self.direction):
            raise RuntimeError("step channel refuses what it has room for")

    def _keep(self, n, cycles, n2, i2):
        """Note a slice that has been pushed, with the planner's state behind it."""
        planner, ring = self.planner, self._ring
        at = (self._head % _SLOTS) * _STRIDE
        ring[at + _N] = n
        ring[at + _CYCLES] = cycles
        ring[at + _N2] = n2
        ring[at + _I2] = i2
        ring[at + _TAG] = planner.tag
        ring[at + _K] = planner.k
        ring[at + _CARRY] = planner.carry
        ring[at + _WAIT] = planner.wait
        ring[at + _PIECE] = planner.piece
        ring[at + _PIECES] = planner.pieces
        self._head += 1
        self._queued += cycles
        self.planned += n * self.direction
        self._move_end(cycles)

    def _move_end(self, cycles):
        cycles += self._end_cycles
        self._end_us = (self._end_us + cycles // 125) & _MASK
        self._end_cycles = cycles % 125

    def _drop_done(self, ahead):
        """Forget slices that lie behind; the last of them stays readable for take_back."""
        ring, tail = self._ring, self._tail
        while tail != self._head:
            cycles = ring[(tail % _SLOTS) * _STRIDE + _CYCLES]
            if self._queued - cycles < ahead:
                break
            self._queued -= cycles
            tail += 1
        if tail >= _SLOTS:
            self._head -= _SLOTS
            tail -= _SLOTS
        self._tail = tail

    def _empty(self, now_us):
        """Nothing queued; the slot before the first one holds the state of rest."""
        self._head = self._tail = self._queued = 0
        self._end_us, self._end_cycles = now_us, 0
        self.planner.tag = 0
        at = (_SLOTS - 1) * _STRIDE
        for field in range(_STRIDE):
            self._ring[at + field] = 0
        self._ring[at + _PIECES] = 1
