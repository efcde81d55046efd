"""Program -> text: what the board will do, line by line, in the words and units of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remnant import units
from remnant_protocol import messages as m
from remnant_protocol import program as p

_HOST_LOST = ("continue", "hold", "stop")


def disassemble(program: list[Any]) -> list[str]:
    """Return the lines of a validated program; an operation inside a block is indented by two spaces."""
    version, telemetry_ms, cells_mask, on_fault, (host_lost, host_lost_s, *resume), operations = program
    heater, lamp, pumps = ("off" if action == p.FAULT_OFF else "keep" for action in on_fault)
    head = [
        f"program version {version}, cells {_mask(cells_mask, 'ABCD')}, telemetry each {_time(telemetry_ms)}",
        f"when a pump fails: heater {heater}, lamp {lamp}, pumps {'stop' if pumps == 'off' else 'keep'}; "
        f"host lost for {_time(host_lost_s * 1000)}: {_HOST_LOST[host_lost]}; "
        + (f"may be resumed within {_time(resume[0] * 1000)}" if resume and resume[0] else "never resumed"),
    ]
    return head + list(_lines(operations, ""))


def _lines(operations: list[Any], indent: str) -> Iterator[str]:
    for operation in operations:
        op, arguments = operation[0], operation[1:]
        if op == p.STEP:
            yield f"{indent}step {arguments[0]}"
            yield from _lines(arguments[1], indent + "  ")
        elif op == p.REPEAT:
            yield f"{indent}repeat {arguments[0]} times"
            yield from _lines(arguments[1], indent + "  ")
        elif op == p.EVERY:
            until = " or ".join(_condition(condition) for condition in arguments[1] if condition[0] != p.TIMEOUT)
            ends = [f" (at most {_time(condition[1])}, then fault)" for condition in arguments[1] if condition[0] == p.TIMEOUT]
            what = f"every {_time(arguments[0])} until" if arguments[2] else "wait until"
            yield f"{indent}{what} {until}{''.join(ends)}"
            yield from _lines(arguments[2], indent + "  ")
        else:
            yield indent + _line(op, arguments)


def _line(op: int, arguments: list[Any]) -> str:
    if op == m.HEATER:
        setpoint_mc, ramp = arguments
        if setpoint_mc is None:
            return "heater off"
        return f"heater {units.show(setpoint_mc, units.TEMPERATURE)}" + (f" at {units.show(ramp, units.RAMP)}" if ramp else "")
    if op == m.LAMP:
        return f"lamp {units.show(arguments[0], units.IRRADIANCE)}" if arguments[0] else "lamp off"
    if op == m.FLOW:
        pump, flow = arguments
        return f"pump {pump + 1} {_direction(flow)} at {units.show(abs(flow), units.FLOW)}" if flow else f"pump {pump + 1} stop"
    if op == m.DISPENSE:
        pump, volume, flow, wait = arguments
        text = f"pump {pump + 1} {_direction(volume)} {units.show(abs(volume), units.VOLUME)} at {units.show(flow, units.FLOW)}"
        return text + (" and wait" if wait else "")
    if op == m.PROBE:
        return f"probe {arguments[0]}, {arguments[1]} pulses, cells {_mask(arguments[2], 'ABCD')}"
    if op == p.WAIT:
        condition, timeout_ms, on_timeout = arguments
        then = "fault" if on_timeout == p.TIMEOUT_FAULT else "go on"
        limit = f" (at most {_time(timeout_ms)}, then {then})" if timeout_ms else ""
        return f"wait until {_condition(condition)}{limit}"
    if op == p.MARK:
        return f"mark {arguments[0]}"
    if op == p.TRIGGER:
        return f"trigger output {arguments[0] + 1} for {_time(arguments[1])}"
    return f"operation {op} {arguments}"


def _condition(condition: list[Any]) -> str:
    kind, arguments = condition[0], condition[1:]
    if kind == p.DURATION:
        return f"{_time(arguments[0])} have passed"
    if kind == p.TEMPERATURE:
        target, band, hold = arguments
        around = f"{units.show(target, units.TEMPERATURE)} +- {units.show(band, units.TEMPERATURE_DIFFERENCE)}"
        return f"{around} for {_time(hold)}"
    if kind == p.EXPOSURE:
        return f"{units.show(arguments[0], units.EXPOSURE)} have been added"
    if kind == p.PUMPS_DONE:
        return f"pumps {_mask(arguments[0], '12345678')} are done"
    if kind == p.TRIGGER_IN:
        return f"trigger input {arguments[0] + 1} is active"
    if kind == p.OPERATOR:
        return f"the operator has answered prompt {arguments[0]}"
    if kind == p.VOLUME:
        return f"pump {arguments[0] + 1} has moved {units.show(arguments[1], units.VOLUME)}"
    if kind == p.TIMEOUT:
        return f"{_time(arguments[0])} have passed in vain"
    if kind == p.REMNANT_BELOW:
        cell, permille, probe = arguments
        return f"cell {'ABCD'[cell]} is below {units.show(permille, units.RATIO)} of its first probe {probe}"
    if kind == p.RAMP_DONE:
        return "the ramp is done"
    return f"condition {kind} {arguments}"


def _time(ms: int) -> str:
    return units.show(ms, units.DURATION)


def _direction(signed: int) -> str:
    return "infuse" if signed > 0 else "withdraw"


def _mask(mask: int, names: str) -> str:
    return " ".join(name for at, name in enumerate(names) if mask & 1 << at) or "none"


condition_words = _condition
