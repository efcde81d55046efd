"""The RP2040 in the emulator: edges, leases, real time, memory, start, codec, and how fast the emulator itself is.

Emulated figures are exact and repeatable; a real chip is slower by its cache misses, so what costs processor time is also given with a
model of them (16 KiB, two ways, 45 cycles a miss). Wall-clock speeds of the emulator are ratios of emulated to real time on this machine.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/emulator"), str(ROOT / "tests/emulated")]

import lease_trials  # noqa: E402
from bench_host import Host  # noqa: E402
from bench_rig import Rig, bare_rig  # noqa: E402
from remnant_protocol import messages as m  # noqa: E402
from test_firmware import LATE, calibrated, loaded, program_of, running, stored  # noqa: E402
from test_steps import AXES, LOAD, STEP, compared, record  # noqa: E402
from trains import rises  # noqa: E402

TRIALS = 100
MISS_CYCLES = 45
HEAP_MINUTES = 60
OUTPUTS = (2, 3, 4, 5, 10, 11, 12, 18, 19)
LOAD_S = 60


def run() -> list[dict]:
    return [*edges(), *rates(), *leases(), *real_time(), *loop(), *memory(), *start(), *codec(), *speed(), *baselines()]


def row(name: str, value: float, unit: str, what: str, goal: str = "") -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": what}


def edges() -> list[dict]:
    """Four axes under load: every interval against the plan, every count against plan and report."""
    with bare_rig() as rig:
        record(rig)
        rig.repl.exec(
            LOAD
            + AXES
            + "feeders = [axis(i, c, 1, c and 500000 // i if i else 500000) for i, c in enumerate((3250, 12500, 31250, 125000))]"
        )
        rig.repl.exec(
            "hal.start_together(15)\nrun(feeders, 4000)\n"
            "for f in feeders: f.take_back(time.ticks_us()); f.planner.stop(); f.feed(time.ticks_us())\nrun(feeders, 2000)",
            seconds=100,
        )
        rig.run_ms(300)
        trains, worst = compared(rig, 4)
    what = f"{sum(map(len, trains))} edges of 4 axes at 1 to 38 kHz against their plan, Python busy, flash erased meanwhile"
    return [row("step_jitter_cycles_max", worst, "cycles", what, "<= 0")]


def rates() -> list[dict]:
    """The fastest that four axes are held to, with every edge counted."""
    rows = []
    for pulse, driver in ((13, "104 ns pulse (TMC2209)"), (258, "2.06 us pulse (DRV8825, TB6600)")):
        with bare_rig() as rig:
            for pin in STEP:
                rig.pins[pin].record()
            told = rig.repl.exec(
                f"""
from hal.rp2.steps import StepChannel, program_for, step_program
from hal.rp2.machine_pio import PIO0, load
program, pulse = program_for({pulse})
machine.mem32[PIO0] = 0
length = load(PIO0, 0, program)
P = [StepChannel(i, 0, length, pulse, 2 + i, 6 + i) for i in range(4)]
n, interval = 40000, P[0].interval_min_cycles
before = [p.emitted() for p in P]
for p in P:
    p.hold()
    for _ in range(4): p.push(n // 4, interval, 1)
hal.start_together(15)
x = 1.0
while any([p.running() for p in P]):
    x = x * 1.0001 + 0.1; gc.collect()
print((interval, [p.emitted() - b for p, b in zip(P, before)]))
""",
                seconds=60,
            )
            interval, counts = ast.literal_eval(told.strip().splitlines()[-1])
            assert counts == [40_000] * 4, counts
            for pin in STEP:
                train = rises(rig.pins[pin].edges())
                assert len(train) == 40_000 and {b - a for a, b in pairwise(train)} == {interval}
        total = 4 * 125_000_000 // interval
        name = "step_rate_total_hz_4_axes" + ("" if pulse == 13 else "_2us_pulse")
        what = f"{driver}; the enforced limit, 160000 edges exact and counted; Klipper's best on this chip is 4000000"
        rows.append(row(name, total, "Hz", what, ">= 4000000" if pulse == 13 else ""))
    return rows


def leases() -> list[dict]:
    worst = dict.fromkeys(lease_trials.OUTPUTS, 0.0)
    frozen = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each emulator is a process of its own
        for trials in pool.map(_trials, lease_trials.CAUSES):
            _take_in(trials, worst, frozen)
    what = f"worst of {TRIALS} random phases of each of: {', '.join(lease_trials.CAUSES)}"
    return [
        row("lease_heater_off_ms", worst["heater"], "ms", what, "<= 250"),
        row("lease_lamp_off_ms", worst["lamp"], "ms", what, "<= 250"),
        row("steps_stop_after_freeze_ms", frozen["steps"], "ms", f"worst of {TRIALS} random phases of a frozen processor", "<= 500"),
        row("steps_stop_ms", worst["steps"], "ms", what, "<= 500"),
    ]


def _trials(cause: str) -> lease_trials.Trials:
    with bare_rig() as rig:
        lease_trials.prepare(rig)
        return lease_trials.run(rig, cause, TRIALS)


def _take_in(trials: lease_trials.Trials, worst: dict, frozen: dict) -> None:
    print(f"\n  {trials.cause}, {TRIALS} trials")
    for name, values in trials.off_ms.items():
        worst[name] = max(worst[name], max(values))
        print(f"    {name:7} at most {max(values):6.1f} ms   {lease_trials.histogram(values)}")
        if trials.cause == "freeze":
            frozen[name] = max(values)


def real_time() -> list[dict]:
    rows = []
    for miss, suffix in ((0, ""), (MISS_CYCLES, "_cache_misses")):
        with Rig(xip_miss_cycles=miss) as rig:
            late = lateness_under_load(rig)
        what = f"4 pumps at 4 kHz, heater, lamp, telemetry, 3 s without a reading host; {len(late)} ticks" + (
            f"; {MISS_CYCLES} cycles a cache miss" if miss else ""
        )
        rows += [
            row("control_tick_lateness_ms_p50" + suffix, late[len(late) // 2] / 1000, "ms", what),
            row("control_tick_lateness_ms_p99" + suffix, late[int(len(late) * 0.99)] / 1000, "ms", what, "<= 2"),
            row("control_tick_lateness_ms_max" + suffix, late[-1] / 1000, "ms", what, "<= 4"),
        ]
    return rows


def lateness_under_load(rig) -> list[int]:
    """Lateness in us of every tick: a program whose telemetry comes with each tick, the load switched on by its own steps."""
    host = running(calibrated(Host(rig).ready()), LOAD_S)
    host.settle(2)  # the program has been kept in flash
    at = len(host.records)
    host.settle(10)
    rig.usb_hold(True)
    host.reading = False
    host.settle(3)
    rig.usb_hold(False)
    host.reading = True
    host.settle(10)
    return sorted(fields[LATE] for fields in host.records[at:] if fields[0] == m.TELEMETRY)


TICKS = """
from rig.app import App
from remnant_protocol import messages as m
app = App(hal)
def pass_ticks(n):
    for _ in range(n):
        time.sleep_ms(100)
        app.turn()
pass_ticks(20)
app.drive(m.HEATER, [40000, 0]); app.drive(m.LAMP, [5000])
pass_ticks(5)
app._telemetry_due = 1 << 29
app.tick()
gc.collect(); gc.disable()
before, began = gc.mem_alloc(), time.ticks_us()
for _ in range(50): app.tick()
told = (time.ticks_diff(time.ticks_us(), began) / 50, (gc.mem_alloc() - before) / 50)
hal.all_off()
print(told)
"""


def loop() -> list[dict]:
    """What a control tick costs, and the longest time that the loop is held while a large program is checked and begun."""
    rows = []
    for miss, suffix in ((0, ""), (MISS_CYCLES, "_cache_misses")):
        with bare_rig(xip_miss_cycles=miss) as rig:
            tick_us, alloc = ast.literal_eval(rig.repl.exec(TICKS, seconds=60).strip().splitlines()[-1])
        rows.append(
            row("control_tick_ms_rp2040" + suffix, tick_us / 1000, "ms", "heater and lamp on; 0.96 ms of it are the ADC's conversions")
        )
        if not miss:
            rows.append(row("control_tick_alloc_bytes_rp2040", alloc, "B", "the same ticks"))
        with Rig(xip_miss_cycles=miss) as rig:
            host = Host(rig).ready()
            at = len(host.records)
            stored(host, program_of(1000))
            host.command(m.START, bytes(16))
            host.settle(3)
            held = max(fields[LATE] for fields in host.records[at:] if fields[0] == m.TELEMETRY)
        rows.append(
            row("longest_loop_block_ms" + suffix, held / 1000, "ms", "a program of 3 kB and 1000 operations sent, checked, kept and begun")
        )
    return rows


def memory() -> list[dict]:
    """Free heap of the whole firmware, as it tells it itself."""
    with Rig(slice_ms=50) as rig:
        host = Host(rig).ready()
        early = heap(host)
        host.command(m.HEATER, 30_000, 0)
        host.settle(HEAP_MINUTES * 60)
        late = heap(host)
    return [
        row("free_heap_bytes", late, "B", f"after {HEAP_MINUTES} minutes with the heater on; {early} B at start", ">= 110000"),
    ]


def heap(host) -> int:
    host.send(m.DESCRIBE, 2)
    return host.answer(m.DESCRIPTION)[2]["heap_free_bytes"]


def start() -> list[dict]:
    with Rig() as rig:
        rig.power_cycle()
        began = rig.cycle
        while not all(rig.pins[pin].function == "sio" for pin in OUTPUTS):
            rig.run_ms(0.1)
        safe_ms = (rig.cycle - began) / 125_000
        Host(rig).ready()
        ready_ms = (rig.cycle - began) / 125_000
    return [
        row("boot_safe_ms", safe_ms, "ms", "from power-up until boot.py holds every output low; they are inputs before"),
        row("boot_ready_ms", ready_ms, "ms", "from power-up until the rig may be driven; 1.2 s of it are twelve good readings"),
    ]


CODEC = """
import gc, json, time
from remnant_protocol import codec, frame
record, out = codec.TelemetryRecord(), bytearray(264)
values = (12345, 100, 500000, 2, 3, 80000, 79950, 30000, 0, 0, 100, 1500)
names = ('seq', 't_s', 't_us', 'state', 'step', 'setpoint_mc', 'temp_mc', 'heater_u16', 'lamp_u16', 'uw_per_cm2', 'mj_per_cm2', 'late_us')
mapping = dict(zip(names, values))
def us(f, n=30):
    f(); gc.collect()
    t = time.ticks_us()
    for _ in range(n): f()
    return time.ticks_diff(time.ticks_us(), t) / n
idle = us(lambda: None)
n = record.pack(*values)
print((us(lambda: record.pack(*values)) - idle, us(lambda: codec.encode([64] + list(values))) - idle,
    us(lambda: json.dumps(mapping)) - idle, us(lambda: frame.encode_into(record.buffer, n, out)) - idle))
"""


def codec() -> list[dict]:
    rows = []
    for miss, suffix in ((0, ""), (MISS_CYCLES, "_cache_misses")):
        with bare_rig(xip_miss_cycles=miss) as rig:
            ours, generic, json_us, framed = ast.literal_eval(rig.repl.exec(CODEC).strip())
        what = f"in the same run: generic msgpack {generic:.0f} us, json {json_us:.0f} us; framing another {framed:.0f} us"
        rows.append(row("telemetry_encode_us_rp2040" + suffix, ours, "us", what))
        rows.append(row("telemetry_encode_json_ratio_rp2040" + suffix, json_us / ours, "x", "json.dumps of the same fields, same run"))
    return rows


def speed() -> list[dict]:
    rows = []
    with Rig() as rig:
        host = Host(rig).ready()
        rows.append(row("emulator_speed_ratio_idle", pace(rig, 5), "x", "emulated over wall time; firmware ready, nothing driven"))
        host.command(m.HEATER, 40_000, 0)
        rows.append(row("emulator_speed_ratio_control", pace(rig, 5), "x", "emulated over wall time; heater on"))
        loaded(host)
        rows.append(row("emulator_speed_ratio_4khz", pace(rig, 5), "x", "emulated over wall time; four axes at 4 kHz, heater and lamp on"))
    return rows


def pace(rig, seconds: float) -> float:
    began = time.perf_counter()
    rig.run_ms(seconds * 1000)
    return seconds / (time.perf_counter() - began)


BASELINE_LOAD = """
import asyncio, gc, json, machine, time
pin = machine.Pin(2, machine.Pin.OUT, value=0)
done = False
state = {'t': 0, 'temp': 0.0, 'duty': 0.0}
async def control():
    adc, integral = machine.ADC(26), 0.0
    while not done:
        total = 0
        for _ in range(16): total += adc.read_u16()
        state['temp'] = total / 16 * 100 / 65535
        integral = max(0.0, min(1.0, integral + (60 - state['temp']) * 0.002)); state['duty'] = integral
        await asyncio.sleep_ms(100)
async def tell():
    while not done:
        state['t'] = time.ticks_us(); print(json.dumps(state)); await asyncio.sleep_ms(200)
async def churn():
    while not done:
        [bytearray(40) for _ in range(60)]; gc.collect(); await asyncio.sleep_ms(130)
"""
TIMER = """
def pulse(timer): pin(1); pin(0)
timer = machine.Timer(freq=HZ, callback=pulse)
async def main():
    global done
    for task in (control, tell, churn): asyncio.create_task(task())
    await asyncio.sleep_ms(5000); timer.deinit(); done = True
asyncio.run(main())
"""
LOOP = """
async def stepper():
    period = 1000000 // HZ; due = time.ticks_us()
    while not done:
        due = time.ticks_add(due, period)
        while time.ticks_diff(due, time.ticks_us()) > 0: await asyncio.sleep_ms(0)
        if time.ticks_diff(time.ticks_us(), due) > 5 * period: due = time.ticks_us()
        pin(1); pin(0)
async def main():
    global done
    for task in (stepper, control, tell, churn): asyncio.create_task(task())
    await asyncio.sleep_ms(5000); done = True
asyncio.run(main())
"""


def baselines() -> list[dict]:
    """Pulses made by Python in the usual two ways, beside a like load."""
    rows = []
    for kind, source in (("timer", TIMER), ("asyncio", LOOP)):
        for hz in (1000, 4000):
            with bare_rig() as rig:
                rig.pins[2].record()
                rig.repl.exec(BASELINE_LOAD + source.replace("HZ", str(hz)), seconds=60)
                train = rises(rig.pins[2].edges())
            period = 125_000_000 // hz
            jitter = max(abs(b - a - period) for a, b in pairwise(train))
            lost = 100 * (1 - len(train) / (5 * hz))
            what = f"{'machine.Timer' if kind == 'timer' else 'an asyncio loop'} at {hz} Hz for 5 s; ours: 0"
            rows.append(row(f"baseline_{kind}_{hz}_hz_jitter_cycles_max", jitter, "cycles", what))
            rows.append(row(f"baseline_{kind}_{hz}_hz_lost_percent", lost, "%", what))
    return rows
