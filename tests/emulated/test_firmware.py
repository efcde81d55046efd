"""The whole firmware on the chip: control tick, link, memory, restart, under load."""

from binascii import crc32

import pytest
from littlefs import LittleFSError

from bench_host import Host
from bench_rig import Rig, flash_files
from filesystem import make_filesystem
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

STATE, TEMP, HEATER, LAMP, LATE = 4, 7, 8, 9, 12  # of TELEMETRY
PUMPS = 4


def calibrated(host):
    """Every pump with a 60 mL syringe: a new board knows of none at pumps 2 and 3, and of a small one at pump 1."""
    for first in (40, 48, 56):
        host.command(m.SETTING, first, 1_121_483_000)
        host.command(m.SETTING, first + 1, 60_000_000)
    return host


def flow_for(hz):
    """nl/min of a 60 mL syringe at so many steps a second."""
    return hz * 60 * 1_121_483_000 // (1000 * 3200)


def loaded(host):
    """Four pumps at 4 kHz, heater and lamp on."""
    calibrated(host)
    for pump in range(PUMPS):
        host.command(m.FLOW, pump, flow_for(4000))
    host.command(m.HEATER, 40_000, 0)
    host.command(m.LAMP, 5000)
    return host


def running(host, seconds):
    """A program under way: telemetry at every tick, four pumps at 4 kHz, heater and lamp on."""
    flows = [[m.FLOW, pump, flow_for(4000)] for pump in range(PUMPS)]
    light_and_heat = [[m.HEATER, 40_000, 0], [m.LAMP, 5000]]
    wait = [p.WAIT, [p.DURATION, seconds * 1000], 0, p.TIMEOUT_FAULT]
    stored(host, p.encode([p.VERSION, 100, 3, [0, 0, 0], [0, 0], [*flows, *light_and_heat, wait]]))
    host.command(m.START, bytes(16))
    return host


def program_of(operations):
    """A program that only marks."""
    return p.encode([p.VERSION, 1000, 3, [0, 0, 0], [0, 0], [[p.MARK, 1]] * operations])


def stored(host, data):
    """Send a program whole. Raises RigError when the board does not keep it."""
    host.command(m.PROGRAM_BEGIN, len(data), crc32(data))
    for at in range(0, len(data), 160):
        host.command(m.PROGRAM_DATA, at, data[at : at + 160])
    host.command(m.PROGRAM_COMMIT)


def lateness(records):
    return sorted(fields[LATE] for fields in records if fields[0] == m.TELEMETRY)


@pytest.mark.parametrize(("xip_miss_cycles", "p99_us", "max_us"), [(0, 2000, 4000), (45, 4000, 5000)], ids=["no-misses", "cache-misses"])
def test_the_tick_comes_in_time_with_everything_running_and_a_host_that_stops_reading(xip_miss_cycles, p99_us, max_us):
    with Rig(xip_miss_cycles=xip_miss_cycles) as rig:
        host = running(calibrated(Host(rig).ready()), 60)
        host.settle(2)
        at = len(host.records)
        host.reading = False
        rig.usb_hold(True)
        host.settle(3)
        rig.usb_hold(False)
        host.reading = True
        host.settle(3)
        late = lateness(host.records[at:])
        assert rig.resets[1:] == []
    assert len(late) >= 55  # one a tick
    assert late[-1] <= max_us, late
    assert late[int(len(late) * 0.99)] <= p99_us, late


def test_outputs_by_hand_go_off_when_the_host_has_stopped_counting(firmware):
    loaded(firmware)
    firmware.rig.usb_hold(True)
    firmware.reading = False
    firmware.settle(7)
    firmware.rig.usb_hold(False)
    firmware.reading = True
    off = firmware.until(lambda f: f[0] == m.EVENT and f[4] == m.OUTPUTS_OFF, 3)
    assert off[5] == m.BY_HOST_LOST


def test_nothing_is_lost_while_the_host_does_not_read(firmware):
    firmware.settle(2)
    firmware.rig.usb_hold(True)
    firmware.reading = False
    firmware.settle(3)
    firmware.rig.usb_hold(False)
    firmware.reading = True
    firmware.settle(3)
    sequence = sorted(fields[1] for fields in firmware.records)  # history comes behind what is live
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
    assert not [fields for fields in firmware.records if fields[0] == m.GAP]


def test_a_watchdog_reset_is_told_as_the_cause(firmware):
    rig = firmware.rig
    first = firmware.welcome
    firmware.command(m.HEATER, 40_000, 0)
    rig.freeze_cpu()
    rig.run_ms(2500)
    rig.thaw_cpu()
    rig.run_ms(200)
    assert rig.resets[-1][1] == "watchdog"
    again = firmware.hello()
    assert again[8] == 1  # reset_cause: watchdog
    assert again[7] != first[7]  # another boot_id


def test_a_restart_keeps_settings_and_program(firmware):
    firmware.command(m.SETTING, 15, 7000)
    firmware.rig.power_cycle()
    firmware.ready()
    assert firmware.welcome[8] == 0  # power
    with pytest.raises(RigError) as refused:
        firmware.command(m.SETTING, 15, 7_000_000)
    assert refused.value.code == codes.SETTING_RANGE


def test_two_runs_of_a_seed_are_the_same_to_the_byte():
    def run():
        with Rig({"seed": 5}) as rig:
            host = Host(rig).ready()
            host.command(m.HEATER, 40_000, 0)
            host.settle(2)
            return host.records, rig.cycle

    assert run() == run()


def test_a_block_is_heated_to_its_setpoint(firmware):
    firmware.command(m.HEATER, 40_000, 0)
    done = firmware.until(lambda f: f[0] == m.EXECUTED, 240)
    assert done[6] == codes.OK
    firmware.settle(30)
    temperatures = [f[TEMP] for f in firmware.records[-20:] if f[0] == m.TELEMETRY]
    assert all(abs(t - 40_000) < 1500 for t in temperatures), temperatures


def test_a_fault_takes_everything_off_and_is_latched(firmware):
    rig = firmware.rig
    loaded(firmware)
    firmware.settle(1)
    for pin in (2, 3, 4, 5, 10, 11):
        rig.pins[pin].record()
    rig.plant.set_fault("sensor_open", True)
    broken = rig.cycle
    fault = firmware.until(lambda f: f[0] == m.FAULT, 2)
    assert fault[4] == codes.SENSOR_OPEN
    firmware.settle(1)
    for pin in (2, 3, 4, 5, 10, 11):
        edges = rig.pins[pin].edges()
        assert not edges[-1][1] and (edges[-1][0] - broken) / 125_000 < 500, pin


@pytest.mark.parametrize(
    ("op", "arguments", "code"),
    [
        (m.FLOW, (0, 100_000_001), codes.PUMP_FLOW_LIMIT),
        (m.FLOW, (2, 1000), codes.PUMP_NOT_CALIBRATED),
        (m.FLOW, (4, 1000), codes.PUMP_UNKNOWN),
        (m.HEATER, (130_000, 0), codes.SETPOINT_LIMIT),
        (m.LAMP, (100_000,), codes.IRRADIANCE_LIMIT),
        (m.PROGRAM_BEGIN, (5000, 0), codes.PROGRAM_TOO_LARGE),
        (99, (), codes.UNKNOWN_COMMAND),
    ],
)
def test_wrong_wishes_are_refused(shared, op, arguments, code):
    with pytest.raises(RigError) as refused:
        shared.command(op, *arguments)
    assert refused.value.code == code


@pytest.fixture(scope="module")
def shared():
    with Rig() as rig:
        yield Host(rig).ready()


def ballast_bytes():
    """As much as the file system takes beside the firmware, but for two blocks."""
    block, most = 4096, 1_300_000
    while True:
        try:
            make_filesystem({**flash_files(), "ballast": bytes(most)})
            return most - 2 * block
        except LittleFSError:
            most -= block


def test_a_full_flash_refuses_and_the_board_goes_on():
    with Rig(files={**flash_files(), "ballast": bytes(ballast_bytes())}) as rig:
        host = Host(rig).ready()
        with pytest.raises(RigError) as refused:
            stored(host, program_of(1000))
        assert refused.value.code == codes.STORE_FULL
        with pytest.raises(RigError) as refused:
            host.command(m.START, bytes(16))
        assert refused.value.code == codes.PROGRAM_MISSING
        host.command(m.HEATER, 40_000, 0)
        host.settle(1)
        assert host.records[-1][HEATER] > 0


def test_the_tick_goes_on_while_a_large_program_is_checked(firmware):
    """The check takes 1.5 s, the watchdog bites after 2 s. Ticks go on; only writing the flash holds them, a fifth of a second at most."""
    stored(firmware, program_of(1000))
    firmware.command(m.START, bytes(16))
    firmware.settle(3)
    assert lateness(firmware.records)[-1] < 200_000
    assert firmware.rig.resets[1:] == []
