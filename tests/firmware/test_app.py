from bench import Bench

from remnant_protocol import messages as m


def telemetry(bench):
    return [r for r in bench.records() if r[0] == m.TELEMETRY]


def test_boot_is_the_first_record():
    bench = Bench()
    bench.ready()
    first = bench.records()[0]
    assert first[:2] == [m.EVENT, 1] and first[4] == m.BOOTED


def test_welcome_names_the_board_and_its_records():
    bench = Bench()
    bench.ready()
    welcome = bench.answer(m.WELCOME)
    assert welcome[1:5] == [m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, "fake", "fake-1"]
    assert welcome[6] == m.TABLE_HASH
    assert welcome[7] == 7 and welcome[13] is True


def test_descriptions_fit_a_frame_and_tell_every_limit():
    bench = Bench()
    bench.ready()
    told = {}
    for page in range(3):
        bench.send(m.DESCRIBE, page)
        told.update(bench.answer(m.DESCRIPTION)[2])
    for key, value in bench.hal.limits.items():
        assert told[key] == value
    assert told["monitor_dark_u16"] == 200


def test_ping_tells_board_time():
    bench = Bench()
    bench.ready()
    bench.send(m.PING, 77)
    pong = bench.answer(m.PONG)
    assert pong[1] == 77 and pong[2:] == [1, 400_000]


def test_telemetry_every_second_when_idle():
    bench = Bench()
    bench.ready()
    bench.ticks(50)
    records = telemetry(bench)
    assert 5 <= len(records) <= 8
    assert abs(records[-1][7] - 25000) < 20


def test_a_late_tick_is_told_and_not_made_up_for():
    bench = Bench()
    bench.ready()
    bench.records()
    fed = bench.hal.watchdog.fed
    bench.hal.clock.pass_us(350_000)
    bench.ticks(1, us=0)
    assert bench.hal.watchdog.fed == fed + 1  # one tick, not four
    bench.hal.clock.pass_us(100_000)
    bench.ticks(10)
    late = max([r[12] for r in telemetry(bench)])
    assert late == 350_000


def test_the_watchdog_is_fed_by_the_tick_only():
    bench = Bench()
    bench.app.turn()
    fed = bench.hal.watchdog.fed
    for _ in range(5):
        bench.app.turn()  # no time passes
    assert bench.hal.watchdog.fed == fed


def test_garbage_on_the_line_changes_nothing():
    bench = Bench()
    bench.ready()
    for value in range(256):
        bench.hal.line.inbound += bytes([value, 0, value, 255 - value]) * 20
        bench.app.turn()
    assert bench.app.state == m.READY
    assert bench.command(4, m.STATUS)[2] == 0


def test_messages_with_wrong_fields_are_ignored():
    bench = Bench()
    bench.ready()
    for body in ([m.ACK], [m.ACK, "x", None, -1], [m.COMMAND], [m.COMMAND, None, None], [m.PING], [m.DESCRIBE], [m.RESEND, 7, "a"], [99]):
        bench.send(*body)
        bench.talk()
    bench.ticks(2)
    assert bench.app.state == m.READY


def test_a_control_tick_with_heater_and_lamp_on_allocates_nothing():
    import gc
    import sys

    if sys.implementation.name != "micropython":
        return
    bench = Bench()
    bench.ready()
    bench.app.drive(m.HEATER, [80000, 0])
    bench.app.drive(m.LAMP, [10000])
    bench.hal.adc.monitor = 10200
    bench.app._telemetry_due = 1 << 29
    bench.ticks(5)
    app, pass_us = bench.app, bench.hal.clock.pass_us
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(20):
        app.tick()
        pass_us(100_000)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, (after - before) / 20
