"""How much a run writes: the folder on the host's disk, and the pages in the board's flash when no host comes for them."""

from __future__ import annotations

from typing import Any

from .forecast import Spool

# measured on runs of heat-80 and uv-365; tests/virtual/test_dry_run.py holds the sum against a run's folder
_JOURNAL_BYTES = 88  # a record in run.sqlite
_EVENT_BYTES = 66  # a row of events.csv, less what an event or a pump's count takes less in run.sqlite (flow-continuous)
_TABLES_BYTES = 78  # a telemetry record in telemetry.csv and telemetry.parquet
_PULSE_BYTES = 93  # a row of probes.csv
_REST_BYTES = 30_000

PAGE_BYTES = 224  # of records in a page of the spool (firmware/rig/spool.py)
PAGES = (68 - 8) * 16  # of a board with 68 sectors of spool, 8 of them for checkpoints
PAGE_AGE_S = 600  # firmware/rig/history.py: a page is written at least so often, and at an event
_DARK_BYTES, _LIT_BYTES = 2.2, 5.0  # a packed telemetry record: what the lamp's loop does is harder to foretell
_READING_BYTES = 80  # a packed reading of 16 to 32 pulses
_OTHER_BYTES = 22  # an event, or a pump's telemetry
_EVENT_PAGES = 0.5  # an event closes a page, half full on average
_THINNING = ((3 / 16, 1), (2 / 16, 64), (1 / 16, 1024))  # free pages, one telemetry record in so many is kept


def disk_bytes(total: dict[str, Any]) -> int:
    """Return the bytes of the run's folder, tables included, report not."""
    others = total["records"] - total["telemetry"] - total["readings"]
    rows = total["telemetry"] * _TABLES_BYTES + others * _EVENT_BYTES + total["pulses"] * _PULSE_BYTES
    return total["records"] * _JOURNAL_BYTES + rows + _REST_BYTES


def spool_of(total: dict[str, Any]) -> Spool:
    """Return what the flash keeps while nobody listens from the beginning to the end, by the thinning policy of the firmware."""
    duration_s = max(total["duration_s"], 1.0)
    others = total["records"] - total["telemetry"] - total["readings"]
    lit = total["lit_s"] / duration_s
    telemetry_bytes_per_s = total["telemetry"] * (_LIT_BYTES * lit + _DARK_BYTES * (1 - lit)) / duration_s
    fixed_bytes_per_s = (others * _OTHER_BYTES + total["readings"] * _READING_BYTES) / duration_s
    event_pages_per_s = total["events"] * _EVENT_PAGES / duration_s
    used, at_s, whole_s, one_in = 0.0, 0.0, duration_s, 1
    for free, one_in in _THINNING:
        bytes_per_s = telemetry_bytes_per_s / one_in + fixed_bytes_per_s
        pages_per_s = max(bytes_per_s / PAGE_BYTES + event_pages_per_s, 1 / PAGE_AGE_S)
        lasts_s = min(duration_s - at_s, max(PAGES * (1 - free) - used, 0.0) / pages_per_s)
        used, at_s = used + lasts_s * pages_per_s, at_s + lasts_s
        if one_in == 1:
            whole_s = at_s
        if at_s >= duration_s:
            break
    else:  # from here on only events and readings are kept
        one_in = 0
        used += (duration_s - at_s) * (fixed_bytes_per_s / PAGE_BYTES + event_pages_per_s)
    return Spool(total["records"], total["telemetry"], min(round(used), PAGES), PAGES, round(whole_s, 1), one_in, used <= PAGES)
