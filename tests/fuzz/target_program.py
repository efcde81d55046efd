"""program.decode and validate with the limits of boards/virtual, then the executor on a fake bench for some virtual minutes.

Input: three bytes of weather, then the program: the bytes themselves or, with bit 0 of the third, bytes from which a tree is grown that is
right more often than not. Nothing but RigError may come out of decode and validate; a run ends, goes on or faults with a
code of its own, never TASK_FAILED.
"""

from bench_of_rig import RUN_ID, Flash, Hal, Rig
from board import LIMITS

from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

TICKS = 300
RHYTHMS_US = (100_000, 100_000, 250_000, 900_000)
_REFUSALS = (105, 107, 201, 202, 306, 307, 401, 403, 405, 601, 602, 603, 604, 608)
_NUMBERS = (0, 1, 2, 3, 5, 10, 100, 250, 1000, 1500, 5000, 20000, 60000, 65535, 65536, 1 << 30, (1 << 31) - 1, (1 << 32) - 1)
_OPERATIONS = (m.HEATER, m.LAMP, m.FLOW, m.DISPENSE, m.PROBE, p.WAIT, p.REPEAT, p.EVERY, p.STEP, p.MARK, p.TRIGGER, p.WAIT)


def fuzz_one(data):
    """Return the refusal, or where the run got to."""
    if len(data) < 4:
        return "nothing"
    encoded = p.encode(Grown(data[3:]).program()) if data[2] & 1 else bytes(data[3:])
    try:
        tree = p.decode(encoded)
        p.validate(tree, LIMITS, len(encoded))
    except RigError as error:
        assert error.code in _REFUSALS, error.code
        return f"refused {error.code}"
    assert p.decode(p.encode(tree)) == tree
    return run(encoded, data[0], 1 + data[1] // 4, data[2])


def run(encoded, weather, turning, more):
    """weather: bits 0, 1 rhythm, 2 flash, 3 a restart, 4 after days, 5 a pause, 6 host gone, 7 the button; turning: the tick when it
    happens; more: bit 1 the pumps stall, 2 RAM survives the restart, 3 the block is warm, 4 the interlock opens."""
    hal = Hal(Flash(6) if weather & 4 else None)
    hal.store.save("program", encoded)
    rig = started(hal)
    if weather & 16:  # as after days
        rig.app.clock.s += 4_000_000
        rig.app.executor._iteration.update({number: 65534 for number in range(8)})
    if more & 8:
        rig.temp_mc = 30_000
    us = RHYTHMS_US[weather & 3]
    for i in range(TICKS):
        rig.tick(us)
        app = rig.app
        if i == turning:
            if weather & 32:
                ask(app.pause)
            if weather & 64:
                hal.line.silent_ms = 100_000_000
            if weather & 128:
                hal.inputs.stop = True
            if more & 2:
                hal.inputs.stalled = True
            if more & 16:
                hal.inputs.interlock = False
            if weather & 16:
                app.clock.s += 90_000
            if weather & 8:
                rig = restarted(rig, more & 4)
                hal = rig.hal
        elif i == turning + 20:
            if weather & 32:
                ask(app.resume)
            ask(app.executor.answer)
            hal.inputs.trigger = True
            hal.inputs.stalled = False
            hal.line.silent_ms = 0
        if app.state in (m.READY, m.FAULTED) and i > turning + 20:
            break
    rig.app.link.greet()
    rig.talk()
    return f"{rig.app.state} {rig.app.safety.code} {rig.app.journal.next_seq}"


def started(hal):
    rig = Rig(hal)
    for _ in range(14):
        rig.tick()
    assert rig.app.state == m.READY
    rig.app.start(RUN_ID)
    return rig


def restarted(rig, warm):
    """A reset (warm: RAM survives) or power fails; what is in flash and store is there afterwards, and a person resumes the run."""
    hal = Hal(rig.hal.flash, rig.hal.store, rig.hal.retained if warm else None)
    again = Rig(hal)
    again.temp_mc = rig.temp_mc
    for _ in range(14):
        again.tick()
    ask(again.app.resume_run, RUN_ID, 1, 0)
    return again


def ask(call, *arguments):
    """A request that the rig may refuse; False if it did."""
    try:
        call(*arguments)
    except RigError:
        return False
    return True


class Grown:
    """A program tree out of bytes; what the bytes do not say is 0."""

    def __init__(self, data):
        self._data = data
        self._at = 0
        self._budget = 60

    def byte(self):
        at = self._at
        self._at = at + 1
        return self._data[at] if at < len(self._data) else 0

    def number(self, *likely):
        """One of `likely`, mostly; else any number."""
        byte = self.byte()
        if likely and byte < 208:
            return likely[byte % len(likely)]
        if byte < 240:
            return _NUMBERS[byte % len(_NUMBERS)]
        return (self.byte() << 8 | self.byte()) - (32768 if byte & 1 else 0)

    def program(self):
        policies = [self.number(0, 1) for _ in range(3)]
        host = [self.number(0, 1, 2), self.number(0, 5, 30, 3600)] + ([self.number(0, 3600)] if self.byte() & 1 else [])
        return [p.VERSION, self.number(100, 1000, 10000), self.number(15, 1, 0), policies, host, self.block(0)]

    def block(self, depth):
        count = self.byte()
        if count > 252:  # a long plan
            return [[p.STEP, 256 + i, [[p.MARK, i]]] for i in range(200)]
        return [self.operation(depth) for _ in range(count % 6) if self._at < len(self._data)]

    def operation(self, depth, kinds=_OPERATIONS):
        self._budget -= 1
        op = kinds[self.byte() % len(kinds)]
        if op == m.HEATER:
            celsius = self.byte()
            return [op, celsius * 500 if celsius < 245 else None, self.number(0, 5000, 15000)]
        if op == m.LAMP:
            return [op, self.number(0, 30, 1000, 20000, 40000)]
        if op == m.FLOW:
            return [op, self.number(0, 1), self.number(0, 100000, -100000, 5000000, -5000000)]
        if op == m.DISPENSE:
            volume = self.number(1, 1000, -1000, 100000, -100000, 60000000)
            return [op, self.number(0, 1), volume, self.number(100000, 5000000, 20000000), bool(self.byte() & 1)]
        if op == m.PROBE:
            return [op, self.number(0, 1, 2), self.number(1, 16, 32), self.number(1, 2, 15)]
        if op == p.WAIT:
            return [op, self.condition(), self.number(0, 1000, 10000), self.number(0, 1)]
        if op == p.MARK:
            return [op, self.number(0, 1, 65535)]
        if op == p.TRIGGER:
            return [op, self.number(0, 1), self.number(1, 500, 5000)]
        inner = self.block(depth + 1) if depth < 9 and self._budget > 0 else []
        if op == p.REPEAT:
            return [op, self.number(1, 2, 3, 65535), inner]
        if op == p.STEP:
            return [op, self.number(0, 1, 2, 3), inner]
        return [op, self.number(100, 250, 1000, 5000), [self.condition() for _ in range(1 + self.byte() % 2)], inner]

    def condition(self):
        kind = 1 + self.byte() % 10
        if kind == p.DURATION:
            return [kind, self.number(0, 100, 1000, 5000)]
        if kind == p.TEMPERATURE:
            return [kind, self.number(25000, 30000, 80000), self.number(1000, 60000), self.number(0, 1000)]
        if kind == p.REMNANT_BELOW:
            return [kind, self.number(0, 1, 2, 3), self.number(900, 1000, 1001, 10000), self.number(0, 1, 2)]
        if kind == p.RAMP_DONE:
            return [kind]
        if kind == p.OPERATOR or kind == p.TRIGGER_IN:
            return [kind, self.number(0, 1)]
        if kind == p.VOLUME:
            return [kind, self.number(0, 1), self.number(1, 100000, 5000000)]
        return [kind, self.number(1, 2, 3, 100)]
