"""`remnant sim`: a virtual board for several commands, until Ctrl-C."""

import os
import signal
import subprocess
import sys

from fake_board import wait_until


def sim(*arguments):
    command = [sys.executable, "-c", "from remnant.cli import main; main()", "sim", *map(str, arguments)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def test_it_lives_until_ctrl_c_and_its_port_is_where_the_link_leads(tmp_path):
    from typer.testing import CliRunner

    from remnant.cli.app import app

    link = tmp_path / "rig"
    process = sim("--state", tmp_path / "state", "--port-link", link)
    try:
        wait_until(lambda: link.exists())
        assert "SIMULATED" in process.stdout.readline()
        for _ in range(2):
            result = CliRunner().invoke(app, ["status", "--rig", str(link)])
            assert (result.exit_code, "ready" in result.stdout) == (0, True), result.output
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert not link.is_symlink()
    assert (tmp_path / "state/flash").is_file()


def test_a_file_in_place_of_the_link_is_left_alone(tmp_path):
    (tmp_path / "rig").write_text("a letter")
    process = sim("--port-link", tmp_path / "rig")
    told = process.communicate(timeout=30)[0]
    assert process.returncode == 4
    assert "is no link to a port" in told
    assert (tmp_path / "rig").read_text() == "a letter"
