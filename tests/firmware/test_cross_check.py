from fake_hal import LIMITS, FakeOutput, Settings

from plant.rig import Plant
from remnant_protocol.errors import OK, SENSORS_DISAGREE
from rig.cross_check import CrossCheck
from rig.heater import Heater
from rig.thermometry import Thermometry


class Pair:
    """Both sensors of the plant under the real PID, which follows the first."""

    def __init__(self, **changed):
        self.plant = Plant({"ambient_c": 22, "seed": 3})
        settings = Settings()
        self.output = FakeOutput()
        self.heater = Heater(self.output, settings, LIMITS)
        self.first = Thermometry(self, 0, settings)
        self.second = Thermometry(self, 2, settings)
        self.check = CrossCheck(**changed)
        self.tick()

    def read_sum(self, channel, samples):
        return self.plant.sensor2_sum(samples) if channel == 2 else self.plant.sensor_sum(samples)

    def tick(self):
        self.plant.advance(100000, self.output.duty_u16, 0)
        self.first.sample()
        self.second.sample()
        self.heater.tick(self.first.temp_mc, 100)
        return self.check.tick(self.first.temp_mc, self.second.temp_mc, 100)

    def quiet_for(self, seconds):
        for _ in range(seconds * 10):
            assert self.tick() == OK, self.check.seen()

    def until_code(self, seconds):
        """Seconds until the code, or None."""
        for i in range(int(seconds * 10)):
            if self.tick() == SENSORS_DISAGREE:
                return (i + 1) / 10
        return None


def held_at(celsius, **changed):
    pair = Pair(**changed)
    pair.heater.set(celsius * 1000, 0, pair.first.temp_mc)
    pair.quiet_for(600)
    return pair


def test_offset_of_5_k_is_found_after_2_s():
    pair = held_at(80)
    pair.plant.set_fault("sensor_offset", True)
    assert 1.9 <= pair.until_code(10) <= 2.2
    off_mc, limit_mc = pair.check.seen()
    assert limit_mc >= 3000 and off_mc > limit_mc


def test_drift_of_0_1_k_a_minute_is_found_at_3_k():
    pair = held_at(60)
    pair.plant.set_fault("sensor_drift", True)
    pair.quiet_for(28 * 60)
    assert pair.until_code(4 * 60) is not None


def test_detached_sensor_disagrees_within_5_s_from_40_to_120_degc():
    for celsius in (40, 80, 120):
        pair = held_at(celsius)
        pair.plant.set_fault("sensor_detached", True)
        took_s = pair.until_code(10)
        assert took_s is not None and took_s <= 5, (celsius, took_s)


def test_agreement_again_is_no_fault_at_once():
    pair = held_at(80)
    pair.plant.set_fault("sensor_offset", True)
    assert pair.until_code(10)
    pair.plant.set_fault("sensor_offset", False)
    assert pair.tick() == OK


def test_disagreement_with_a_break_does_not_count():
    check = CrossCheck(3000, 20)
    for _ in range(100):
        check.tick(50000, 50000)
    for _ in range(5):
        for _ in range(19):
            assert check.tick(50000, 53500) == OK
        assert check.tick(50000, 52900) == OK


def test_steps_ramps_and_cuvettes_are_no_disagreement():
    pair = held_at(40)
    for celsius, ramp in ((120, 0), (30, 0), (80, 15000), (40, 15000)):
        pair.heater.set(celsius * 1000, ramp, pair.first.temp_mc)
        pair.quiet_for(300)
    pair.plant.set_fault("cold_cuvette", True)
    pair.quiet_for(60)


def test_sensor_that_runs_6_s_behind_the_other_is_tolerated_in_the_quickest_ramp():
    # 0.4 K/s x 6 s and 1 K of offset make 3.4 K: more than the limit, less than the slope's leave of 1.2 K admits
    check = CrossCheck(3000, 20)
    wide = narrow = 0
    for i in range(3000):
        first = 22000 + 40 * min(max(0, i - 100), 2000)
        late = 21000 + 40 * min(max(0, i - 160), 2000)
        wide = max(wide, first - late)
        assert check.tick(first, late) == OK, (i, check.seen())
    assert wide == 3400
    check = CrossCheck(3000, 20)
    for _ in range(100):  # the same difference at rest is one
        narrow += check.tick(80000, 76600) == SENSORS_DISAGREE
    assert narrow > 50


def test_fast_failing_sensor_gets_no_leave_by_its_own_slope():
    check = CrossCheck(3000, 20)
    first = 80000
    for _ in range(100):
        check.tick(first, 80000)
    for i in range(100):
        first -= 400  # 4 K/s
        if check.tick(first, 80000) == SENSORS_DISAGREE:
            assert i < 35  # 3 K are gone after 0.8 s, 2 s more
            return
    raise AssertionError("not found")


def test_reset_begins_anew():
    pair = held_at(80)
    pair.plant.set_fault("sensor_offset", True)
    assert pair.until_code(10)
    pair.check.reset()
    assert pair.tick() == OK
    assert pair.until_code(10) >= 1.8


def test_tick_allocates_nothing():
    import gc

    if not hasattr(gc, "mem_alloc"):
        return
    check = CrossCheck()
    check.tick(80000, 80000)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for i in range(1000):
        check.tick(80000 + i, 80000)
    used = gc.mem_alloc() - before
    gc.enable()
    assert used < 500, used
