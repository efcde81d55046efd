"""The end of a run: tables, manifest, hashes, and that the same records give the same bytes."""

import csv
import hashlib
import json
import struct

import msgpack
import pyarrow.parquet
import pytest
from fake_board import telemetry

from remnant.link import Batch
from remnant.record import Journal, finish, recover
from remnant_protocol import errors as codes
from remnant_protocol import messages as m
from remnant_protocol.errors import RigError

RUN = b"R" * 16
MANIFEST = {
    "run_id": RUN.hex(),
    "cells": {"A": {"index": 0, "sample": "templated", "model": None}, "B": {"index": 1, "sample": "control", "model": None}},
    "probes": [{"id": 0, "name": "baseline", "reference_c": 25.0, "hot": False}],
    "steps": [{"index": 0, "name": "probe", "text": "probe", "planned_s": 1.0, "times": 1}],
}


def counts(*values):
    return struct.pack(f"<{len(values)}H", *values)


def a_run(folder, *, ended=True, fault=False):
    """Journal of a small run whose RUN_STARTED stands at board time 10 s."""
    bodies = [
        telemetry(1, t_s=9),
        [m.EVENT, 2, 10, 0, m.RUN_STARTED, RUN],
        [m.EVENT, 3, 10, 100000, m.STEP_BEGAN, 0, 1],
        telemetry(4, 25125, t_s=11),
        [m.PROBE_READING, 5, 12, 500000, 0, 1, 25125, 640, counts(600, 601), counts(30000, 30010), counts(10200, 10210)],
        [m.EVENT, 6, 13, 0, m.STEP_ENDED, 0, 1],
        [m.TELEMETRY, 7, 14, 0, m.RUNNING, 0, -300000, 25000, 65535, 0, 10000, 1728000, 10],
    ]
    if fault:
        bodies.append([m.FAULT, 8, 15, 0, codes.SENSOR_OPEN, 65530, 65000, 25000, 0, 20])
    if ended:
        by = (m.BY_FAULT, codes.SENSOR_OPEN) if fault else (m.BY_COMPLETION, 0)
        bodies.append([m.EVENT, 8 + fault, 16, 0, m.RUN_ENDED, *by])
    folder.mkdir(exist_ok=True)
    journal = Journal(folder, run_id=RUN)
    journal.note("manifest", MANIFEST)
    journal.write(Batch(records=[(body[1], msgpack.packb(body), body) for body in bodies], boot_id=5))
    journal.close()
    return folder


def table(folder, name):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def finished(folder):
    return finish(folder, json.loads(json.dumps(MANIFEST)))


def test_telemetry_has_its_units_and_counts_from_the_start_of_the_run(tmp_path):
    manifest = finished(a_run(tmp_path / "run"))
    first, last = table(tmp_path / "run", "telemetry.csv")
    assert (first["t_s"], first["board_time_us"], first["setpoint_degC"], first["temp_degC"]) == ("1.0", "11000000", "25.0", "25.125")
    assert (last["setpoint_degC"], last["heater_duty_pct"]) == ("", "100.0")
    assert (last["irradiance_mW_per_cm2"], last["exposure_J_per_cm2"]) == ("10.0", "1728.0")
    assert list(first) == list(manifest["units"])


def test_parquet_says_the_same_as_csv_and_carries_the_units(tmp_path):
    finished(a_run(tmp_path / "run"))
    read = pyarrow.parquet.read_table(tmp_path / "run/telemetry.parquet")
    assert read.column("setpoint_degC").to_pylist() == [25.0, None]
    assert [str(t) for t in read.column("t_s").to_pylist()] == [row["t_s"] for row in table(tmp_path / "run", "telemetry.csv")]
    assert read.schema.field("temp_degC").metadata == {b"unit": b"degC"}
    assert json.loads(read.schema.metadata[b"units"])["exposure_J_per_cm2"] == "J/cm2"


def test_probes_have_one_row_a_pulse(tmp_path):
    finished(a_run(tmp_path / "run"))
    first, second = table(tmp_path / "run", "probes.csv")
    assert [first[key] for key in ("t_s", "probe", "name", "cell", "sample", "pulse")] == ["2.5", "0", "baseline", "B", "control", "0"]
    assert [second[key] for key in ("dark_counts", "lit_counts", "monitor_counts")] == ["601", "30010", "10210"]
    assert first["probe_exposure_J_per_cm2"] == "0.00064"


def test_events_name_what_they_carry(tmp_path):
    finished(a_run(tmp_path / "run", fault=True))
    rows = table(tmp_path / "run", "events.csv")
    assert [row["kind"] for row in rows] == ["run_started", "step_began", "step_ended", "fault", "run_ended"]
    fault = rows[3]
    assert (fault["code"], json.loads(fault["detail"])["limit"]) == (str(codes.SENSOR_OPEN), 65000)


@pytest.mark.parametrize(
    "kind, status", [({}, "completed"), ({"fault": True}, "fault"), ({"ended": False}, "board lost")], ids=["completed", "fault", "lost"]
)
def test_status_is_what_the_board_s_own_record_says(tmp_path, kind, status):
    assert finished(a_run(tmp_path / "run", **kind))["status"] == status


def test_manifest_knows_steps_counts_and_the_hash_of_every_file(tmp_path):
    manifest = finished(a_run(tmp_path / "run"))
    assert manifest["steps"][0]["began_s"] == 0.1
    assert manifest["steps"][0]["ended_s"] == 3.0
    assert manifest["records"] == {"count": 7, "telemetry": 2, "events": 4, "pulses": 2}
    assert set(manifest["files"]) == {"run.sqlite", "telemetry.csv", "telemetry.parquet", "events.csv", "probes.csv"}
    for name, sha256 in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "run" / name).read_bytes()).hexdigest() == sha256
    assert json.loads((tmp_path / "run/manifest.json").read_text()) == manifest


def test_the_same_records_give_the_same_bytes(tmp_path):
    first, second = finished(a_run(tmp_path / "one")), finished(a_run(tmp_path / "two"))
    for name in ("telemetry.csv", "telemetry.parquet", "events.csv", "probes.csv"):
        assert first["files"][name] == second["files"][name]


def test_a_run_that_never_started_has_empty_tables(tmp_path):
    journal = Journal(tmp_path)
    journal.write(Batch(records=[(1, msgpack.packb(telemetry(1)), telemetry(1))]))
    journal.close()
    manifest = finished(tmp_path)
    assert (manifest["status"], manifest["records"]["count"]) == ("board lost", 0)
    assert table(tmp_path, "telemetry.csv") == []


def test_recover_finishes_what_a_killed_host_left(tmp_path):
    folder = a_run(tmp_path / "run", ended=False)
    manifest = recover(folder)
    assert (manifest["status"], manifest["recovered"], manifest["records"]["telemetry"]) == ("board lost", True, 2)
    assert (folder / "telemetry.csv").is_file()
    assert recover(folder) is None


def test_recover_of_a_broken_journal_is_one_clear_error(tmp_path):
    (tmp_path / "run.sqlite").write_bytes(b"not a database, not a database, not a database")
    with pytest.raises(RigError) as raised:
        recover(tmp_path)
    assert raised.value.code == codes.STORE_CORRUPT
