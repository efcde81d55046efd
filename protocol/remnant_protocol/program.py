"""The board program: a tree of few operations as positional msgpack arrays (SPEC.md section 8).

    [VERSION, telemetry_ms, cells_mask, [heater, lamp, pumps], [host_lost, host_lost_s, resume_within_s], [operation, ...]]

The first list says what becomes of each output when a pump has failed (FAULT_OFF anywhere ends the run); resume_within_s may be left out.

    [HEATER, setpoint_mc | nil, ramp_mc_per_min]        ramp 0: the setpoint jumps
    [LAMP, irradiance_uw_per_cm2]                       0: off
    [FLOW, pump, flow_nl_per_min]                       negative withdraws, 0 stops
    [DISPENSE, pump, volume_nl, flow_nl_per_min, wait]  negative volume withdraws
    [PROBE, probe, pulses, cells_mask]
    [WAIT, condition, timeout_ms, on_timeout]           timeout 0: none
    [REPEAT, count, [operation, ...]]
    [EVERY, period_ms, [condition, ...], [operation, ...]]   body at 0, period, 2 period ... until any condition is met
    [STEP, step, [operation, ...]]                      journals its beginning and its end
    [MARK, mark]
    [TRIGGER, channel, duration_ms]

A condition is [kind, ...]; times, exposures and volumes count from the moment the WAIT or EVERY began.
"""

from . import codec
from .errors import (
    CELL_UNKNOWN,
    IRRADIANCE_LIMIT,
    NESTING_LIMIT,
    PROBE_LIMIT,
    PROGRAM_CORRUPT,
    PROGRAM_INVALID,
    PROGRAM_TOO_LARGE,
    PROGRAM_VERSION,
    PUMP_FLOW_LIMIT,
    PUMP_UNKNOWN,
    RAMP_LIMIT,
    SETPOINT_LIMIT,
    RigError,
)
from .messages import DISPENSE, FLOW, HEATER, LAMP, PROBE

try:
    from micropython import const
except ImportError:  # CPython

    def const(value):
        return value


VERSION = const(1)

WAIT = const(32)
REPEAT = const(33)
EVERY = const(34)
STEP = const(35)
MARK = const(36)
TRIGGER = const(37)

# kinds of condition
DURATION = const(1)  # [DURATION, ms]
TEMPERATURE = const(2)  # [TEMPERATURE, target_mc, band_mc, hold_ms]: inside target +- band for hold_ms without a break
EXPOSURE = const(3)  # [EXPOSURE, mj_per_cm2] added since
PUMPS_DONE = const(4)  # [PUMPS_DONE, pumps_mask]
TRIGGER_IN = const(5)  # [TRIGGER_IN, channel]
OPERATOR = const(6)  # [OPERATOR, prompt]
REMNANT_BELOW = const(7)  # [REMNANT_BELOW, cell, permille, probe]: last signal of the cell over its signal in `probe`
RAMP_DONE = const(8)  # [RAMP_DONE]: the setpoint has reached its target
VOLUME = const(9)  # [VOLUME, pump, nl] moved since, net, either way
TIMEOUT = const(10)  # [TIMEOUT, ms]: met, it is a fault: what the block waits for has not come

# on_timeout
TIMEOUT_FAULT = const(0)
TIMEOUT_GO_ON = const(1)

# when a pump has failed, per output
FAULT_OFF = const(0)
FAULT_KEEP = const(1)

# host lost
HOST_LOST_CONTINUE = const(0)
HOST_LOST_HOLD = const(1)
HOST_LOST_STOP = const(2)

IRRADIANCE_MIN_UW_PER_CM2 = const(30)  # less is not told from dark by the monitor
NESTING_MAX = const(8)  # blocks within blocks; the executor's stack is built once

_I32_MAX = const(0x7FFFFFFF)
_U32_MAX = const(0xFFFFFFFF)
_U16_MAX = const(0xFFFF)
_FIELDS = const(6)
_DECODE_DEPTH = const(32)  # each nested block takes two levels


def encode(program):
    """The program as bytes."""
    return codec.encode(program)


def decode(data, breathe=None):
    """The tree behind the bytes, not yet validated; breathe: see codec.decode. Raises RigError(PROGRAM_CORRUPT)."""
    try:
        return codec.decode(data, 0, len(data), _DECODE_DEPTH, breathe)
    except RigError as error:
        raise RigError(PROGRAM_CORRUPT, text=error.text) from None


def validate(program, limits, size=None, breathe=None):
    """Raise RigError at the first thing this board cannot or must not run; `where` is a path such as body[3].EVERY.body[0].

    `limits` is the board's table (board.py LIMITS); size: of the encoded program where that is known; `breathe()` is called after each
    operation, because a board checks for seconds. Everything is checked: types, ranges, nesting, size.
    """
    if not isinstance(program, list) or not program:
        raise RigError(PROGRAM_INVALID, where="program")
    if not _is_integer(program[0]):
        raise RigError(PROGRAM_INVALID, where="version")
    if program[0] != VERSION:
        raise RigError(PROGRAM_VERSION, where="version", value=program[0], limit=VERSION)
    if len(program) != _FIELDS:
        raise RigError(PROGRAM_INVALID, where="program", value=len(program), limit=_FIELDS)
    check = _Checker(limits)
    check.integer(program[1], limits["telemetry_min_ms"], _I32_MAX // 2, "telemetry_ms")
    check.integer(program[2], 0, (1 << limits["cells"]) - 1, "cells_mask", CELL_UNKNOWN)  # 0: a program that probes nothing
    check.policies(program[3], 3, FAULT_KEEP, "on_fault")
    if not isinstance(program[4], list) or not 2 <= len(program[4]) <= 3:
        raise RigError(PROGRAM_INVALID, where="host_lost")
    check.integer(program[4][0], HOST_LOST_CONTINUE, HOST_LOST_STOP, "host_lost")
    for seconds in program[4][1:]:
        check.integer(seconds, 0, _U32_MAX, "host_lost")
    check.body(check.inside(program[5], ""), breathe)
    if size is None:
        size = len(encode(program))  # only now: what has passed has a form, and no depth that a stack minds
    if size > limits["program_max_bytes"]:
        raise RigError(PROGRAM_TOO_LARGE, where="program", value=size, limit=limits["program_max_bytes"])


def _is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


class _Checker:
    def __init__(self, limits):
        self._limits = limits

    def integer(self, value, lowest, highest, where, code=PROGRAM_INVALID):
        if not _is_integer(value):
            raise RigError(PROGRAM_INVALID, where=where)
        if not lowest <= value <= highest:
            raise RigError(code, where=where, value=value, limit=lowest if value < lowest else highest)

    def cells(self, mask, where):
        self.integer(mask, 1, (1 << self._limits["cells"]) - 1, where, CELL_UNKNOWN)

    def pump(self, index, where):
        self.integer(index, 0, self._limits["pumps"] - 1, where, PUMP_UNKNOWN)

    def policies(self, values, count, highest, where):
        if not isinstance(values, list) or len(values) != count:
            raise RigError(PROGRAM_INVALID, where=where)
        for value in values:
            self.integer(value, 0, highest, where)

    def body(self, operations, breathe):
        """Operations in their order, blocks within blocks on a list: a board's stack is too small for three calls a level."""
        begun = []  # [operations, where, next one], innermost last
        inner, where = operations, "body"
        while True:
            if inner is not None:
                if len(begun) > NESTING_MAX:
                    raise RigError(NESTING_LIMIT, where=where, value=len(begun), limit=NESTING_MAX)
                begun.append([inner, where, 0])
            while begun and begun[-1][2] == len(begun[-1][0]):
                begun.pop()
            if not begun:
                return
            if breathe is not None:
                breathe()
            block = begun[-1]
            block[2] += 1
            inner, where = self.operation(block[0][block[2] - 1], "%s[%d]" % (block[1], block[2] - 1))

    def operation(self, operation, where):
        """Check one; returns the block within it, or None, and where that is."""
        if not isinstance(operation, list) or not operation or not _is_integer(operation[0]):
            raise RigError(PROGRAM_INVALID, where=where)
        row = _OPERATIONS.get(operation[0])
        if row is None:
            raise RigError(PROGRAM_INVALID, where=where, value=operation[0])
        name, count = row
        where += "." + name
        if len(operation) != count + 1:
            raise RigError(PROGRAM_INVALID, where=where, value=len(operation) - 1, limit=count)
        return self.arguments(operation, where), where + ".body"

    def arguments(self, operation, where):
        limits = self._limits
        op, first = operation[0], operation[1]
        if op == HEATER:
            if first is not None:
                self.integer(first, limits["temp_min_mc"], limits["temp_max_mc"], where, SETPOINT_LIMIT)
            self.integer(operation[2], 0, limits["ramp_max_mc_per_min"], where, RAMP_LIMIT)
        elif op == LAMP:
            self.integer(first, 0, limits["irradiance_max_uw_per_cm2"], where, IRRADIANCE_LIMIT)
            if 0 < first < IRRADIANCE_MIN_UW_PER_CM2:
                raise RigError(IRRADIANCE_LIMIT, where=where, value=first, limit=IRRADIANCE_MIN_UW_PER_CM2)
        elif op == FLOW:
            self.pump(first, where)
            self.integer(operation[2], -limits["flow_max_nl_per_min"], limits["flow_max_nl_per_min"], where, PUMP_FLOW_LIMIT)
        elif op == DISPENSE:
            self.pump(first, where)
            self.integer(operation[2], -_I32_MAX, _I32_MAX, where)
            self.integer(operation[3], 1, limits["flow_max_nl_per_min"], where, PUMP_FLOW_LIMIT)
            if not isinstance(operation[4], bool):
                raise RigError(PROGRAM_INVALID, where=where)
        elif op == PROBE:
            self.integer(first, 0, _U16_MAX, where)
            self.integer(operation[2], 1, limits["probe_pulses_max"], where, PROBE_LIMIT)
            self.cells(operation[3], where)
        elif op == WAIT:
            self.condition(first, where)
            self.integer(operation[2], 0, limits["wait_max_ms"], where)
            self.integer(operation[3], TIMEOUT_FAULT, TIMEOUT_GO_ON, where)
        elif op == REPEAT:
            self.integer(first, 1, _U16_MAX, where)
            return self.inside(operation[2], where + ".")
        elif op == EVERY:
            self.integer(first, limits["telemetry_min_ms"], limits["wait_max_ms"], where)
            if not isinstance(operation[2], list) or not operation[2]:
                raise RigError(PROGRAM_INVALID, where=where)
            for condition in operation[2]:
                self.condition(condition, where)
            return self.inside(operation[3], where + ".")
        elif op == STEP:
            self.integer(first, 0, _U16_MAX, where)
            return self.inside(operation[2], where + ".")
        elif op == MARK:
            self.integer(first, 0, _U16_MAX, where)
        else:  # TRIGGER
            self.integer(first, 0, 1, where)
            self.integer(operation[2], 1, limits["wait_max_ms"], where)
        return None

    def inside(self, block, where):
        if not isinstance(block, list):
            raise RigError(PROGRAM_INVALID, where=where + "body")
        return block

    def condition(self, condition, where):
        limits = self._limits
        if not isinstance(condition, list) or not condition or not _is_integer(condition[0]):
            raise RigError(PROGRAM_INVALID, where=where)
        kind = condition[0]
        row = _CONDITIONS.get(kind)
        if row is None:
            raise RigError(PROGRAM_INVALID, where=where, value=kind)
        where += "." + row[0]
        if len(condition) != row[1] + 1:
            raise RigError(PROGRAM_INVALID, where=where, value=len(condition) - 1, limit=row[1])
        if kind == DURATION:
            self.integer(condition[1], 0, limits["wait_max_ms"], where)
        elif kind == TEMPERATURE:
            self.integer(condition[1], limits["temp_min_mc"], limits["temp_max_mc"], where, SETPOINT_LIMIT)
            self.integer(condition[2], 1, limits["temp_max_mc"], where)
            self.integer(condition[3], 0, limits["wait_max_ms"], where)
        elif kind == EXPOSURE:
            self.integer(condition[1], 1, _I32_MAX, where)
        elif kind == PUMPS_DONE:
            self.integer(condition[1], 1, (1 << limits["pumps"]) - 1, where, PUMP_UNKNOWN)
        elif kind == TRIGGER_IN:
            self.integer(condition[1], 0, 1, where)
        elif kind == OPERATOR:
            self.integer(condition[1], 0, _U16_MAX, where)
        elif kind == REMNANT_BELOW:
            self.integer(condition[1], 0, limits["cells"] - 1, where, CELL_UNKNOWN)
            self.integer(condition[2], 1, 10000, where)
            self.integer(condition[3], 0, _U16_MAX, where)
        elif kind == VOLUME:
            self.pump(condition[1], where)
            self.integer(condition[2], 1, _I32_MAX, where)
        elif kind == TIMEOUT:
            self.integer(condition[1], 1, limits["wait_max_ms"], where)


# operation: (name, arguments)
_OPERATIONS = {
    HEATER: ("HEATER", 2),
    LAMP: ("LAMP", 1),
    FLOW: ("FLOW", 2),
    DISPENSE: ("DISPENSE", 4),
    PROBE: ("PROBE", 3),
    WAIT: ("WAIT", 3),
    REPEAT: ("REPEAT", 2),
    EVERY: ("EVERY", 3),
    STEP: ("STEP", 2),
    MARK: ("MARK", 1),
    TRIGGER: ("TRIGGER", 2),
}
# condition: (name, arguments)
_CONDITIONS = {
    DURATION: ("DURATION", 1),
    TEMPERATURE: ("TEMPERATURE", 3),
    EXPOSURE: ("EXPOSURE", 1),
    PUMPS_DONE: ("PUMPS_DONE", 1),
    TRIGGER_IN: ("TRIGGER_IN", 1),
    OPERATOR: ("OPERATOR", 1),
    REMNANT_BELOW: ("REMNANT_BELOW", 3),
    RAMP_DONE: ("RAMP_DONE", 0),
    VOLUME: ("VOLUME", 2),
    TIMEOUT: ("TIMEOUT", 1),
}
