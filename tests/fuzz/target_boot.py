"""A board that starts on what it finds: flash, RAM that survived, settings and program, each spoilt in some places. It starts, tells
what it has, and what it tells is sound; the worst is a refusal.

Input: pieces of a kind byte and what it needs: below 100 three bytes change a byte of RAM (place and what is XORed), below 200 one of
flash, above the rest of the input is what the store keeps as settings or program.
"""

from bench_of_rig import RUN_ID, Flash, Hal, Rig
from target_program import ask

from remnant_protocol import messages as m
from remnant_protocol import program as p

_PROGRAM = [p.VERSION, 1000, 3, [0, 0, 0], [0, 0, 3600], [[p.STEP, 1, [[m.PROBE, 0, 2, 3], [p.EVERY, 500, [[p.DURATION, 90000]], []]]]]]
_SECTORS = 6
_image = []


def fuzz_one(data):
    """Return state, fault and how many records and pages came."""
    flash, hal = Flash(_SECTORS), Hal()
    memory, ram, program, settings = image()
    flash.memory[:] = memory
    retained = bytearray(ram)
    hal.store.save("program", program)
    hal.store.save("settings", settings)
    at, start = 0, len(data) & 1
    while at + 3 < len(data):
        kind = data[at]
        place, value = data[at + 1] << 8 | data[at + 2], data[at + 3]
        if kind < 100:
            retained[place % len(retained)] ^= value
        elif kind < 200:
            flash.memory[(place << 2) % len(flash.memory)] ^= value
        else:
            hal.store.save("settings" if kind < 250 else "program", bytes(data[at + 1 :]))
            break
        at += 4
    rig = Rig(Hal(flash, hal.store, memoryview(retained)), retained != ram)
    for _ in range(14):
        rig.tick()
    ask(rig.app.start if start else rig.app.resume_run, *((RUN_ID,) if start else (RUN_ID, 5, 0)))
    for _ in range(8):
        rig.tick()
    rig.app.link.greet()
    for _ in range(6):
        rig.talk()
        for number in rig.pages:
            rig.app.history.kept(number)
        rig.tick()
    rig.sound()
    return f"{rig.app.state} {rig.app.safety.code} {rig.records} {len(rig.pages)}"


def image():
    """What an interrupted run leaves: flash, RAM, program, settings; made once."""
    if not _image:
        hal = Hal(Flash(_SECTORS))
        hal.store.save("program", p.encode(_PROGRAM))
        rig = Rig(hal)
        for _ in range(14):
            rig.tick()
        rig.app.settings.put(11, 5)
        rig.app.start(RUN_ID)
        hal.line.silent_ms = 100_000
        for _ in range(250):
            rig.tick()
        _image.extend([bytes(hal.flash.memory), bytes(hal.retained), hal.store.load("program"), hal.store.load("settings")])
    return _image
