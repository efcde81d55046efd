"""A line that goes and comes back: where the board is looked for, how often, and what becomes of what was under way."""

import asyncio

import pytest
from fake_board import FakeBoard, telemetry, wait_until

from remnant.board import Board, Line, client, return_
from remnant.link import find_again, ports
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(client, "HELLO_GIVE_UP_S", 0.5)
    monkeypatch.setattr(client, "ANSWER_S", 0.15)
    monkeypatch.setattr(return_, "BACK_OFF_MAX_S", 0.2)


def talk(fake, do):
    """Connect; the board is looked for behind `fake.link`; do(board, lines)."""

    async def main():
        board = await Board.connect(fake.port)
        lines = []
        board.reopen = lambda: find_again(str(fake.link))
        board.on_line = lambda line, error: lines.append((line, error and error.code))
        try:
            return await asyncio.wait_for(do(board, lines), 20)
        finally:
            await asyncio.to_thread(board.close)

    with fake:
        return asyncio.run(main())


async def until(condition):
    await asyncio.to_thread(wait_until, condition)


def test_the_port_is_tried_after_100_ms_and_then_ever_more_rarely(tmp_path, monkeypatch):
    pauses = []
    sleep = asyncio.sleep

    async def measured(seconds):
        pauses.append(seconds)
        await sleep(0)

    async def do(board, lines):
        monkeypatch.setattr(return_, "BACK_OFF_MAX_S", 5.0)
        monkeypatch.setattr(return_.asyncio, "sleep", measured)
        await asyncio.to_thread(fake.pull_the_plug)
        fake.link.unlink()
        await until(lambda: len(pauses) >= 9)
        monkeypatch.setattr(return_.asyncio, "sleep", sleep)
        await asyncio.to_thread(fake.plug_in)
        await until(lambda: board.connected)

    fake = FakeBoard(link=tmp_path / "rig")
    talk(fake, do)
    assert pauses[:9] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_the_same_boot_is_a_line_that_is_back_under_another_name(tmp_path):
    async def do(board, lines):
        before = board.path
        await asyncio.to_thread(fake.pull_the_plug)
        await until(lambda: lines)
        await asyncio.to_thread(fake.plug_in)
        await until(lambda: board.connected)
        assert (await board.status()).state == m.READY
        return before, board.path, lines, board.reconnects

    fake = FakeBoard(link=tmp_path / "rig")
    before, path, lines, reconnects = talk(fake, do)
    assert lines == [(Line.LOST, codes.BOARD_LOST), (Line.BACK, None)]
    assert (reconnects, path) == (1, str(tmp_path / "rig"))
    assert before != path


def test_a_reset_ends_what_was_under_way_and_nothing_of_it_is_sent_to_the_new_boot(tmp_path):
    async def do(board, lines):
        accepted = await board.command(m.FLOW, 0, 1000)
        executed = asyncio.create_task(board.executed(accepted))
        fake.swallow = {m.DISPENSE}
        command = asyncio.create_task(board.command(m.DISPENSE, 0, 10, 10, True))
        await until(lambda: fake.executed[m.DISPENSE])
        await asyncio.to_thread(fake.pull_the_plug)
        fake.reset()
        await asyncio.to_thread(fake.plug_in)
        for task in (executed, command):
            with pytest.raises(RigError) as raised:
                await task
            assert (raised.value.code, "was reset" in raised.value.text) == (codes.BOARD_LOST, True)
        return lines

    fake = FakeBoard(link=tmp_path / "rig")
    assert talk(fake, do)[-1] == (Line.RESET, None)
    assert fake.executed[m.DISPENSE] == 1


def test_listeners_hear_every_record_once_over_a_lost_line(tmp_path):
    heard = []

    async def do(board, lines):
        board.listen(lambda seq, fields: heard.append(seq))
        await until(lambda: board.link.expected_seq == 31)
        await asyncio.to_thread(fake.pull_the_plug)
        for _ in range(10):
            fake.add(m.EVENT, m.MARKED, 1)
        await asyncio.to_thread(fake.plug_in)
        await until(lambda: board.connected and board.link.expected_seq == 41)
        await board.status()

    fake = FakeBoard([telemetry(i) for i in range(1, 31)], link=tmp_path / "rig")
    talk(fake, do)
    assert heard == sorted(set(heard)) and heard[-1] == 40


def test_a_usb_board_is_found_by_its_serial_number_whatever_its_port_is_called(monkeypatch, tmp_path):
    old = tmp_path / "ttyACM0"
    old.touch()  # another board has got the old name
    monkeypatch.setattr(ports, "find_ports", lambda: [ports.Port(str(old), "OTHER", ""), ports.Port("/dev/ttyACM7", "E6614103E7", "")])
    assert find_again(str(old), "E6614103E7") == "/dev/ttyACM7"
    assert find_again(str(old)) == str(old)
    assert find_again(str(old), "GONE") == str(old)


def test_the_serial_number_behind_a_symbolic_link(monkeypatch, tmp_path):
    (tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM0")
    monkeypatch.setattr(ports, "find_ports", lambda: [ports.Port(str(tmp_path / "ttyACM0"), "E6614103E7", "")])
    assert ports.serial_number_of(str(tmp_path / "by-id")) == "E6614103E7"
    assert ports.serial_number_of(str(tmp_path)) is None


def test_a_board_that_is_closed_while_it_is_looked_for_leaves_nothing_behind(tmp_path):
    async def do(board, lines):
        await asyncio.to_thread(fake.pull_the_plug)
        await until(lambda: lines)

    fake = FakeBoard(link=tmp_path / "rig")
    talk(fake, do)
