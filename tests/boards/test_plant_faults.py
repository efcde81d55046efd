"""What can be broken: each fault does what its row in plant/faults.py says, now or on schedule, and is mended by False."""

from math import exp, log

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


def read_c(total):
    """degC of a sum of 16 samples: the beta equation turned round."""
    ratio = total / 16 / 65535
    return 1 / (1 / 298.15 + log(4700 * ratio / (1 - ratio) / 10000) / 3950) - 273.15


def test_series_switch_cuts_heater_and_lamp_whatever_is_broken():
    for broken in (None, "heater_stuck_on", "lid_open"):
        plant = Plant({"ambient_c": 22})
        if broken:
            plant.set_fault(broken, True)
        plant.master_on = False
        run(plant, 100, 65535, 65535)
        truth = plant.truth()
        assert truth["block_c"] == 22 and truth["irradiance_uw_per_cm2"] == 0 and truth["exposure_mj_per_cm2"] == 0, broken
        plant.master_on = True
        run(plant, 100, 65535, 65535)
        assert plant.truth()["block_c"] > 40 and plant.truth()["irradiance_uw_per_cm2"] > 40000, broken


def test_series_switch_counts_by_the_part_of_a_step_that_it_was_closed():
    half, stuck = Plant({}), Plant({"faults": [[0, "heater_stuck_on", True]]})
    for plant in (half, stuck):
        for _ in range(100):
            plant.master_on = True
            plant.advance(50000, 65534, 0)
            plant.master_on = False
            plant.advance(50000, 65534, 0)
    whole = Plant({})
    run(whole, 10, 32767)
    assert half.truth()["block_c"] == stuck.truth()["block_c"] == whole.truth()["block_c"]


def test_low_supply_leaves_72_percent_of_the_heat_and_85_of_the_voltage():
    plant, other = Plant({"faults": [[0, "supply_low", True]]}), Plant({})
    run(plant, 100, 50000)
    run(other, 100, 36000)
    assert plant.truth()["block_c"] == other.truth()["block_c"]
    assert abs(plant.supply_sum(16) / 16 - 34000) < 5 * 20 / 4
    plant.set_fault("heater_stuck_on", True)
    run(plant, 1, 0)
    assert plant.truth()["block_c"] > other.truth()["block_c"]


def test_open_lid_doubles_the_loss():
    plant = Plant({"ambient_c": 22})
    plant.set_fault("lid_open", True)
    run(plant, 150, 32768)
    # 30 K steady with 150 s; 2 mK for the rounding of the loss to duty counts, 2e-4 for the heat flow of a step taken as constant
    assert abs(plant.truth()["block_c"] - 22 - 30.0 * (1 - exp(-1))) < 0.010
    run(plant, 3000, 32768)
    assert abs(plant.truth()["block_c"] - 52) < 0.010
    plant.set_fault("lid_open", False)
    run(plant, 3000, 32768)
    assert abs(plant.truth()["block_c"] - 82) < 0.030


def test_cold_cuvette_takes_300_joule_once():
    plant, other = Plant({}), Plant({})
    run(plant, 1200, 40000)
    run(other, 1200, 40000)
    plant.set_fault("cold_cuvette", True)
    run(plant, 20, 40000)
    run(other, 20, 40000)
    fallen = other.truth()["block_c"] - plant.truth()["block_c"]
    assert abs(fallen - 5.0 * 300 / 20 * (1 - exp(-20 / 300))) < 0.002  # what 15 W for 20 s leave with a loss of 300 s
    run(plant, 300, 40000)
    run(other, 300, 40000)
    assert abs(other.truth()["block_c"] - plant.truth()["block_c"] - fallen * exp(-1)) < 0.002
    plant.set_fault("cold_cuvette", True)  # another one
    run(plant, 20, 40000)
    run(other, 20, 40000)
    assert other.truth()["block_c"] - plant.truth()["block_c"] > 5


def test_offset_and_drift_are_in_the_first_reading_only():
    plant = Plant({"ambient_c": 22})
    run(plant, 100, 65535)
    run(plant, 60, 20000)
    truth_c = plant.truth()["sensor_c"]
    assert abs(read_c(plant.sensor_sum(16)) - truth_c) < 0.05 and abs(read_c(plant.sensor2_sum(16)) - truth_c) < 0.05
    plant.set_fault("sensor_offset", True)
    assert abs(read_c(plant.sensor_sum(16)) - truth_c - 5) < 0.05
    assert abs(read_c(plant.sensor2_sum(16)) - truth_c) < 0.05
    plant.set_fault("sensor_offset", False)
    plant.set_fault("sensor_drift", True)
    run(plant, 600, 20000)
    truth_c = plant.truth()["sensor_c"]
    assert abs(read_c(plant.sensor_sum(16)) - truth_c - 1.0) < 0.05  # 0.1 K/min
    assert abs(read_c(plant.sensor2_sum(16)) - truth_c) < 0.05
    plant.set_fault("sensor_drift", False)
    assert abs(read_c(plant.sensor_sum(16)) - truth_c) < 0.05


def test_drift_of_days_ends_at_the_hot_end_of_the_table():
    plant = Plant({"faults": [[0, "sensor_drift", True]]})
    for _ in range(4 * 24):
        plant.advance(900 * 1000000, 0, 0)
    assert 0 < plant.sensor_sum(16) < 16 * 2000


def test_second_sensor_follows_the_block_when_the_first_has_come_off():
    plant, sound = Plant({"ambient_c": 22}), Plant({"ambient_c": 22})
    run(plant, 200, 40000)
    run(sound, 200, 40000)
    plant.set_fault("sensor_detached", True)
    run(plant, 60, 40000)
    run(sound, 60, 40000)
    assert plant.sensor2_sum(16) == sound.sensor2_sum(16) and plant.truth()["sensor_c"] < 23
    plant.set_fault("sensor_detached", False)
    for _ in range(60):
        run(plant, 1, 40000)
        run(sound, 1, 40000)
        assert abs(plant.sensor2_sum(16) - sound.sensor2_sum(16)) <= 10  # made one again at 0.5 mK; a mK is 7
    assert abs(plant.truth()["sensor_c"] - sound.truth()["sensor_c"]) < 0.001


def test_second_sensor_has_noise_of_its_own_and_a_rail():
    plant = Plant({})
    pairs = [(plant.sensor_sum(16), plant.sensor2_sum(16)) for _ in range(400)]
    assert sum([a == b for a, b in pairs]) < 20
    mean1, mean2 = sum([a for a, _ in pairs]) / 400, sum([b for _, b in pairs]) / 400
    assert abs(mean1 - mean2) < 5 * 80 * 1.42 / 20  # 20 counts rms a sample: 80 a sum
    assert 60 < (sum([(b - mean2) ** 2 for _, b in pairs]) / 400) ** 0.5 < 100
    plant.set_fault("sensor2_open", True)
    assert plant.sensor2_sum(16) == 16 * 65535 and plant.sensor_sum(16) < 16 * 60000
    plant.set_fault("sensor2_open", False)
    assert plant.sensor2_sum(16) < 16 * 60000


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
