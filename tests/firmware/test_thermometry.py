from math import exp

from fake_hal import FakeAdc, Settings

from rig.thermometry import Thermometry, beta_celsius, steinhart_hart_celsius


def counts_at(celsius, beta_k=3950, r25_ohm=10000, pullup_ohm=4700):
    r_ohm = r25_ohm * exp(beta_k * (1 / (celsius + 273.15) - 1 / 298.15))
    return 65536 * r_ohm / (r_ohm + pullup_ohm)


class ExactAdc:
    def __init__(self):
        self.sum = 0

    def read_sum(self, channel, samples):
        return self.sum


def test_table_is_within_10_mk_from_15_to_130_degc():
    adc = ExactAdc()
    thermometry = Thermometry(adc, 0, Settings())
    worst = 0
    for tenths in range(150, 1301, 7):
        adc.sum = int(counts_at(tenths / 10) * 16 + 0.5)
        thermometry.sample()
        worst = max(worst, abs(thermometry.temp_mc - tenths * 100))
    assert worst <= 10, worst


def test_beta_and_steinhart_hart_agree_where_they_are_the_same_equation():
    # with c = 0 Steinhart-Hart is the beta equation: a = 1/T25 - ln(R25)/B, b = 1/B
    from math import log

    a = 1 / 298.15 - log(10000) / 3950
    for r_ohm in (500, 1000, 10000, 30000):
        assert abs(steinhart_hart_celsius(r_ohm, a, 1 / 3950, 0.0) - beta_celsius(r_ohm, 10000, 3950)) < 0.01


def test_steinhart_hart_of_a_published_10k_set():
    # a, b, c of a common 10 kohm part give 25 degC at 10 kohm
    assert abs(steinhart_hart_celsius(10000, 1.125308852122e-3, 2.34711863267e-4, 8.5663516e-8) - 25.0) < 0.02


def test_steinhart_hart_coefficients_take_over_when_set():
    adc = ExactAdc()
    small = Settings(ntc_sh_a_e12=1_073_000_000, ntc_sh_b_e13=1_000_000_000, ntc_sh_c_e16=0)
    thermometry = Thermometry(adc, 0, small)
    adc.sum = 16 * 32768
    thermometry.sample()
    expected = steinhart_hart_celsius(4700, 1.073e-3, 1e-4, 0.0)
    assert abs(thermometry.temp_mc - min(expected, 300) * 1000) <= 5


def test_offset_of_a_calibration_is_added():
    adc = ExactAdc()
    adc.sum = int(counts_at(60) * 16)
    plain = Thermometry(adc, 0, Settings())
    moved = Thermometry(adc, 0, Settings(sensor_offset_mc=-750))
    plain.sample()
    moved.sample()
    assert moved.temp_mc == plain.temp_mc - 750


def test_repeats_count_a_sum_that_never_changes():
    adc = FakeAdc()
    thermometry = Thermometry(adc, 0, Settings())
    for _ in range(5):
        thermometry.sample()
    assert thermometry.repeats == 0
    adc.alive = False
    for _ in range(5):
        thermometry.sample()
    assert thermometry.repeats >= 4


def test_slope_is_told_over_one_second():
    adc = ExactAdc()
    thermometry = Thermometry(adc, 0, Settings())
    for i in range(30):
        adc.sum = int(counts_at(40 + i * 0.2) * 16)
        thermometry.sample()
    assert abs(thermometry.slope_mc_per_s - 2000) <= 20


def test_a_rail_is_no_exception():
    adc = ExactAdc()
    thermometry = Thermometry(adc, 0, Settings())
    for total in (0, 1, 16 * 65535, -1):
        adc.sum = total
        thermometry.sample()
        assert -100000 <= thermometry.temp_mc <= 400000
