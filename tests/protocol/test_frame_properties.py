"""Any bytes in any chunks into the parser: hypothesis makes the cases, CPython and both MicroPythons carry them out."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remnant_protocol import frame

BODIES = st.binary(min_size=1, max_size=frame.BODY_MAX)
GARBAGE = st.one_of(st.binary(max_size=600), st.lists(st.sampled_from([0, 1, 2, 3, 255]), max_size=600).map(bytes))
# garbage, then a good frame, cut into chunks of these sizes
CASES = st.tuples(st.lists(st.tuples(GARBAGE, BODIES), min_size=1, max_size=4), st.lists(st.integers(1, 300), min_size=1, max_size=12))

# reads JSON lines of hex chunks; answers each with its bodies in hex; at the end the heap taken after each of three floods
ON_MICROPYTHON = """
import gc, json, sys
from binascii import hexlify, unhexlify
from remnant_protocol import frame
got = []
parser = frame.Parser(got.append)
first = None
for line in sys.stdin:
    got.clear()
    for chunk in json.loads(line):
        parser.feed(unhexlify(chunk))
    print(json.dumps([hexlify(body).decode() for body in got]))
    got.clear()
line = None
taken = []
for _ in range(3):  # the first flood leaves the interpreter's own bookkeeping behind
    for i in range(300):
        parser.feed(bytes([i & 255, 5, 255 - (i & 255)]) * 90)
    parser.feed(b"\\0\\0")
    gc.collect()
    taken.append(gc.mem_alloc())
print(json.dumps(taken))
"""


def chunks_of(case):
    """The byte stream of a case, cut up."""
    pairs, sizes = case
    stream = b"".join(garbage + frame.encode(body) for garbage, body in pairs)
    chunks, at, i = [], 0, 0
    while at < len(stream):
        size = sizes[i % len(sizes)]
        chunks.append(stream[at : at + size])
        at += size
        i += 1
    return chunks


def held_to_be_there(case, bodies):
    """Every good body arrives, in order; what garbage adds is between them."""
    wanted = [body for _, body in case[0]]
    rest = iter(bodies)
    assert all(any(body == got for got in rest) for body in wanted), (wanted, bodies)


@settings(max_examples=400, deadline=None)
@given(CASES)
def test_every_good_frame_is_found_in_any_garbage_and_chunking(case):
    bodies = []
    parser = frame.Parser(bodies.append)
    for chunk in chunks_of(case):
        parser.feed(chunk)
        assert len(parser._held) <= frame.BODY_MAX + 5
    held_to_be_there(case, bodies)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=20))
def test_any_bytes_raise_nothing(chunks):
    parser = frame.Parser(lambda body: None)
    for chunk in chunks:
        parser.feed(chunk)
    parser.feed(frame.encode(b"next"))
    assert parser.good >= 1


@pytest.mark.parametrize("arch", ["amd64", "i386"])
def test_on_micropython_every_good_frame_is_found_and_no_memory_grows(arch, micropython):
    cases = []

    @settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(CASES)
    def collect(case):
        cases.append(case)

    collect()
    lines = "".join(json.dumps([chunk.hex() for chunk in chunks_of(case)]) + "\n" for case in cases)
    answers = [json.loads(line) for line in micropython.run(ON_MICROPYTHON, arch=arch, stdin=lines.encode()).splitlines()]
    taken = answers.pop()
    assert len(answers) == len(cases)
    for case, bodies in zip(cases, answers, strict=True):
        held_to_be_there(case, [bytes.fromhex(body) for body in bodies])
    assert taken[2] - taken[1] <= 32, taken  # 81 kB were fed in between; 32 bytes are one cell of the 64-bit heap
