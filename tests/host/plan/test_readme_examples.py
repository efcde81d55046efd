"""Every plan shown in host/remnant/plan/README.md and README.md is one that `check` lets through."""

import re
from pathlib import Path

import pytest
from test_problems import LIMITS

from remnant.plan import compile_plan, load

ROOT = Path(__file__).resolve().parents[3]
FENCED = re.findall(r"```yaml\n(.*?)```", (ROOT / "host/remnant/plan/README.md").read_text(encoding="utf-8"), re.DOTALL)
INDENTED = re.search(r'^    (version: "1"\n(?:    .*\n)+)', (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("text", FENCED, ids=lambda text: re.search("title: (.*)", text)[1])
def test_the_language_page(text):
    assert compile_plan(load(text, {}, LIMITS), LIMITS).steps


def test_the_first_page():
    assert compile_plan(load(INDENTED[1].replace("\n    ", "\n"), {}, LIMITS), LIMITS).steps
