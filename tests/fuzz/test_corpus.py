"""Every input of the corpus again: nothing raises, and the three interpreters say the same of each."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import targets  # noqa: E402

# findings that are not yet put right: what to change where
OPEN: dict[str, str] = {}  # findings that are not mended yet, with the reason
REPLAY = (HERE / "replay.py").read_text(encoding="utf-8")
FILES_MAX, SIZE_MAX = 150, 299
SECONDS = 300
HEAP = "16M"


@functools.cache
def on_cpython(name, folder):
    """What a target says of each file of a folder, in a process of its own: a line a file."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(targets.folders()))
    command = [sys.executable, "-W", "error", "-c", REPLAY, name, str(folder), str(HERE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", targets.TARGETS)
def test_nothing_in_the_corpus_raises(name):
    told = on_cpython(name, targets.CORPUS / name)
    assert len(told) == len(list((targets.CORPUS / name).iterdir())) >= 20
    assert not [line for line in told if " RAISED " in line]


@pytest.mark.parametrize("arch", ["amd64", "i386"])
@pytest.mark.parametrize("name", targets.PORTABLE)
def test_micropython_says_the_same(name, arch, micropython):
    told = micropython.run(REPLAY, name, str(targets.CORPUS / name), str(HERE), arch=arch, heap=HEAP).decode().splitlines()
    assert told == on_cpython(name, targets.CORPUS / name)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_corpus_is_small_and_its_names_are_safe(name):
    files = list((targets.CORPUS / name).iterdir())
    assert len(files) <= FILES_MAX
    for file in files:
        assert file.stat().st_size <= SIZE_MAX and file.name.isalnum() and file.name.isascii() and file.name == file.name.lower()


def findings():
    """Every input that once broke a promise; what is open is expected to break it still."""
    for path in sorted((HERE / "findings").glob("*/*")):
        marks = [pytest.mark.xfail(strict=True, reason=OPEN[path.name])] if path.name in OPEN else []
        yield pytest.param(path.parent.name, path.name, id=path.name, marks=marks)


@pytest.mark.parametrize("name, finding", list(findings()))
def test_a_finding_does_not_come_back(name, finding):
    (line,) = [line for line in on_cpython(name, HERE / "findings" / name) if line.split()[0] == finding]
    assert " RAISED " not in line


def test_what_is_open_is_there():
    assert set(OPEN) <= {path.name for path in (HERE / "findings").glob("*/*")}
