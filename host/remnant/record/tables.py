"""Tables out of journalled records: telemetry, events, probe pulses. Times are seconds since RUN_STARTED; units stand in column names.

Nothing of the host's clock goes into a run of one boot, so the same records give the same tables, byte for byte; over a reset it tells how
long it was dark (axis.py).
"""

from __future__ import annotations

import contextlib
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack

from remnant_protocol import messages as m
from remnant_protocol.schema import EVENTS, MESSAGES

from .axis import find_axis
from .span import NO_LIMIT, count, find_span, open_journal

SETPOINT_OFF_MC = -300000
TELEMETRY_UNITS = {
    "t_s": "s",
    "board_time_us": "us",
    "state": "",
    "step": "",
    "setpoint_degC": "degC",
    "temp_degC": "degC",
    "heater_duty_pct": "%",
    "lamp_duty_pct": "%",
    "irradiance_mW_per_cm2": "mW/cm2",
    "exposure_J_per_cm2": "J/cm2",
    "tick_late_us": "us",
}
EVENT_COLUMNS = ("t_s", "board_time_us", "seq", "kind", "step", "code", "detail")
PROBE_UNITS = {
    "t_s": "s",
    "board_time_us": "us",
    "seq": "",
    "probe": "",
    "name": "",
    "cell": "",
    "sample": "",
    "temp_degC": "degC",
    "pulse": "",
    "dark_counts": "counts",
    "lit_counts": "counts",
    "monitor_counts": "counts",
    "probe_exposure_J_per_cm2": "J/cm2",
}


@dataclass
class Tables:
    """Rows of a run in the order of boots and sequence numbers, and what the records themselves say of it.

    interruptions: t_s when it went dark, dark_s (None: never resumed), from_temp_c, to_temp_c, step; boots: of each its records, where
    it begins, whether it has a clock, and whether its last number is known (a power cut takes that with it).
    """

    telemetry: list[tuple] = field(default_factory=list)
    events: list[tuple] = field(default_factory=list)
    probes: list[tuple] = field(default_factory=list)
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    interruptions: list[dict[str, Any]] = field(default_factory=list)
    boots: list[dict[str, Any]] = field(default_factory=list)
    count: int = 0
    conflicts: int = 0
    unread: int = 0
    interrupted: bool = False
    ended_by: int | None = None
    end_code: int | None = None
    fault: list[Any] | None = None


def read_tables(folder: Path, run_id: bytes, probe_names: dict[int, str], cells: dict[int, tuple[str, str]]) -> Tables:
    """Decode run.sqlite. `cells`: channel -> (letter, sample). Empty tables when the run never started."""
    tables = Tables()
    with contextlib.closing(open_journal(folder)) as connection:
        span = find_span(connection, run_id)
        tables.conflicts, tables.unread = count(connection, "conflicts"), count(connection, "unread")
        if span is None:
            return tables
        tables.gaps = span.gaps(connection)
        axis = find_axis(connection, span.boots, span.began_us)
        step, temp_c, t_s, going = 0, None, 0.0, True
        for n, boot_id in enumerate(span.boots):
            first, last = span.limits(boot_id)
            here = tables.count
            if n and going:  # a reset of what was interrupted already is none of the run
                tables.interruptions.append({"t_s": t_s, "dark_s": None, "from_temp_c": temp_c, "to_temp_c": None, "step": step})
            going, temp_c = not n, None
            query = "SELECT seq, type, t_us, body FROM records WHERE boot_id = ? AND seq BETWEEN ? AND ? ORDER BY seq"
            for seq, kind, t_us, body in connection.execute(query, (boot_id, first, last)):
                fields = msgpack.unpackb(body, raw=False, strict_map_key=False)
                tables.count += 1
                t_s = axis.t_s(boot_id, t_us)
                if kind == m.TELEMETRY:
                    tables.telemetry.append((t_s, t_us, *_telemetry(fields)))
                    temp_c = fields[7] / 1000
                elif kind == m.PROBE_READING:
                    tables.probes += _pulses(t_s, t_us, seq, fields, probe_names, cells)
                else:
                    if kind == m.EVENT and n:
                        going |= _resumed(tables.interruptions[-1], fields, run_id, temp_c)
                    step = _event(tables, t_s, t_us, seq, kind, fields, step)
            facts = {"boot_id": boot_id, "records": tables.count - here, "from_t_s": axis.t_s(boot_id, span.first_us(connection, boot_id))}
            told = last != NO_LIMIT or boot_id in span.last_of or boot_id == span.boots[-1]
            tables.boots.append({**facts, "clock": "utc" if boot_id in axis.clocks else "none", "end_known": told})
        tables.interrupted = span.extent.interrupted or (tables.ended_by is None and len(span.boots) > 1)
    return tables


def _resumed(interruption: dict[str, Any], fields: list[Any], run_id: bytes, temp_c: float | None) -> bool:
    """Take what an event says of an interruption; True when the run goes on."""
    if fields[4] == m.RUN_INTERRUPTED and fields[5] == run_id:
        interruption["step"] = fields[6]
    elif fields[4] == m.RUN_RESUMED and fields[5] == run_id:
        interruption.update(dark_s=fields[6], to_temp_c=temp_c)
        return True
    return False


def _telemetry(fields: list[Any]) -> tuple:
    setpoint = None if fields[6] == SETPOINT_OFF_MC else fields[6] / 1000
    return (
        fields[4],
        fields[5],
        setpoint,
        fields[7] / 1000,
        round(fields[8] / 655.35, 3),
        round(fields[9] / 655.35, 3),
        fields[10] / 1000,
        fields[11] / 1000,
        fields[12],
    )


def _pulses(t_s: float, t_us: int, seq: int, fields: list[Any], names: dict[int, str], cells: dict[int, tuple[str, str]]) -> list[tuple]:
    probe, cell, temp_mc, spent_uj = fields[4:8]
    counts = [struct.unpack(f"<{len(raw) // 2}H", raw) for raw in fields[8:11]]
    letter, sample = cells.get(cell, (str(cell), ""))
    return [
        (t_s, t_us, seq, probe, names.get(probe, str(probe)), letter, sample, temp_mc / 1000, pulse, dark, lit, monitor, spent_uj / 1e6)
        for pulse, (dark, lit, monitor) in enumerate(zip(*counts, strict=True))
    ]


def _event(tables: Tables, t_s: float, t_us: int, seq: int, kind: int, fields: list[Any], step: int) -> int:
    """Add one row of events.csv; return the step the run is in."""
    code: int | str = ""
    if kind == m.EVENT:
        name, arguments = EVENTS.get(fields[4], (f"event_{fields[4]}", ()))
        detail = _named(arguments, fields[5:])
        if fields[4] == m.STEP_BEGAN:
            step = fields[5]
            tables.steps.setdefault(step, {"began_s": t_s, "ended_s": None})
        elif fields[4] == m.STEP_ENDED and fields[5] in tables.steps:
            tables.steps[fields[5]]["ended_s"] = t_s
        elif fields[4] == m.RUN_ENDED:
            tables.ended_by, tables.end_code = fields[5], fields[6]
    else:
        name, arguments = MESSAGES.get(kind, (f"RECORD_{kind}", ()))
        name = name.lower()
        detail = _named(arguments[3:], fields[4:])
        if kind == m.FAULT:
            tables.fault = fields
    code = detail.get("code", "")
    tables.events.append((t_s, t_us, seq, name, step, code, json.dumps(detail, sort_keys=True)))
    return step


def _named(fields: tuple[str, ...], values: list[Any]) -> dict[str, Any]:
    named = {}
    for i, spec in enumerate(fields):
        name, _, kind = spec.partition(":")
        if kind == "*":
            named[name] = [_plain(v) for v in values[i:]]
        elif i < len(values):
            named[name] = _plain(values[i])
    return named


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
