"""What a control tick costs the board: microseconds, bytes allocated, heap left, on 64-bit and 32-bit MicroPython."""

from __future__ import annotations

import json
import subprocess

from conftest import interpreter_command

HEAP = {"i386": "190k", "amd64": "380k"}

# The whole application on the fake bench: heater and lamp on, telemetry far away; the hal's own cost is part of it.
SOURCE = """
import gc, json, time
from bench import Bench
from remnant_protocol import messages as m
bench = Bench()
bench.ready()
bench.records()
gc.collect()
told = {"free": gc.mem_free()}
app, clock = bench.app, bench.hal.clock
app.drive(m.HEATER, [25000, 0])
app.drive(m.LAMP, [10000])
bench.hal.adc.monitor = 10200
app._telemetry_due = 1 << 29
for _ in range(5):
    app.turn(); clock.pass_us(100000)
times = []
for _ in range(7):
    gc.collect()
    began = time.ticks_us()
    for _ in range(1000):
        app.tick(); clock.pass_us(100000)
    times.append(time.ticks_diff(time.ticks_us(), began) / 1000)
told["tick_us"] = sorted(times)[3]
gc.collect(); gc.disable()
before = gc.mem_alloc()
for _ in range(50):
    app.tick(); clock.pass_us(100000)
told["alloc"] = (gc.mem_alloc() - before) // 50
print(json.dumps(told))
"""


def run() -> list[dict]:
    rows = []
    for arch in ("i386", "amd64"):
        command, environment = interpreter_command("micropython-" + arch)
        command[-1] = "heapsize=" + HEAP[arch]
        told = json.loads(subprocess.run([*command, "-c", SOURCE], env=environment, capture_output=True, check=True).stdout)
        what = f"heap of {HEAP[arch]}B, application on the fake bench"
        rows.append(_row(f"control_tick_us_{arch}", told["tick_us"], "us", "heater and lamp on"))
        rows.append(_row(f"control_tick_alloc_bytes_{arch}", told["alloc"], "B", "one tick, heater and lamp on"))
        rows.append(_row(f"free_heap_after_start_bytes_{arch}", told["free"], "B", what))
    return rows


def _row(name, value, unit, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": "", "compared_with": compared_with}
