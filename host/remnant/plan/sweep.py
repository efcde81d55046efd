"""`sweep`: one plan, many points. Each point gives values to some inputs, and is a run of its own.

sweep: {antisolvent_flow: [1000 mL/h, 2000 mL/h]}                          one input, a run for each value
sweep: {table: [{antisolvent_flow: 1000 mL/h, precursor_flow: 60 mL/h}]}   several inputs, a run for each row
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .nearest import did_you_mean
from .source import Document, Path_

TABLE = "table"
POINTS_MAX = 200
_VALUE = {"type": ["string", "number", "boolean"]}
_VALUES = {"type": "array", "minItems": 1, "maxItems": POINTS_MAX, "items": _VALUE}
_ROWS = {"type": "array", "minItems": 1, "maxItems": POINTS_MAX, "items": {"type": "object", "additionalProperties": _VALUE}}
SWEEP_SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {TABLE: _ROWS},
    "additionalProperties": _VALUES,
}
_FORM = "Write e.g. sweep: {temperature: [40 degC, 60 degC]}, or sweep: {table: [{temperature: 40 degC, duration: 1 h}]}."


@dataclass(frozen=True)
class Point:
    """One point of a sweep: its number from 1, a name for people ("antisolvent_flow 1000 mL/h"), the inputs it sets, as text."""

    number: int
    name: str
    inputs: dict[str, str]


def points(document: Document, judge: Callable[[str, Any, Path_], None]) -> list[Point]:
    """Return the points of a plan; what is wrong with them goes to `document`. `judge(name, value, path)` looks at one value."""
    sweep = document.data.get("sweep")
    if sweep is None and "sweep" not in document.data:
        return []
    where: Path_ = ("sweep",)
    declared = document.data.get("inputs")
    if not isinstance(sweep, dict) or len(sweep) != 1:
        how = "has no value" if sweep is None else "is not a mapping" if not isinstance(sweep, dict) else f"names {len(sweep)} things"
        document.add(where, f"sweep: it {how}; it needs one input, or table.", _FORM, key=True)
        return []
    ((key, values),) = sweep.items()
    if not isinstance(values, list) or not values:
        document.add((*where, key), f"sweep: {key}: it needs a list of {'rows' if key == TABLE else 'values'}.", _FORM, key=True)
        return []
    if len(values) > POINTS_MAX:
        document.add((*where, key), f"sweep: {len(values)} points are above the limit of {POINTS_MAX}.", "Make two plans of it.", key=True)
        return []
    rows = [(value, (*where, key, at)) for at, value in enumerate(values)]
    if key != TABLE:
        if not _declared(document, key, (*where, key), declared):
            return []
        rows = [({key: value}, path) for value, path in rows]
    first = rows[0][0]
    found = []
    for number, (row, path) in enumerate(rows, 1):
        if _row(document, row, path, first, declared, judge, in_table=key == TABLE):
            inputs = {name: _text(value) for name, value in row.items()}
            found.append(Point(number, ", ".join(f"{name} {value}" for name, value in inputs.items()), inputs))
    return found


def _row(document: Document, row: Any, path: Path_, first: Any, declared: Any, judge: Any, in_table: bool) -> bool:
    """True when every value of the row is one of its input."""
    if not isinstance(row, dict) or not row:
        document.add(path, "sweep: a row of the table gives a value to each input.", _FORM)
        return False
    good = True
    for name, value in row.items():
        place = (*path, name) if in_table else path
        if in_table and not _declared(document, name, place, declared):
            good = False
        elif not isinstance(value, str | int | float) or isinstance(value, str) and value.startswith("$"):
            document.add(place, f"sweep: {name}: a value is needed here.", "Write it out, e.g. 60 degC.")
            good = False
        else:
            before = len(document.problems)
            judge(name, value, place)
            good = good and len(document.problems) == before
    missing = [name for name in first if name not in row] if isinstance(first, dict) else []
    if missing:
        document.add(path, f"sweep: this row says nothing of {', '.join(missing)}.", "Give each row a value for the same inputs.")
    return good and not missing


def _declared(document: Document, name: str, path: Path_, declared: Any) -> bool:
    names = list(declared) if isinstance(declared, Mapping) else []
    if name in names:
        return True
    listed = f"Its inputs: {', '.join(names)}." if names else f"Declare it: inputs: {{{name}: {{default: ...}}}}."
    document.add(path, f"sweep: the plan has no input '{name}'.", did_you_mean(name, names, listed), key=True)
    return False


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
