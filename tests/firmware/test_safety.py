from bench import Bench
from fake_hal import raises

from remnant_protocol import errors as e
from remnant_protocol import messages as m


def faulted(bench):
    """The one FAULT record so far."""
    faults = [r for r in bench.records() if r[0] == m.FAULT]
    assert len(faults) == 1, faults
    return faults[0]


def hot_bench():
    """A bench with heater, lamp and a pump going."""
    bench = Bench()
    bench.ready()
    bench.app.drive(m.HEATER, [80000, 0])
    bench.app.drive(m.LAMP, [10000])
    bench.hal.adc.monitor = 10200
    bench.ticks(2)
    assert bench.hal.heater.duty_u16 and bench.hal.lamp.duty_u16
    bench.records()
    return bench


def assert_off(bench):
    assert bench.hal.heater.duty_u16 == 0 and bench.hal.lamp.duty_u16 == 0
    assert bench.app.state == m.FAULTED
    bench.ticks(20)
    assert bench.hal.heater.duty_u16 == 0 and bench.hal.lamp.duty_u16 == 0


def test_open_sensor_turns_everything_off_within_300_ms():
    bench = hot_bench()
    bench.hal.adc.sensor = 65535
    bench.ticks(3)
    assert faulted(bench)[4] == e.SENSOR_OPEN
    assert_off(bench)


def test_shorted_sensor_turns_everything_off_within_300_ms():
    bench = hot_bench()
    bench.hal.adc.sensor = 0
    bench.ticks(3)
    assert faulted(bench)[4] == e.SENSOR_SHORT
    assert_off(bench)


def test_one_bad_reading_is_not_a_fault():
    bench = hot_bench()
    good = bench.hal.adc.sensor
    bench.hal.adc.sensor = 65535
    bench.ticks(2)
    bench.hal.adc.sensor = good
    bench.ticks(20)
    assert bench.app.safety.code == e.OK


def test_stale_sensor_turns_heater_off_within_2_s():
    bench = hot_bench()
    bench.hal.adc.alive = False
    bench.ticks(21)
    assert faulted(bench)[4] == e.SENSOR_STALE
    assert_off(bench)


def test_over_temperature_turns_off_within_200_ms():
    bench = hot_bench()
    bench.to_celsius(130.5)
    bench.records()
    bench.ticks(3)
    assert e.OVER_TEMPERATURE == bench.app.safety.code or bench.app.safety.code == e.SENSOR_SLOPE
    assert_off(bench)


def test_slow_rise_past_the_cut_off_is_over_temperature():
    bench = hot_bench()
    bench.app.safety.model.tick = lambda temp_mc, duty_u16, dt_ms: e.OK  # which would see heat that nobody asked for
    bench.app.drive(m.HEATER, [120000, 0])
    for tenths in range(1250, 1312):
        bench.to_celsius(tenths / 10, jump=tenths == 1250)
        bench.ticks(1)
    assert faulted(bench)[4] == e.OVER_TEMPERATURE
    assert_off(bench)


def test_implausible_slope_turns_off():
    bench = hot_bench()
    bench.to_celsius(60, jump=False)
    bench.ticks(4)
    assert faulted(bench)[4] == e.SENSOR_SLOPE
    assert_off(bench)


def test_interlock_turns_off_within_one_tick():
    bench = hot_bench()
    bench.hal.inputs.interlock = False
    bench.ticks(1)
    assert faulted(bench)[4] == e.INTERLOCK_OPEN
    assert_off(bench)


def test_stop_button_turns_off_within_one_tick():
    bench = hot_bench()
    bench.hal.inputs.stop = True
    bench.ticks(1)
    assert faulted(bench)[4] == e.STOP_PRESSED
    assert_off(bench)


def test_lamp_that_does_not_light_is_a_fault_within_2_s():
    bench = hot_bench()
    bench.hal.adc.monitor = 200
    bench.ticks(21)
    assert faulted(bench)[4] == e.LAMP_NOT_LIT
    assert_off(bench)


def test_first_cause_is_kept():
    bench = hot_bench()
    bench.hal.inputs.interlock = False
    bench.ticks(1)
    bench.hal.adc.sensor = 65535
    bench.ticks(10)
    assert bench.app.safety.code == e.INTERLOCK_OPEN
    assert faulted(bench)[4] == e.INTERLOCK_OPEN


def test_clear_works_only_when_the_cause_is_gone():
    bench = hot_bench()
    bench.hal.inputs.interlock = False
    bench.ticks(1)
    error = raises(e.CAUSE_REMAINS, bench.app.clear)
    assert error.value == e.INTERLOCK_OPEN
    bench.hal.inputs.interlock = True
    bench.ticks(1)
    bench.app.clear()
    assert bench.app.state == m.READY
    bench.ticks(5)
    assert bench.hal.heater.duty_u16 == 0  # nothing restarts by itself


def test_an_open_sensor_just_seen_is_not_cleared():
    bench = hot_bench()
    bench.hal.adc.sensor = 65535
    bench.ticks(3)
    raises(e.CAUSE_REMAINS, bench.app.clear)


def test_faulted_rig_refuses_every_output():
    bench = hot_bench()
    bench.hal.inputs.stop = True
    bench.ticks(1)
    for number, arguments in ((1, [m.HEATER, 50000, 0]), (2, [m.LAMP, 1000]), (3, [m.PROBE, 0, 4, 1])):
        assert bench.command(number, *arguments)[2] == e.WRONG_STATE


def test_a_part_that_raises_is_a_fault_not_silence():
    bench = hot_bench()

    def broken():
        raise ZeroDivisionError

    bench.app.thermometry.sample = broken
    bench.ticks(1)
    assert faulted(bench)[4] == e.TASK_FAILED
    assert len(bench.hal.told) == 1
    assert_off(bench)


def test_outputs_by_hand_go_off_within_5_s_of_the_host_falling_silent():
    bench = hot_bench()
    bench.app.drive(m.FLOW, [0, 1_000_000])
    bench.hal.line.silent_ms = 5000
    bench.ticks(1)
    assert bench.hal.heater.duty_u16 > 0
    bench.hal.line.silent_ms = 5001
    bench.ticks(1)
    assert bench.hal.heater.duty_u16 == 0 and bench.hal.lamp.duty_u16 == 0
    assert not bench.app.pumps[0].busy
    told = [r for r in bench.records() if r[0] == m.EVENT and r[4] == m.OUTPUTS_OFF]
    assert [r[5] for r in told] == [m.BY_HOST_LOST]
    bench.hal.line.silent_ms = 0
    bench.ticks(5)
    assert bench.hal.heater.duty_u16 == 0


def test_nothing_can_be_switched_on_before_the_sensor_has_been_good_for_a_second():
    bench = Bench()
    bench.ticks(5)
    assert bench.app.state == m.STARTING
    assert bench.command(1, m.HEATER, 50000, 0)[2] == e.WRONG_STATE


def test_heat_that_nobody_asked_for_is_a_stuck_switch_and_cuts_the_supply():
    bench = hot_bench()
    assert bench.hal.master.duty_u16 == 65535
    for i in range(300):
        bench.to_celsius(81.0 + i * 0.06, jump=i == 0)
        bench.ticks(1)
        if bench.app.state == m.FAULTED:
            break
    assert bench.app.safety.code in (e.HEATER_STUCK_ON, e.HEATER_OVERSHOOT)
    assert bench.hal.master.duty_u16 == 0 and bench.hal.heater.duty_u16 == 0


def test_a_second_sensor_that_differs_is_a_fault_where_one_is_fitted():
    bench = hot_bench()
    bench.hal.adc.sensor2 = bench.hal.adc.sensor + 4000
    bench.ticks(40)
    assert bench.app.state == m.READY  # none is fitted
    bench.command(77, m.SETTING, 70, 1)
    bench.ticks(40)
    assert bench.app.state == m.FAULTED and bench.app.safety.code == e.SENSORS_DISAGREE
    value, limit = bench.app.safety.seen(e.SENSORS_DISAGREE)
    assert value > limit >= 3000


def test_the_supply_of_heater_and_lamp_is_closed_only_while_one_is_wanted():
    bench = hot_bench()
    assert bench.hal.master.duty_u16 == 65535
    bench.command(78, m.STOP)
    bench.ticks(2)
    assert bench.hal.master.duty_u16 == 0
    renewals = bench.hal.master.renewals
    bench.ticks(20)
    assert bench.hal.master.renewals == renewals
