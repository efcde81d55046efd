"""What can be broken: each fault does what its row in plant/faults.py says, now or on schedule, and is mended by False."""

from plant import faults
from plant.rig import Plant

STEP_US = 100000


def run(plant, seconds, heater_u16=0, lamp_u16=0):
    advance = plant.advance
    for _ in range(int(seconds * 10)):
        advance(STEP_US, heater_u16, lamp_u16)


def test_sensor_rails():
    plant = Plant({})
    plant.set_fault("sensor_open", True)
    assert plant.sensor_sum(16) == 16 * 65535
    plant.set_fault("sensor_open", False)
    plant.set_fault("sensor_short", True)
    assert plant.sensor_sum(16) == 0
    plant.set_fault("sensor_short", False)
    assert 16 * 30000 < plant.sensor_sum(16) < 16 * 60000


def test_stuck_sensor_repeats_its_last_reading():
    plant = Plant({})
    last = plant.sensor_sum(16)
    plant.set_fault("sensor_stuck", True)
    run(plant, 30, 65535)
    assert [plant.sensor_sum(16) for _ in range(30)] == [last] * 30
    plant.set_fault("sensor_stuck", False)
    assert plant.sensor_sum(16) < last  # it has become warmer


def test_sensor_stuck_from_the_start_repeats_too():
    plant = Plant({"faults": [[0, "sensor_stuck", True]]})
    first = plant.sensor_sum(16)
    assert 16 * 40000 < first and plant.sensor_sum(16) == first


def test_detached_sensor_cools_while_the_block_heats():
    plant = Plant({"ambient_c": 22})
    run(plant, 200, 65535)
    hot = plant.truth()["sensor_c"]
    plant.set_fault("sensor_detached", True)
    run(plant, 8, 65535)
    truth = plant.truth()
    assert abs((truth["sensor_c"] - 22) / (hot - 22) - 0.368) < 0.006  # one time constant of 8 s; stepping 0.6 %
    assert truth["block_c"] > hot
    run(plant, 60, 65535)
    assert plant.truth()["sensor_c"] < 22.1
    plant.set_fault("sensor_detached", False)
    run(plant, 20, 65535)
    assert plant.truth()["sensor_c"] > hot


def test_dead_heater_lets_the_block_cool():
    plant = Plant({"faults": [[100, "heater_dead", True]]})
    run(plant, 100, 65535)
    hot = plant.truth()["block_c"]
    run(plant, 10, 65535)
    assert plant.truth()["block_c"] < hot


def test_stuck_heater_heats_whatever_the_pin_says():
    plant = Plant({})
    plant.set_fault("heater_stuck_on", True)
    run(plant, 100, 0)
    on = Plant({})
    run(on, 100, 65535)
    assert plant.truth()["block_c"] == on.truth()["block_c"]


def test_dead_lamp_gives_no_light_and_no_pulse():
    plant = Plant({"cells": ["fresh"]})
    run(plant, 1, 0, 65535)
    plant.set_fault("lamp_dead", True)
    assert plant.truth()["irradiance_uw_per_cm2"] == 0
    run(plant, 10, 0, 65535)
    assert abs(plant.monitor_sum(16) / 16 - 200) < 5 * 20 / 4
    plant.probe_pulse(0)
    assert abs(plant.lit - plant.dark) < 100 and plant.monitor < 350
    plant.set_fault("lamp_dead", False)
    run(plant, 1, 0, 65535)
    assert plant.truth()["irradiance_uw_per_cm2"] > 45000


def test_inputs():
    plant = Plant({})
    assert plant.interlock_closed and not plant.stop_pressed
    plant.set_fault("interlock_open", True)
    plant.set_fault("stop_pressed", True)
    assert not plant.interlock_closed and plant.stop_pressed
    plant.set_fault("interlock_open", False)
    plant.set_fault("stop_pressed", False)
    assert plant.interlock_closed and not plant.stop_pressed


def test_schedule_keeps_its_instant_to_100_ms():
    plant = Plant({"faults": [[3.7, "interlock_open", False], [2.3, "interlock_open", True], [3.7, "stop_pressed", True]]})
    seen = []
    for _ in range(60):
        seen.append((plant.interlock_closed, plant.stop_pressed))
        plant.advance(STEP_US, 0, 0)
    assert seen.index((False, False)) == 23
    assert seen.index((True, True)) == 37
    assert seen[36] == (False, False) and seen[59] == (True, True)


def test_schedule_changes_nothing_before_its_time():
    plain, broken = Plant({"seed": 4}), Plant({"seed": 4, "faults": [[50, "heater_dead", True]]})
    run(plain, 50, 30000, 9000)
    run(broken, 50, 30000, 9000)
    assert plain.truth() == broken.truth()


def test_every_name_can_be_set_and_an_unknown_one_is_refused():
    plant = Plant({})
    for name in faults.NAMES:
        plant.set_fault(name, True)
        run(plant, 1, 100, 100)
        plant.set_fault(name, False)
    for attempt in (lambda: plant.set_fault("heater_hot", True), lambda: Plant({"faults": [[1, "heater_hot", True]]})):
        try:
            attempt()
        except ValueError as error:
            assert "heater_hot" in str(error) and "heater_dead" in str(error)
        else:
            raise AssertionError("an unknown fault was taken")


def test_bad_scenarios_are_refused():
    for scenario in ({"cells": ["gold"]}, {"cells": [None] * 5}, {"ambient_c": 90}):
        try:
            Plant(scenario)
        except ValueError:
            continue
        raise AssertionError("taken: %r" % scenario)
