"""run.sqlite: committed before acknowledged, each record once, gaps kept."""

import sqlite3
import threading

import msgpack
import pytest
from fake_board import telemetry

from remnant.link import Batch
from remnant.record import Journal
from remnant.record.journal import FILE_NAME
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

RUN = b"R" * 16


def batch(*bodies, gaps=()):
    return Batch(records=[(body[1], msgpack.packb(body), body) for body in bodies], gaps=list(gaps))


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
    journal.boot_id = 7
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


def test_gaps_are_kept(tmp_path):
    journal = Journal(tmp_path)
    journal.write(batch(telemetry(9), gaps=[(3, 8)]))
    journal.close()
    assert rows(tmp_path, "gaps") == [(0, 3, 8)]


def test_records_behind_the_end_of_the_run_are_left_to_the_board(tmp_path):
    committed = []
    journal = Journal(tmp_path, committed.append)
    journal.run_id = RUN
    start = [m.EVENT, 1, 1, 0, m.RUN_STARTED, RUN]
    end = [m.EVENT, 3, 3, 0, m.RUN_ENDED, m.BY_COMPLETION, 0]
    journal.write(batch(start, telemetry(2), end, telemetry(4)))
    journal.write(batch(telemetry(5)))
    journal.close()
    assert [row[1] for row in rows(tmp_path)] == [1, 2, 3]
    assert max(committed) == 3


def test_the_end_of_another_run_is_not_this_one_s(tmp_path):
    journal = Journal(tmp_path)
    journal.run_id = RUN
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
