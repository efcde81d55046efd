from bench import Bench

from remnant_protocol import errors as e
from remnant_protocol import messages as m


def ready():
    bench = Bench()
    bench.ready()
    bench.records()
    return bench


def executed(bench):
    return [r[4:7] + r[9:] for r in bench.records() if r[0] == m.EXECUTED]


def test_heater_is_accepted_at_once_and_executed_when_warm():
    bench = ready()
    assert bench.command(5, m.HEATER, 50000, 0) == [m.REPLY, 5, e.OK, 50000, 0]
    bench.ticks(5)
    assert executed(bench) == []
    bench.to_celsius(49.5)
    bench.ticks(2)
    done = executed(bench)
    assert done[0][:3] == [5, m.HEATER, e.OK] and abs(done[0][3] - 49500) < 20


def test_the_same_id_twice_is_executed_once_and_answered_twice():
    bench = ready()
    first = bench.command(6, m.PROBE, 1, 4, 1)
    assert bench.command(6, m.PROBE, 1, 4, 1) == first
    bench.ticks(5)
    assert len(executed(bench)) == 1


def test_a_newer_command_for_the_same_output_supersedes():
    bench = ready()
    bench.command(7, m.HEATER, 50000, 0)
    bench.command(8, m.HEATER, 60000, 0)
    assert executed(bench) == [[7, m.HEATER, e.SUPERSEDED]]


def test_refused_values_come_with_value_and_limit():
    bench = ready()
    assert bench.command(9, m.HEATER, 150000, 0) == [m.REPLY, 9, e.SETPOINT_LIMIT, 150000, 120000]
    assert bench.command(10, m.LAMP, 90000) == [m.REPLY, 10, e.IRRADIANCE_LIMIT, 90000, 40000]
    assert bench.command(11, m.PROBE, 0, 33, 1)[2] == e.PROBE_LIMIT
    assert bench.command(12, m.PROBE, 0, 4, 4)[2] == e.CELL_UNKNOWN
    assert bench.command(13, m.FLOW, 5, 1000)[2] == e.PUMP_UNKNOWN


def test_unknown_commands_and_wrong_arguments_are_refused():
    bench = ready()
    assert bench.command(14, 99)[2] == e.UNKNOWN_COMMAND
    assert bench.command(15, m.HEATER)[2] == e.BAD_ARGUMENTS
    assert bench.command(16, m.LAMP, "bright")[2] == e.BAD_ARGUMENTS
    assert bench.command(17, m.LAMP, None)[2] == e.BAD_ARGUMENTS
    assert bench.command(18, m.PROBE, [], {}, 1)[2] == e.BAD_ARGUMENTS
    assert bench.command(19, m.HEATER, "80", 0)[2] == e.BAD_ARGUMENTS
    assert bench.app.state == m.READY


def test_start_without_a_program_is_refused():
    bench = ready()
    assert bench.command(20, m.START, b"0123456789abcdef")[2] == e.PROGRAM_MISSING
    assert bench.command(21, m.START, b"short")[2] == e.BAD_ARGUMENTS


def test_cut_turns_off_what_was_switched_on_by_hand():
    bench = ready()
    bench.command(22, m.HEATER, 50000, 0)
    bench.ticks(2)
    bench.command(23, m.CUT)
    assert bench.hal.heater.duty_u16 == 0
    kinds = [r[4:7] for r in bench.records() if r[0] == m.EVENT]
    assert kinds[0][:2] == [m.OUTPUTS_OFF, m.BY_CUT]


def test_status_tells_state_and_readings():
    bench = ready()
    reply = bench.command(24, m.STATUS)
    assert reply[2:5] == [e.OK, m.READY, e.OK]
    assert abs(reply[5] - 25000) < 20


def test_settings_are_checked_and_kept():
    bench = ready()
    assert bench.command(25, m.SETTING, 11, -500)[2] == e.OK
    assert bench.command(26, m.SETTING, 11, -50000)[2] == e.SETTING_RANGE
    assert bench.command(27, m.SETTING, 250, 1)[2] == e.SETTING_UNKNOWN
    again = Bench(bench.hal)
    assert again.app.settings["sensor_offset_mc"] == -500


def test_the_letters_of_every_command_are_the_types_of_the_schema():
    from remnant_protocol import schema
    from rig.commands import BY_HAND

    letter_of = {"u8": "1", "u16": "2", "u32": "4", "i32": "i", "any": "n", "bool": "t", "bin": "y"}
    bench = Bench()
    letters = {op: row[1] for op, row in bench.app.commands._handlers.items()}
    letters.update(BY_HAND)
    assert sorted(letters) == sorted(schema.COMMANDS)
    for op, (_, fields) in schema.COMMANDS.items():
        assert letters[op] == "".join([letter_of[field.split(":")[1]] for field in fields]), op


def test_an_argument_of_another_type_or_beyond_its_width_is_refused():
    from rig.commands import check

    check([None, 5], "n4")
    check([-5, (1 << 32) - 1, True, b"x"], "i4ty")
    for arguments, letters in (
        ([1 << 8], "1"),
        ([-1], "2"),
        ([1 << 32], "4"),
        ([1 << 31], "i"),
        ([-(1 << 31) - 1], "i"),
        ([1.0], "i"),
        ([True], "1"),
        ([1], "t"),
        (["x"], "y"),
        ([None], "i"),
        ([], "1"),
    ):
        try:
            check(arguments, letters)
        except e.RigError as error:
            assert error.code == e.BAD_ARGUMENTS
        else:
            raise AssertionError((arguments, letters))


def test_a_command_whose_part_fails_is_answered_and_is_a_fault():
    bench = ready()

    def broken(name, data):
        raise OSError(5)

    bench.hal.store.save = broken
    bench.send(m.COMMAND, 5, m.SETTING, 15, 6000)
    bench.app.turn()
    assert bench.answer(m.REPLY) == [m.REPLY, 5, e.TASK_FAILED]
    assert bench.app.state == m.FAULTED
