"""Cost of the plant per control tick, for the MicroPython that runs it: us and bytes of `advance`, `sensor_sum`, `monitor_sum`.

    MICROPYPATH=.frozen:boards micropython -X heapsize=190k tests/boards/bench_plant.py

Prints one line each: name, us a call (loop subtracted), bytes a call; then the heap that a plant with two samples keeps.
"""

import gc
import time

CALLS = 200000


def run(function, arguments, calls):
    for _ in range(calls):
        function(*arguments)


def measure(name, function, arguments):
    gc.collect()
    began = time.ticks_us()
    run(function, arguments, CALLS)
    took_us = time.ticks_diff(time.ticks_us(), began)
    began = time.ticks_us()
    run(len, ("",), CALLS)
    took_us -= time.ticks_diff(time.ticks_us(), began)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    run(function, arguments, 1000)
    used = (gc.mem_alloc() - before) // 1000
    gc.enable()
    print(f"{name} {took_us / CALLS:.3f} us {used} B")


gc.collect()
empty = gc.mem_alloc()
from plant.rig import Plant  # noqa: E402

plant = Plant({"seed": 1})
gc.collect()
kept = gc.mem_alloc() - empty
measure("advance", plant.advance, (100000, 30000, 0))
measure("advance_lamp_on", plant.advance, (100000, 30000, 13107))
measure("sensor_sum", plant.sensor_sum, (16,))
measure("monitor_sum", plant.monitor_sum, (16,))
print("heap", kept, "B")
