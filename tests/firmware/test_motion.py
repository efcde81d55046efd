"""Planned edges against ideal ones, computed here from the equations of constant acceleration and nothing of rig/motion.py."""

from math import sqrt

from rig.motion import CYCLES_PER_S, SEGMENTS_MAX, Feeder, Planner, isqrt

TICK_US = 100_000
WRAP = 1 << 30


class PlainChannel:
    """A step channel told edge by edge: slow, simple, independent of hal/sim_pump.py. edges: instants in cycles since the start."""

    interval_min_cycles = 270

    def __init__(self, slots=64, handed_over=2):
        self.queue = []
        self.slots = slots
        self.handed_over = handed_over
        self.now = self.due = 0
        self.left = 0
        self.segment = None
        self.count = 0
        self.edges = []
        self.pushed = []

    def hold(self):
        pass

    def push(self, steps, interval, direction):
        assert 0 <= steps < 1 << 30 and 267 <= interval < 1 << 30 and direction in (1, -1)
        if len(self.queue) >= self.slots:
            return False
        self.queue.append((steps, interval, direction))
        self.pushed.append((steps, interval, direction))
        return True

    def free(self):
        return self.slots - len(self.queue)

    def emitted(self):
        return self.count

    def running(self):
        return bool(self.queue) or self.segment is not None

    def recall(self, most):
        kept = self.handed_over if self.segment else self.handed_over + 1
        gone = min(most, len(self.queue[kept:]))
        if gone:
            del self.queue[-gone:]
        return gone

    def abort(self):
        self.queue.clear()
        self.segment = None
        return self.count

    def advance(self, dt_us):
        end = self.now + dt_us * 125
        if self.segment is None:
            self.due = self.now
        while self.due < end:
            if self.segment is None or not self.left:
                if not self.queue:
                    self.segment = None
                    break
                self.segment = self.queue.pop(0)
                self.left = self.segment[0]
                if not self.left:
                    self.due += self.segment[1]
                    continue
            self.left -= 1
            self.count += self.segment[2]
            self.edges.append(self.due)
            self.due += self.segment[1]
        self.now = end


class Motor:
    """A Feeder on a plain channel and a clock that crosses the wrap of the board's ticks."""

    def __init__(self, accel, **channel):
        self.channel = PlainChannel(**channel)
        self.planner = Planner(accel)
        self.feeder = Feeder(self.channel, self.planner)
        self.us = WRAP - 350_000

    def ticks(self):
        return self.us % WRAP

    def pass_us(self, us):
        self.channel.advance(us)
        self.us += us

    def run(self, ticks):
        """Let ticks pass; False as soon as the motor rests."""
        for _ in range(ticks):
            self.pass_us(TICK_US)
            if not self.feeder.feed(self.ticks()):
                return False
        return True

    def queued_us(self):
        channel = self.channel
        cycles = sum([max(1, n) * interval for n, interval, _ in channel.queue])
        if channel.segment:
            cycles += channel.due - channel.now + channel.left * channel.segment[1]
        return cycles / 125


def check_edges(edges, steps, accel, interval, tau_s=0.008):
    """Every edge of a trapezium of `steps` from rest to rest against the ideal, to the rounding that rig/motion.py states."""
    assert len(edges) == steps
    goal = int(CYCLES_PER_S * CYCLES_PER_S / (interval * interval * 2 * accel))
    goal = min(goal, steps // 2)
    up = sqrt(2 * goal / accel) * CYCLES_PER_S
    cruise = steps - 2 * goal
    if cruise and goal < int(CYCLES_PER_S * CYCLES_PER_S / (interval * interval * 2 * accel)):
        interval = sqrt(2 * (goal + 1) / accel) * CYCLES_PER_S - up  # an odd triangle: one step at its top
    end = 2 * up + cruise * interval
    start = edges[0]
    beside = accel * tau_s * tau_s / 8
    for i, edge in enumerate(edges):
        at = edge - start
        if i < goal:
            ideal = sqrt(2 * i / accel) * CYCLES_PER_S
            # the parabola lies at most `beside` steps off; a step lasts 1 / v here
            slack = 2 + beside * sqrt(1 / (2 * accel * max(i - beside, 1))) * CYCLES_PER_S if i > 1 else 2
        elif i < goal + cruise:
            ideal = up + (i - goal) * interval
            slack = 3 + 2_500_000 / interval / 4
        else:
            left = steps - i
            ideal = end - sqrt(2 * left / accel) * CYCLES_PER_S
            slack = 4 + beside * sqrt(1 / (2 * accel * max(left - beside, 1))) * CYCLES_PER_S if left > 1 else 4
        assert abs(at - ideal) <= slack, (i, at, ideal, slack)


def trapezium(accel, cycles, per, steps):
    motor = Motor(accel)
    motor.planner.aim(cycles, per, 1)
    motor.feeder.start(1, steps, motor.ticks())
    while motor.run(1):
        pass
    assert motor.feeder.underruns == 0
    assert motor.channel.count == steps == motor.feeder.planned
    return motor.channel.edges


def test_isqrt_is_exact_beside_squares():
    for root in (1, 2, 3, 1000, 46341, 1 << 20, 94906267, (1 << 40) + 1):
        assert isqrt(root * root) == root
        assert isqrt(root * root - 1) == root - 1
        assert isqrt(root * root + 2 * root) == root
    assert isqrt(0) == 0


def test_every_edge_of_a_trapezium_lies_within_the_stated_rounding():
    # 5000 mL/h on 26.72 mm: 31541 and a bit cycles; 20000 steps/s2
    check_edges(trapezium(20000, 7_500_000 * 1121483000, 83333333 * 3200, 4001), 4001, 20000, 7_500_000 * 1121483000 / (83333333 * 3200))
    check_edges(trapezium(2000, 12_500_001, 100, 1500), 1500, 2000, 125000.01)
    check_edges(trapezium(500, 1_000_003, 7, 800), 800, 500, 1_000_003 / 7)


def test_every_edge_of_a_triangle_lies_within_the_stated_rounding():
    for steps in (1, 2, 3, 4, 5, 100, 101):
        check_edges(trapezium(20000, 31542, 1, steps), steps, 20000, 31542)


def test_short_fast_motions_fit_the_queue():
    for accel in (200_000, 1_000_000):
        for steps in (7, 64, 333, 2000):
            edges = trapezium(accel, 5000, 1, steps)  # 25 kHz
            assert len(edges) == steps
            assert min([b - a for a, b in zip(edges, edges[1:])] or [5000]) >= 4999


def test_slow_ramps_stay_on_their_parabola():
    check_edges(trapezium(10, 12_500_000, 1, 40), 40, 10, 12_500_000)


def test_mean_rate_is_exact_after_an_hour():
    """The sum of all slices of an hour of cruise is the ideal one to a cycle; 1 cycle in an hour is 2e-6 ppm."""
    for flow, pl_per_turn in ((83333333, 1121483000), (1000000, 330260000), (166667, 330260000)):
        cycles, per = 7_500_000 * pl_per_turn, flow * 3200
        planner = Planner(20000)
        planner.aim(cycles, per, 1)
        planner.left = 1 << 29
        planner.k = planner._goal
        n = total = 0
        while total < 3600 * CYCLES_PER_S:
            for _ in range(1000):
                planner.next()
                n += planner.n
                total += planner.cycles
        assert abs(total - n * cycles // per) <= 1, (flow, n, total)


def test_27_5_s_a_step_in_dwells_below_31_bits():
    motor = Motor(20000)
    interval = 27 * CYCLES_PER_S + CYCLES_PER_S // 2  # 3.4e9 cycles
    motor.planner.aim(2 * interval + 1, 2, 1)  # half a cycle more
    motor.feeder.start(1, 5, motor.ticks())
    while motor.run(1):
        pass
    edges = motor.channel.edges
    assert len(edges) == 5
    assert [b - a for a, b in zip(edges, edges[1:])] == [interval, interval + 1, interval, interval + 1]
    assert max([i for _, i, _ in motor.channel.pushed]) <= 2_502_000


def test_230_to_250_ms_are_queued_and_segments_a_call_are_bounded():
    for cycles in (31542, 5000, 4_650_000, 270):
        motor = Motor(20000, slots=4096)
        motor.planner.aim(cycles, 1, 1)
        before = 0
        motor.feeder.start(1, 1 << 29, motor.ticks())
        for tick in range(25):
            assert len(motor.channel.pushed) - before <= SEGMENTS_MAX + (1 if not tick else 0)
            before = len(motor.channel.pushed)
            assert 229_999 <= motor.queued_us() <= 250_200, (cycles, motor.queued_us())
            motor.run(1)
        motor.channel.edges.clear()


def test_flow_changes_begin_within_100_ms():
    """At any phase of a tick the first changed edge comes at most 100 ms after the wish."""
    for phase_us in (0, 1000, 33_333, 77_777, 99_999):
        motor = Motor(20000)
        motor.planner.aim(40000, 1, 1)
        motor.feeder.start(1, 1 << 29, motor.ticks())
        motor.run(5)
        motor.pass_us(phase_us)
        wished = motor.channel.now
        motor.feeder.take_back(motor.ticks())
        motor.planner.aim(80000, 1, 2)
        motor.feeder.feed(motor.ticks())
        motor.pass_us(100_000 - phase_us)
        motor.run(4)
        edges = motor.channel.edges
        changed = [a for a, b in zip(edges, edges[1:]) if b - a > 40001]
        assert changed[0] - wished <= 12_500_000, (changed[0] - wished) / 125
        assert edges[-1] - edges[-2] == 80000


def test_no_interval_is_torn_at_a_change_of_flow():
    """Across changes at odd instants every interval lies between that of the faster and that of the slower flow, the plan ends when the
    channel does, to the cycle, and the steps are those that were asked for."""
    motor = Motor(50000)
    motor.planner.aim(60001, 3, 1)
    motor.feeder.start(1, 9000, motor.ticks())
    motor.run(6)
    motor.channel.edges.clear()
    for i in range(12):
        motor.pass_us(37_001 + 3001 * i)
        motor.feeder.take_back(motor.ticks())
        motor.planner.aim(180001 if i % 2 else 60001, 3, 1)
        motor.feeder.feed(motor.ticks())
        ahead = (motor.feeder._end_us - motor.ticks()) % WRAP * 125 + motor.feeder._end_cycles
        assert motor.queued_us() * 125 == ahead
        assert ahead <= motor.feeder._queued < ahead + 2_500_001  # what `now` reads is the slice that is running
        assert motor.feeder.planned - motor.channel.count == sum([n for n, _, _ in motor.channel.queue]) + motor.channel.left
    intervals = [b - a for a, b in zip(motor.channel.edges, motor.channel.edges[1:])]
    while motor.run(1):
        pass
    assert motor.channel.count == 9000
    assert motor.feeder.underruns == 0
    assert min(intervals) >= 19999 and max(intervals) <= 60002, (min(intervals), max(intervals))


def test_a_slow_wait_is_shortened_by_the_part_that_has_passed():
    motor = Motor(20000)
    motor.planner.aim(10 * CYCLES_PER_S, 1, 1)
    motor.feeder.start(1, 100, motor.ticks())
    motor.run(50)  # half of the first interval
    motor.feeder.take_back(motor.ticks())
    motor.planner.aim(CYCLES_PER_S, 1, 2)
    motor.feeder.feed(motor.ticks())
    motor.run(30)
    edges = motor.channel.edges
    assert abs(edges[1] - edges[0] - 5.5 * CYCLES_PER_S) <= 0.1 * CYCLES_PER_S  # the wish waits for what the hardware holds
    assert edges[2] - edges[1] == CYCLES_PER_S


def test_stop_takes_exactly_the_ramp():
    motor = Motor(20000)
    motor.planner.aim(31542, 1, 1)
    motor.feeder.start(1, 1 << 29, motor.ticks())
    motor.run(10)
    motor.feeder.take_back(motor.ticks())
    at, k = motor.feeder.planned, motor.planner.k
    motor.planner.stop()
    motor.feeder.feed(motor.ticks())
    while motor.run(1):
        pass
    assert motor.channel.count == at + k == motor.feeder.planned
    edges = motor.channel.edges
    for i in range(1, k):
        ideal = edges[-1] - (sqrt(2 * i / 20000) - sqrt(2 / 20000)) * CYCLES_PER_S
        assert abs(edges[-i] - ideal) <= 4 + 0.16 * CYCLES_PER_S / sqrt(2 * 20000 * max(i - 0.16, 1)), i


def test_a_dry_queue_starts_again_from_rest_with_the_count_right():
    motor = Motor(20000)
    motor.planner.aim(31542, 1, 1)
    motor.feeder.start(1, 3000, motor.ticks())
    motor.run(5)
    motor.pass_us(400_000)
    assert not motor.channel.running()
    at = motor.channel.count
    while motor.run(1):
        pass
    assert motor.feeder.underruns == 1
    assert motor.channel.count == 3000
    check_edges(motor.channel.edges[at:], 3000 - at, 20000, 31542)


def test_a_channel_stopped_by_another_hand_stays_stopped():
    motor = Motor(20000)
    motor.planner.aim(31542, 1, 1)
    motor.feeder.start(-1, 3000, motor.ticks())
    motor.run(3)
    count = motor.channel.abort()
    assert count < 0
    assert not motor.run(1)
    assert motor.channel.count == count == motor.feeder.planned


def test_a_small_queue_is_enough():
    motor = Motor(20000, slots=32)
    motor.planner.aim(31542, 1, 1)
    motor.feeder.start(1, 3000, motor.ticks())
    while motor.run(1):
        pass
    assert motor.feeder.underruns == 0
    check_edges(motor.channel.edges, 3000, 20000, 31542)


def test_a_channel_without_recall_changes_behind_its_queue():
    class Plain(PlainChannel):
        recall = None

    motor = Motor(20000)
    motor.feeder = Feeder(Plain(), motor.planner)
    motor.channel = motor.feeder._channel
    motor.planner.aim(40000, 1, 1)
    motor.feeder.start(1, 1 << 29, motor.ticks())
    motor.run(5)
    planned = motor.feeder.planned
    motor.feeder.take_back(motor.ticks())
    assert motor.feeder.planned == planned
    motor.planner.stop()
    while motor.run(1):
        pass
    assert motor.channel.count == planned + int(CYCLES_PER_S * CYCLES_PER_S / (40000 * 40000 * 2 * 20000))
