"""Emission: proportional to excitation, quenched reversibly by heat, read with dark counts and shot noise."""

from plant import luminescence, thermal
from plant.rig import Plant

STEP_US = 100000


def run(plant, seconds, heater_u16=0, lamp_u16=0):
    advance = plant.advance
    for _ in range(int(seconds * 10)):
        advance(STEP_US, heater_u16, lamp_u16)


def pulses(plant, cell, n):
    """Lists dark, lit, monitor of n pulses."""
    dark, lit, monitor = [], [], []
    for _ in range(n):
        plant.probe_pulse(cell)
        dark.append(plant.dark)
        lit.append(plant.lit)
        monitor.append(plant.monitor)
    return dark, lit, monitor


def signal(plant, cell=0, n=256):
    """(lit - dark) / (monitor - its dark), the mean over pulses."""
    dark, lit, monitor = pulses(plant, cell, n)
    return (sum(lit) - sum(dark)) / (sum(monitor) - 200 * n)


def deviation(values):
    mean = sum(values) / len(values)
    return (sum([(v - mean) ** 2 for v in values]) / len(values)) ** 0.5


def test_fresh_sample_gives_about_30000_counts_over_600():
    plant = Plant({"ambient_c": 25, "cells": ["fresh"]})
    dark, lit, monitor = pulses(plant, 0, 256)
    assert abs(sum(dark) / 256 - 600) < 5 * 10 / 16
    assert 0.89 * 30000 < (sum(lit) - sum(dark)) / 256 < 1.11 * 30000  # a brightness of 0.9 to 1.1 of its own
    assert abs(sum(monitor) / 256 - 10200) < 5 * 20 / 16 + 1


def test_noise_is_0_2_percent_at_full_signal():
    plant = Plant({"ambient_c": 25, "cells": ["fresh"]})
    dark, lit, _ = pulses(plant, 0, 2000)
    # shot noise goes as the root of the signal; 8 %: five standard errors of 2000 pulses
    expected = (0.12 * (sum(lit) - sum(dark)) / 2000 + 100) ** 0.5
    assert abs(deviation(lit) / expected - 1) < 0.09
    assert abs(deviation(dark) / 10 - 1) < 0.09


def test_empty_cell_is_dark():
    plant = Plant({"ambient_c": 25, "cells": [None, "fresh"]})
    dark, lit, _ = pulses(plant, 0, 256)
    assert abs(sum(lit) - sum(dark)) / 256 < 5 * 10 * 2**0.5 / 16
    assert plant.truth()["remnant"] == [None, 1.0, None, None]


def test_quenching_leaves_60_percent_at_80_degc():
    assert abs(luminescence.quenching(25.0) - 1) < 1e-9
    assert abs(luminescence.quenching(80.0) - 0.60) < 0.005  # the figure chosen has two digits
    assert luminescence.quenching(22.0) > 1 > luminescence.quenching(30.0)


def test_heating_a_sample_that_does_not_age_is_reversible():
    plant = Plant({"ambient_c": 25, "cells": ["fresh"]})
    before = signal(plant)
    run(plant, 3000, int(65535 * 55 / 120))
    hot = signal(plant)
    assert abs(hot / before - luminescence.quenching(plant.truth()["sample_c"])) < 0.002  # five standard errors of 256 pulses
    run(plant, 6000)
    assert abs(signal(plant) / before - 1) < 0.0015  # the same, both readings bright


def test_lamp_droop_cancels_in_the_ratio():
    plant = Plant({"ambient_c": 25, "cells": ["fresh"]})
    before = signal(plant)
    cold = pulses(plant, 0, 64)
    run(plant, 600, 0, 65535)
    plant.advance(STEP_US, 0, 0)
    plant._sample_q = thermal.q_from_c(25)  # only the LED is warm now
    plant._signal_at[0] = -1
    warm = pulses(plant, 0, 64)
    assert 0.87 < (sum(warm[1]) - sum(warm[0])) / (sum(cold[1]) - sum(cold[0])) < 0.89  # 12 % less light
    assert abs(signal(plant) / before - 1) < 0.0015  # five standard errors


def test_stress_light_left_on_shines_into_the_dark_reading():
    plant = Plant({"ambient_c": 25, "cells": ["fresh"]})
    plant.advance(STEP_US, 0, 13107)
    dark, _, _ = pulses(plant, 0, 16)
    assert min(dark) > 20000


def test_pulse_light_counts_on_the_cell_it_fell_on():
    plant = Plant({"cells": ["control", "control"]})
    pulses(plant, 1, 50)
    spent = plant.truth()["probe_exposure_uj_per_cm2"]
    assert spent[0] == 0 and abs(spent[1] - 50 * 20) < 1  # 10 mW/cm2 for 2 ms
    remnant = plant.truth()["remnant"]
    assert remnant[1] < remnant[0] == 1.0
