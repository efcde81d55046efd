"""LED, droop, monitor and the light spent."""

from math import exp

from plant import lamp
from plant.rig import Plant

STEP_US = 100000


def run(plant, seconds, lamp_u16):
    advance = plant.advance
    for _ in range(int(seconds * 10)):
        advance(STEP_US, 0, lamp_u16)


def test_cold_led_gives_50_mw_per_cm2():
    plant = Plant({})
    plant.advance(STEP_US, 0, 65535)
    assert abs(plant.truth()["irradiance_uw_per_cm2"] - 50000) <= 2  # gain is a fraction of 2**14


def test_warm_led_droops_by_12_percent_with_a_time_constant_of_60_s():
    plant = Plant({})
    for seconds in (60, 60, 480):
        run(plant, seconds, 65535)
        t = plant.truth()["time_s"]
        expected = 50000 * (1 - 0.003 * 40 * (1 - exp(-t / 60)))
        assert abs(plant.truth()["irradiance_uw_per_cm2"] - expected) < 0.001 * 50000  # moves once a second: 0.2 % at first
    run(plant, 1200, 0)
    plant.advance(STEP_US, 0, 65535)
    assert plant.truth()["irradiance_uw_per_cm2"] > 49990  # cold again


def test_monitor_is_linear_above_its_dark_reading():
    for duty in (0, 1000, 13107, 40000):
        plant = Plant({})
        plant.advance(STEP_US, 0, duty)
        mean = sum([plant.monitor_sum(16) for _ in range(400)]) / 400 / 16
        # 1000 counts per mW/cm2; five standard errors of 6400 samples of 20 counts, and one count of rounding
        assert abs(mean - lamp.MONITOR_DARK_COUNTS - plant.truth()["irradiance_uw_per_cm2"]) < 5 * 20 / 80 + 1


def test_exposure_adds_up():
    plant = Plant({})
    run(plant, 600, 13107)  # settled: the LED is 8 K warm
    before, t = plant.truth()["exposure_mj_per_cm2"], plant.truth()["irradiance_uw_per_cm2"]
    run(plant, 1000, 13107)
    # uW/cm2 over 1000 s is mJ/cm2; 2e-4: one part in 10000 of irradiance and of the second's sum of duties
    assert abs((plant.truth()["exposure_mj_per_cm2"] - before) / t - 1) < 4e-4
    dark = plant.truth()["exposure_mj_per_cm2"]
    run(plant, 100, 0)
    assert plant.truth()["exposure_mj_per_cm2"] - dark <= 1  # nothing but the rest of the last second


def test_supply_reads_24_v():
    plant = Plant({})
    assert abs(plant.supply_sum(16) / 16 - 40000) < 5 * 20 / 4
