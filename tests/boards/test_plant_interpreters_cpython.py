"""CPython and both MicroPythons live through the same 90 minutes, bit for bit."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from plant_trace import trace  # noqa: E402

SOURCE = """
import sys
sys.path.append(sys.argv[1])
from plant_trace import trace
for row in trace(11):
    print("%d %d %d" % row)
"""


@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_traces_are_bit_identical(micropython, arch):
    expected = ["%d %d %d" % row for row in trace(11)]
    told = micropython.run(SOURCE, str(Path(__file__).parent), arch=arch).decode().split("\n")
    assert told[:-1] == expected
