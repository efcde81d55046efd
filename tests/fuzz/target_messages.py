"""Link and App on any message bodies: whatever a host says is taken, refused or ignored; the firmware never fails (TASK_FAILED).

Input: a byte of weather, then pieces, each of a byte n: below 100 the next n bytes are a message body; below 180 a message is grown, right
more often than not; below 240 ticks pass; above the world changes, or the board starts again.
"""

from binascii import crc32

from bench_of_rig import RUN_ID, Flash, Hal, Rig
from target_program import RHYTHMS_US, Grown

from remnant_protocol import codec
from remnant_protocol import messages as m
from remnant_protocol import program as p
from rig.settings import TABLE

_TICKS_MAX = 700
_KEYS = sorted(TABLE)
_VALUES = (0, 1, -1, 100, 127, 255, 511, 1023, 10000, (1 << 31) - 1, -(1 << 31))
_OPERATIONS = (m.HEATER, m.LAMP, m.FLOW, m.DISPENSE, m.PROBE)
_PLAIN = (m.STATUS, m.STOP, m.CUT, m.PAUSE, m.RESUME, m.CLEAR, m.CONTINUE, m.DISCARD_RUN, m.CALIBRATE, m.PROGRAM_COMMIT)
_SLOW = [p.STEP, 1, [[m.HEATER, 40000, 0], [m.LAMP, 1000], [m.FLOW, 0, 100000], [m.PROBE, 0, 2, 3], [p.WAIT, [p.OPERATOR, 1], 0, 0]]]
_FAST = [p.STEP, 2, [[p.EVERY, 500, [[p.DURATION, 20000]], [[m.PROBE, 1, 2, 3], [m.DISPENSE, 1, -1000, 5000000, True]]]]]
_PROGRAM = [p.VERSION, 1000, 3, [0, 0, 0], [1, 5, 3600], [_SLOW, _FAST]]


def fuzz_one(data):
    """Return state, fault and next record."""
    if not data:
        return "nothing"
    hal = Hal(Flash(6) if data[0] & 1 else None)
    hal.store.save("program", codec.encode(_PROGRAM))
    rig = Rig(hal)
    if data[0] & 2:
        pass_ticks(rig, 14, 100_000)
        if data[0] & 4:
            rig.app.start(RUN_ID)
    at, ticks, number = 1, 0, 0
    while at < len(data) and ticks < _TICKS_MAX:
        n, at = data[at], at + 1
        if n < 100:
            take(rig, bytes(data[at : at + n]))
            at += n
        elif n < 180:
            number += 1
            grown = Grown(data[at : at + 24])
            for fields in messages(rig, n, number, grown):
                take(rig, codec.encode(fields))
            at += min(24, grown._at)
        elif n < 240:
            ticks += n - 179
            pass_ticks(rig, n - 179, RHYTHMS_US[n & 3])
            rig.talk()
        elif n < 252:
            happens(rig.hal, n)
        else:
            rig = Rig(Hal(rig.hal.flash, rig.hal.store, rig.hal.retained if n & 1 else None))
            ticks += 14
            pass_ticks(rig, 14 if n & 2 else 1, 100_000)
    pass_ticks(rig, 3, 100_000)
    rig.talk()
    rig.sound()
    return f"{rig.app.state} {rig.app.safety.code} {rig.app.journal.next_seq}"


def take(rig, body):
    rig.app.link._on_body(body)
    rig.sound()
    rig.talk()


def pass_ticks(rig, count, us):
    for _ in range(count):
        rig.tick(us)


def messages(rig, n, number, grown):
    """Messages as a host sends them."""
    if n < 120:
        operation = grown.operation(9, _OPERATIONS)
        return [[m.COMMAND, number] + operation]
    if n < 130:
        return [[m.COMMAND, number, _PLAIN[n - 120]]]
    if n < 140:
        key = _KEYS[grown.byte() % len(_KEYS)]
        return [[m.COMMAND, number, m.SETTING, key, grown.number(*(_VALUES + TABLE[key][1:]))]]
    if n < 146:
        return [[m.COMMAND, number, m.START, RUN_ID]]
    if n < 150:
        return [[m.COMMAND, number, m.RESUME_RUN, RUN_ID, grown.number(0, 60, 7200), grown.number(0, 1, 1000)]]
    if n < 160:
        data = p.encode(grown.program())[:600]
        begin = [m.COMMAND, number + 1000, m.PROGRAM_BEGIN, len(data), crc32(data) & 0xFFFFFFFF]
        pieces = [[m.COMMAND, number + 2000 + at, m.PROGRAM_DATA, at, data[at : at + 150]] for at in range(0, len(data), 150)]
        return [begin] + pieces + [[m.COMMAND, number + 3000, m.PROGRAM_COMMIT]]
    if n < 166:
        return [[m.HELLO, 1, 1, "fuzz"]]
    journal = rig.app.journal
    if n < 170:
        return [[m.ACK, rig.received, rig.hal.identity.boot_id, journal.next_seq - grown.number(1, 2, 20)]]
    if n < 174:
        pages, rig.pages = rig.pages, []
        return [[m.PAGE_KEPT, page] for page in pages]
    if n < 176:
        return [[m.RESEND, rig.hal.identity.boot_id, journal.next_seq - grown.number(1, 2, 20)]]
    return [[m.DESCRIBE, grown.number(0, 1, 2)] if n < 178 else [m.PING, grown.number(0, 7)]]


def happens(hal, n):
    """Something of the world turns over."""
    inputs = hal.inputs
    if n == 240:
        inputs.interlock = not inputs.interlock
    elif n == 241:
        inputs.stop = not inputs.stop
    elif n == 242:
        inputs.stalled = not inputs.stalled
    elif n == 243:
        inputs.trigger = not inputs.trigger
    elif n == 244:
        hal.line.silent_ms = 0 if hal.line.silent_ms else 100_000
    elif n == 245:
        hal.optics.done = not hal.optics.done
    elif n == 246:
        hal.adc.alive = not hal.adc.alive
    elif n == 247:
        hal.line.takes = 3 if hal.line.takes == 1000 else 1000
