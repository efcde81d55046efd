"""Benches for the tests of the real MicroPython image: everything runs on an emulated RP2040 in emulated time."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/emulator"), str(ROOT / "tests/emulated")]

from bench_rig import Rig, bare_rig  # noqa: E402


@pytest.fixture
def bare():
    """The firmware's parts in the flash and the prompt on the line: `hal` is made, nothing runs."""
    with bare_rig() as rig:
        yield rig


@pytest.fixture
def firmware():
    """The whole firmware running, and a host in lockstep that has found it ready."""
    from bench_host import Host

    with Rig() as rig:
        host = Host(rig)
        host.ready()
        yield host
