"""The command line against the virtual board: Ctrl-C, faults, JSON."""

import csv
import json
import signal
import subprocess

import pytest


def events(folder):
    with (folder / "events.csv").open(newline="") as file:
        return [(row["kind"], json.loads(row["detail"])) for row in csv.DictReader(file)]


def interrupted(command, arguments, times, number=signal.SIGINT):
    """Start the command, press Ctrl-C once it shows progress; return (exit code, output, run folder)."""
    argv, environment = command
    process = subprocess.Popen(
        [*argv, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    told = ""
    for line in process.stdout:
        told += line
        if "run time" in line:
            break
    for _ in range(times):
        process.send_signal(number)
    told += process.communicate(timeout=60)[0]
    assert "Traceback" not in told
    return process.returncode, told


@pytest.mark.parametrize("speed", ["60", "1"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_takes_outputs_off_and_leaves_a_complete_folder(command, heat, tmp_path, speed, number):
    code, told = interrupted(command, ["run", heat, "--speed", speed, "--out", tmp_path / "runs"], 1, number)
    assert code == 130, told
    (folder,) = (tmp_path / "runs").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "stopped"
    (off, off_detail), (ended, ended_detail) = events(folder)[-2:]
    assert (off, ended) == ("outputs_off", "run_ended")
    assert off_detail["by"] == ended_detail["by"] == 1  # BY_STOP
    assert {"telemetry.csv", "telemetry.parquet", "probes.csv", "run.sqlite", "plan.yaml", "report.html"} <= {
        p.name for p in folder.iterdir()
    }


def test_ctrl_c_twice_still_ends_in_order(command, heat, tmp_path):
    code, told = interrupted(command, ["run", heat, "--speed", "1", "--out", tmp_path / "runs"], 2)
    assert code == 130, told
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "manifest.json").read_text())["status"] == "stopped"


def test_a_run_from_the_command_line(remnant, heat, tmp_path):
    done = remnant("run", heat, "--out", tmp_path / "runs", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["ok"], document["status"], document["simulated"]) == (True, "completed", True)
    assert "SIMULATED" in done.stderr


def test_a_fault_is_exit_5_with_its_own_words(remnant, heat, tmp_path):
    (tmp_path / "faults.json").write_text(json.dumps({"faults": [[60, "sensor_open", True]]}))
    done = remnant("run", heat, "--out", tmp_path / "runs", "--scenario", tmp_path / "faults.json")
    assert done.returncode == 5
    assert "E301 heater: temperature sensor open" in done.stderr


def test_report_again_from_the_folder_alone(remnant, heat, tmp_path):
    remnant("run", heat, "--out", tmp_path / "runs")
    (folder,) = (tmp_path / "runs").iterdir()
    before = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert remnant("report", folder).returncode == 0
    assert (folder / "report.html").read_bytes() == before
