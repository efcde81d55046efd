"""Any tree into program.validate: a RigError or nothing, and the same verdict on CPython and both MicroPythons."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 2,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 600,
    "wait_max_ms": 4294967295,
}
BOUNDS = [-(2**31), -1, 0, 1, 2, 3, 4, 5, 8, 15, 16, 32, 33, 99, 100, 4999, 5000, 15000, 15001, 40000, 40001, 65535, 65536, 120000, 120001]
NUMBERS = st.one_of(st.sampled_from([*BOUNDS, 10**8, 10**8 + 1, 2**30, 2**31 - 1, 2**31, 2**32 - 1, 2**32]), st.integers(0, 200))
# now and then what no program holds
ODD = st.sampled_from([None, True, False, 1.0, "1", b"1", [], {}, 2**63])
ANY = st.one_of(NUMBERS, NUMBERS, NUMBERS, NUMBERS, ODD)
CONDITION = st.one_of(
    st.sampled_from(sorted(p._CONDITIONS)).flatmap(lambda kind: st.tuples(st.just(kind), *[ANY] * p._CONDITIONS[kind][1]).map(list)),
    st.lists(ANY, max_size=4),
)


def operations(inner):
    block = st.lists(inner, max_size=3)
    return st.one_of(
        st.tuples(st.just(p.WAIT), CONDITION, ANY, st.integers(0, 2)),
        st.tuples(st.just(p.REPEAT), ANY, block),
        st.tuples(st.just(p.EVERY), ANY, st.lists(CONDITION, max_size=2), block),
        st.tuples(st.just(p.STEP), ANY, block),
    ).map(list)


LEAVES = st.one_of(
    st.sampled_from([m.HEATER, m.LAMP, m.FLOW, m.DISPENSE, m.PROBE, p.MARK, p.TRIGGER]).flatmap(
        lambda op: st.tuples(st.just(op), *[ANY] * p._OPERATIONS[op][1]).map(list)
    ),
    st.just([p.MARK, 1]),
    st.lists(ANY, max_size=5),
)
OPERATION = st.recursive(LEAVES, operations, max_leaves=12)
HEAD = st.one_of(
    st.just([1, 1000, 1, [0, 0, 0], [0, 0]]),
    st.tuples(ANY, ANY, ANY, st.lists(ANY, max_size=4), st.lists(ANY, max_size=3)).map(list),
)
MADE_UP = st.tuples(HEAD, st.lists(OPERATION, max_size=4)).map(lambda parts: [*parts[0], parts[1]])
GOLDEN = json.loads((Path(__file__).parents[2] / "protocol/vectors/program.json").read_text(encoding="utf-8"))["vectors"][0]["tree"]


def places(tree, at=()):
    """The path of every item in nested lists."""
    for i, item in enumerate(tree):
        yield (*at, i)
        if isinstance(item, list):
            yield from places(item, (*at, i))


def changed(changes):
    """The golden program with the items at some places replaced."""
    tree = copy.deepcopy(GOLDEN)
    for place, value in changes:
        inner = tree
        for i in place[:-1]:
            inner = inner[i] if isinstance(inner, list) and i < len(inner) else None
        if isinstance(inner, list) and place[-1] < len(inner):
            inner[place[-1]] = value
    return tree


NEARLY_RIGHT = st.lists(st.tuples(st.sampled_from(list(places(GOLDEN))), ANY), max_size=2).map(changed)
PROGRAMS = st.one_of(NEARLY_RIGHT, NEARLY_RIGHT, MADE_UP, ANY, st.lists(ANY, max_size=7))

# reads JSON: limits, then programs as hex; answers each with [code, where, value, limit], or null where it is allowed
ON_MICROPYTHON = """
import json, sys
from binascii import unhexlify
from remnant_protocol import program
from remnant_protocol.errors import RigError
limits = json.loads(sys.stdin.readline())
for line in sys.stdin:
    try:
        program.validate(program.decode(unhexlify(line.strip())), limits)
        print("null")
    except RigError as error:
        print(json.dumps([error.code, error.where, error.value, error.limit]))
"""


def verdict(tree):
    try:
        p.validate(tree, LIMITS)
    except RigError as error:
        assert error.where, error.code
        return [error.code, error.where, error.value, error.limit]
    return None


@settings(max_examples=500, deadline=None)
@given(PROGRAMS)
def test_any_tree_is_allowed_or_refused_with_its_place(tree):
    if verdict(tree) is None:  # what is allowed crosses the line unchanged and fits
        data = p.encode(tree)
        assert len(data) <= LIMITS["program_max_bytes"]
        assert p.decode(data) == tree


@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_micropython_gives_the_same_verdict(arch, micropython):
    trees = []

    @settings(max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(PROGRAMS)
    def collect(tree):
        trees.append(tree)

    collect()
    verdicts = [verdict(tree) for tree in trees]
    assert (
        sum(told is None for told in verdicts) >= 5 and len({told[0] for told in verdicts if told}) >= 4
    )  # the cases do reach both outcomes
    lines = [json.dumps(LIMITS), *(p.encode(tree).hex() for tree in trees)]
    out = micropython.run(ON_MICROPYTHON, arch=arch, stdin=("\n".join(lines) + "\n").encode(), heap="2M")
    assert [json.loads(line) for line in out.splitlines()] == verdicts
