"""A lively hour and a half on the plant, every number an instrument could read, told as one CRC after each minute."""

from binascii import crc32

from plant.rig import Plant

SCENARIO = {
    "seed": 11,
    "cells": ["templated", "control", None, "fresh"],
    "faults": [[900.3, "sensor_detached", True], [930, "sensor_detached", False], [1500, "lamp_dead", True], [1520.5, "lamp_dead", False]],
}


def trace(seed, minutes=90):
    """Yield (minute, sensor sum, CRC-32 of all readings so far)."""
    scenario = dict(SCENARIO)
    scenario["seed"] = seed
    plant = Plant(scenario)
    crc = 0
    for minute in range(minutes):
        heater_u16 = (minute * 9973) % 40000
        lamp_u16 = (minute % 7) * 9000
        for _ in range(598):
            plant.advance(100000, heater_u16, lamp_u16)
            raw = plant.sensor_sum(16)
            crc = crc32(b"%d,%d" % (raw, plant.monitor_sum(16)), crc)
        plant.advance(33333, heater_u16, lamp_u16)
        plant.advance(166667, heater_u16, lamp_u16)
        plant.move_syringe(0, 321 - minute * 10)
        for cell in range(4):
            plant.probe_pulse(cell)
            crc = crc32(b"%d,%d,%d" % (plant.dark, plant.lit, plant.monitor), crc)
        crc = crc32(b"%d,%d" % (plant.dispensed_nl(0), plant.supply_sum(4)), crc)
        yield minute, raw, crc
