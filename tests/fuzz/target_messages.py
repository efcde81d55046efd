"""Link and App on any message bodies: whatever a host says is taken, refused or ignored; the firmware never fails (TASK_FAILED).

Input: a byte of weather, then pieces: a byte n; below 200 the next n bytes are a message body; above, ticks pass or the world changes.
"""

from bench_of_rig import RUN_ID, Flash, Hal, Rig

from remnant_protocol import codec
from remnant_protocol import program as p

_TICKS_MAX = 600
_PROGRAM = [
    p.VERSION,
    1000,
    3,
    [0, 0, 0],
    [0, 0, 3600],
    [[p.STEP, 1, [[16, 40000, 0], [17, 1000], [18, 0, 100000], [20, 0, 2, 3], [p.EVERY, 500, [[p.DURATION, 20000]], [[20, 1, 2, 3]]]]]],
]


def fuzz_one(data):
    """Return state, fault and next record."""
    if not data:
        return "nothing"
    hal = Hal(Flash(6) if data[0] & 1 else None)
    hal.store.save("program", codec.encode(_PROGRAM))
    rig = Rig(hal)
    if data[0] & 2:
        for _ in range(14):
            rig.tick()
    if data[0] & 4 and data[0] & 2:
        rig.app.start(RUN_ID)
    at, ticks = 1, 0
    while at < len(data):
        n, at = data[at], at + 1
        if n < 200:
            rig.app.link._on_body(bytes(data[at : at + n]))
            at += n
            rig.sound()
            rig.talk()
        elif n < 240:
            ticks += n - 199
            if ticks > _TICKS_MAX:
                break
            for _ in range(n - 199):
                rig.tick(100_000 if n & 1 else 333_000)
            rig.talk()
        else:
            happens(hal, n)
    for _ in range(3):
        rig.tick()
    rig.talk()
    rig.sound()
    return f"{rig.app.state} {rig.app.safety.code} {rig.app.journal.next_seq}"


def happens(hal, n):
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
