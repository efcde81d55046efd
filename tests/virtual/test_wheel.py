"""The wheel carries firmware, boards and protocol: what is unpacked from it simulates without the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_an_unpacked_wheel_foresees_and_runs_a_plan(heat, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("remnant-*.whl")
    package = tmp_path / "package"
    zipfile.ZipFile(wheel).extractall(package)
    source = f"import remnant; assert {str(package)!r} in remnant.__file__, remnant.__file__\nfrom remnant.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(package)}

    def remnant(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", source, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "duration" in remnant("dry-run", str(heat))
    remnant("run", str(heat), "--out", str(tmp_path / "runs"))
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "report.html").is_file()
