"""What was published, to stand beside a run: the plan's own comparisons and the rows of the reference table from the same source.

The reference table is the library's transcription of zhong2021 table 1 and liang2023 fig. 5; "before" is the control or bare sample,
"after" the encapsulated one. Every value is shown with its citation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..analyse import Analysis
from ..library import CITATIONS, ReferenceRow, reference_rows

_STRESSORS = {  # the table's words by the analysis's
    "heat": ("heat",),
    "light": ("light",),
    "heat and light": ("heat", "light"),
    "liquid": ("water", "water_ultrasonic", "solvent", "anion_exchange"),
    "time": ("storage", "humid_storage"),
}


@dataclass(frozen=True)
class PublishedPoint:
    """A published remnant PL. cell: the cell it belongs beside, "" when the plan names none. scatter_pct None: not stated."""

    t_h: float
    pct: float
    scatter_pct: float | None
    cell: str
    label: str
    source: str


def points_beside(analysis: Analysis) -> list[PublishedPoint]:
    """Return the points to draw: the plan's comparisons; for a plan without any, what the table has from its source under such a stress.

    A reference of zhong2021 table 1 has rows of several stresses: what was read in water is no point beside a run in light.
    """
    points = [
        PublishedPoint(c.at_h, c.published_pct, c.scatter_pct, c.cell, c.sample, c.source)
        for c in analysis.comparisons
        if c.at_h is not None and c.published_pct is not None
    ]
    if points:
        return points
    fitting = _STRESSORS.get(analysis.conditions.stress, ())
    for row in rows_of_source(analysis.source):
        if row.stressor not in fitting:
            continue
        pairs = ((row.duration_before_h, row.remnant_before_pct, "control"), (row.duration_after_h, row.remnant_after_pct, row.structure))
        for hours, percent, label in pairs:
            t_h, pct = value_of(hours), value_of(percent)
            if t_h is None or pct is None or any(abs(p.t_h - t_h) < 0.01 * t_h and abs(p.pct - pct) < 0.5 for p in points):
                continue
            points.append(PublishedPoint(t_h, pct, None, "", label, analysis.source))
    return points


def rows_of_source(source: str) -> list[ReferenceRow]:
    """Return the rows of "liang2023 fig. 5c" or "zhong2021 table 1 ref 27"; none when the table does not know it."""
    name, _, rest = source.partition(" ")
    if name not in CITATIONS:
        return []
    joined = re.sub(r"[^a-z0-9]", "", rest.lower())
    numbers = re.findall(r"\d+", rest)
    return [row for row in reference_rows(source=name) if row.table_ref == joined or (numbers and row.table_ref == numbers[-1])]


def rows_of_stress(stress: str) -> list[ReferenceRow]:
    """Return every row of the table with the same stressor."""
    return [row for word in _STRESSORS.get(stress, ()) for row in reference_rows(stressor=word)]


def citations(sources: list[str]) -> list[str]:
    """Return the full citation of each source once, in order of first mention; a source without one stands for itself."""
    found: dict[str, None] = {}
    for source in sources:
        if source:
            found.setdefault(CITATIONS.get(source.split(" ")[0], source))
    return list(found)


def value_of(text: str) -> float | None:
    """Return the number behind "70", "~70" or the middle of "52-64"; None for anything else."""
    numbers = re.fullmatch(r"\s*~?\s*(\d+(?:\.\d+)?)(?:\s*-\s*(\d+(?:\.\d+)?))?\s*%?\s*", text)
    if numbers is None:
        return None
    low = float(numbers[1])
    return (low + float(numbers[2])) / 2 if numbers[2] else low
