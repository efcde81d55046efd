"""Disk and spool: sums over known records, by hand."""

import pytest

from remnant.preflight.storage import PAGE_AGE_S, PAGE_BYTES, PAGES, disk_bytes, spool_of


def total(duration_s, telemetry_s, events=20, readings=0, lit_s=0.0):
    telemetry = int(duration_s / telemetry_s)
    records = telemetry + events + readings
    return {
        "duration_s": duration_s,
        "telemetry": telemetry,
        "records": records,
        "events": events,
        "readings": readings,
        "pulses": 16 * readings,
        "lit_s": lit_s,
    }


def test_a_short_run_fits_whole():
    spool = spool_of(total(3600, 1))
    assert (spool.kept_every, spool.fits, spool.whole_s) == (1, True, 3600)
    assert spool.pages == pytest.approx((3600 * 2.2 + 20 * 22) / PAGE_BYTES + 10, abs=1)


def test_a_slow_run_fills_a_page_every_ten_minutes():
    spool = spool_of(total(48 * 3600, 60, events=0))
    assert spool.kept_every == 1
    assert spool.pages == pytest.approx(48 * 3600 / PAGE_AGE_S, abs=1)


def test_telemetry_is_thinned_when_thirteen_sixteenths_are_full():
    spool = spool_of(total(7 * 86_400, 1, events=0))
    assert spool.whole_s == pytest.approx(PAGES * 13 / 16 * PAGE_BYTES / 2.2, rel=0.01)
    assert spool.kept_every in (64, 1024, 0) and spool.fits


def test_events_alone_can_be_too_many_for_the_flash():
    spool = spool_of(total(60 * 86_400, 10, events=20_000))
    assert (spool.kept_every, spool.fits) == (0, False)
    assert spool.pages == PAGES


def test_light_makes_telemetry_longer():
    dark, lit = (spool_of(total(36_000, 1, lit_s=lit_s)).pages for lit_s in (0.0, 36_000.0))
    assert lit == pytest.approx(2 * dark, rel=0.1)


def test_disk_grows_with_records_and_pulses():
    none, some, read = (disk_bytes(total(seconds, 1, readings=readings)) for seconds, readings in ((0, 0), (1000, 0), (1000, 100)))
    assert some - none == 1000 * (88 + 78)
    assert read - some == 100 * 88 + 1600 * 93
