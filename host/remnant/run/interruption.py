"""What a person has to know before an interrupted run goes on: when and where it stopped, how long it was dark, how far it cooled."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import msgpack

from remnant_protocol import messages as m

from ..record.axis import find_axis
from ..record.span import find_span, open_journal


@dataclass(frozen=True)
class Interruption:
    """Of the last record before the reset: t_s since the run began, utc_s (None: this host has not seen that boot), step, temp_c,
    exposure_mj_per_cm2; window_s: how long after it the plan allows to resume, None when the program is not at hand."""

    t_s: float
    utc_s: float | None
    step: int
    temp_c: float | None
    exposure_mj_per_cm2: int
    window_s: int | None

    def dark_s(self) -> int | None:
        """Whole seconds since then, rounded up."""
        return None if self.utc_s is None else max(0, int(time.time() - self.utc_s) + 1)


def find_interruption(folder: Path, run_id: bytes) -> Interruption | None:
    """None when the journal has no records of the run from before a reset."""
    with contextlib.closing(open_journal(folder)) as connection:
        span = find_span(connection, run_id)
        if span is None:
            return None
        axis = find_axis(connection, span.boots, span.began_us)
        for boot_id in reversed(span.boots):
            query = "SELECT type, t_us, body FROM records WHERE boot_id = ? AND seq >= ? ORDER BY seq DESC"
            end_us = None
            for kind, t_us, body in connection.execute(query, (boot_id, span.limits(boot_id)[0])):
                end_us = t_us if end_us is None else end_us
                if kind != m.TELEMETRY:
                    continue
                fields = msgpack.unpackb(body, raw=False)
                if fields[4] not in (m.RUNNING, m.PAUSED):
                    continue
                clock = axis.clocks.get(boot_id)
                utc_s = None if clock is None else clock.utc_us(end_us) / 1e6
                return Interruption(axis.t_s(boot_id, end_us), utc_s, fields[5], fields[7] / 1000, fields[11], _window_s(folder))
    return None


def may_be_resumed(folder: Path) -> bool:
    """False when the run's plan says that nothing takes it up again after a reset; True also when the program is not at hand."""
    return _window_s(folder) != 0


def _window_s(folder: Path) -> int | None:
    """resume_within_s of the program's header (protocol/SPEC.md section 8)."""
    try:
        policy = msgpack.unpackb((folder / "program.msgpack").read_bytes(), raw=False, strict_map_key=False)[4]
        return int(policy[2]) if len(policy) > 2 else 0
    except (OSError, ValueError, TypeError, IndexError, msgpack.UnpackException):
        return None
