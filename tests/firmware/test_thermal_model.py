"""The model against the plant of boards/plant and the PID of rig.heater: faults found in time and by name, and no wolf cried."""

import gc
import sys

from fake_hal import LIMITS, FakeOutput, Settings, raises

from plant.noise import Noise
from plant.rig import Plant
from remnant_protocol.errors import HEATER_DEAD, HEATER_STUCK_ON, MODEL_IMPLAUSIBLE, OK, SENSOR_DETACHED
from rig.heater import Heater
from rig.thermal_model import ThermalModel
from rig.thermometry import Thermometry

MODEL = {"model_gain_mk": 120000, "model_tau_ms": 300000, "model_dead_ms": 3000, "model_ambient_mc": 22000, "model_margin_pct": 100}
UNCALIBRATED = 200
LONG = sys.implementation.name == "cpython"


class Bench:
    """One rig in a closed loop, 100 ms a tick. noise_mk: rms that is added to every reading."""

    def __init__(self, ambient_c=22, seed=1, noise_mk=0, **changed):
        settings = dict(MODEL)
        settings.update(changed)
        self.settings = Settings(**settings)
        self.plant = Plant({"ambient_c": ambient_c, "seed": seed})
        self.output = FakeOutput()
        self.heater = Heater(self.output, self.settings, LIMITS)
        self.thermometry = Thermometry(self, 0, self.settings)
        self.model = ThermalModel(self.settings, LIMITS)
        self.noise = Noise(seed, 77)
        self.noise_mk = noise_mk
        self.run(20)  # at rest

    def read_sum(self, channel, samples):
        return self.plant.sensor_sum(samples)

    def read(self):
        self.plant.advance(100000, self.output.duty_u16, 0)
        self.thermometry.sample()
        temp_mc = self.thermometry.temp_mc
        return temp_mc + self.noise.gauss(self.noise_mk) if self.noise_mk else temp_mc

    def tick(self):
        duty_u16 = self.output.duty_u16
        temp_mc = self.read()
        code = self.model.tick(temp_mc, duty_u16, 100)
        self.heater.tick(temp_mc, 100)
        return code

    def run(self, seconds):
        """Live on; no code may come."""
        tick = self.tick
        for _ in range(int(seconds * 10)):
            code = tick()
            assert code == OK, (code, self.model.seen(), self.thermometry.temp_mc, self.output.duty_u16)
        return self

    def go(self, celsius, ramp_c_per_min=0):
        self.heater.set(int(celsius * 1000), int(ramp_c_per_min * 1000), self.thermometry.temp_mc)
        return self

    def off(self):
        self.heater.off()
        return self

    def fault(self, name, value=True):
        self.plant.set_fault(name, value)
        return self

    def until_code(self, seconds=400):
        """(code, seconds until it)."""
        for i in range(seconds * 10):
            code = self.tick()
            if code != OK:
                return code, (i + 1) / 10
        return OK, seconds


def must_find(code, within_s, bench, what):
    found, took_s = bench.until_code()
    assert found == code and took_s <= within_s, (what, found, took_s)
    value, limit = bench.model.seen()
    assert value >= limit > 0, (what, value, limit)


# ---- faults are found and told apart; bounds are the measured times and a tenth more


def test_faults_in_hold_are_found_in_time_and_by_name():
    for celsius, detached_s, dead_s, stuck_s in ((40, 2.5, 44, 10.5), (80, 0.9, 20, 10.7), (120, 0.7, 20, 14.5)):
        must_find(SENSOR_DETACHED, detached_s, Bench().go(celsius).run(600).fault("sensor_detached"), celsius)
        must_find(HEATER_DEAD, dead_s, Bench().go(celsius).run(600).fault("heater_dead"), celsius)
        must_find(HEATER_STUCK_ON, stuck_s, Bench().go(celsius).run(600).fault("heater_stuck_on"), celsius)


def test_faults_in_hold_are_found_with_the_margins_of_an_uncalibrated_model():
    for celsius, detached_s, dead_s, stuck_s in ((40, 2.5, 44, 11), (80, 0.9, 20, 12), (120, 0.7, 20, 29)):
        for name, code, within_s in (
            ("sensor_detached", SENSOR_DETACHED, detached_s),
            ("heater_dead", HEATER_DEAD, dead_s),
            ("heater_stuck_on", HEATER_STUCK_ON, stuck_s),
        ):
            must_find(code, within_s, Bench(model_margin_pct=UNCALIBRATED).go(celsius).run(600).fault(name), (name, celsius))


def test_detached_sensor_has_its_name_before_its_slope_is_called_impossible():
    for celsius in (80, 120):
        for ambient_c in (10, 22):
            bench = Bench(ambient_c=ambient_c).go(celsius).run(600).fault("sensor_detached")
            steep = 0  # safety.py: SENSOR_SLOPE after 3 ticks of more than 5 K/s
            while bench.tick() == OK:
                steep = steep + 1 if bench.thermometry.slope_mc_per_s < -bench.settings["slope_max_mc_per_s"] else 0
                assert steep < 3, (celsius, ambient_c)


def test_stuck_heater_is_found_while_nothing_is_asked():
    must_find(HEATER_STUCK_ON, 10, Bench().run(100).fault("heater_stuck_on"), "idle")
    must_find(HEATER_STUCK_ON, 11, Bench(model_margin_pct=UNCALIBRATED).run(100).fault("heater_stuck_on"), "idle, uncalibrated")
    must_find(HEATER_STUCK_ON, 13, Bench().run(100).fault("supply_low").fault("heater_stuck_on"), "idle, low supply")
    must_find(HEATER_STUCK_ON, 11, Bench().go(80).run(600).off().run(60).fault("heater_stuck_on"), "cooling")


def test_faults_in_a_ramp_up():
    must_find(SENSOR_DETACHED, 1.5, Bench().go(80, 5).run(360).fault("sensor_detached"), "up")
    must_find(HEATER_DEAD, 22, Bench().go(80, 5).run(360).fault("heater_dead"), "up")
    must_find(HEATER_STUCK_ON, 11, Bench().go(80, 5).run(360).fault("heater_stuck_on"), "up")


def test_faults_in_a_ramp_down():
    must_find(SENSOR_DETACHED, 1.5, Bench().go(80).run(600).go(30, 5).run(120).fault("sensor_detached"), "down")
    must_find(HEATER_DEAD, 39, Bench().go(80).run(600).go(30, 5).run(120).fault("heater_dead"), "down")
    must_find(HEATER_STUCK_ON, 11, Bench().go(80).run(600).go(30, 5).run(120).fault("heater_stuck_on"), "down")


def test_faults_in_a_cold_start():
    for after_s, within_s in ((30, 4), (60, 2), (120, 1.5)):
        must_find(SENSOR_DETACHED, within_s, Bench().go(80).run(after_s).fault("sensor_detached"), after_s)
    for after_s in (0, 5, 30, 60, 120):
        must_find(HEATER_DEAD, 20, Bench().go(80).run(after_s).fault("heater_dead"), after_s)
        bench = Bench().go(80).run(after_s).fault("heater_stuck_on")
        code, _ = bench.until_code()
        assert code == HEATER_STUCK_ON and bench.plant.truth()["block_c"] < 80  # full duty is asked until close to the setpoint


def test_sensor_that_never_was_on_the_block_looks_like_a_dead_heater():
    must_find(HEATER_DEAD, 15, Bench().fault("sensor_detached").go(80), "from the start")
    must_find(HEATER_DEAD, 60, Bench().go(30).run(600).fault("sensor_detached"), "8 K above the room")


def test_dead_heater_behind_an_open_lid_or_a_cuvette_takes_longer_but_is_found():
    for celsius in (40, 80, 120):
        must_find(HEATER_DEAD, 68, Bench().go(celsius).run(600).fault("lid_open").run(100).fault("heater_dead"), celsius)
        must_find(HEATER_DEAD, 55, Bench().go(celsius).run(600).fault("cold_cuvette").run(25).fault("heater_dead"), celsius)


# ---- no false alarm


def test_cold_starts_in_rooms_from_5_to_35_degc():
    for ambient_c in (5, 15, 25, 35):
        for margin in (100, UNCALIBRATED):
            Bench(ambient_c=ambient_c, model_margin_pct=margin).go(80).run(500).go(120).run(500)


def test_steps_and_ramps_up_and_down():
    bench = Bench()
    for celsius in (120, 25, 60, 45, 120, 30):
        bench.go(celsius).run(500)
    for celsius, ramp in ((120, 5), (25, 5), (120, 15), (25, 15), (60, 1)):
        bench.go(celsius, ramp).run(900)


def test_retargeting_every_few_seconds():
    for every_s in (2, 3, 5, 10, 30):
        bench = Bench(seed=every_s)
        for _ in range(900 // every_s):
            draw = bench.noise.uniform()
            bench.go(25 + draw % 95, (0, 0, 5, 15)[draw // 95 % 4]).run(every_s)


def test_switching_on_and_off():
    bench = Bench()
    for i in range(60):
        (bench.go(80) if i % 2 else bench.off()).run(7 + i % 11)


def test_open_lid_for_ten_minutes_then_closed():
    for celsius in (40, 80, 100, 120):
        for margin in (100, UNCALIBRATED):
            bench = Bench(model_margin_pct=margin).go(celsius).run(500).fault("lid_open").run(600).fault("lid_open", False).run(600)
            assert abs(bench.thermometry.temp_mc - celsius * 1000) < 1000
    bench = Bench().fault("lid_open").go(80).run(600).fault("lid_open", False).run(300)
    for open_s in (10, 30, 60):
        bench.fault("lid_open").run(open_s).fault("lid_open", False).run(60)


def test_cold_cuvette():
    for celsius in (25, 40, 70, 80, 90, 120):
        Bench().go(celsius).run(500).fault("cold_cuvette").run(120)
    Bench().fault("cold_cuvette").run(300)  # at rest


def test_cold_cuvette_under_an_open_lid():
    for celsius in (40, 60, 80, 100, 120):
        for open_s in (0, 3, 8, 20, 60):
            bench = Bench().go(celsius).run(500).fault("lid_open").run(open_s).fault("cold_cuvette").run(30)
            bench.fault("lid_open", False).run(100)


def test_low_supply_and_its_return():
    for celsius in (40, 80, 120):
        bench = Bench().go(celsius).run(500).fault("supply_low").run(500).fault("cold_cuvette").run(100)
        bench.fault("supply_low", False).run(300)
        Bench().fault("supply_low").go(celsius).run(600)


def test_lamp_on_and_off():
    bench = Bench().go(60).run(300)
    for i in range(6000):
        duty_u16 = bench.output.duty_u16
        bench.plant.advance(100000, duty_u16, 65535 if i // 600 % 2 else 0)
        bench.thermometry.sample()
        assert bench.model.tick(bench.thermometry.temp_mc, duty_u16, 100) == OK
        bench.heater.tick(bench.thermometry.temp_mc, 100)


def test_room_drifts_by_10_k_in_2_h():
    for first_c, last_c, celsius in ((22, 32, 40), (22, 12, 80), (30, 20, 80)):
        bench = Bench(ambient_c=first_c).go(celsius).run(300)
        for minute in range(120):
            bench.plant.set_ambient(first_c + (last_c - first_c) * minute / 120)
            bench.run(60)


def test_noise_of_50_and_100_mk():
    for noise_mk in (50, 100):
        for celsius in (40, 80, 120):
            Bench(noise_mk=noise_mk).go(celsius).run(1500).go(30).run(300)
        must_find(HEATER_DEAD, 30, Bench(noise_mk=noise_mk).go(80).run(600).fault("heater_dead"), noise_mk)
        must_find(HEATER_STUCK_ON, 15, Bench(noise_mk=noise_mk).go(80).run(600).fault("heater_stuck_on"), noise_mk)


def test_half_and_double_gains_of_the_heater():
    for kp, ki in ((4000, 50), (16000, 200)):
        for celsius in (40, 80, 120):
            bench = Bench(heater_kp_u16_per_k=kp, heater_ki_u16_per_k_s=ki).go(celsius).run(600).fault("cold_cuvette").run(200)
            bench.fault("lid_open").run(300).fault("lid_open", False).run(300)


def test_single_wild_reading_is_no_fault():
    for celsius in (25, 80):
        bench = Bench().go(celsius).run(400)
        for wild_mc in (-29000, 29000, -100000, 100000):
            duty_u16 = bench.output.duty_u16
            assert bench.model.tick(bench.read() + wild_mc, duty_u16, 100) == OK
            bench.run(60)


def test_step_of_the_converter_is_no_fault():
    # RP2040-E11: the converter's steps at codes 512, 1536, 2560 and 3584 are about 8 wide; at 111 degC (code 512) that is 0.7 K
    for celsius in (25, 52, 111):
        bench = Bench().go(celsius).run(500)
        offset_mc = 0
        for i in range(6000):
            if i % 400 == 0:
                offset_mc = 700 - offset_mc
            duty_u16 = bench.output.duty_u16
            temp_mc = bench.read() + offset_mc
            assert bench.model.tick(temp_mc, duty_u16, 100) == OK, (celsius, i, bench.model.seen())
            bench.heater.tick(temp_mc, 100)


def test_sensor_put_back_on_the_block_is_no_stuck_heater():
    bench = Bench().go(80).run(600).fault("sensor_detached")
    assert bench.until_code()[0] == SENSOR_DETACHED
    bench.off()
    for _ in range(300):
        bench.tick()
    bench.model.reset()
    bench.run(10).fault("sensor_detached", False).run(100).go(80).run(300)


def test_uncalibrated_model_of_another_block_cries_no_wolf():
    for gain_mk, tau_ms, ambient_mc in (
        (150000, 300000, 22000),
        (96000, 300000, 22000),
        (120000, 360000, 22000),
        (120000, 255000, 22000),
        (96000, 240000, 22000),
        (120000, 300000, 35000),
        (120000, 300000, 10000),
    ):
        bench = Bench(model_gain_mk=gain_mk, model_tau_ms=tau_ms, model_ambient_mc=ambient_mc, model_margin_pct=UNCALIBRATED)
        for celsius in (40, 80, 120, 60, 30):
            bench.go(celsius).run(300)
        for celsius, ramp in ((120, 10), (40, 10)):
            bench.go(celsius, ramp).run(500)


def test_long_hold():
    Bench().go(80).run(86400 if LONG else 3600)


# ---- learning


def test_what_was_learned_is_bounded_and_forgotten_by_reset():
    bench = Bench(ambient_c=35).go(80).run(600)
    assert abs(bench.model.extra_mk_per_s()) < 20  # 13 K of room are 43 mK/s
    bench.model.reset()
    bench.run(5)
    assert abs(bench.model.extra_mk_per_s() - 43) < 20
    cold = Bench(ambient_c=22, model_ambient_mc=45000).go(80).run(600)  # below the room that it believed in: taken over at once
    assert abs(cold.model.extra_mk_per_s()) < 20


def test_reload_takes_over_settings():
    bench = Bench(model_ambient_mc=10000).go(80).run(10)
    bench.settings.update({"model_ambient_mc": 22000})
    bench.model.reload()
    bench.run(20)
    assert abs(bench.model.extra_mk_per_s()) < 20


def test_code_stays_while_its_cause_does_and_goes_with_it():
    bench = Bench().run(60).fault("heater_stuck_on")
    assert bench.until_code()[0] == HEATER_STUCK_ON
    assert bench.tick() == HEATER_STUCK_ON
    bench.plant.master_on = False
    for _ in range(600):
        bench.tick()
    assert bench.tick() == OK


def test_late_ticks_change_little():
    bench = Bench().go(80).run(300)
    for i in range(3000):
        late = i % 50 == 0
        duty_u16 = bench.output.duty_u16
        if late:
            bench.plant.advance(300000, duty_u16, 0)
        temp_mc = bench.read()
        assert bench.model.tick(temp_mc, duty_u16, 400 if late else 100) == OK
        bench.heater.tick(temp_mc, 100)
    must_find(HEATER_DEAD, 25, bench.fault("heater_dead"), "after late ticks")


# ---- identification


def calibrate(bench, block_c=None):
    """Seconds it took; the block first cools for half a minute from block_c."""
    plant, model = bench.plant, bench.model
    if block_c is not None:
        plant._block_q = plant._sensor_q = int(block_c * 1000) << 10
        for _ in range(300):
            bench.read()
    model.begin_calibration(bench.read())
    seconds = 0
    while True:
        temp_mc = bench.read()
        seconds += 0.1
        duty = model.calibrate(temp_mc, 100)
        if duty < 0:
            bench.output.renew(0)
            return seconds
        bench.output.renew(duty)
        assert plant.truth()["block_c"] < 60


def test_a_minute_of_half_power_finds_the_block():
    for block_c, ambient_c in ((15, 15), (22, 22), (30, 22), (40, 22), (40, 40)):
        for seed in (1, 2):
            bench = Bench(ambient_c=ambient_c, seed=seed)
            took_s = calibrate(bench, block_c)
            gain_mk, tau_ms, dead_ms, ambient_mc = bench.model.calibrated()
            assert took_s < 71
            assert abs(gain_mk / tau_ms - 0.4) < 0.006, (gain_mk, tau_ms)  # initial slope, 1.5 %; measured 0.7 %
            assert abs(tau_ms - 300000) < 20000, tau_ms  # 7 %; measured 3 %, of it 2 % because the lag has not quite died away
            assert abs(dead_ms - 3000) < 300, dead_ms
            assert abs(ambient_mc - ambient_c * 1000) < 1500, ambient_mc  # slope at rest to 5 mK/s
            assert calibrate_further(bench) == OK


def calibrate_further(bench):
    """The found values are put to use: hold, lid, then a fault."""
    gain_mk, tau_ms, dead_ms, ambient_mc = bench.model.calibrated()
    bench.settings.update(
        {
            "model_gain_mk": gain_mk,
            "model_tau_ms": tau_ms,
            "model_dead_ms": dead_ms,
            "model_ambient_mc": ambient_mc,
            "model_margin_pct": 100,
        }
    )
    bench.model.reload()
    bench.go(80).run(400).fault("lid_open").run(100).fault("lid_open", False).run(100)
    must_find(HEATER_DEAD, 25, bench.fault("heater_dead"), "calibrated")
    return OK


def test_calibration_of_a_stronger_and_a_weaker_rig():
    bench = Bench().fault("supply_low")
    calibrate(bench)
    gain_mk, tau_ms, _, _ = bench.model.calibrated()
    assert abs(gain_mk / tau_ms - 0.288) < 0.005, (gain_mk, tau_ms)
    bench = Bench().fault("lid_open")
    calibrate(bench)
    gain_mk, tau_ms, _, _ = bench.model.calibrated()
    assert abs(gain_mk / tau_ms - 0.4) < 0.008 and abs(tau_ms - 150000) < 10000, (gain_mk, tau_ms)


def test_broken_rigs_are_implausible():
    for name in ("heater_dead", "heater_stuck_on", "sensor_stuck", "sensor_open", "sensor_short", "sensor_detached"):
        bench = Bench()
        if name == "sensor_detached":
            bench.go(35).run(200).off()
        bench.fault(name)
        if name == "sensor_short":
            error = raises(MODEL_IMPLAUSIBLE, bench.model.begin_calibration, bench.read())
        else:
            calibrate(bench)
            error = raises(MODEL_IMPLAUSIBLE, bench.model.calibrated)
        assert isinstance(error.value, int) and isinstance(error.limit, int), (name, error.where)


def test_a_heater_too_strong_ends_15_k_above_its_start():
    model = ThermalModel(Settings(**MODEL), LIMITS)
    model.begin_calibration(22000)
    temp_mc, duty = 22000, 0
    while True:
        duty = model.calibrate(temp_mc, 100)
        if duty < 0:
            break
        temp_mc += 150 if duty else 0  # 1.5 K/s at half power
    assert 37000 < temp_mc < 37300
    error = raises(MODEL_IMPLAUSIBLE, model.calibrated)
    assert error.where == "rate_mc_per_s" and error.value > error.limit == 1000


def test_cooling_at_power_is_the_wrong_sign():
    model = ThermalModel(Settings(**MODEL), LIMITS)
    model.begin_calibration(50000)
    temp_mc, duty = 50000, 0
    while duty >= 0:
        duty = model.calibrate(temp_mc, 100)
        temp_mc -= 20 if duty else 0
    raises(MODEL_IMPLAUSIBLE, model.calibrated)


def test_calibration_that_would_leave_the_limits_or_never_began_is_refused():
    model = ThermalModel(Settings(**MODEL), LIMITS)
    error = raises(MODEL_IMPLAUSIBLE, model.begin_calibration, 105001)
    assert (error.value, error.limit) == (105001, 105000)
    assert model.calibrate(22000, 100) == -1
    raises(MODEL_IMPLAUSIBLE, model.calibrated)


# ---- cost


def test_tick_allocates_nothing_whatever_it_is_given():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython does not tell
    for changed in ({}, {"model_gain_mk": 500000, "model_tau_ms": 60000}, {"model_gain_mk": 20000, "model_tau_ms": 3600000}):
        settings = dict(MODEL)
        settings.update(changed)
        model = ThermalModel(Settings(**settings), LIMITS)
        tick = model.tick
        noise = Noise(5, 5)
        temps = (-60000, 20000, 48000, 77000, 100000, 129000, 158000, 300000)
        tick(22000, 0, 100)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        for i in range(20000):
            draw = noise.uniform()
            tick(temps[i // 400 % 8] + (draw & 1023), 65535 if i // 900 & 1 else draw, 100 if i & 15 else draw)
        used = gc.mem_alloc() - before
        gc.enable()
        assert used < 1000, used
