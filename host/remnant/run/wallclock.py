"""Notices when the wall clock of the host is set."""

from __future__ import annotations

import time
from typing import Any

JUMP_S = 1.0


def _steady() -> float:
    """Seconds that go on while the host sleeps, where the system has such a clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class WallClock:
    def __init__(self) -> None:
        self._offset_s = time.time() - _steady()

    def jumped(self) -> dict[str, Any] | None:
        """{"utc_s": now, "by_s": by how much} when UTC has moved against steady time by more than JUMP_S since the last call."""
        utc_s = time.time()
        offset_s = utc_s - _steady()
        by_s, self._offset_s = offset_s - self._offset_s, offset_s
        return {"utc_s": round(utc_s, 3), "by_s": round(by_s, 3)} if abs(by_s) > JUMP_S else None
