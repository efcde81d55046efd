"""Every input of the corpus again: nothing raises, and the three interpreters say the same of each."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import targets  # noqa: E402

REPLAY = (HERE / "replay.py").read_text(encoding="utf-8")
FILES_MAX, SIZE_MAX = 150, 299
SECONDS = 300
HEAP = "16M"


def on_cpython(name):
    """What a target says of its corpus, in a process of its own: a line a file."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(targets.folders()))
    command = [sys.executable, "-W", "error", "-c", REPLAY, name, str(targets.CORPUS / name), str(HERE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", targets.TARGETS)
def test_nothing_in_the_corpus_raises(name):
    told = on_cpython(name)
    assert len(told) == len(list((targets.CORPUS / name).iterdir())) >= 20
    assert not [line for line in told if " RAISED " in line]


@pytest.mark.parametrize("arch", ["amd64", "i386"])
@pytest.mark.parametrize("name", targets.PORTABLE)
def test_micropython_says_the_same(name, arch, micropython):
    told = micropython.run(REPLAY, name, str(targets.CORPUS / name), str(HERE), arch=arch, heap=HEAP).decode().splitlines()
    assert told == on_cpython(name)


@pytest.mark.parametrize("name", targets.TARGETS)
def test_corpus_is_small_and_its_names_are_safe(name):
    files = list((targets.CORPUS / name).iterdir())
    assert len(files) <= FILES_MAX
    for file in files:
        assert file.stat().st_size <= SIZE_MAX and file.name.isalnum() and file.name.isascii() and file.name == file.name.lower()
