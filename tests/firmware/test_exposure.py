from rig.exposure import Exposure


def test_ten_mw_per_cm2_for_48_h_is_1728_j_per_cm2():
    exposure = Exposure()
    for _ in range(172_800):  # in seconds
        exposure.add(10_000, 1_000_000)
    assert exposure.mj_per_cm2 == 1_728_000


def test_uneven_ticks_lose_nothing():
    exposure = Exposure()
    total_us = 0
    for i in range(10_000):
        dt_us = 100_000 + (i * 7919) % 1999  # every remainder below 100 us occurs
        total_us += dt_us
        exposure.add(37_123, dt_us)
    exact_mj = 37_123 * total_us / 1e9
    assert abs(exposure.mj_per_cm2 - exact_mj) <= 1.0 + 1e-5 * exact_mj  # 1 mJ is the resolution; 1 nJ is cut per tick


def test_probe_light_counts():
    exposure = Exposure()
    for _ in range(100):
        exposure.add_probe(320)
    assert exposure.probe_uj_per_cm2 == 32_000
    assert exposure.mj_per_cm2 == 32


def test_start_begins_at_zero():
    exposure = Exposure()
    exposure.add(10_000, 1_000_000)
    exposure.start()
    assert exposure.mj_per_cm2 == 0
