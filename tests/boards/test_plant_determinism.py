"""The same scenario and calls give the same numbers; nothing is allocated on the way."""

import gc

from plant_trace import trace

from plant.rig import Plant


def test_two_equal_seeds_agree_to_the_count():
    assert list(trace(11, 10)) == list(trace(11, 10))


def test_another_seed_differs():
    assert [row[2] for row in trace(11, 2)] != [row[2] for row in trace(12, 2)]


def test_reading_does_not_move_the_plant():
    quiet, read = Plant({"seed": 2}), Plant({"seed": 2})
    for _ in range(600):
        quiet.advance(100000, 20000, 5000)
        read.advance(100000, 20000, 5000)
        read.sensor_sum(16)
        read.monitor_sum(16)
    assert quiet.truth() == read.truth()


def test_control_tick_allocates_nothing():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not tell
    plant = Plant({"seed": 2})
    plant.sensor_sum(16)
    plant.monitor_sum(16)
    advance, sensor_sum, monitor_sum = plant.advance, plant.sensor_sum, plant.monitor_sum
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(1000):
        advance(100000, 20000, 5000)
        sensor_sum(16)
        monitor_sum(16)
    used = gc.mem_alloc() - before
    gc.enable()
    assert used < 1000  # a few objects of the measurement itself, none a tick
