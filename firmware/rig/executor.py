"""The program executor: an explicit stack over the tree of operations, looked at once per control tick.

It never sleeps and never recurses. A block is a frame of the stack; what an operation waits for is one record beside it. At most
_STEPS_MAX operations run per call, so a program without a wait cannot hold the loop.
"""

from micropython import const

from remnant_protocol import program as p
from remnant_protocol.errors import NESTING_LIMIT, WAIT_TIMEOUT, RigError
from remnant_protocol.messages import (
    CONDITION_MET,
    DISPENSE,
    MARKED,
    OPERATOR_WANTED,
    PERIOD_MISSED,
    PROBE,
    STEP_BEGAN,
    STEP_ENDED,
    TRIGGERED,
    WAIT_TIMED_OUT,
)

_STEPS_MAX = const(16)
_ROOT = const(0)
_U16_MAX = const(65535)
_COUNTED_MAX = const(24)  # steps whose rounds a checkpoint has room for


class _Block:
    """One block being executed: its operations, the next of them, and what its kind needs."""

    def __init__(self, kind, operations):
        self.kind = kind
        self.operations = operations
        self.at = 0
        self.count = 0  # REPEAT: rounds left; EVERY: next firing; STEP: its number
        self.period_ms = 0
        self.conditions = None
        self.since = None


class _Since:
    """Where a WAIT or EVERY began: board time and counters that its conditions are measured from."""

    def __init__(self, rig):
        clock = rig.clock
        self.s, self.us = clock.s, clock.us
        self.exposure_mj = rig.exposure.mj_per_cm2
        self.inside_s = -1  # TEMPERATURE: since when inside the band
        self.inside_us = 0

    def shift_ms(self, ms):
        """The program has been paused for so long: durations do not count it."""
        us = self.us + (ms % 1000) * 1000
        self.s += ms // 1000 + us // 1_000_000
        self.us = us % 1_000_000


class Executor:
    """running: a program is loaded and not at its end; step: number of the step it is in."""

    def __init__(self, rig):
        self._rig = rig
        self._stack = []
        self._wait = None
        self._wait_since = None
        self._probing = False
        self._paused_at = None
        self._iteration = {}
        self.running = False
        self.operator_answered = False
        self.step = 0

    def begin(self, program):
        """Start a validated program from its first operation."""
        self._stack.clear()
        self._stack.append(_Block(_ROOT, program[5]))
        self._wait = None
        self._probing = False
        self._paused_at = None
        self._iteration.clear()
        self.operator_answered = False
        self.step = 0
        self.running = True

    def end(self):
        """Forget the program."""
        self._stack.clear()
        self._wait = None
        self._probing = False
        self.running = False

    def pause(self):
        clock = self._rig.clock
        self._paused_at = (clock.s, clock.us)

    def resume(self):
        """Go on; the pause does not count into any duration."""
        ms = self._rig.clock.ms_since(*self._paused_at)
        self._paused_at = None
        if self._wait_since:
            self._wait_since.shift_ms(ms)
        for block in self._stack:
            if block.since:
                block.since.shift_ms(ms)

    def position(self):
        """Where the program is, for a checkpoint: [step, blocks, wait or nil, probing, iterations].

        A block is [next operation, count, ms since it began or -1, exposure then]; a wait [ms since it began, exposure then, nl left to
        dispense].
        """
        clock = self._rig.clock
        blocks = []
        for block in self._stack:
            since = block.since
            ms = clock.ms_since(since.s, since.us) if since else -1
            blocks.append([block.at, block.count, ms, since.exposure_mj if since else 0])
        wait = None
        if self._wait is not None:
            since = self._wait_since
            wait = [clock.ms_since(since.s, since.us), since.exposure_mj, self._left_nl()]
        counted = self._iteration if len(self._iteration) <= _COUNTED_MAX else {self.step: self._iteration[self.step]}
        return [self.step, blocks, wait, int(self._probing), counted]

    def restore(self, program, position):
        """Take up a validated program where `position` says; `pause` is called first thing after it.

        A probe that was going on is taken again. Returns the DISPENSE operation that is to be finished and the volume left, or None.
        """
        self.begin(program)
        self.step, blocks, wait, probing, iterations = position
        self._iteration.update(iterations)
        operations = program[5]
        for i, (at, count, ms, exposure_mj) in enumerate(blocks):
            if i:
                outer = self._stack[-1]
                operation = outer.operations[outer.at - 1]
                operations = operation[3] if operation[0] == p.EVERY else operation[2]
                block = self._push(operation[0], operations)
                if operation[0] == p.EVERY:
                    block.period_ms, block.conditions = operation[1], operation[2]
            block = self._stack[-1]
            block.at, block.count = at, count
            if ms >= 0:
                block.since = self._since(ms, exposure_mj)
        top = self._stack[-1]
        if probing:
            top.at -= 1
        elif wait is not None:
            operation = top.operations[top.at - 1]
            self._wait_since = self._since(wait[0], wait[1])
            if operation[0] == DISPENSE:
                self._wait = [p.WAIT, [p.PUMPS_DONE, 1 << operation[1]], 0, p.TIMEOUT_FAULT]
                return operation, wait[2]
            self._wait = operation
        return None

    def _since(self, ms, exposure_mj):
        since = _Since(self._rig)
        since.shift_ms(-ms)
        since.exposure_mj = exposure_mj
        return since

    def _left_nl(self):
        """What is left of the dispense that is waited for."""
        top = self._stack[-1]
        operation = top.operations[top.at - 1]
        if operation[0] != DISPENSE:
            return 0
        return operation[2] - self._rig.pumps[operation[1]].moved_nl

    def idle_ms(self):
        """How long nothing but time can bring the program on; 0 when anything else can."""
        if self._probing or self._paused_at is not None or not self._stack:
            return 0
        clock = self._rig.clock
        if self._wait is not None:
            since = self._wait_since
            return self._wait[1][1] - clock.ms_since(since.s, since.us) if self._wait[1][0] == p.DURATION else 0
        block = self._stack[-1]
        if block.kind != p.EVERY or block.at < len(block.operations):
            return 0
        passed_ms = clock.ms_since(block.since.s, block.since.us)
        left_ms = (block.count + 1) * block.period_ms - passed_ms
        for condition in block.conditions:
            if condition[0] == p.DURATION:
                left_ms = min(left_ms, condition[1] - passed_ms)
            elif condition[0] == p.TRIGGER_IN or condition[0] == p.OPERATOR:
                return 0
        return left_ms

    def tick(self):
        """Go on as far as possible. Returns True when the program has come to its end."""
        if self._wait is not None and not self._waited():
            return False
        if self._probing:
            if self._rig.probe.active:
                return False
            self._probing = False
        budget = _STEPS_MAX
        while budget:
            budget -= 1
            block = self._stack[-1]
            if block.at < len(block.operations):
                operation = block.operations[block.at]
                block.at += 1
                if not self._do(operation):
                    return False
            elif not self._block_ended(block):
                if not self._stack:
                    self.running = False
                    return True
                return False
        return False

    def _do(self, operation):
        """Begin one operation; False when it has to be waited for."""
        rig = self._rig
        op = operation[0]
        if op == p.WAIT:
            self._wait = operation
            self._wait_since = _Since(rig)
            if operation[1][0] == p.OPERATOR:
                self.operator_answered = False
                rig.journal.event(OPERATOR_WANTED, operation[1][1])
            return self._waited()
        if op == p.STEP:
            self.step = operation[1]
            number = min(self._iteration.get(self.step, 0) + 1, _U16_MAX)
            self._iteration[self.step] = number
            rig.journal.event(STEP_BEGAN, self.step, number)
            block = self._push(p.STEP, operation[2])
            block.count = operation[1]
        elif op == p.REPEAT:
            self._push(p.REPEAT, operation[2]).count = operation[1] - 1
        elif op == p.EVERY:
            block = self._push(p.EVERY, operation[3])
            block.period_ms, block.conditions = operation[1], operation[2]
            block.since = _Since(rig)
        elif op == p.MARK:
            rig.journal.event(MARKED, operation[1])
        elif op == p.TRIGGER:
            rig.pulse_trigger(operation[1], operation[2])
            rig.journal.event(TRIGGERED, operation[1], operation[2])
        elif op == PROBE:
            rig.probe.start(operation[1], operation[2], operation[3])
            self._probing = True
            return False
        else:
            rig.drive(op, operation[1:])
            if op == DISPENSE and operation[4]:
                self._wait = [p.WAIT, [p.PUMPS_DONE, 1 << operation[1]], 0, p.TIMEOUT_FAULT]
                self._wait_since = _Since(rig)
                return False
        return True

    def _push(self, kind, operations):
        if len(self._stack) > p.NESTING_MAX:
            raise RigError(NESTING_LIMIT, limit=p.NESTING_MAX)
        block = _Block(kind, operations)
        self._stack.append(block)
        return block

    def _block_ended(self, block):
        """All operations of the top block are done: round again, or leave. False when there is nothing to do before the next tick."""
        if block.kind == p.REPEAT and block.count > 0:
            block.count -= 1
            block.at = 0
            return True
        if block.kind == p.EVERY:
            for condition in block.conditions:
                value = self._met(condition, block.since)
                if value is not None:
                    self._rig.journal.event(CONDITION_MET, condition[0], value)
                    self._stack.pop()
                    return True
            elapsed_ms = self._rig.clock.ms_since(block.since.s, block.since.us)
            due = block.count + 1
            if elapsed_ms < due * block.period_ms:
                return False
            missed = elapsed_ms // block.period_ms - due
            if missed:
                self._rig.journal.event(PERIOD_MISSED, min(missed, _U16_MAX))
            block.count = due + missed
            block.at = 0
            return True
        self._stack.pop()
        if block.kind == p.STEP:
            self._rig.journal.event(STEP_ENDED, block.count, self._iteration.get(block.count, 1))
            for outer in reversed(self._stack):
                if outer.kind == p.STEP:
                    self.step = outer.count
                    break
        return bool(self._stack)

    def _waited(self):
        """True when the WAIT is over, by its condition or by its timeout."""
        wait = self._wait
        since = self._wait_since
        value = self._met(wait[1], since)
        if value is None:
            if not wait[2] or self._rig.clock.ms_since(since.s, since.us) < wait[2]:
                return False
            temp_mc = self._rig.thermometry.temp_mc
            self._rig.journal.event(WAIT_TIMED_OUT, wait[1][0], temp_mc)
            if wait[3] == p.TIMEOUT_FAULT:
                raise RigError(WAIT_TIMEOUT, value=wait[1][0], limit=wait[2])
        self._wait = None
        return True

    def _met(self, condition, since):
        """The value that meets a condition, None while it is not met."""
        rig = self._rig
        kind = condition[0]
        if kind == p.DURATION:
            ms = rig.clock.ms_since(since.s, since.us)
            return ms // 1000 if ms >= condition[1] else None
        if kind == p.TEMPERATURE:
            return self._settled(condition, since)
        if kind == p.EXPOSURE:
            added = rig.exposure.mj_per_cm2 - since.exposure_mj
            return added if added >= condition[1] else None
        if kind == p.RAMP_DONE:
            return rig.thermometry.temp_mc if rig.heater.setpoint_mc == rig.heater.target_mc else None
        if kind == p.PUMPS_DONE:
            for i, pump in enumerate(rig.pumps):
                if condition[1] & (1 << i) and pump.busy:
                    return None
            return condition[1]
        if kind == p.TRIGGER_IN:
            return condition[1] if rig.inputs.trigger_in(condition[1]) else None
        if kind == p.OPERATOR:
            return condition[1] if self.operator_answered else None
        permille = rig.probe.remnant_permille(condition[1], condition[3])  # REMNANT_BELOW, the last kind that `validate` lets in
        return permille if permille is not None and permille < condition[2] else None

    def _settled(self, condition, since):
        rig = self._rig
        temp_mc = rig.thermometry.temp_mc
        off = temp_mc - condition[1]
        if off > condition[2] or -off > condition[2]:
            since.inside_s = -1
            return None
        clock = rig.clock
        if since.inside_s < 0:
            since.inside_s, since.inside_us = clock.s, clock.us
        return temp_mc if clock.ms_since(since.inside_s, since.inside_us) >= condition[3] else None
