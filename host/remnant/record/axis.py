"""One time axis over the boots of a run: within a boot board time alone; from boot to boot the dark time in between, by UTC.

Board time begins anew with each boot. Pairs (board time, UTC) of the table `clock` tell when a boot's last record and the next one's first
one were made. A boot that no host has seen has no pair; it follows directly behind the one before it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

GOOD_US = 500_000  # a pair worse than that is used only when there is no better one
_CRYSTAL = 0.01  # a rate nearer to 1 than that is the noise of two pairs; a virtual board may run at any rate


@dataclass(frozen=True)
class BoardClock:
    """Pairs (board time, UTC) of one boot in us, in order; there is one at least."""

    pairs: list[tuple[int, int]]

    def utc_us(self, t_us: int) -> int:
        """UTC of an instant of board time, by the nearest pair and the rate of its neighbour."""
        pairs = self.pairs
        nearest = min(range(len(pairs)), key=lambda i: abs(pairs[i][0] - t_us))
        other = nearest - 1 if nearest else min(1, len(pairs) - 1)
        near_us, utc_us = pairs[nearest]
        other_us, other_utc_us = pairs[other]
        rate = (utc_us - other_utc_us) / (near_us - other_us) if near_us != other_us else 1.0
        return utc_us + round((t_us - near_us) * (1.0 if abs(rate - 1.0) < _CRYSTAL or rate < 0 else rate))


@dataclass
class Axis:
    """offset_us: boot -> what is added to its board time; clocks: of the boots that have one."""

    offset_us: dict[int, int] = field(default_factory=dict)
    clocks: dict[int, BoardClock] = field(default_factory=dict)

    def t_s(self, boot_id: int, t_us: int) -> float:
        """Seconds since the beginning of the run."""
        return (t_us + self.offset_us[boot_id]) / 1e6


def find_axis(connection: sqlite3.Connection, boots: list[int], began_us: int) -> Axis:
    """boots: of the run, in order; began_us: board time of its beginning, in the first of them."""
    axis = Axis()
    end_us = 0  # on the axis, of the boot before
    seen = None  # (UTC, us on the axis) of the last record of the latest boot with a clock
    for n, boot_id in enumerate(boots):
        first_us, last_us = connection.execute(
            "SELECT COALESCE(MIN(t_us), 0), COALESCE(MAX(t_us), 0) FROM records WHERE boot_id = ?", (boot_id,)
        ).fetchone()
        clock = _clock(connection, boot_id)
        if not n:
            offset = -began_us
        else:
            dark_us = clock.utc_us(first_us) - seen[0] - (end_us - seen[1]) if clock and seen else 0
            offset = end_us + max(0, dark_us) - first_us
        axis.offset_us[boot_id] = offset
        end_us = last_us + offset
        if clock:
            axis.clocks[boot_id] = clock
            seen = (clock.utc_us(last_us), end_us)
    return axis


def _clock(connection: sqlite3.Connection, boot_id: int) -> BoardClock | None:
    rows = connection.execute("SELECT t_us, utc_s, uncertainty_us FROM clock WHERE boot_id = ? ORDER BY t_us", (boot_id,)).fetchall()
    good = [row for row in rows if row[2] <= GOOD_US] or rows
    return BoardClock([(t_us, round(utc_s * 1e6)) for t_us, utc_s, _ in good]) if good else None
