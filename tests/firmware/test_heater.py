from fake_hal import LIMITS, FakeOutput, Settings, raises

from remnant_protocol.errors import RAMP_LIMIT, SETPOINT_LIMIT
from rig.heater import OFF_MC, Heater


class Block:
    """60 J/K, 0.2 W/K to 22 degC, 24 W: the numbers of the bench; the sensor lags 3 s."""

    def __init__(self, temp_c=22.0):
        self.block_c = self.sensor_c = temp_c

    def step(self, duty_u16):
        self.block_c += 0.1 / 60 * (24.0 * duty_u16 / 65535 - 0.2 * (self.block_c - 22.0))
        self.sensor_c += 0.1 / 3 * (self.block_c - self.sensor_c)
        return int(self.sensor_c * 1000)


def heated(heater, output, block, seconds):
    """Readings in mdegC, one a tick."""
    readings = []
    for _ in range(seconds * 10):
        temp_mc = block.step(output.duty_u16)
        heater.tick(temp_mc, 100)
        readings.append(temp_mc)
    return readings


def make():
    output = FakeOutput()
    return Heater(output, Settings(), LIMITS), output


def test_step_to_80_degc_overshoots_less_than_1_degc_and_settles():
    heater, output = make()
    block = Block()
    heater.set(80000, 0, 22000)
    readings = heated(heater, output, block, 900)
    assert max(readings) < 81000, max(readings)
    assert all([abs(t - 80000) < 100 for t in readings[-3000:]])


def test_ramp_of_5_degc_per_min_is_followed():
    heater, output = make()
    block = Block(25.0)
    heater.set(80000, 5000, 25000)
    readings = heated(heater, output, block, 11 * 60)
    for minute in range(2, 11):  # after the start the block lags by less than 1 degC
        assert abs(readings[minute * 600 - 1] - (25000 + 5000 * minute)) < 1000, minute
    assert max(heated(heater, output, block, 300)) < 80700


def test_setpoint_of_a_ramp_waits_for_a_slow_block():
    heater, output = make()
    heater.set(80000, 15000, 22000)
    for _ in range(600):
        heater.tick(22000, 100)  # a block that does not heat at all
    assert heater.setpoint_mc <= 22000 + 3000 + 25  # the lag allowed and one tick of ramp


def test_long_saturation_does_not_wind_up():
    heater, output = make()
    heater.set(80000, 0, 22000)
    for _ in range(36000):
        heater.tick(22000, 100)
    block = Block(79.0)
    readings = heated(heater, output, block, 600)
    assert max(readings) < 81500, max(readings)


def test_downward_ramp_arrives_at_its_target():
    heater, output = make()
    heater.set(80000, 0, 80000)
    heater.set(60000, 5000, 80000)
    for _ in range(300 * 10):
        heater.tick(heater.setpoint_mc, 100)
    assert heater.setpoint_mc == 60000


def test_off_is_low_at_once_and_stays():
    heater, output = make()
    heater.set(80000, 0, 22000)
    heater.tick(22000, 100)
    assert output.duty_u16 == 65535
    heater.off()
    renewals = output.renewals
    heater.tick(22000, 100)
    assert output.duty_u16 == 0 and output.renewals == renewals
    assert heater.setpoint_mc == OFF_MC


def test_nil_setpoint_is_off():
    heater, output = make()
    heater.set(80000, 0, 22000)
    heater.set(None, 0, 22000)
    assert heater.target_mc == OFF_MC


def test_a_setpoint_beyond_the_board_is_refused_not_clamped():
    heater, output = make()
    heater.set(50000, 0, 22000)
    error = raises(SETPOINT_LIMIT, heater.set, 120001, 0, 22000)
    assert (error.value, error.limit) == (120001, 120000)
    raises(RAMP_LIMIT, heater.set, 60000, 15001, 22000)
    raises(RAMP_LIMIT, heater.set, 60000, -1, 22000)
    assert heater.target_mc == 50000


def test_fractions_of_the_ramp_are_carried():
    heater, output = make()
    heater.set(30000, 7, 22000)  # 7 mdegC a minute: far less than one a tick
    for _ in range(6000):
        heater.tick(22000, 100)
    assert heater.setpoint_mc == 22000 + 70
