"""Any bytes are a plan or a PlanError, and never anything else."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from test_problems import LIMITS

from remnant import library
from remnant.errors import PlanError
from remnant.plan import compile_plan, load

PLANS = [Path(library.path(name)).read_bytes() for name in library.names()]
ALL = "soak at for 80 degC 5 h every { } [ ] : - , $x & * ! | > ' # null true 1e9 -1 .nan \u00e9 probe do steps"
WORDS = st.sampled_from([*ALL.split(), "\n", "\t", '"'])


def held(data):
    try:
        compile_plan(load(data, {}, LIMITS), LIMITS)
    except PlanError as error:
        assert error.problems
        assert all("\n" not in str(problem) for problem in error.problems)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data):
    held(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=60))
def test_words_of_the_language_in_any_order(words):
    held(("version: '1'\ntitle: x\nsteps:\n  " + " ".join(words)).encode())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLANS), st.data())
def test_a_library_plan_with_a_scratch(plan, data):
    at = data.draw(st.integers(0, len(plan) - 1))
    length = data.draw(st.integers(0, 12))
    held(plan[:at] + data.draw(st.binary(max_size=12)) + plan[at + length :])
