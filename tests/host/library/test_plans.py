"""What the plans of the library compare with is what the reference table prints, and each plan is in SOURCES.md."""

import re
from pathlib import Path

import pytest

from remnant import library
from remnant.plan import load
from remnant.report.published import value_of

SOURCES = (Path(library.__file__).parent / "SOURCES.md").read_text()
PLANS = {name: load(name) for name in library.names()}
ENTRIES = [(name, entry) for name, plan in PLANS.items() for entry in plan.compare]


def rows_for(source):
    """The rows of the table that a `source` of a plan may mean."""
    key, _, rest = source.partition(" ")
    reference = re.search(r"ref (\d+)", rest)
    wanted = reference[1] if reference else re.sub(r"[^a-z0-9]", "", rest)
    return library.reference_rows(source=key, table_ref=wanted)


def printed_for(entry):
    """What the table prints for this time in the rows of this source: [(before or after, value as printed)]."""
    hours = entry.at / 3_600_000
    found = []
    for row in rows_for(entry.source):
        pairs = (("before", row.duration_before_h, row.remnant_before_pct), ("after", row.duration_after_h, row.remnant_after_pct))
        found += [(which, pct) for which, at, pct in pairs if at and abs(float(at) - hours) <= 0.01 * hours + 1e-9]
    return found


@pytest.mark.parametrize(("name", "entry"), ENTRIES, ids=[f"{name}-{entry.cell}-{entry.at}" for name, entry in ENTRIES])
def test_a_published_value_is_the_one_in_the_reference_table(name, entry):
    printed = [pct for _, pct in printed_for(entry) if pct]
    if entry.value is None:
        return
    as_printed = entry.published.removesuffix("%").strip()
    assert as_printed in printed, (entry.published, printed)
    assert entry.value == pytest.approx(value_of(as_printed))
    assert entry.scatter


def test_numbers_of_the_table_for_these_stresses_are_all_in_a_plan():
    """Every row with a number and a time is compared with by some plan."""
    compared = {
        (row.source, row.table_ref, which, pct)
        for _, entry in ENTRIES
        if entry.value is not None
        for row in rows_for(entry.source)
        for which, pct in printed_for(entry)
        if pct == entry.published.removesuffix("%").strip()
    }
    missed = []
    for row in library.reference_rows():
        for which, at, pct in (
            ("before", row.duration_before_h, row.remnant_before_pct),
            ("after", row.duration_after_h, row.remnant_after_pct),
        ):
            if at and pct and (row.source, row.table_ref, which, pct) not in compared:
                missed.append((row.source, row.table_ref, row.stressor, which, at, pct))
    assert missed == []


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_says_where_it_comes_from_and_what_is_ours(name):
    plan = PLANS[name]
    assert plan.source and plan.source.split(" ")[0] in library.CITATIONS
    comments = " ".join(line for line in plan.text.splitlines() if line.startswith("#"))
    assert "ours" in comments.lower()
    for key, entry in plan.inputs.items():
        assert entry.max is not None or key in ("humidity", "antisolvent"), f"{key} has no limit"  # these are words


def test_each_plan_is_in_sources():
    told = SOURCES.split("## Plans")[1].split("## Data")[0]
    named = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+|\bwater\b|\bethanol\b|\bacetone\b|\bhalide\b|\bcolloidal\b", told))
    for line in told.splitlines():  # "light-3h, -5h" and "isos-d-1, -d-2" name the rest by their endings
        cells = line.split("|")
        if len(cells) > 2 and ", -" in cells[1]:
            first = cells[1].split(",")[0].strip()
            stem = first.split("-")[0]
            named |= {stem + ending.strip() for ending in cells[1].split(",")[1:]}
    assert set(PLANS) <= named, set(PLANS) - named
    for key in library.CITATIONS:
        assert f"**{key}**" in SOURCES
