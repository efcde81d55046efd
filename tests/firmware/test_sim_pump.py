"""The virtual step generator against one that is told edge by edge (test_motion.PlainChannel)."""

from test_motion import PlainChannel

from hal.sim_pump import SimPump


class Plant:
    def __init__(self):
        self.moved = {}
        self.calls = 0

    def move_syringe(self, pump, steps):
        self.calls += 1
        self.moved[pump] = self.moved.get(pump, 0) + steps


class Dice:
    """Small seeded numbers, the same on every interpreter."""

    def __init__(self, seed):
        self._x = seed

    def __call__(self, below):
        self._x = (self._x * 1103 + 12345) % 1048573
        return self._x % below


def test_the_edge_comes_first_and_the_interval_after_it():
    pump = SimPump(Plant(), 0)
    assert pump.push(3, 125_000, 1)  # 1 ms
    assert pump.running() and pump.emitted() == 0
    pump.advance(1)
    assert pump.emitted() == 1
    pump.advance(999)
    assert pump.emitted() == 1  # the second edge falls on the end of the stretch
    pump.advance(1)
    assert pump.emitted() == 2
    pump.advance(1999)
    assert pump.emitted() == 3 and not pump.running()


def test_a_dwell_moves_nothing_and_lasts_exactly():
    pump = SimPump(Plant(), 0)
    pump.push(0, 250_000, 1)
    pump.push(1, 1000, -1)
    pump.advance(2000)
    assert pump.emitted() == 0 and pump.running()
    pump.advance(1)
    assert pump.emitted() == -1


def test_the_longest_dwell_is_counted_in_small_integers():
    pump = SimPump(Plant(), 0)
    pump.push(0, (1 << 30) - 1, 1)
    pump.push(1, 1000, 1)
    for _ in range(85):
        pump.advance(100_000)
    pump.advance(89_934)  # 8 589 934.584 us in all
    assert pump.emitted() == 0
    pump.advance(1)
    assert pump.emitted() == 1


def test_it_stops_when_nothing_is_queued_and_starts_with_the_next_push():
    plant = Plant()
    pump = SimPump(plant, 1)
    pump.push(10, 12_500, 1)
    pump.advance(100_000)
    assert pump.emitted() == 10 and not pump.running()
    pump.advance(100_000)
    assert pump.emitted() == 10
    pump.push(2, 12_500, -1)
    pump.advance(100)
    assert pump.emitted() == 9
    pump.advance(100)
    assert pump.emitted() == 8
    assert plant.moved == {1: 8}


def test_the_queue_is_bounded_and_free_tells_the_truth():
    pump = SimPump(Plant(), 0)
    slots = pump.free()
    for i in range(slots):
        assert pump.free() == slots - i
        assert pump.push(1, 1000, 1)
    assert pump.free() == 0 and not pump.push(1, 1000, 1)
    pump.advance(1)
    assert pump.free() == 1 and pump.push(1, 1000, 1)
    pump.advance(1_000_000)
    assert pump.emitted() == slots + 1


def test_recall_leaves_the_running_segment_and_what_was_handed_over():
    for started in (False, True):
        pump = SimPump(Plant(), 0)
        for _ in range(10):
            pump.push(5, 12_500, 1)
        if started:
            pump.advance(50)
        assert pump.recall(99) == 7
        assert pump.recall(99) == 0
        pump.advance(100_000)
        assert pump.emitted() == 15 and not pump.running()


def test_abort_at_any_instant_counts_exactly():
    dice = Dice(7)
    for _ in range(200):
        plant, plain = Plant(), PlainChannel()
        pump = SimPump(plant, 0)
        for _ in range(20):
            segment = (dice(4), 267 + dice(100_000), 1)
            pump.push(*segment)
            plain.push(*segment)
        us = 1 + dice(9000)
        pump.advance(us)
        plain.advance(us)
        assert pump.abort() == plain.abort() == plant.moved.get(0, 0)
        assert not pump.running()
        pump.advance(100_000)
        assert pump.emitted() == plain.count


def test_it_agrees_with_the_plain_one_in_any_chunks():
    dice = Dice(11)
    plant, plain = Plant(), PlainChannel()
    pump = SimPump(plant, 0)
    direction = 1
    for _ in range(1500):
        if not dice(5):
            direction = -direction
        segment = (dice(30) if dice(3) else 0, 267 + dice(30_000), direction)
        assert pump.push(*segment) == plain.push(*segment)
        us = dice(3000)
        pump.advance(us)
        plain.advance(us)
        assert pump.emitted() == plain.emitted() == plant.moved.get(0, 0)
        assert pump.running() or not plain.queue
        if not dice(40):
            assert pump.recall(3) == plain.recall(3)
        if not dice(60):
            pump.advance(2_000_000)
            plain.advance(2_000_000)
            assert pump.emitted() == plain.emitted() and not pump.running()
            plain.advance(1)


def test_a_hundred_ms_of_cruise_cost_one_call_of_the_plant():
    plant = Plant()
    pump = SimPump(plant, 0)
    for _ in range(12):
        pump.push(79, 31_542, 1)
    pump.advance(100_000)
    assert plant.calls == 1 and pump.emitted() == 397
