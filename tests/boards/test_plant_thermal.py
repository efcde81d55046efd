"""Heater block, sample and sensor against the closed solution of their equations."""

from math import exp

from plant import thermal
from plant.rig import Plant

STEP_US = 100000
HALF_DUTY = 32768


def run(plant, seconds, heater_u16=0, lamp_u16=0):
    advance = plant.advance
    for _ in range(int(seconds * 10)):
        advance(STEP_US, heater_u16, lamp_u16)


def test_steady_state_balances_power_and_loss():
    plant = Plant({"ambient_c": 22})
    run(plant, 20 * 300, HALF_DUTY)
    rise = plant.truth()["block_c"] - 22
    # 1e-4 of the loss factor's rounding and 1 mK of the loss term's unit
    assert abs(rise * thermal.LOSS_W_PER_K / (thermal.HEATER_W * HALF_DUTY / 65535) - 1) < 3e-4


def test_block_follows_its_time_constant_of_300_s():
    plant = Plant({"ambient_c": 20})
    for seconds in (60, 240, 300, 600):  # reached one after the other: 60, 300, 600, 1200 s
        run(plant, seconds, HALF_DUTY)
        t = plant.truth()["time_s"]
        expected = 60.0 * HALF_DUTY / 65535 * 2 * (1 - exp(-t / 300))
        assert abs(plant.truth()["block_c"] - 20 - expected) < 0.01  # 10 mK of 60 K: rounded factors, 1.6e-4


def test_full_power_heats_by_0_4_kelvin_a_second_at_first():
    plant = Plant({"ambient_c": 22})
    run(plant, 10, 65535)
    assert abs(plant.truth()["block_c"] - 22 - 120 * (1 - exp(-10 / 300))) < 0.005  # 5 mK of 4 K, as above


def test_unheated_block_does_not_drift_in_a_day():
    plant = Plant({"ambient_c": 22})
    run(plant, 86400 / 10)
    truth = plant.truth()
    assert abs(truth["block_c"] - 22) < 0.002 and abs(truth["sample_c"] - 22) < 0.002 and abs(truth["sensor_c"] - 22) < 0.002
    plant = Plant({"ambient_c": 22})
    run(plant, 3600 * 3, 20000)
    before = plant.truth()["block_c"]
    run(plant, 3600, 20000)
    assert abs(plant.truth()["block_c"] - before) < 0.002  # two units of the loss term


def test_small_heat_is_not_lost_by_rounding():
    plant = Plant({"ambient_c": 22})
    run(plant, 3000, 1)
    assert 0.0017 < plant.truth()["block_c"] - 22 < 0.0030  # one duty count is 1.83 mK in the end; the loss is counted in whole mK


def test_cut_up_time_changes_nothing():
    whole, cut, long = Plant({}), Plant({}), Plant({})
    for i in range(3000):
        duty = (i // 100) * 2000
        whole.advance(100000, duty, duty)
        for part_us in (1, 33332, 66667):
            cut.advance(part_us, duty, duty)
        if i % 100 == 99:
            long.advance(10000000, duty, duty)
    assert whole.truth() == cut.truth() == long.truth()


def test_fast_way_equals_the_plain_one():
    plant = Plant({"ambient_c": 22})
    ambient_q = block_q = sensor_q = thermal.q_from_c(22)
    rest = 0
    for i in range(5000):
        duty = (i * 7919) % 65536
        plant.advance(STEP_US, duty, 0)
        block_q, rest = thermal.block_step(block_q, ambient_q, rest, duty)
        sensor_q = thermal.follow(sensor_q, block_q, thermal.SENSOR_Q15)
    assert plant.truth()["block_c"] == thermal.c_from_q(block_q)
    assert plant.truth()["sensor_c"] == thermal.c_from_q(sensor_q)


def lag_in_a_ramp(name, plant):
    """Seconds by which `name` runs behind a block that heats steadily."""
    run(plant, 60, 65535)
    truth = plant.truth()
    late_k = truth["block_c"] - truth[name]
    run(plant, 1, 65535)
    return late_k / (plant.truth()["block_c"] - truth["block_c"])


def test_sensor_runs_3_s_behind_the_block():
    assert abs(lag_in_a_ramp("sensor_c", Plant({})) - 3.0) < 0.15  # 0.05 s of stepping, 1 % of ramp curvature


def test_sample_runs_20_s_behind_the_block():
    # started 60 s ago, so 1 - exp(-3) of the lag is there, and the ramp itself slows: closed solution of the pair
    ramp = 120 / 300 * exp(-60 / 300)
    late = 120 * 20 / (300 - 20) * (exp(-60 / 300) - exp(-60 / 20))
    assert abs(lag_in_a_ramp("sample_c", Plant({})) - late / ramp) < 0.7  # the sample moves once a second: half a second late


def test_light_warms_the_sample_above_the_block():
    plant = Plant({"ambient_c": 22})
    run(plant, 3000, 0, 13107)
    truth = plant.truth()
    warmer_k = truth["sample_c"] - truth["block_c"]
    assert abs(warmer_k - 0.05 * truth["irradiance_uw_per_cm2"] / 1000) < 0.005  # 50 mK per mW/cm2


def test_room_can_change_its_temperature():
    plant = Plant({"ambient_c": 22})
    plant.set_ambient(32)
    run(plant, 300)
    assert abs(plant.truth()["block_c"] - 32 + 10 * exp(-1)) < 0.002
    try:
        plant.set_ambient(51)
    except ValueError as error:
        assert "51" in str(error)
    else:
        raise AssertionError("an impossible room was taken")
    assert plant.truth()["ambient_c"] == 32


def test_loss_as_a_duty_holds_the_block():
    block_q, ambient_q = thermal.q_from_c(82), thermal.q_from_c(22)
    duty = thermal.loss_u16(block_q, ambient_q)
    assert abs(duty / 65535 * thermal.HEATER_W - thermal.LOSS_W_PER_K * 60) < 0.003  # 12 W to half a duty count and 1e-4
    assert thermal.loss_u16(ambient_q, block_q) < 0


def test_an_interval_of_no_length_changes_nothing():
    for broken in (False, True):
        plant = Plant({})
        plant.set_fault("heater_stuck_on", broken)
        before = plant.truth()
        plant.advance(0, 65535, 0)
        assert plant.truth() == before


def test_temperature_units_return():
    assert thermal.c_from_q(thermal.q_from_c(80.125)) == 80.125


def test_state_stays_a_small_integer():
    plant = Plant({"ambient_c": 50})
    run(plant, 3000, 65535, 65535)
    for value in (plant._block_q, plant._sample_q, plant._sensor_q):
        assert value < 1 << 29
    assert 65535 * thermal.HEAT_PER_U16 < 1 << 30


def test_a_dark_rig_at_rest_ages_the_same_in_one_leap_as_in_single_steps():
    leaping, stepping = Plant({"seed": 3}), Plant({"seed": 3})
    leaping.advance(7_200_000_000, 0, 0)
    for _ in range(72_000):
        stepping.advance(100_000, 0, 0)
    assert leaping.lasting() == stepping.lasting()


def test_a_warm_rig_cools_step_by_step_however_long_it_is_left_alone():
    leaping, stepping = Plant({"seed": 3}), Plant({"seed": 3})
    for plant in (leaping, stepping):
        for _ in range(1000):
            plant.advance(100_000, 60_000, 0)
    leaping.advance(300_000_000, 0, 0)
    for _ in range(3000):
        stepping.advance(100_000, 0, 0)
    assert leaping.lasting() == stepping.lasting()
