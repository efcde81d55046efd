"""What a record goes through on the chip: RAM that a reset leaves alone, pages in raw flash, power cuts, a run taken up again."""

from binascii import crc32

import pytest

from bench_rig import pins
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import program as p

RUN = bytes(range(16))
REGION = 0x5C000
PAGE = 256
STATE, HEATER, LATE = 4, 8, 12  # of TELEMETRY


def started(host, seconds=600, telemetry_ms=100, operations=()):
    """A program under way: telemetry at every tick by default, the heater on."""
    wait = [p.WAIT, [p.DURATION, seconds * 1000], 0, p.TIMEOUT_FAULT]
    data = p.encode([p.VERSION, telemetry_ms, 1, [1, 1, 0], [0, 0, 3600], [[m.HEATER, 30_000, 0], [p.STEP, 1, [*operations, wait]]]])
    host.command(m.PROGRAM_BEGIN, len(data), crc32(data))
    for at in range(0, len(data), 160):
        host.command(m.PROGRAM_DATA, at, data[at : at + 160])
    host.command(m.PROGRAM_COMMIT)
    host.command(m.START, RUN)
    return host


def away(host, seconds):
    """The host reads nothing and says nothing."""
    host.reading = False
    host.rig.usb_hold(True)
    host.settle(seconds)


def back(host, seconds=20):
    """The host is there again and takes everything."""
    host.rig.usb_hold(False)
    host.reading = True
    host.hello()
    for _ in range(seconds * 10):
        host.settle(0.1)
        if status(host)[8] == 0:
            return
    raise AssertionError("history did not come to an end")


def status(host):
    return host.command(m.STATUS)


def numbers(host, boot_id):
    return sorted(seq for boot, seq in host._known if boot == boot_id)  # noqa: SLF001


def test_what_ram_cannot_keep_comes_back_from_flash_and_the_tick_does_not_mind(firmware):
    host = started(firmware)
    boot_id = host.welcome[7]
    away(host, 40)  # RAM holds 7 s of this
    at = len(host.records)
    host.rig.usb_hold(False)
    back(host)
    host.settle(1)
    assert host.pages >= 4
    seqs = numbers(host, boot_id)
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    while_fetching = sorted(r[LATE] for r in host.records[at:] if r[0] == m.TELEMETRY)
    assert while_fetching[int(len(while_fetching) * 0.99)] < 6000, while_fetching[-5:]
    assert host.rig.resets[1:] == []


@pytest.mark.parametrize("seconds", [3.03, 11.87])
def test_a_reset_loses_no_record(firmware, seconds):
    """The RUN pin at an instant that no program knows; the host had read nothing for a while."""
    host = started(firmware)
    boot_id = host.welcome[7]
    away(host, seconds)
    host.rig.reset_button()
    host.rig.usb_hold(False)
    host.reading = True
    host.ready()
    back(host)
    booted = next(r for r in host.records if r[0] == m.EVENT and r[4] == m.BOOTED and r[6] == boot_id)
    seqs = numbers(host, boot_id)
    assert booted[7] == seqs[-1] and seqs == list(range(seqs[0], seqs[-1] + 1))
    assert any(r[0] == m.EVENT and r[4] == m.RUN_INTERRUPTED and r[5] == RUN for r in host.records)


def test_after_a_reset_everything_is_off_until_a_person_resumes(firmware):
    host = started(firmware, telemetry_ms=1000)
    host.settle(5)
    host.rig.reset_button()
    host.ready()
    assert host.welcome[15:17] == [RUN, True]
    host.settle(3)
    assert [r[HEATER] for r in host.records if r[0] == m.TELEMETRY][-2:] == [0, 0]
    host.command(m.RESUME_RUN, RUN, 5, 0)
    host.settle(2)
    assert status(host)[0] == m.PAUSED
    host.until(lambda r: r[0] == m.EVENT and r[4] == m.STATE_CHANGED and r[6] == m.RUNNING, 180)


def test_after_a_power_cut_flash_has_what_had_been_in_it(firmware):
    host = started(firmware)
    boot_id = host.welcome[7]
    away(host, 30)
    host.rig.power_cycle()
    host.rig.usb_hold(False)
    host.reading = True
    host.ready()
    back(host)
    seqs = numbers(host, boot_id)
    assert seqs == list(range(seqs[0], seqs[-1] + 1)) and len(seqs) > 200
    booted = next(r for r in host.records if r[0] == m.EVENT and r[4] == m.BOOTED and r[6] == boot_id)
    assert booted[7] == 0  # the board does not know what RAM held
    assert host.welcome[15:17] == [RUN, True]  # and the run is known from its checkpoint


@pytest.mark.parametrize("left", [0, 21, 100])
def test_a_power_cut_in_the_middle_of_a_page_costs_that_page(firmware, left):
    host = started(firmware)
    away(host, 8)
    host.rig.flash_power(left)
    host.settle(12)
    host.rig.power_cycle()
    host.rig.usb_hold(False)
    host.reading = True
    host.ready()
    back(host)
    assert status(host)[1] == codes.OK
    started(host)
    away(host, 20)  # and the spool goes on behind what is spoilt
    boot_id = host.welcome[7]
    back(host)
    seqs = numbers(host, boot_id)
    assert seqs == list(range(seqs[0], seqs[-1] + 1))


def test_a_stuck_heater_is_seen_and_cut_by_the_master_switch(firmware):
    rig = firmware.rig
    firmware.command(m.HEATER, 40_000, 0)
    firmware.until(lambda r: r[0] == m.EXECUTED, 240)
    firmware.settle(30)
    rig.pins[pins()["master"]].record()
    rig.plant.set_fault("heater_stuck_on", True)
    fault = firmware.until(lambda r: r[0] == m.FAULT, 40)
    assert fault[4] == codes.HEATER_STUCK_ON
    firmware.settle(1)
    assert not rig.pins[pins()["master"]].level
    hot = rig.plant.truth()["block_c"]
    firmware.settle(30)
    assert rig.plant.truth()["block_c"] < hot


def test_the_image_leaves_the_spool_its_place_and_pages_are_where_they_belong(firmware):
    host = started(firmware)
    away(host, 20)
    data = host.rig.flash_read(REGION, 4096)
    assert data[2:4] == b"RM"
    assert any(data[at + 2 : at + 4] == b"RM" for at in range(0, 4096, PAGE))
