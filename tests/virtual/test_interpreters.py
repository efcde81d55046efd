"""The same firmware on every interpreter of the virtual board, and a chip's heap for 48 hours."""

import asyncio
import sys

import pytest

from remnant import open_rig
from remnant.plan import compile_plan, load
from remnant.run import execute
from remnant.virtual.interpreter import Interpreter, find

HEAP_BYTES = 230 * 1024  # of a chip 190 kB; the plant, which no chip holds, takes 40


def run(plan, folder, **scenario):
    async def main():
        async with open_rig("virtual", cells=["templated", "control", None, None], **scenario) as rig:
            loaded = load(plan, {}, rig.board.description)
            compiled = compile_plan(loaded, rig.board.description)
            result = await execute(compiled, rig, folder, title=loaded.title, plan_text=loaded.text, plan_name="run")
            return result, (await rig.board.status()).heap_free_bytes

    return asyncio.run(main())


def test_48_hours_fit_the_heap_of_a_chip_on_32_bits(tmp_path):
    result, free = run("uv-365", tmp_path / "run", interpreter=find("i386"), heap="230k")
    assert result.status == "completed" and result.manifest["gaps"] == []
    assert "i386" in result.manifest["simulation"]["interpreter"]
    assert 0 < free < HEAP_BYTES
    assert result.manifest["records"]["pulses"] == 2 * 16 * 97 + 2 * 2 * 32  # two cells; 97 hot probes, baseline and final


@pytest.mark.parametrize("interpreter", [Interpreter((sys.executable,), "CPython", "cpython", ""), find("amd64")], ids=["cpython", "amd64"])
def test_the_same_firmware_runs_here(heat, tmp_path, interpreter):
    result, _ = run(heat, tmp_path / "run", interpreter=interpreter)
    assert result.status == "completed" and result.manifest["gaps"] == []


def test_interpreters_agree_to_the_byte(heat, tmp_path):
    """The whole firmware counts in integers, so what is measured does not depend on who interprets it."""
    tables = []
    for name, arch in (("a", "amd64"), ("b", "i386")):
        run(heat, tmp_path / name, interpreter=find(arch))
        tables.append((tmp_path / name / "telemetry.csv").read_bytes())
    assert tables[0] == tables[1]
