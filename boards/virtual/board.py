"""The virtual board: limits and the plant behind the pins. `make_hal` is what main.py calls; LIMITS is data that the host reads too."""

LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,  # setpoint
    "temp_cutoff_mc": 130000,  # fault
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,  # leaves the monitor loop room for droop below the 50 mW/cm2 of a cold lamp
    "pumps": 4,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}
LAMP_NM = 365
# pumps 3 and 4 are twins of 1 and 2, for alternating pairs; the firmware's defaults calibrate the first two only
SETTINGS = {48: 1121483000, 49: 60000000, 56: 330260000, 57: 10000000}


def make_safe():
    """A process has no pins; its outputs begin off."""


def make_hal():
    """Build the board from the scenario file named on the command line (boards/virtual/README.md)."""
    import json
    import sys

    from hal.sim import SimHal

    with open(sys.argv[1]) as file:
        scenario = json.load(file)
    hal = SimHal(scenario, LIMITS, LAMP_NM)
    if hal.store.load("settings") is None:
        from remnant_protocol import codec

        hal.store.save("settings", codec.encode(SETTINGS))
    return hal
