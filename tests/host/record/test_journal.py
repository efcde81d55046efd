"""run.sqlite: committed before acknowledged, each record once, history beside what came live, a disk that fails for a while."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import msgpack
import pytest
from fake_board import telemetry, wait_until

from remnant.link import Batch
from remnant.record import Journal, journal
from remnant.record.store import FILE_NAME, Store
from remnant_protocol import codec, packing
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

RUN = b"R" * 16


def packed(body):
    """The body as a board writes it."""
    if body[0] != m.TELEMETRY:
        return msgpack.packb(body)
    record = codec.TelemetryRecord()
    record.pack(*body[1:])
    return bytes(record.buffer)


BOOT = 7


def batch(*bodies, boot_id=BOOT, stream=1, pages=()):
    return Batch(records=[(body[1], msgpack.packb(body), body) for body in bodies], boot_id=boot_id, stream=stream, pages=list(pages))


def page(number, *bodies, boot_id=BOOT, first=None, last=None):
    packer = packing.Packer()
    for body in bodies:
        assert packer.add(packed(body), body[1])
    data = bytes(packer.buffer[: packer.finish()])
    return [m.HISTORY, number, boot_id, first or bodies[0][1], last or bodies[-1][1], data]


class Keeper:
    """What the board is told."""

    def __init__(self):
        self.committed_seqs, self.pages, self.back = [], [], []
        self._streams = itertools.count(100)

    def committed(self, boot_id, seq):
        self.committed_seqs.append((boot_id, seq))

    def page_kept(self, number):
        self.pages.append(number)

    def go_back(self, boot_id, seq):
        self.back.append((boot_id, seq))
        return next(self._streams)


def rows(folder, table="records"):
    connection = sqlite3.connect(folder / FILE_NAME)
    found = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    connection.close()
    return found


def test_acknowledges_after_the_commit_and_not_before(tmp_path):
    seen = []
    done = threading.Event()

    def committed(seq):
        seen.append((seq, len(rows(tmp_path))))  # another connection sees what is committed only
        done.set()

    journal = Journal(tmp_path, committed)
    journal.write(batch(*[telemetry(i) for i in range(1, 11)]))
    assert done.wait(5)
    journal.close()
    assert seen == [(10, 10)]


def test_the_same_record_twice_is_kept_once(tmp_path):
    journal = Journal(tmp_path)
    journal.write(batch(telemetry(1), telemetry(2)))
    journal.write(batch(telemetry(2), telemetry(3)))
    journal.close()
    assert [(row[0], row[1]) for row in rows(tmp_path)] == [(7, 1), (7, 2), (7, 3)]


def test_a_body_is_kept_byte_for_byte(tmp_path):
    journal = Journal(tmp_path)
    journal.write(batch(telemetry(4, t_s=90)))
    journal.close()
    ((_, seq, kind, t_us, body),) = rows(tmp_path)
    assert (seq, kind, t_us) == (4, m.TELEMETRY, 90_000_000)
    assert body == msgpack.packb(telemetry(4, t_s=90))


def test_a_second_record_of_one_number_is_kept_beside_the_first_when_it_differs(tmp_path):
    journal = Journal(tmp_path)
    journal.write(batch(telemetry(1), telemetry(2)))
    journal.write(batch(telemetry(2, temp_mc=99)))
    journal.write(batch(telemetry(2, temp_mc=99)))
    journal.close()
    assert rows(tmp_path)[1][4] == msgpack.packb(telemetry(2))
    assert rows(tmp_path, "conflicts") == [(BOOT, 2, msgpack.packb(telemetry(2, temp_mc=99)))]
    assert ("conflicts", "1") in rows(tmp_path, "meta")


def test_a_page_of_history_is_unpacked_and_acknowledged_once_on_disk(tmp_path):
    keeper = Keeper()
    journal = Journal(tmp_path, keeper=keeper)
    bodies = [telemetry(1), telemetry(2), [m.EVENT, 3, 3, 0, m.MARKED, 1]]
    journal.write(batch(pages=[page(12, *bodies, boot_id=6)]))
    journal.write(batch(pages=[page(12, *bodies, boot_id=6)]))
    journal.close()
    assert [(row[0], row[1], row[4]) for row in rows(tmp_path)] == [(6, body[1], packed(body)) for body in bodies]
    assert rows(tmp_path, "pages") == [(6, 1, 3, 12)]
    assert set(keeper.pages) == {12}
    assert keeper.committed_seqs == []
    assert rows(tmp_path, "conflicts") == []


def test_history_and_live_are_the_same_record(tmp_path):
    journal = Journal(tmp_path)
    journal.write(
        Batch(records=[(2, packed(telemetry(2)), telemetry(2))], boot_id=BOOT, stream=1, pages=[page(1, telemetry(1), telemetry(2))])
    )
    journal.close()
    assert len(rows(tmp_path)) == 2
    assert rows(tmp_path, "conflicts") == []


def test_a_page_that_cannot_be_read_is_kept_as_it_is_and_not_asked_for_for_ever(tmp_path, monkeypatch):
    def broken(_data):
        raise RigError(codes.STORE_CORRUPT)

    monkeypatch.setattr(journal.packing, "unpack", broken)
    keeper = Keeper()
    kept = Journal(tmp_path, keeper=keeper)
    kept.write(batch(pages=[[m.HISTORY, 5, BOOT, 10, 19, b"what is this"]]))
    kept.close()
    assert rows(tmp_path, "unread") == [(BOOT, 10, 19, 5, b"what is this")]
    assert rows(tmp_path, "pages") == []
    assert keeper.pages == [5]


def test_boots_are_told_in_the_order_in_which_they_were_seen(tmp_path):
    journal = Journal(tmp_path)
    journal.write(batch(telemetry(1), boot_id=50))
    journal.write(batch(telemetry(1), boot_id=9))
    journal.clock(9, 1_000_000, 1.7e9, 250)
    journal.close()
    assert [(boot, n) for boot, n, _ in rows(tmp_path, "boots")] == [(9, 2), (50, 1)]
    assert rows(tmp_path, "clock") == [(9, 1_000_000, 1.7e9, 250)]


@pytest.fixture
def disk(monkeypatch):
    """disk.full = True: commits fail from then on."""

    class Disk:
        full = False
        tried = 0

    keep = Store.keep

    def keep_or_not(self, work):
        Disk.tried += 1
        if Disk.full:
            raise sqlite3.OperationalError("database or disk is full")
        keep(self, work)

    monkeypatch.setattr(Store, "keep", keep_or_not)
    monkeypatch.setattr(journal, "RETRY_S", 0.05)
    return Disk


def test_what_a_full_disk_did_not_take_is_neither_acknowledged_nor_remembered_and_asked_for_again(tmp_path, disk):
    keeper, told, back = Keeper(), [], threading.Event()
    kept = Journal(tmp_path, keeper=keeper)
    kept.on_trouble = lambda error: (told.append(error and error.code), error or back.set())
    kept.write(batch(telemetry(1), telemetry(2)))
    kept.flush()
    disk.full = True
    kept.write(batch(telemetry(3), telemetry(4)))
    with pytest.raises(RigError):
        kept.flush()
    kept.note("while it was full", 1)
    kept.write(batch(telemetry(5)))
    wait_until(lambda: disk.tried > 5)
    assert keeper.committed_seqs == [(BOOT, 2)]
    disk.full = False
    assert back.wait(5)
    assert (told, keeper.back) == ([codes.JOURNAL_FAILED, None], [(BOOT, 3)])
    kept.write(batch(telemetry(6)))  # of the stream in which 3 to 5 were forgotten: an acknowledgement of it would lose them
    kept.flush()
    assert keeper.committed_seqs == [(BOOT, 2)]
    kept.write(batch(*[telemetry(i) for i in range(3, 7)], stream=100))
    kept.close()
    assert [row[1] for row in rows(tmp_path)] == [1, 2, 3, 4, 5, 6]
    assert keeper.committed_seqs[-1] == (BOOT, 6)
    assert ("while it was full", "1") in rows(tmp_path, "meta")
    assert "disk_failures" in dict(rows(tmp_path, "meta"))


def test_a_line_that_was_opened_anew_while_the_disk_was_full_is_a_stream_of_its_own(tmp_path, disk):
    keeper = Keeper()
    kept = Journal(tmp_path, keeper=keeper)
    disk.full = True
    kept.write(batch(telemetry(1)))
    wait_until(lambda: kept.failing)
    disk.full = False
    wait_until(lambda: not kept.failing)
    kept.write(batch(telemetry(1), telemetry(2), stream=101))  # newer than the one that was asked for
    kept.write(batch(telemetry(1), boot_id=8, stream=2))  # another boot, of which nothing was forgotten
    kept.close()
    assert [row[:2] for row in rows(tmp_path)] == [(BOOT, 1), (BOOT, 2), (8, 1)]


def test_a_page_that_a_full_disk_did_not_take_is_not_acknowledged(tmp_path, disk):
    keeper = Keeper()
    kept = Journal(tmp_path, keeper=keeper)
    disk.full = True
    kept.write(batch(pages=[page(3, telemetry(1), telemetry(2))]))
    wait_until(lambda: kept.failing)
    disk.full = False
    wait_until(lambda: not kept.failing)
    assert keeper.pages == []
    kept.write(batch(pages=[page(3, telemetry(1), telemetry(2))]))
    kept.close()
    assert keeper.pages == [3]


HOST = """
import sys
from pathlib import Path
import msgpack
from remnant.link import Batch
from remnant.record import Journal

journal = Journal(Path(sys.argv[1]), lambda seq: print(seq, flush=True))
seq = 0
while True:
    seq += 1
    body = [64, seq, seq, 0, 2, 0, 25000, 25000, 0, 0, 0, 0, 0]
    journal.write(Batch(records=[(seq, msgpack.packb(body), body)], boot_id=7, stream=1))
    if seq % 50 == 0:
        journal.flush()
"""


@pytest.mark.parametrize("after", [1, 7, 40])
def test_a_host_that_is_killed_has_on_disk_what_it_acknowledged(tmp_path, after):
    process = subprocess.Popen([sys.executable, "-c", HOST, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=os.environ)
    told = [int(process.stdout.readline()) for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
    process.wait()
    process.stdout.close()
    seqs = [row[1] for row in rows(tmp_path)]
    assert seqs == list(range(1, seqs[-1] + 1))
    assert seqs[-1] >= max(told)
    kept = Journal(tmp_path)  # and the next host goes on with it
    kept.write(batch(telemetry(seqs[-1] + 1)))
    kept.close()
    assert rows(tmp_path)[-1][1] == seqs[-1] + 1


def test_a_run_s_end_is_told_when_it_is_on_disk(tmp_path):
    ended = threading.Event()
    kept = Journal(tmp_path, run_id=RUN)
    kept.on_end = ended.set
    kept.write(batch([m.EVENT, 1, 1, 0, m.RUN_STARTED, RUN]))
    kept.write(batch(pages=[page(1, [m.EVENT, 2, 2, 0, m.RUN_ENDED, m.BY_COMPLETION, 0])]))
    assert ended.wait(5)
    kept.close()
    assert (kept.extent.began, kept.extent.ended) == ((BOOT, 1), (BOOT, 2))


def test_records_behind_the_end_of_the_run_are_left_to_the_board(tmp_path):
    committed = []
    journal = Journal(tmp_path, committed.append, run_id=RUN)
    start = [m.EVENT, 1, 1, 0, m.RUN_STARTED, RUN]
    end = [m.EVENT, 3, 3, 0, m.RUN_ENDED, m.BY_COMPLETION, 0]
    journal.write(batch(start, telemetry(2), end, telemetry(4)))
    journal.write(batch(telemetry(5)))
    journal.close()
    assert [row[1] for row in rows(tmp_path)] == [1, 2, 3]
    assert max(committed) == 3


def test_the_end_of_another_run_is_not_this_one_s(tmp_path):
    journal = Journal(tmp_path, run_id=RUN)
    other_end = [m.EVENT, 1, 1, 0, m.RUN_ENDED, m.BY_STOP, 0]
    journal.write(batch(other_end, telemetry(2)))
    journal.close()
    assert [row[1] for row in rows(tmp_path)] == [1, 2]


def test_one_file_is_left(tmp_path):
    journal = Journal(tmp_path)
    journal.write(batch(telemetry(1)))
    journal.close()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_folder_that_takes_nothing_is_told(tmp_path):
    with pytest.raises(RigError) as raised:
        Journal(tmp_path / "missing")
    assert raised.value.code == codes.JOURNAL_FAILED
