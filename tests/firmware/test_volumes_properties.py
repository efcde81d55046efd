"""Volume is conserved: over random plans, what each syringe gave is its steps times the volume of a step, exactly.

The plan's language and compiler, the board's program, pump and motion code, and the virtual step generator; a screw of its own keeps the
account that the board is held to. Runs are stopped, cut, reset and resumed at any tick; by hand flows change at any tick.
"""

from fractions import Fraction

from fake_hal import LIMITS as FAKE_LIMITS
from fake_hal import FakeFlash, FakeHal
from hypothesis import given, note, settings
from hypothesis import strategies as st

from hal.sim_pump import SimPump
from remnant.plan import compile_plan, load
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError
from rig.app import App

RUN_ID = b"0123456789abcdef"
LIMITS = {**FAKE_LIMITS, "pumps": 2}
CALIBRATION = ((1_121_483_000, 3200, 40), (330_260_000, 3200, 40))  # rig/settings.py: pl a turn, steps a turn, backlash
START_NL = (30_000_000, 5_000_000)
TICK_US = 100_000
SENSOR_AT_22_C = 46_454  # counts of the NTC: 11.44 kohm over 4.7 kohm
TICKS_MAX = 4000


class Screw:
    """A syringe with play in its screw, turned step by step: what the plant does, written without looking at the board's account."""

    def __init__(self, pump):
        self.pl_per_turn, self.steps_per_turn, self.backlash = CALIBRATION[pump]
        self.turned = 0  # steps, in all
        self.play = 0  # of these that infusing would take before the plunger moves
        self.plunger = 0

    def turn(self, steps):
        for _ in range(abs(steps)):
            self.turned += 1 if steps > 0 else -1
            if steps > 0:
                self.play, moved = (self.play - 1, 0) if self.play else (0, 1)
            else:
                self.play, moved = (self.play + 1, 0) if self.play < self.backlash else (self.play, -1)
            self.plunger += moved

    @property
    def step_nl(self):
        return Fraction(self.pl_per_turn, 1000 * self.steps_per_turn)


class Hal(FakeHal):
    """The fake bench with two motors of the virtual board; flash and screws outlive it."""

    def __init__(self, bench):
        super().__init__()
        self.limits = LIMITS
        self.adc.sensor = SENSOR_AT_22_C
        self.pumps = [SimPump(bench, 0), SimPump(bench, 1)]
        self.flash, self.store, self.retained = bench.flash, bench.store, memoryview(bytearray(4096))


class Bench:
    """A rig that can be reset: screws and flash stay, the board begins anew. resets_moving: a motor turned when the power went."""

    def __init__(self):
        self.screws = [Screw(0), Screw(1)]
        self.flash, self.store = FakeFlash(8), FakeHal().store
        self.earlier = [0, 0]  # what the boards before this one say that the plunger has done
        self.earlier_steps = [0, 0]
        self.resets_moving = False
        self.boot()
        for pump, volume in zip(self.app.pumps, START_NL, strict=True):
            pump.load(volume)

    def move_syringe(self, pump, steps):
        self.screws[pump].turn(steps)

    def boot(self):
        self.hal = Hal(self)
        self.app = App(self.hal)
        self.ticks(14)
        assert self.app.state == m.READY

    def reset(self):
        self.resets_moving = self.resets_moving or any(pump.busy for pump in self.app.pumps)
        for i, pump in enumerate(self.app.pumps):
            self.earlier[i] += pump.plunger
            self.earlier_steps[i] += pump.steps
            self.hal.pumps[i].abort()
        self.boot()

    def ticks(self, count):
        for _ in range(count):
            self.app.turn()
            for channel in self.hal.pumps:
                channel.advance(TICK_US)
            self.hal.clock.pass_us(TICK_US)
            self.app.journal.acknowledge(self.app.journal.next_seq - 1)

    def start(self, program):
        self.store.save("program", program)
        self.app.start(RUN_ID)

    def check(self):
        """The board's account is that of the screw, to the step; its volumes are those steps times the volume of one."""
        for i, (pump, screw) in enumerate(zip(self.app.pumps, self.screws, strict=True)):
            assert self.earlier_steps[i] + pump.steps == screw.turned
            if not self.resets_moving:  # what the screw turns after the last checkpoint of a power cut nobody knows
                assert self.earlier[i] + pump.plunger == screw.plunger
                assert pump.play == screw.play
                left_nl = START_NL[i] - screw.plunger * screw.step_nl
                assert abs(pump.left_nl - left_nl) <= screw.step_nl / 2 + 1  # `load` takes whole steps, told in whole nL
            exact_nl = pump.plunger * screw.step_nl
            assert abs(pump.delivered_nl - exact_nl) <= Fraction(1, 2)


def volume(most_nl):
    return st.integers(1, most_nl).map(lambda nl: f"{nl} nL")


FLOW = st.integers(6_000, 60_000).map(lambda rate: f"{rate} uL/min")
PUMP = st.integers(1, 2)


def dose(words):
    return st.builds(
        lambda word, pump, amount, rate: {word: {"pump": pump, "volume": amount, "flow": rate}},
        st.sampled_from(words),
        PUMP,
        volume(150_000),
        FLOW,
    )


SLOW = st.builds(
    lambda word, pump, nl: {word: {"pump": pump, "volume": f"{nl} nL", "flow": "300 uL/min"}},
    st.sampled_from(["infuse", "withdraw"]),
    PUMP,
    st.integers(1, 5_000),
)
DOSE = st.one_of(dose(["infuse", "withdraw", "prime"]), SLOW)
RATES = st.dictionaries(st.sampled_from(["1", "2"]), st.tuples(FLOW, st.sampled_from(["", "-"])).map(lambda f: f[1] + f[0]), min_size=1)
TIME = st.integers(200, 3000).map(lambda ms: f"{ms} ms")
TIMED = st.builds(lambda rates, lasts: {"flow": rates, "for": lasts}, RATES, TIME)
BY_VOLUME = st.builds(lambda pump, rate, v: {"flow": {str(pump): rate}, "stop when": {f"volume of {pump}": v}}, PUMP, FLOW, volume(300_000))
PARALLEL = (
    st.tuples(DOSE, DOSE)
    .filter(lambda two: len({next(iter(one.values()))["pump"] for one in two}) == 2)
    .map(lambda two: {"parallel": list(two)})
)
REPEAT = st.builds(lambda times, body: {"repeat": {"times": times, "do": body}}, st.integers(1, 3), st.lists(DOSE, min_size=1, max_size=2))
WAIT = st.builds(lambda s: {"wait": {"for": f"{s} s"}}, st.integers(1, 3))
DOSING = st.builds(
    lambda body: {"wait": {"for": "7 s"}, "every": {"period": "3 s", "do": [body]}},
    dose(["infuse", "withdraw"]),
)
EXACT = st.lists(st.one_of(DOSE, DOSE, TIMED, BY_VOLUME, PARALLEL, REPEAT, WAIT, DOSING), min_size=1, max_size=5)
# flows that change without a halt, and a volume that cuts a dose short: what they give is counted, not foretold
KEPT = st.lists(RATES, min_size=2, max_size=3).map(
    lambda rates: [{"flow": each, "for": "700 ms", **({"then": "keep"} if at + 1 < len(rates) else {})} for at, each in enumerate(rates)]
)
CUT_SHORT = st.builds(
    lambda pump, v: {
        "wait": {"for": "9 s"},
        "every": {"period": "5 s", "do": [{"infuse": {"pump": pump, "volume": "200 uL", "flow": "9 mL/min"}}]},
        "stop when": {f"volume of {pump}": v},
    },
    PUMP,
    volume(300_000),
)
ANY = st.lists(st.one_of(EXACT, KEPT, CUT_SHORT.map(lambda step: [step])), min_size=1, max_size=3).map(lambda parts: sum(parts, []))


def compiled(steps):
    """From what a person would write; JSON is YAML."""
    import json

    plan = json.dumps({"version": "1", "title": "a test", "resume within": "1 h", "steps": steps})
    note(plan)
    return compile_plan(load(plan.encode(), {}, LIMITS), LIMITS)


@settings(max_examples=150, deadline=None)
@given(EXACT)
def test_a_plan_gives_what_it_says_to_half_a_step(steps):
    """Each dose takes over what rounding left of the one before, so that the sum over any plan is out by half a step and no more."""
    wanted = compiled(steps)
    bench = Bench()
    bench.start(wanted.data)
    for _ in range(TICKS_MAX):
        bench.ticks(1)
        if bench.app.state != m.RUNNING:
            break
    assert bench.app.state == m.READY, bench.app.safety.code
    bench.check()
    for number, liquid in wanted.liquids.items():
        screw = bench.screws[number - 1]
        asked_nl = liquid.dispensed_nl + liquid.primed_nl - liquid.withdrawn_nl
        assert abs(screw.plunger * screw.step_nl - asked_nl) <= screw.step_nl / 2


@settings(max_examples=150, deadline=None)
@given(ANY, st.lists(st.tuples(st.integers(2, 150), st.sampled_from(["stop", "cut", "reset", "button"])), max_size=3))
def test_nothing_is_lost_by_aborts_resets_and_resumes(steps, meddling):
    bench = Bench()
    bench.start(compiled(steps).data)
    for ticks, what in meddling:
        bench.ticks(ticks)
        bench.check()
        if what == "reset":
            bench.reset()
            resumed(bench)
        elif what == "button":
            bench.hal.inputs.stop = True
            bench.ticks(1)
            bench.hal.inputs.stop = False
            cleared(bench)
        elif bench.app.state in (m.RUNNING, m.PAUSED):
            bench.app.stop(m.BY_STOP if what == "stop" else m.BY_CUT)
        bench.check()
    bench.ticks(30)
    bench.check()


def resumed(bench):
    if bench.app.interrupted is not None:
        bench.app.resume_run(RUN_ID, 1, 0)


def cleared(bench):
    bench.ticks(30)
    if bench.app.state == m.FAULTED:
        bench.app.clear()


RATE = st.sampled_from([0, 1, 300_000, -300_000, 5_000_000, -5_000_000, 60_000_000, -60_000_000])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), RATE, st.integers(0, 12)), min_size=1, max_size=12))
def test_flows_that_change_at_any_tick_lose_no_step(changes):
    bench = Bench()
    for pump, flow, ticks in changes:
        try:
            bench.app.drive(m.FLOW, (pump, flow))
        except RigError:
            pass  # at the end of its travel
        bench.ticks(ticks)
        bench.check()
    for pump in (0, 1):
        bench.app.drive(m.FLOW, (pump, 0))
    bench.ticks(40)
    assert not any(pump.busy for pump in bench.app.pumps)
    bench.check()
