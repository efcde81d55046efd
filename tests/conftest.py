"""Collects each portable test file (protocol, firmware, plant) three times: CPython, 64-bit and 32-bit MicroPython.

A portable file uses plain functions and asserts only. It runs in a process of its own per interpreter (tests/portable_runner.py), all its
tests in one go; every test is its own item, for example tests/firmware/test_heater.py::micropython-i386::test_off_is_low_at_once.
"""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PORTABLE = ("tests/protocol", "tests/firmware", "tests/boards")
INTERPRETERS = ("cpython", "micropython-amd64", "micropython-i386")
BOARD_PATHS = ("boards/virtual", "firmware", "protocol", "boards", "tests/firmware")
SHIM = "boards/virtual/cpython"
HEAP = {"micropython-amd64": "4M", "micropython-i386": "2M"}
WORD_MAX = {"amd64": 2**63 - 1, "i386": 2**31 - 1}
SECONDS = 300

for folder in reversed(BOARD_PATHS[1:] + ("host", SHIM)):
    sys.path.insert(0, str(ROOT / folder))


def is_portable(path):
    """A file that every interpreter can run: in a portable folder and not one of the properties that hypothesis drives."""
    relative = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    return relative.startswith(PORTABLE) and path.name.startswith("test_") and not path.stem.endswith(("_properties", "_cpython"))


def interpreter_command(interpreter):
    """Command and environment that start `interpreter` with the board's import path."""
    environment = dict(os.environ)
    paths = [str(ROOT / folder) for folder in BOARD_PATHS]
    if interpreter == "cpython":
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / SHIM), *paths])
        environment["PYTHONHASHSEED"] = "0"
        return [sys.executable, "-W", "error"], environment
    arch = interpreter.partition("-")[2]
    named = os.environ.get("REMNANT_MICROPYTHON_" + arch.upper())
    if named:
        path = [named]
    else:
        from remnant.virtual import interpreter as finder

        path = list(finder.find(arch).argv)
    must_be_micropython(tuple(path), arch)
    environment["MICROPYPATH"] = ":".join([".frozen", *paths])
    return [*path, "-X", "heapsize=" + HEAP[interpreter]], environment


@functools.cache
def must_be_micropython(path, arch):
    """Raise PortableFailure unless `path` starts a MicroPython with the word of `arch`: nothing passes on another interpreter."""
    source = "import sys; print(sys.implementation.name, sys.maxsize)"
    done = subprocess.run([*path, "-c", source], capture_output=True, text=True, timeout=SECONDS)
    wanted = f"micropython {WORD_MAX[arch]}"
    told = done.stdout.strip() or done.stderr[-500:]
    if told != wanted:
        raise PortableFailure(f"{' '.join(path)} is not the MicroPython for {arch}: it says {told!r}, wanted {wanted!r}")


def pytest_pycollect_makemodule(module_path, parent):
    if is_portable(module_path):
        return PortableFile.from_parent(parent, path=module_path)
    return None


class PortableFile(pytest.File):
    def collect(self):
        for interpreter in INTERPRETERS:
            yield OnInterpreter.from_parent(self, name=interpreter)


class OnInterpreter(pytest.Collector):
    """All tests of one file on one interpreter; the process runs when the first of them is asked for."""

    _outcomes = None

    def collect(self):
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line.startswith("def test_"):
                yield PortableTest.from_parent(self, name=line[4 : line.index("(")])

    def outcome(self, test):
        if self._outcomes is None:
            self._outcomes = self._run()
        return self._outcomes.get(test, self._outcomes.get("", "the test did not run"))

    def _run(self):
        command, environment = interpreter_command(self.name)
        done = subprocess.run(
            [*command, str(ROOT / "tests/portable_runner.py"), str(self.path)],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        outcomes, test = {}, None
        for line in done.stdout.splitlines():
            if line.startswith(("PASS ", "FAIL ")):
                test = line[5:]
                outcomes[test] = "" if line.startswith("PASS") else "failed\n"
            elif test and outcomes[test]:
                outcomes[test] += line + "\n"
        if not done.stdout.rstrip().endswith("DONE"):
            outcomes[""] = f"the interpreter ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return outcomes


class PortableTest(pytest.Item):
    def runtest(self):
        told = self.parent.outcome(self.name)
        if told:
            raise PortableFailure(told)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, PortableFailure):
            return f"{self.parent.name}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, f"{self.parent.name}::{self.name}"


class PortableFailure(Exception):
    """A test failed in its interpreter, or the interpreter is not the one meant; the text says what was printed."""


class MicroPython:
    """Runs source on a MicroPython of the board's import path."""

    def run(self, source, *arguments, arch="i386", stdin=b"", heap=None):
        """Return what it wrote to stdout as bytes; raise AssertionError with its stderr when it fails."""
        command, environment = interpreter_command("micropython-" + arch)
        if heap:
            command[-1] = "heapsize=" + heap
        done = subprocess.run([*command, "-c", source, *arguments], env=environment, input=stdin, capture_output=True, timeout=SECONDS)
        assert done.returncode == 0, (done.stdout[-2000:] + done.stderr[-4000:]).decode(errors="replace")
        return done.stdout


@pytest.fixture
def micropython():
    """A MicroPython to run source on: micropython.run(source, arch="i386")."""
    return MicroPython()
