"""The NTC divider as the ADC sees it."""

from plant import thermal
from plant.rig import Plant
from plant.thermistor import counts, resistance_ohm
from rig.settings import TABLE as SETTINGS
from rig.thermometry import build_table

# temperature in degC: ohms of a 10 kohm, B 3950 K NTC, worked out by hand from R25 exp(B (1/T - 1/T25))
OHMS = {0: 33620.6, 25: 10000.0, 50: 3588.2, 80: 1270.3, 100: 697.5, 120: 407.1}


def at(celsius, **scenario):
    """A plant whose every temperature is `celsius`."""
    plant = Plant(scenario)
    plant._block_q = plant._sensor_q = thermal.q_from_c(celsius)
    return plant


def test_resistance_meets_the_table():
    for celsius, ohm in OHMS.items():
        assert abs(resistance_ohm(celsius) / ohm - 1) < 1.5e-4  # ohms above are rounded to 0.1, 1.2e-4 of 407


def test_counts_are_the_divider_ratio():
    assert abs(counts(25.0) - 65535 * 10000 / 14700) < 0.01
    assert abs(counts(80.0) - 65535 * 1270.3 / 5970.3) < 2


def test_interpolation_is_better_than_2_mk():
    for millidegrees in range(0, 130000, 1777):
        celsius = millidegrees / 1000
        plant = at(celsius)
        plant.sensor_sum(1024)
        plant._sigma = 0
        read = plant.sensor_sum(1024) / 1024
        slope = counts(celsius + 0.5) - counts(celsius - 0.5)
        assert abs((read - counts(celsius)) / slope) < 0.003  # 2 mK of interpolation and the 1 mK unit of the index


def test_noise_is_20_counts_a_sample_and_averages_out():
    for n in (1, 16, 64):
        plant = at(25.0)
        sums = [plant.sensor_sum(n) for _ in range(4000)]
        mean = sum(sums) / 4000
        deviation = (sum([(s - mean) ** 2 for s in sums]) / 4000) ** 0.5
        assert abs(deviation / (20 * n**0.5) - 1) < 0.06  # five standard errors of a deviation from 4000 readings
        assert abs(mean / n - counts(25.0)) < 5 * 20 / (4000 * n) ** 0.5 + 1


def test_firmware_reads_back_the_temperature():
    table = build_table({row[0]: row[1] for row in SETTINGS.values()})
    for celsius in (5, 25, 37.3, 60, 80, 99.9, 120):
        plant = at(celsius)
        total = 0
        for _ in range(400):
            raw = plant.sensor_sum(16)
            low = table[raw >> 11]
            total += low + (((table[(raw >> 11) + 1] - low) * (raw & 2047)) >> 11)
        slope = counts(celsius - 0.5) - counts(celsius + 0.5)
        # 10 mK of the firmware's table, 5 standard errors of 400 readings of 16 samples
        assert abs(total / 400 / 1000 - celsius) < 0.010 + 5 * 20 / (slope * (400 * 16) ** 0.5)


def test_a_room_of_minus_20_and_a_block_of_180_stay_on_the_table():
    for celsius in (-20, 180):
        assert abs(at(celsius).sensor_sum(16) / 16 - counts(celsius)) < 5 * 20 / 4 + 1
