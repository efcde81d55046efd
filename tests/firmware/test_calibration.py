"""Calibration of the thermal model on the board: a minute of half power, kept, told, refused where it found no block."""

from bench import Bench
from fake_hal import FakeHal

from plant.rig import Plant
from remnant_protocol import errors as e
from remnant_protocol import messages as m


class Heated(Bench):
    """A bench whose sensor is the plant's and whose heater heats it."""

    def __init__(self):
        self.plant = Plant({"seed": 3, "cells": []})
        hal = FakeHal()
        hal.adc.read_sum = self.read_sum
        super().__init__(hal)

    def read_sum(self, channel, samples):
        return 200 * samples if channel == 1 else self.plant.sensor_sum(samples)

    def ticks(self, count, us=100_000):
        for _ in range(count):
            super().ticks(1, us)
            self.plant.master_on = self.hal.master.duty_u16 > 0
            self.plant.advance(us, self.hal.heater.duty_u16, 0)


def executed(bench):
    return [record for record in bench.records() if record[0] == m.EXECUTED][-1]


def test_it_finds_the_block_and_keeps_it():
    bench = Heated()
    bench.ready()
    assert bench.command(5, m.CALIBRATE)[2] == e.OK
    bench.ticks(720)
    done = executed(bench)
    assert done[5] == m.CALIBRATE and done[6] == e.OK
    gain_mk, tau_ms, dead_ms, ambient_mc = done[9:]
    assert abs(gain_mk / tau_ms / 0.4 - 1) < 0.03  # 24 W into 60 J/K
    assert abs(tau_ms - 300_000) < 20_000 and abs(ambient_mc - 22_000) < 1500
    assert bench.app.settings["model_tau_ms"] == tau_ms and bench.app.settings["model_margin_pct"] == 100
    assert bench.hal.heater.duty_u16 == 0 and bench.hal.master.duty_u16 == 0


def test_a_dead_heater_is_no_block():
    bench = Heated()
    bench.plant.set_fault("heater_dead", True)
    bench.ready()
    bench.command(5, m.CALIBRATE)
    bench.ticks(720)
    done = executed(bench)
    assert done[6] == e.MODEL_IMPLAUSIBLE
    assert bench.app.settings["model_margin_pct"] == 200  # nothing was taken over


def test_a_stop_ends_it_with_the_heater_off():
    bench = Heated()
    bench.ready()
    bench.command(5, m.CALIBRATE)
    bench.ticks(200)
    assert bench.hal.heater.duty_u16 > 0
    bench.command(6, m.STOP)
    bench.ticks(3)
    assert bench.hal.heater.duty_u16 == 0 and not bench.app.calibrating
    assert executed(bench)[6] == e.WRONG_STATE


def test_it_is_refused_while_something_heats():
    bench = Heated()
    bench.ready()
    bench.command(5, m.HEATER, 40000, 0)
    assert bench.command(6, m.CALIBRATE)[2] == e.WRONG_STATE
