"""Raspberry Pi Pico (RP2040): pins, limits, and how boot.py and main.py get their hardware. Wiring: README.md.

Drivers' inputs need pull-downs of their own: while the chip is in reset its pins are inputs.
"""

LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,  # setpoint
    "temp_cutoff_mc": 130000,  # fault
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 4,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}
LAMP_NM = 365
CHIP = "RP2040"

PINS = {
    "step": (2, 3, 4, 5),
    "direction": (6, 7, 8, 9),
    "step_pulse_cycles": 258,  # 2.06 us: DRV8825 and TB6600 ask for 1.9 and 2.0; a TMC2209 is content with 13 (104 ns)
    "heater": 10,
    "lamp": 11,
    "probe": 12,  # LED of the probe; 13, 14, 15: address of the 74HC4051 that the cells come through
    "interlock": 16,  # 3.3 V through the closed loop
    "stop": 17,  # 3.3 V through the button at rest
    "trigger_out": (18, 19),
    "trigger_in": (20, 21),
    "master": 22,  # switch in series with heater and lamp
    "diag": (0, 1, None, None),  # DIAG of the motor drivers, high: stalled
    "led": 25,
    "led_states": (2, 3, 4),  # RUNNING, PAUSED, FAULTED
    "sensor_adc": 0,  # GP26: NTC to ground, 4.7 kohm to 3.3 V
    "cells_adc": 1,  # GP27: output of the 74HC4051; inputs 0..3 the cells, 4 the supply
    "monitor_adc": 2,  # GP28: photodiode that looks at the lamp
}


def make_safe():
    """Called by boot.py before anything else."""
    from hal.rp2.safe import make_safe as safe
    from hal.rp2.wiring import check_chip, check_pins

    check_chip(CHIP)
    check_pins(PINS)
    safe(low=PINS["step"] + (PINS["master"], PINS["heater"], PINS["lamp"], PINS["probe"]) + PINS["trigger_out"])


def make_hal():
    from hal.rp2.board_hal import Rp2Hal

    try:
        from build import FIRMWARE_HASH, SIMULATED
    except ImportError:  # files copied by hand
        FIRMWARE_HASH, SIMULATED = 0, False
    return Rp2Hal(PINS, LIMITS, LAMP_NM, "rpi_pico", FIRMWARE_HASH, SIMULATED)
