"""Ready plans and reference data. A plan is `<name>.yaml` here; where its numbers come from is written in it and in SOURCES.md."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent

CITATIONS = {
    "liang2023": (
        "Liang, Biesold, Zhuang, Kang, Wagner, Lin, Continuous manufacturing of highly stable lead halide perovskite nanocrystals via a "
        "dual-reactor strategy, Nanoscale Adv. 2023, 5, 2038-2044, doi 10.1039/d2na00744d"
    ),
    "khenkin2020": (
        "Khenkin et al., Consensus statement for stability assessment and reporting for perovskite photovoltaics based on ISOS procedures, "
        "Nature Energy 2020, 5, 35-49, doi 10.1038/s41560-019-0529-5"
    ),
    "ichq1b1996": (
        "International Conference on Harmonisation, ICH Harmonised Tripartite Guideline Q1B, Stability Testing: Photostability Testing of "
        "New Drug Substances and Products, 1996"
    ),
    "zhong2021": (
        "Zhong, Cao, Zhang, Encapsulation of lead halide perovskite nanocrystals (NCs) at the single-particle level: strategies and "
        "properties, Nanoscale 2021, 13, 19341-19351, doi 10.1039/d1nr05478c"
    ),
}


@dataclass(frozen=True)
class ReferenceRow:
    """One row of data/reference_stability.csv, as transcribed: text, because "~70", "52-64" and "" are what is printed.

    Durations in hours, remnant PL in percent of the start; `before` is the control or unencapsulated sample, `after` the encapsulated one.
    """

    source: str
    table_ref: str
    shell_class: str
    compound: str
    structure: str
    pl_peak_nm: str
    plqy_pct: str
    stressor: str
    condition: str
    duration_before_h: str
    remnant_before_pct: str
    duration_after_h: str
    remnant_after_pct: str
    note: str

    @property
    def citation(self) -> str:
        return CITATIONS[self.source]


@dataclass(frozen=True)
class Syringe:
    """One row of data/syringes.csv."""

    maker: str
    model: str
    volume_ml: float
    inner_diameter_mm: float


def names() -> list[str]:
    """Return the names of the plans of the library."""
    return sorted(file.stem for file in _HERE.glob("*.yaml"))


def path(name: str) -> Path:
    """Return the file of a plan of the library; raises KeyError when there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return _HERE / f"{name}.yaml"


def reference_rows(source: str | None = None, stressor: str | None = None, table_ref: str | None = None) -> list[ReferenceRow]:
    """Return the published rows, narrowed by source ("liang2023"), stressor ("heat", "light", "water" ...) and table_ref ("fig5c")."""
    wanted = {"source": source, "stressor": stressor, "table_ref": table_ref}
    return [row for row in _reference() if all(value is None or getattr(row, key) == value for key, value in wanted.items())]


@cache
def _reference() -> tuple[ReferenceRow, ...]:
    columns = [field.name for field in fields(ReferenceRow)]
    return tuple(ReferenceRow(**{column: row[column] for column in columns}) for row in _rows("reference_stability.csv"))


@cache
def syringes() -> tuple[Syringe, ...]:
    """Return the known syringes."""
    return tuple(
        Syringe(row["maker"], row["model"], float(row["volume_ml"]), float(row["inner_diameter_mm"])) for row in _rows("syringes.csv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
