"""What a board says of itself, and its clock."""

from hil_bench import coded

from remnant_protocol import errors as codes
from remnant_protocol import messages as m

LIMITS = (
    "temp_min_mc",
    "temp_max_mc",
    "temp_cutoff_mc",
    "ramp_max_mc_per_min",
    "irradiance_max_uw_per_cm2",
    "pumps",
    "flow_max_nl_per_min",
    "cells",
    "probe_pulses_max",
    "telemetry_min_ms",
    "program_max_bytes",
    "wait_max_ms",
)
CAPABILITIES = ("lamp_nm", "monitor_dark_u16", "monitor_uw_per_cm2_per_count_q10", "probe_pulse_us", "heap_free_bytes")


async def test_welcome_names_board_version_and_table(bench, board):
    welcome = await board.hello()
    assert (welcome.major, welcome.minor, welcome.table_hash) == (m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR, m.TABLE_HASH)
    assert welcome.board and welcome.uid
    assert welcome.simulated == bench.simulated
    assert welcome.state == m.READY
    assert 1 <= welcome.first_seq <= welcome.next_seq


async def test_a_second_hello_is_the_same_board_further_on(board):
    first, second = await board.hello(), await board.hello()
    assert (first.boot_id, first.uid, first.firmware_hash) == (second.boot_id, second.uid, second.firmware_hash)
    assert second.next_seq >= first.next_seq


async def test_a_host_of_another_version_is_told_this_one(bench):
    async with bench.line() as line:
        line.bodies.clear()
        line.send(m.HELLO, m.PROTOCOL_MAJOR + 1, 0, "another")
        assert line.until(lambda body: body[0] == m.WELCOME)[1:3] == [m.PROTOCOL_MAJOR, m.PROTOCOL_MINOR]


async def test_pages_tell_every_limit_and_scale_once(bench):
    async with bench.line() as line:
        pages, told = line.until(lambda body: body[0] == m.WELCOME)[12], []
        for page in range(pages):
            line.send(m.DESCRIBE, page)
            told += line.until(lambda body, page=page: body[:2] == [m.DESCRIPTION, page])[2].items()
    assert len(dict(told)) == len(told)
    assert set(LIMITS) | set(CAPABILITIES) <= set(dict(told))
    assert all(isinstance(one, int) for _, value in told for one in (value if isinstance(value, list) else [value]))


async def test_limits_make_sense(bench):
    limits = bench.limits
    assert 0 < limits["temp_min_mc"] < limits["temp_max_mc"] < limits["temp_cutoff_mc"]
    assert 1 <= limits["cells"] <= 4 and limits["pumps"] >= 1 and limits["probe_pulses_max"] >= 1
    assert limits["telemetry_min_ms"] >= 100  # one control tick
    assert limits["ramp_max_mc_per_min"] > 0 and limits["irradiance_max_uw_per_cm2"] > 0 and limits["program_max_bytes"] >= 1024


async def test_ping_gives_its_token_back_with_board_time(bench):
    async with bench.line() as line:
        line.write(b"".join(coded(m.PING, token) for token in (7, 0, 0xFFFFFFFF)))
        last = line.until(lambda body: body[:2] == [m.PONG, 0xFFFFFFFF])
        pongs = [body for body in line.bodies if body[0] == m.PONG]
        assert [body[1] for body in pongs] == [7, 0, 0xFFFFFFFF]
        assert all(0 <= body[3] < 1_000_000 for body in pongs) and last[2] >= 0


async def test_board_time_never_goes_back(board):
    times = [await board.ping() for _ in range(50)]
    assert times == sorted(times)


async def test_status_is_a_rig_at_rest(board):
    status = await board.status()
    assert (status.state, status.fault_code, status.setpoint_mc) == (m.READY, codes.OK, -300_000)
    assert 0 < status.temp_mc < 60_000
    assert status.irradiance_uw_per_cm2 == 0
