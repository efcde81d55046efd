"""One time axis over the boots of a run: within a boot board time alone; from boot to boot by UTC, so that the dark time is in it.

Board time begins anew with each boot. Pairs (board time, UTC) of the table `clock` tie the boots together: the last good pair of one, the
first good pair of the next. A boot that no host has seen has none; it follows directly behind the one before it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

GOOD_US = 500_000  # a pair worse than that is used only when there is no better one


@dataclass
class Axis:
    """offset_us: boot -> what is added to its board time; utc_us: boot -> UTC minus board time, for boots that have a pair."""

    offset_us: dict[int, int] = field(default_factory=dict)
    utc_us: dict[int, int] = field(default_factory=dict)

    def t_s(self, boot_id: int, t_us: int) -> float:
        """Seconds since the beginning of the run."""
        return (t_us + self.offset_us[boot_id]) / 1e6


def find_axis(connection: sqlite3.Connection, boots: list[int], began_us: int) -> Axis:
    """boots: of the run, in order; began_us: board time of its beginning, in the first of them."""
    axis = Axis()
    end_us = None  # on the axis, of the boot before
    anchor = None  # (us on the axis, UTC in us) of the latest pair
    for boot_id in boots:
        pairs = _pairs(connection, boot_id)
        first_us, last_us = connection.execute("SELECT MIN(t_us), MAX(t_us) FROM records WHERE boot_id = ?", (boot_id,)).fetchone()
        if end_us is None:
            offset = -began_us
        else:
            offset = end_us - (first_us or 0)
            if pairs and anchor:
                t_us, utc_us = pairs[0]
                offset = max(offset, anchor[0] + utc_us - anchor[1] - t_us)
        axis.offset_us[boot_id] = offset
        if last_us is not None:
            end_us = max(last_us + offset, end_us or 0)
        if pairs:
            t_us, utc_us = pairs[-1]
            anchor = (t_us + offset, utc_us)
            axis.utc_us[boot_id] = utc_us - t_us
    return axis


def _pairs(connection: sqlite3.Connection, boot_id: int) -> list[tuple[int, int]]:
    rows = connection.execute("SELECT t_us, utc_s, uncertainty_us FROM clock WHERE boot_id = ? ORDER BY t_us", (boot_id,)).fetchall()
    good = [row for row in rows if row[2] <= GOOD_US] or rows
    return [(t_us, round(utc_s * 1e6)) for t_us, utc_s, _ in good]
