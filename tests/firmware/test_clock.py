from fake_hal import FakeClock

from rig.clock import Clock, ticks_diff


def test_ticks_diff_across_the_wrap():
    assert ticks_diff(5, (1 << 30) - 5) == 10
    assert ticks_diff((1 << 30) - 5, 5) == -10
    assert ticks_diff(100, 40) == 60


def test_board_time_counts_through_many_wraps():
    source = FakeClock()
    clock = Clock(source)
    for _ in range(100):
        source.pass_us(60_000_007)  # 100 minutes: more than five wraps
        clock.update()
    assert (clock.s, clock.us) == (6000, 700)


def test_update_returns_what_has_passed():
    source = FakeClock()
    clock = Clock(source)
    source.pass_us(123_456)
    assert clock.update() == 123_456
    assert clock.update() == 0


def test_whole_milliseconds_add_up_to_the_time_that_has_passed():
    source = FakeClock()
    clock = Clock(source)
    total = 0
    for i in range(1000):
        source.pass_us(100_000 + i * 7919 % 1999)
        clock.update()
        total += clock.passed_ms
    assert total == clock.s * 1000 + clock.us // 1000


def test_now_does_not_take_time_away_from_the_tick():
    source = FakeClock()
    clock = Clock(source)
    source.pass_us(1_500_000)
    assert clock.now() == (1, 500_000)
    assert clock.update() == 1_500_000


def test_ms_since_borrows_across_seconds():
    source = FakeClock()
    clock = Clock(source)
    source.pass_us(2_100_000)
    clock.update()
    assert clock.ms_since(0, 900_000) == 1200
