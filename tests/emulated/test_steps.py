"""Step pulses on the chip: to the cycle what was planned, whatever Python is doing (firmware/hal/rp2/steps.py, firmware/rig/motion.py)."""

import ast

import pytest

from trains import rises, widths, worst_interval_error

STEP = (2, 3, 4, 5)
PULSE = 258
LOAD = """
import json, os, rp2, sys
flash = rp2.Flash()
spare = flash.ioctl(4, 0) - 1
def churn(i):
    'What else a board may be doing: floats, garbage, text out, a sector erased.'
    x = 1.0
    for _ in range(60): x = x * 1.0001 + 0.1
    [bytearray(40) for _ in range(60)]
    if i % 3 == 0: gc.collect()
    if i % 4 == 1: sys.stdout.write('#' * 180 + '\\n')
    if i % 10 == 5: flash.ioctl(6, spare)
"""
AXES = """
from rig.motion import Feeder, Planner
class Logged:
    'A step channel that keeps what is pushed and not recalled.'
    def __init__(self, channel): self.channel, self.log = channel, []
    def push(self, n, interval, direction):
        done = self.channel.push(n, interval, direction)
        if done: self.log.append((n, interval))
        return done
    def recall(self, most):
        gone = self.channel.recall(most)
        if gone: del self.log[-gone:]
        return gone
    def __getattr__(self, name): return getattr(self.channel, name)
def axis(i, cycles, per, steps, accel=20000):
    channel = Logged(hal.pumps[i])
    planner = Planner(accel)
    feeder = Feeder(channel, planner)
    planner.rest(); planner.aim(cycles, per, 1)
    feeder.start(1, steps, time.ticks_us())
    return feeder
def run(feeders, ms, then=None):
    'Top up every 100 ms with the load in between.'
    t0, k = time.ticks_ms(), 0
    while True:
        now = time.ticks_us()
        busy = [f.feed(now) for f in feeders]
        if not any(busy): break
        if then and k == 10: then()
        churn(k)
        k += 1
        left = time.ticks_diff(time.ticks_add(t0, 100 * k), time.ticks_ms())
        if 100 * k >= ms: break
        if left > 0: time.sleep_ms(left)
"""


def listed(text):
    """The last line of what a board printed, as Python sees it."""
    return ast.literal_eval(text.strip().splitlines()[-1])


def segments_of(rig, feeders):
    return [listed(rig.repl.exec(f"print(feeders[{i}]._channel.log)")) for i in range(feeders)]


def assert_exact(rig, feeders):
    """Edges, plan and report agree: count for count, and every interval to the cycle. Returns the rises of each axis."""
    trains, worst = compared(rig, feeders)
    assert worst == 0
    return trains


def compared(rig, feeders):
    """(rises of each axis, largest error of an interval in cycles); counts must agree, and every pulse be as long as the others."""
    logs = segments_of(rig, feeders)
    reported = listed(rig.repl.exec(f"print([hal.pumps[i].emitted() for i in range({feeders})])"))
    planned = listed(rig.repl.exec("print([f.planned for f in feeders])"))
    trains, worst = [], 0
    for i in range(feeders):
        edges = rig.pins[STEP[i]].edges()
        train = rises(edges)
        worst = max(worst, worst_interval_error(logs[i], train))
        assert set(widths(edges)) == {PULSE}
        assert len(train) == planned[i] == reported[i]
        trains.append(train)
    return trains, worst


@pytest.mark.parametrize(
    "intervals",
    [(125_000, 31_250, 12_500, 3_250), (31_251, 12_501, 31_250, 3_437_500_000)],
    ids=["1-4-10-kHz-26-us", "4-10-4-kHz-27.5-s"],
)
def test_four_axes_are_exact_while_python_is_busy(bare, intervals):
    record(bare)
    steps = [min(int(2.0 * 125e6 / interval) + 1, 60_000) for interval in intervals]
    bare.repl.exec(LOAD + AXES + f"feeders = [axis(i, c, 1, n, 100000) for i, (c, n) in enumerate(zip({intervals}, {steps}))]\n")
    bare.repl.exec("hal.start_together(15)\nrun(feeders, 3000)", seconds=60)
    if max(intervals) > 1e9:
        bare.repl.exec(
            "feeders[3].take_back(time.ticks_us()); feeders[3].planner.stop(); feeders[3].feed(time.ticks_us())\nrun(feeders, 1000)",
            seconds=60,
        )
    bare.run_ms(300)
    trains = assert_exact(bare, 4)
    assert len({train[0] for train in trains}) == 1, "the axes begin in the same cycle"
    assert bare.stats()["erases"] >= 2


def test_a_step_every_27_seconds_comes_to_the_cycle(bare):
    record(bare, STEP[:1])
    bare.repl.exec(AXES.replace("churn(k)", "pass") + "feeders = [axis(0, 3437500000, 1, 3)]\nhal.start_together(1)")
    bare.repl.exec("run(feeders, 60000)", seconds=100)
    bare.run_ms(300)
    (train,) = assert_exact(bare, 1)
    assert [b - a for a, b in zip(train, train[1:], strict=False)] == [3_437_500_000] * 2


def test_a_change_of_rate_begins_within_200_ms_and_loses_no_step(bare):
    record(bare)
    bare.repl.exec(LOAD + AXES + "feeders = [axis(i, 31250, 1, 20000) for i in range(4)]\nhal.start_together(15)")
    bare.repl.exec(
        """
marks = []
def change():
    hal.outputs.trigger(0, True)
    for f, cycles in zip(feeders, (50000, 12500, 31000, 125000)):
        f.take_back(time.ticks_us()); f.planner.aim(cycles, 1, 2); f.feed(time.ticks_us())
run(feeders, 2500, change)
for f in feeders: f.take_back(time.ticks_us()); f.planner.stop(); f.feed(time.ticks_us())
run(feeders, 2000)
""",
        seconds=60,
    )
    bare.run_ms(300)
    trains = assert_exact(bare, 4)
    changed = rises(bare.pins[18].edges())[0]
    for train in trains:
        first = next(b for a, b in zip(train, train[1:], strict=False) if a > changed and b - a not in (31250, 31251))
        assert first - changed < 200 * 125_000


def test_counts_are_exact_after_an_abort_at_any_instant(bare):
    """200 aborts at random instants, four axes at four rates: reported steps are the edges that left the pins, no pulse is cut short."""
    record(bare)
    rounds = 50
    bare.repl.exec(
        f"""
import random
random.seed(7)
def trial():
    for p, interval in zip(hal.pumps, (31250, 5000, 1250, 519)):
        p.hold()
        for _ in range(4): p.push(200, interval, 1)
    hal.start_together(15)
    time.sleep_us(random.randrange(50, 12000))
    counts = [p.abort() for p in hal.pumps]
    time.sleep_us(400)
    return counts == [p.emitted() for p in hal.pumps], counts
results = [trial() for _ in range({rounds})]
""",
        seconds=100,
    )
    bare.run_ms(50)
    kept, last = listed(bare.repl.exec("print((all([r[0] for r in results]), results[-1][1]))"))
    assert kept
    for axis, pin in enumerate(STEP):
        edges = bare.pins[pin].edges()
        assert len(rises(edges)) == last[axis]
        assert min(widths(edges)) >= PULSE
    totals = listed(bare.repl.exec("print([r[1] for r in results])"))
    assert len({tuple(b - a for a, b in zip(x, y, strict=True)) for x, y in zip(totals, totals[1:], strict=False)}) > rounds // 2


@pytest.mark.parametrize(("flow_ml_per_h", "seconds"), [(5000, 4), (60, 20)])
def test_the_flows_of_liang2023_are_met_to_a_millionth(bare, flow_ml_per_h, seconds):
    """liang2023: 5000 mL/h of antisolvent from a 60 mL syringe, 60 mL/h of precursor from a 10 mL one."""
    pl_per_turn = 1_121_483_000 if flow_ml_per_h == 5000 else 330_260_000
    nl_per_min = flow_ml_per_h * 1_000_000 // 60
    cycles, per = 7_500_000 * pl_per_turn, nl_per_min * 3200
    record(bare, STEP[:1])
    bare.repl.exec(LOAD + AXES + f"feeders = [axis(0, {cycles}, {per}, 10 ** 6)]\nhal.start_together(1)")
    bare.repl.exec(f"run(feeders, {seconds * 1000})", seconds=60)
    train = rises(bare.pins[STEP[0]].edges())
    start = next(i for i, cycle in enumerate(train) if cycle - train[0] > 125_000_000)  # behind the ramp
    cruise = train[start:-1]
    mean = (cruise[-1] - cruise[0]) / (len(cruise) - 1)
    assert abs(mean / (cycles / per) - 1) < 1e-6


def record(rig, pins=STEP):
    for pin in (*pins, 18):
        rig.pins[pin].record()
