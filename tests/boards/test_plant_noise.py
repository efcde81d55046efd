"""Random numbers: the same on every interpreter, small integers only, normal enough for what they stand for."""

from plant.noise import GAUSS, GAUSS_ONE, MULTIPLIER, Noise, start


def test_first_numbers_are_these_on_every_interpreter():
    draw = Noise(1, 1)
    assert [draw.uniform() for _ in range(6)] == [16705, 2373, 17058, 24628, 21987, 24861]


def test_state_stays_a_small_integer_from_any_seed():
    assert MULTIPLIER * 32768 < 1 << 30
    for seed in (0, 1, -1, 2**31, 2**64, 10**30):
        draw = Noise(seed, 3)
        for _ in range(1000):
            draw.uniform()
            assert 0 < draw._z < 1 << 30


def test_seeds_and_streams_differ():
    assert len({start(seed, stream) for seed in range(50) for stream in range(5)}) == 250


def test_table_has_no_mean_and_a_deviation_of_one():
    assert sum(GAUSS) == 0
    # 0.1 % : rounding to 1/4096 and a quantile formula good to 4.5e-4
    assert abs(sum([g * g for g in GAUSS]) / len(GAUSS) / GAUSS_ONE**2 - 1) < 2e-3


def test_deviates_are_white():
    draw = Noise(5, 2)
    n = 20000
    values = [draw.gauss(1000) for _ in range(n)]
    # five standard errors of each figure: 1 / sqrt(n) for mean and correlation, 1 / sqrt(2 n) for the deviation
    assert abs(sum(values) / n) < 5 * 1000 / n**0.5
    assert abs((sum([v * v for v in values]) / n) ** 0.5 / 1000 - 1) < 5 / (2 * n) ** 0.5
    for lag in (1, 2, 7):
        together = sum([values[i] * values[i + lag] for i in range(n - lag)])
        assert abs(together / n / 1e6) < 5 / n**0.5
