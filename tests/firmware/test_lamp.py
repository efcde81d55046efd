from fake_hal import LIMITS, FakeAdc, FakeOutput, Settings, raises

from remnant_protocol.errors import IRRADIANCE_LIMIT
from rig.lamp import Lamp


def make(**settings):
    output, adc = FakeOutput(), FakeAdc()
    return Lamp(output, adc, 1, Settings(**settings), LIMITS), output, adc


def test_duty_starts_at_the_calibrated_share():
    lamp, output, _ = make()
    lamp.set(10000)
    assert abs(lamp.duty_u16 - 65536 // 5) <= 2
    lamp.set(40000)
    assert abs(lamp.duty_u16 - 65536 * 4 // 5) <= 2


def test_monitor_holds_irradiance_against_20_pct_droop():
    lamp, output, adc = make()
    lamp.set(10000)
    for _ in range(100):
        adc.monitor = 200 + output.duty_u16 * 40000 // 65535  # 50 mW/cm2 lamp that gives 40
        lamp.tick()
    assert abs(lamp.measured_uw_per_cm2 - 10000) <= 20


def test_suspended_lamp_is_dark_and_comes_back():
    lamp, output, adc = make()
    lamp.set(10000)
    lamp.tick()
    duty = output.duty_u16
    lamp.suspend()
    lamp.tick()
    assert output.duty_u16 == 0
    lamp.resume()
    lamp.tick()
    assert output.duty_u16 == duty


def test_beyond_the_limit_is_refused_and_changes_nothing():
    lamp, output, _ = make()
    lamp.set(5000)
    raises(IRRADIANCE_LIMIT, lamp.set, 40001)
    raises(IRRADIANCE_LIMIT, lamp.set, -1)
    assert lamp.requested_uw_per_cm2 == 5000


def test_zero_is_off():
    lamp, output, _ = make()
    lamp.set(10000)
    lamp.tick()
    lamp.set(0)
    assert output.duty_u16 == 0 and lamp.duty_u16 == 0


def test_noise_of_the_monitor_is_not_light():
    lamp, output, adc = make()
    lamp.set(10000)
    adc.monitor = 220
    lamp.tick()
    assert lamp.measured_uw_per_cm2 == 0
