"""A 48 h run whose board loses its power at 31 h: resumed by a person, finished, and everybody can see what happened."""

import contextlib
import json
import sqlite3
import subprocess
import time

import pytest

from remnant.virtual import VirtualBoard

CUT_H = 31
DARK_S = 600  # the block cools that long; the hosts see seconds, because virtual hours pass in them
CELLS = ["templated", "control"]


def started(command, arguments):
    argv, environment = command
    return subprocess.Popen([*argv, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def newest_h(out):
    """Board time of the newest record on disk, h."""
    for path in out.glob("*/run.sqlite"):
        with contextlib.suppress(sqlite3.OperationalError), sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
            row = connection.execute("SELECT max(t_us) FROM records").fetchone()
            return (row[0] or 0) / 3.6e9
    return 0.0


def test_a_run_cut_at_31_h_is_resumed_and_finished(command, remnant, tmp_path):
    state, link, out = tmp_path / "state", tmp_path / "rig", tmp_path / "runs"
    board = VirtualBoard(seed=1, cells=CELLS, state=str(state)).start()
    link.symlink_to(board.port)
    host = started(command, ["run", "uv-365", "--rig", link, "--out", out])
    while newest_h(out) < CUT_H:
        assert host.poll() is None, host.stdout.read()
        time.sleep(0.01)
    link.unlink()
    board.kill()
    board.close()
    host.terminate()
    told = host.communicate(timeout=60)[0]
    assert "attach" in told or "resume" in told, told

    (state / "retained").unlink()  # a power cut: RAM is gone, flash is not
    board = VirtualBoard(seed=1, cells=CELLS, state=str(state), dark_s=DARK_S).start()
    link.symlink_to(board.port)
    try:
        status = json.loads(remnant("status", "--rig", link, "--json").stdout)
        assert status["interrupted"] and status["state"].lower() in ("ready", "starting")
        refused = remnant("resume", "--rig", link, "--out", out)  # nobody answers the question
        assert refused.returncode != 0
        done = remnant("resume", "--rig", link, "--out", out, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        board.close()
    said = done.stdout.lower()
    assert all(word in said for word in ("interrupted", " ago", "temperature", "exposure", "resumable")), said

    (folder,) = out.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["status"] == "completed"
    (stop,) = manifest["interruptions"]
    assert CUT_H <= stop["t_s"] / 3600 < CUT_H + 6
    assert stop["to_temp_c"] <= stop["from_temp_c"] + 1

    analysis = json.loads((folder / "analysis.json").read_text())
    conditions = analysis["conditions"]
    assert len(analysis["interruptions"]) == 1
    assert conditions["exposure_j_per_cm2"] == pytest.approx(conditions["planned_irradiance_mw_per_cm2"] * 48 * 3.6, rel=3e-3)
    assert conditions["duration_h"] == pytest.approx(48, abs=0.1)
    assert [c["verdict"] for c in analysis["comparisons"] if c["published_pct"] is not None] == ["agrees"]
    page = (folder / "report.html").read_text()
    assert "Interruptions" in page and "Dashed: the run was interrupted" in page
