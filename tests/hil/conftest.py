"""One suite for every board: `pytest tests/hil --rig virtual | emulated | <port or USB serial number>` (README.md)."""

import asyncio
import inspect
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hil_bench import Bench  # noqa: E402

MARKERS = (
    "paced(factor): virtual time follows the wall at this factor instead of leaping (other boards have their own pace)",
    "needs(part, ...): the test drives these; left out by --absent",
    "faults: the test breaks a part of the simulated rig",
    "wire(name, why): a loopback wire; left out unless named with --wires",
)


def pytest_addoption(parser):
    group = parser.getgroup("rig", "conformance suite (tests/hil/README.md)")
    group.addoption("--rig", default="virtual", help="virtual, emulated, a port, or a USB serial number")
    group.addoption("--wires", default="", help="loopback wires that are plugged: OUT0-IN0,OUT0-STOP,OUT0-INTERLOCK")
    group.addoption("--absent", default="", help="parts that a bench has not: heater,lamp,optics,pumps")
    group.addoption("--hot", action="store_true", help="the heater may go to 80 degC instead of 40")


def pytest_configure(config):
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def _listed(config, name):
    return [word for word in config.getoption(name, default="").split(",") if word]


@pytest.fixture(scope="session")
def _runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def _bench(request, _runner):
    config = request.config
    bench = Bench(
        config.getoption("--rig", default="virtual"),
        _listed(config, "--wires"),
        _listed(config, "--absent"),
        config.getoption("--hot", default=False),
    )
    yield bench
    _runner.run(bench.close())


@pytest.fixture
def bench(request, _bench, _runner):
    """The bench with its rig READY and everything off."""
    for marker in request.node.iter_markers("needs"):
        for part in marker.args:
            if part in _bench.absent:
                pytest.skip(f"this bench has no {part} (--absent)")
    for marker in request.node.iter_markers("wire"):
        name, why = marker.args
        if name not in _bench.wires:
            pytest.skip(f"plug a wire from {' to '.join(name.split('-'))} ({why}), then add --wires {name}")
    paced = request.node.get_closest_marker("paced")
    _runner.run(_bench.open(paced.args[0] if paced else 0))
    if request.node.get_closest_marker("faults") and not _bench.can_fault:
        pytest.skip(f"{_bench.spec} is real hardware: nothing on it can be broken by a command")
    yield _bench
    _runner.run(_bench.settle() if _bench.alive else _bench.close())


@pytest.fixture
def rig(bench):
    return bench.rig


@pytest.fixture
def board(bench):
    return bench.board


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Tests are coroutines, all in one event loop: the one in which the rig is open."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    pyfuncitem.funcargs["_runner"].run(pyfuncitem.obj(**arguments))
    return True
