"""How long outputs stay on when nobody is left to renew them: trials at random phases of every way a processor can be lost.

Each trial runs heater and lamp at four fifths and four pumps at 2 kHz, renewed as the control tick does, loses the processor at a random
instant, and looks when each pin was last high. `python tests/emulated/lease_trials.py --trials 100` prints the histograms.
"""

import contextlib
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "emulator"))

from bench_rig import at_prompt, bare_rig  # noqa: E402
from rp2040 import ReplError  # noqa: E402

CYCLES_PER_MS = 125_000
OUTPUTS = {"heater": (10,), "lamp": (11,), "steps": (2, 3, 4, 5)}
LIMIT_MS = {"heater": 250, "lamp": 250, "steps": 500}

LOOP = """
from rig.motion import Feeder, Planner
mark = machine.Pin(18, machine.Pin.OUT, value=0)
def begin():
    global feeders
    feeders = []
    for channel in hal.pumps:
        channel.abort()
        planner = Planner(200000)
        planner.rest(); planner.aim(62500, 1, 1)
        feeder = Feeder(channel, planner)
        feeder.start(1, 10 ** 6, time.ticks_us())
        feeders.append(feeder)
    hal.start_together(15)
def renew():
    hal.heater.renew(52000); hal.lamp.renew(52000)
    now = time.ticks_us()
    for feeder in feeders: feeder.feed(now)
def ticks(ms, end):
    'Control ticks of 100 ms for `ms`, then `end()`.'
    begin()
    t0, k = time.ticks_ms(), 0
    while True:
        renew()
        k += 100
        left = time.ticks_diff(time.ticks_add(t0, min(k, ms)), time.ticks_ms())
        if left > 0: time.sleep_ms(left)
        if k >= ms: break
    end()
"""


@dataclass
class Trials:
    """off_ms: per output how long after the loss the pin was last high, one entry a trial."""

    cause: str
    off_ms: dict = field(default_factory=lambda: {name: [] for name in OUTPUTS})

    def worst(self, name):
        return max(self.off_ms[name])


def last_high_ms(rig, lost_at):
    """Per output: ms from `lost_at` (cycles) until its pins fell for the last time; 0 when they were low. Raises when one is high still."""
    result = {}
    for name, pins in OUTPUTS.items():
        worst = 0.0
        for pin in pins:
            edges = rig.pins[pin].edges()
            assert edges, f"{name}: pin {pin} has never moved"
            assert not edges[-1][1], f"{name}: pin {pin} is still high"
            worst = max(worst, (edges[-1][0] - lost_at) / CYCLES_PER_MS)
        result[name] = max(0.0, worst)
    return result


def prepare(rig):
    rig.repl.exec(LOOP)


def record(rig):
    for pins in (*OUTPUTS.values(), (18,)):
        for pin in pins:
            rig.pins[pin].clear()
            rig.pins[pin].record()


def freeze(rig, ms):
    """The core executes nothing any more."""
    rig.repl.start("ticks(100000, lambda: None)")
    rig.run_ms(ms)
    lost = rig.cycle
    rig.freeze_cpu()
    rig.run_ms(700)
    off = last_high_ms(rig, lost)
    rig.thaw_cpu()
    interrupted(rig)
    return off


def marked(rig, ms, end, wait_ms=700):
    """`end` is Python that raises pin 18 when the processor is lost, for at most 650 ms."""
    rig.repl.start(f"def end():\n    mark(1)\n    {end}\n    mark(0)\nticks({int(ms)}, end)")
    rig.run_ms(ms + wait_ms)
    lost = next(cycle for cycle, level in reversed(rig.pins[18].edges()) if level)
    return last_high_ms(rig, lost)


def interrupted(rig):
    """Ctrl-C at the prompt's program."""
    rig.repl.interrupt()
    with contextlib.suppress(ReplError):
        rig.repl.finish()


def crash(rig, ms):
    """An exception ends the program; the prompt comes."""
    off = marked(rig, ms, "raise RuntimeError('lost')")
    with contextlib.suppress(ReplError):
        rig.repl.finish()
    rig.repl.exec("mark(0)")
    return off


def interrupts_off(rig, ms):
    """A loop that never ends, interrupts off: 650 ms of it here, so that the next trial can begin."""
    end = (
        "s = machine.disable_irq(); t = time.ticks_us()\n"
        "    while time.ticks_diff(time.ticks_us(), t) < 650000: pass\n"
        "    machine.enable_irq(s)"
    )
    off = marked(rig, ms, end)
    rig.repl.finish()
    return off


def hung_i2c(rig, ms):
    """A device holds the clock of its bus for ever; the processor waits for it."""
    rig.i2c(1).hang()
    end = "i2c = machine.I2C(1, sda=14, scl=15, timeout=600000)\n    try: i2c.readfrom(0x48, 2)\n    except OSError: pass"
    off = marked(rig, ms, end)
    rig.repl.finish()
    return off


def soft_reset(rig, ms):
    """Ctrl-D in the middle of a slot; boot.py runs as it does on every start."""
    rig.repl.start("ticks(100000, lambda: None)")
    rig.run_ms(ms)
    lost = rig.cycle
    interrupted(rig)
    rig.repl.soft_reset()
    rig.run_ms(700)
    off = last_high_ms(rig, lost)
    at_prompt(rig)
    rig.repl.exec(LOOP)
    return off


def watchdog_reset(rig, ms):
    """Nobody feeds the watchdog; outputs are off long before it bites."""
    rig.repl.start(f"w = machine.WDT(timeout=2000)\ndef end():\n    mark(1)\n    time.sleep_ms(100000)\nticks({int(ms)}, end)")
    rig.run_ms(ms + 700)
    lost = next(cycle for cycle, level in reversed(rig.pins[18].edges()) if level)
    off = last_high_ms(rig, lost)
    before = len(rig.resets)
    rig.run_ms(2200)
    assert rig.resets[before:] and rig.resets[-1][1] == "watchdog", rig.resets
    off = {name: max(off[name], last_high_ms(rig, lost)[name]) for name in off}
    at_prompt(rig)
    rig.repl.exec(LOOP)
    return off


CAUSES = {trial.__name__: trial for trial in (freeze, crash, interrupts_off, hung_i2c, soft_reset, watchdog_reset)}


def run(rig, cause, trials, seed=1, on_trial=None):
    """Trials of one cause on a bare rig that has been prepared."""
    draw = random.Random(f"{cause} {seed}")
    result = Trials(cause)
    for number in range(trials):
        record(rig)
        off = CAUSES[cause](rig, 300 + draw.random() * 300)
        for name, ms in off.items():
            result.off_ms[name].append(ms)
        if on_trial:
            on_trial(number + 1)
    return result


def histogram(values, width_ms=25):
    """Text of a histogram in bins of width_ms."""
    bins = {}
    for value in values:
        bins[int(value // width_ms)] = bins.get(int(value // width_ms), 0) + 1
    return "  ".join(f"{k * width_ms}-{(k + 1) * width_ms}: {bins[k]}" for k in sorted(bins))


def main():
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--cause", choices=list(CAUSES), action="append")
    wanted = parser.parse_args()
    for cause in wanted.cause or CAUSES:
        with bare_rig() as rig:
            prepare(rig)
            result = run(
                rig, cause, wanted.trials, on_trial=lambda n, c=cause: print(f"\r{c} {n}/{wanted.trials}", end="", file=sys.stderr)
            )
        print(f"\r{cause}, {wanted.trials} trials")
        for name, values in result.off_ms.items():
            print(f"  {name:7} off after at most {max(values):6.1f} ms (limit {LIMIT_MS[name]})   ms: {histogram(values)}")


if __name__ == "__main__":
    main()
