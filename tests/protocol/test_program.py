from remnant_protocol import errors as e
from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError
from vectors import unhex, vectors

LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 2,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 4096,
    "wait_max_ms": 4294967295,
}


def program(*operations):
    return [p.VERSION, 1000, 1, [0, 0, 0], [0, 0], list(operations)]


def refused(tree, code, where=None):
    try:
        p.validate(tree, LIMITS)
    except RigError as error:
        assert error.code == code, (error.code, error.where)
        if where:
            assert error.where == where, error.where
        return error
    raise AssertionError("nothing wrong with %r" % (tree,))


def test_the_golden_program_is_written_read_and_allowed():
    for row in vectors("program"):
        assert p.encode(row["tree"]) == unhex(row["hex"])
        tree = p.decode(unhex(row["hex"]))
        assert tree == row["tree"]
        p.validate(tree, LIMITS)


def test_limits_are_told_with_place_value_and_limit():
    error = refused(program([p.STEP, 0, [[m.HEATER, 120001, 0]]]), e.SETPOINT_LIMIT, "body[0].STEP.body[0].HEATER")
    assert (error.value, error.limit) == (120001, 120000)
    refused(program([m.HEATER, 4999, 0]), e.SETPOINT_LIMIT)
    refused(program([m.HEATER, 80000, 15001]), e.RAMP_LIMIT)
    refused(program([m.LAMP, 40001]), e.IRRADIANCE_LIMIT)
    refused(program([m.FLOW, 2, 1000]), e.PUMP_UNKNOWN)
    refused(program([m.FLOW, 0, -100000001]), e.PUMP_FLOW_LIMIT)
    refused(program([m.DISPENSE, 0, 1000, 0, True]), e.PUMP_FLOW_LIMIT)
    refused(program([m.PROBE, 0, 33, 1]), e.PROBE_LIMIT)
    refused(program([m.PROBE, 0, 4, 16]), e.CELL_UNKNOWN)
    refused(program([p.WAIT, [p.TEMPERATURE, 130000, 1, 1], 0, 0]), e.SETPOINT_LIMIT)
    refused(program([p.WAIT, [p.REMNANT_BELOW, 4, 100, 0], 0, 0]), e.CELL_UNKNOWN)


def test_every_wrong_form_is_refused():
    for operation in (
        [],
        None,
        [99],
        [m.HEATER],
        [m.HEATER, "80", 0],
        [m.HEATER, True, 0],
        [m.HEATER, 80000, 0, 0],
        [m.LAMP, None],
        [m.DISPENSE, 0, 1, 1, 1],
        [p.WAIT, [p.DURATION, -1], 0, 0],
        [p.WAIT, [], 0, 0],
        [p.WAIT, [99], 0, 0],
        [p.WAIT, None, 0, 0],
        [p.WAIT, [p.DURATION, 1], 0, 2],
        [p.WAIT, [True, 1], 0, 0],
        [p.MARK, 2**70],
        [p.MARK, 1.0],
        [p.MARK, object()],
        [p.REPEAT, 0, []],
        [p.REPEAT, 2, None],
        [p.EVERY, 1000, [], []],
        [p.EVERY, 99, [[p.DURATION, 1]], []],
        [p.STEP, 65536, []],
        [p.TRIGGER, 2, 10],
        {1: 2},
    ):
        refused(program(operation), e.PROGRAM_INVALID)
    for tree in (None, [], {}, [p.VERSION], [p.VERSION, 1, 2, 3, 4, 5, 6], "program"):
        refused(tree, e.PROGRAM_INVALID)


def test_another_version_is_refused():
    error = refused([2, 1000, 1, [0, 0, 0], [0, 0], []], e.PROGRAM_VERSION)
    assert (error.value, error.limit) == (2, 1)
    for version in (True, 1.0, "1", None):
        refused([version, 1000, 1, [0, 0, 0], [0, 0], []], e.PROGRAM_INVALID, "version")


def test_a_program_without_cells_may_do_everything_but_probe():
    tree = program([p.WAIT, [p.DURATION, 1], 0, 0])
    tree[2] = 0
    p.validate(tree, LIMITS)
    refused(program([m.PROBE, 0, 4, 0]), e.CELL_UNKNOWN)


def test_nesting_has_its_limit():
    body = []
    for _ in range(p.NESTING_MAX):
        body = [[p.REPEAT, 2, body]]
    p.validate(program(*body), LIMITS)
    refused(program([p.REPEAT, 2, body]), e.NESTING_LIMIT)
    for _ in range(2000):  # deeper than any stack
        body = [[p.REPEAT, 2, body]]
    refused(program(*body), e.NESTING_LIMIT)


def test_a_program_larger_than_the_slot_is_refused():
    refused(program(*[[m.HEATER, 80000, 5000]] * 600), e.PROGRAM_TOO_LARGE)


def test_damaged_bytes_are_refused():
    data = p.encode(program([p.MARK, 1]))
    for wrong in (data[:-1], data + b"\0", b"", b"\xc1"):
        try:
            p.decode(wrong)
        except RigError as error:
            assert error.code == e.PROGRAM_CORRUPT
        else:
            raise AssertionError(wrong)
