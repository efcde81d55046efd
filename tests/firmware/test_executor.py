from bench import Bench

from remnant_protocol import errors as e
from remnant_protocol import messages as m
from remnant_protocol import program as p


def run(body, telemetry_ms=100_000, cells=1):
    """A bench with this body started."""
    bench = Bench()
    bench.ready()
    reply = bench.load([p.VERSION, telemetry_ms, cells, [0, 0, 0], [0, 0], body])
    assert reply[2] == e.OK, reply
    bench.records()
    assert bench.command(1, m.START, b"0123456789abcdef")[2] == e.OK
    return bench


def events(bench, *kinds):
    """[(event, arguments...)] of the given kinds so far."""
    return [tuple(r[4:]) for r in bench.records() if r[0] == m.EVENT and r[4] in kinds]


def ended(bench):
    return bench.app.state == m.READY


def test_a_duration_lasts_as_long_as_it_says():
    bench = run([[p.WAIT, [p.DURATION, 5000], 0, 0]])
    bench.ticks(50)
    assert not ended(bench)
    bench.ticks(2)
    assert ended(bench)
    assert events(bench, m.RUN_ENDED) == [(m.RUN_ENDED, m.BY_COMPLETION, e.OK)]


def test_steps_tell_their_beginning_and_end():
    bench = run([[p.STEP, 3, [[p.WAIT, [p.DURATION, 1000], 0, 0]]], [p.STEP, 4, [[p.MARK, 9]]]])
    bench.ticks(13)
    told = events(bench, m.STEP_BEGAN, m.STEP_ENDED, m.MARKED)
    assert told == [(m.STEP_BEGAN, 3, 1), (m.STEP_ENDED, 3, 1), (m.STEP_BEGAN, 4, 1), (m.MARKED, 9), (m.STEP_ENDED, 4, 1)]


def test_repeat_counts_its_rounds():
    bench = run([[p.REPEAT, 3, [[p.STEP, 0, [[p.MARK, 1]]]]], [p.MARK, 2]])
    bench.ticks(3)
    told = events(bench, m.STEP_BEGAN, m.MARKED)
    assert [t[2] for t in told if t[0] == m.STEP_BEGAN] == [1, 2, 3]
    assert [t[1] for t in told if t[0] == m.MARKED] == [1, 1, 1, 2]


def test_every_fires_at_zero_and_at_each_period():
    bench = run([[p.EVERY, 1000, [[p.DURATION, 3500]], [[p.MARK, 5]]]])
    bench.ticks(40)
    marks = [r for r in bench.records() if r[0] == m.EVENT and r[4] == m.MARKED]
    begun = marks[0][2] * 10 + marks[0][3] // 100_000
    assert [r[2] * 10 + r[3] // 100_000 - begun for r in marks] == [0, 10, 20, 30]
    assert ended(bench)


def test_every_tells_a_period_that_its_body_overran():
    bench = run([[p.EVERY, 1000, [[p.DURATION, 6000]], [[p.WAIT, [p.DURATION, 2500], 0, 0]]]])
    bench.ticks(70)
    assert (m.PERIOD_MISSED, 1) in events(bench, m.PERIOD_MISSED)


def test_temperature_must_stay_inside_its_band():
    bench = run([[p.WAIT, [p.TEMPERATURE, 50000, 1000, 2000], 0, 0]])
    bench.to_celsius(50.0)
    bench.ticks(15)
    bench.to_celsius(52.0)
    bench.ticks(5)
    bench.to_celsius(50.5)
    bench.ticks(18)
    assert not ended(bench)
    bench.ticks(5)
    assert ended(bench)


def test_a_timeout_that_means_fault_is_a_fault():
    bench = run([[p.WAIT, [p.TEMPERATURE, 80000, 500, 1000], 3000, p.TIMEOUT_FAULT]])
    bench.ticks(32)
    assert bench.app.state == m.FAULTED
    assert bench.app.safety.code == e.WAIT_TIMEOUT
    assert (m.RUN_ENDED, m.BY_FAULT, e.WAIT_TIMEOUT) in events(bench, m.RUN_ENDED)


def test_a_timeout_that_means_go_on_goes_on():
    bench = run([[p.WAIT, [p.TEMPERATURE, 80000, 500, 1000], 3000, p.TIMEOUT_GO_ON], [p.MARK, 1]])
    bench.ticks(33)
    assert ended(bench)
    told = events(bench, m.WAIT_TIMED_OUT, m.MARKED)
    assert told[0][0] == m.WAIT_TIMED_OUT and told[1] == (m.MARKED, 1)


def test_exposure_counts_from_the_moment_the_wait_began():
    bench = run([[m.LAMP, 10000], [p.WAIT, [p.EXPOSURE, 20], 0, 0], [p.WAIT, [p.EXPOSURE, 20], 0, 0]])
    bench.hal.adc.monitor = 10200  # 10 mW/cm2: 20 mJ/cm2 take 2 s
    bench.ticks(30)
    assert not ended(bench)
    bench.ticks(15)
    assert ended(bench)
    assert bench.hal.lamp.duty_u16 == 0


def test_probe_gives_one_reading_a_cell_and_gives_the_lamp_back():
    bench = run([[m.LAMP, 10000], [m.PROBE, 2, 8, 3], [p.WAIT, [p.DURATION, 1000], 0, 0]], cells=3)
    bench.hal.adc.monitor = 10200
    bench.ticks(1)
    assert bench.hal.lamp.duty_u16 == 0  # dark for the probe
    bench.ticks(4)
    assert bench.hal.lamp.duty_u16 > 0
    readings = [r for r in bench.records() if r[0] == m.PROBE_READING]
    assert [(r[4], r[5]) for r in readings] == [(2, 0), (2, 1)]
    assert len(readings[0][8]) == 16 and readings[0][9][:2] == (30600).to_bytes(2, "little")


def test_stops_when_the_remnant_falls_below_its_limit():
    body = [
        [m.PROBE, 0, 4, 1],
        [p.EVERY, 1000, [[p.DURATION, 60_000], [p.REMNANT_BELOW, 0, 100, 0]], [[m.PROBE, 1, 4, 1]]],
    ]
    bench = run(body)
    bench.ticks(20)
    assert not ended(bench)
    bench.hal.optics.lit_counts[0] = 600 + 2000
    bench.ticks(20)
    assert ended(bench)
    assert [t[1] for t in events(bench, m.CONDITION_MET)] == [p.REMNANT_BELOW]


def test_operator_step_waits_for_the_operator():
    bench = run([[p.WAIT, [p.OPERATOR, 4], 0, 0]])
    bench.ticks(20)
    assert events(bench, m.OPERATOR_WANTED) == [(m.OPERATOR_WANTED, 4)]
    assert not ended(bench)
    assert bench.command(2, m.CONTINUE)[2] == e.OK
    bench.ticks(2)
    assert ended(bench)


def test_trigger_pulse_has_its_length():
    bench = run([[p.TRIGGER, 1, 500], [p.WAIT, [p.DURATION, 2000], 0, 0]])
    bench.ticks(3)
    assert bench.hal.outputs.triggers == {1: True}
    bench.ticks(4)
    assert bench.hal.outputs.triggers == {1: False}


def test_a_pause_does_not_count_into_a_duration():
    bench = run([[m.LAMP, 10000], [p.WAIT, [p.DURATION, 3000], 0, 0]])
    bench.hal.adc.monitor = 10200
    bench.ticks(10)
    assert bench.command(2, m.PAUSE)[2] == e.OK
    bench.ticks(50)
    assert bench.app.state == m.PAUSED and bench.hal.lamp.duty_u16 == 0
    assert bench.command(3, m.RESUME)[2] == e.OK
    bench.ticks(18)
    assert not ended(bench)
    bench.ticks(5)
    assert ended(bench)


def test_a_pump_in_motion_is_not_paused():
    bench = run([[m.FLOW, 0, 1_000_000], [p.WAIT, [p.DURATION, 60_000], 0, 0]])
    bench.ticks(3)
    assert bench.command(2, m.PAUSE)[2] == e.PUMP_BUSY
    assert bench.app.state == m.RUNNING


def test_a_program_of_endless_blocks_never_holds_the_loop():
    bench = run([[p.REPEAT, 65535, [[p.REPEAT, 65535, [[p.REPEAT, 65535, []]]]]]])
    bench.ticks(20)
    assert not ended(bench)
    assert bench.command(2, m.STOP)[2] == e.OK
    assert ended(bench)


def test_stop_turns_outputs_off_and_says_so_before_the_run_ends():
    bench = run([[m.HEATER, 80000, 0], [p.WAIT, [p.DURATION, 60_000], 0, 0]])
    bench.ticks(10)
    assert bench.hal.heater.duty_u16 == 65535
    assert bench.command(2, m.STOP)[2] == e.OK
    assert bench.hal.heater.duty_u16 == 0
    told = events(bench, m.OUTPUTS_OFF, m.RUN_ENDED)
    assert told[0][:3] == (m.OUTPUTS_OFF, m.BY_STOP, 65535)
    assert told[1] == (m.RUN_ENDED, m.BY_STOP, e.OK)


def test_a_program_goes_on_without_its_host():
    bench = run([[m.HEATER, 80000, 0], [p.WAIT, [p.DURATION, 30_000], 0, 0]])
    bench.hal.line.silent_ms = 3_600_000
    bench.ticks(80)
    assert bench.hal.heater.duty_u16 == 65535 and not ended(bench)


def test_idle_is_as_long_as_nothing_but_time_can_bring_the_program_on():
    bench = run([[p.WAIT, [p.DURATION, 60_000], 0, 0], [p.WAIT, [p.OPERATOR, 1], 0, 0]])
    bench.ticks(11)
    left_ms = bench.app.executor.idle_ms()
    assert 58_000 <= left_ms <= 59_500
    bench.ticks(10)
    assert bench.app.executor.idle_ms() == left_ms - 1000
    bench.ticks(600)
    assert bench.app.executor.idle_ms() == 0  # a person may answer at any time


def test_idle_between_two_rounds_ends_with_the_next_round_or_the_last_condition():
    bench = run([[p.EVERY, 60_000, [[p.DURATION, 90_000]], [[p.MARK, 1]]]])
    bench.ticks(3)
    assert 59_000 <= bench.app.executor.idle_ms() <= 60_000
    bench.ticks(610)
    assert 28_000 <= bench.app.executor.idle_ms() <= 30_000
