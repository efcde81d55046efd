"""The board client: greetings that fail, commands that are executed once, values as accepted and as executed."""

import asyncio

import pytest
from fake_board import FakeBoard, telemetry, wait_until

from remnant.board import Board
from remnant.board import client as client_module
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError


def with_board(fake, talk):
    """Connect to a fake board, let `talk(board)` talk to it."""

    async def main():
        board = await Board.connect(fake.port)
        try:
            return await talk(board)
        finally:
            board.close()

    with fake:
        return asyncio.run(main())


def refusal(fake):
    with pytest.raises(RigError) as raised:
        with_board(fake, lambda board: asyncio.sleep(0))
    return raised.value


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(client_module, "HELLO_GIVE_UP_S", 0.7)
    monkeypatch.setattr(client_module, "ANSWER_S", 0.15)


def test_connect_learns_who_it_is_and_what_it_can():
    async def talk(board):
        return board.welcome, board.description

    welcome, description = with_board(FakeBoard(), talk)
    assert (welcome.board, welcome.uid, welcome.simulated) == ("fake", "F-1", True)
    assert description["temp_max_mc"] == 120000
    assert description["monitor_dark_u16"] == 200


def test_a_silent_port_is_no_rig():
    error = refusal(FakeBoard(deaf=True))
    assert error.code == codes.PORT_NOT_A_RIG


def test_another_protocol_is_named_with_both_versions():
    error = refusal(FakeBoard(major=2))
    theirs, ours = f"2.{m.PROTOCOL_MINOR}", f"1.{m.PROTOCOL_MINOR}"
    assert (error.code, error.value, error.limit) == (codes.PROTOCOL_MISMATCH, theirs, ours)


def test_another_message_table_is_refused():
    assert refusal(FakeBoard(table_hash=1)).code == codes.TABLE_MISMATCH


def test_noise_before_the_welcome_does_no_harm():
    with_board(FakeBoard(noise=b"MicroPython v1.25\r\n>>> \x00\x01\x02"), lambda board: asyncio.sleep(0))


def test_a_lost_reply_is_asked_for_again_and_nothing_is_done_twice():
    fake = FakeBoard(swallow={m.LAMP})

    async def talk(board):
        return await board.command(m.LAMP, 10000)

    accepted = with_board(fake, talk)
    assert (accepted.requested, accepted.accepted) == ((10000,), (10000,))
    assert fake.executed[m.LAMP] == 1
    sent = [asked[1] for asked in fake.asked if asked[0] == m.COMMAND and asked[2] == m.LAMP]
    assert len(sent) == 2 and len(set(sent)) == 1


def test_ids_rise_from_a_random_start():
    fake = FakeBoard()

    async def talk(board):
        for _ in range(3):
            await board.status()

    with_board(fake, talk)
    numbers = [asked[1] for asked in fake.asked if asked[0] == m.COMMAND]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert numbers[0] > 1000


def test_a_refusal_carries_code_value_and_limit():
    async def talk(board):
        await board.command(m.HEATER, 150000, 0)

    with pytest.raises(RigError) as raised:
        with_board(FakeBoard(refuse={m.HEATER: [codes.SETPOINT_LIMIT, 150000, 120000]}), talk)
    assert (raised.value.code, raised.value.value, raised.value.limit) == (codes.SETPOINT_LIMIT, 150000, 120000)


def test_executed_tells_when_and_what_was_measured():
    async def talk(board):
        return await board.executed(await board.command(m.HEATER, 25000, 0))

    executed = with_board(FakeBoard([telemetry(1)]), talk)
    assert executed.measured == (25100,)
    assert executed.begun_s == 3.25


def test_a_board_that_stops_answering_is_told_in_time():
    async def talk(board):
        fake.deaf = True
        await board.status()

    fake = FakeBoard()
    with pytest.raises(RigError) as raised:
        with_board(fake, talk)
    assert raised.value.code == codes.NO_ANSWER


def test_a_board_that_goes_ends_every_wait():
    async def talk(board):
        wait = asyncio.create_task(board.executed(await board.command(m.FLOW, 0, 1000)))
        await asyncio.sleep(0)
        await asyncio.to_thread(fake.pull_the_plug)
        await wait

    fake = FakeBoard()
    with pytest.raises(RigError) as raised:
        with_board(fake, talk)
    assert raised.value.code == codes.BOARD_LOST


@pytest.mark.parametrize("size", [1, 180, 181, 4096])
def test_upload_sends_every_byte_in_pieces_that_fit_a_frame(size):
    data = bytes(i % 251 for i in range(size))
    fake = FakeBoard()

    async def talk(board):
        await board.upload(data)

    with_board(fake, talk)
    pieces = {asked[3]: asked[4] for asked in fake.asked if asked[0] == m.COMMAND and asked[2] == m.PROGRAM_DATA}
    assert b"".join(pieces[offset] for offset in sorted(pieces)) == data
    assert fake.executed[m.PROGRAM_COMMIT] == 1


def test_ready_refuses_a_rig_that_runs():
    async def talk(board):
        await board.ready()

    with pytest.raises(RigError) as raised:
        with_board(FakeBoard(state=m.RUNNING), talk)
    assert raised.value.code == codes.WRONG_STATE


def test_every_record_is_heard_once_and_in_order():
    fake = FakeBoard([telemetry(i) for i in range(1, 301)], damage={50, 51, 200})
    heard = []

    async def talk(board):
        board.listen(lambda seq, fields: heard.append(seq))
        await asyncio.to_thread(wait_until, lambda: board.link.expected_seq == 301)
        await board.status()

    with_board(fake, talk)
    assert heard == sorted(set(heard))
    assert heard[-1] == 300
