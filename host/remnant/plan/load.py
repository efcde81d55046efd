"""Load a plan: bytes -> values with places -> inputs put in -> models; or every problem at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from remnant import library
from remnant.errors import PlanError, Problem

from . import check, problems, source, sweep
from .inputs import check_value, substitute
from .model import Plan
from .quantity import Known
from .sweep import Point
from .words import CELLS


def load(
    path_or_text: Path | str | bytes,
    inputs: Mapping[str, Any] | None = None,
    limits: Mapping[str, int] | None = None,
    file: str = "<plan>",
) -> Plan:
    """Return the plan, checked against the board's `limits` (LIMITS of its board.py; None: only against the language itself).

    `path_or_text`: a path, the name of a plan of the library, or the plan itself (bytes, or text of more than one line, shown as `file`).
    `inputs`: values for the plan's inputs by name, as text ("60 degC") or plain numbers; the plan's own limits hold.
    Raises PlanError with all problems.
    """
    document = _document(path_or_text, file)
    data, values, used = substitute(document, inputs or {})
    _points(document)
    try:
        plan = Plan.model_validate(data, context=_known(document.data, limits or {}))
    except ValidationError as err:
        problems.collect(err, document, used)
        raise PlanError(document.problems) from None
    plan._document, plan._inputs = document, values
    check.whole(plan, document, limits or {})
    if document.problems:
        raise PlanError(document.problems)
    return plan


def sweep_points(
    path_or_text: Path | str | bytes,
    inputs: Mapping[str, Any] | None = None,
    limits: Mapping[str, int] | None = None,
    file: str = "<plan>",
) -> list[Point]:
    """Return the points of a plan's `sweep`, in order; none without one. Arguments as of `load`.

    `load(path, {**inputs, **point.inputs}, limits)` gives the plan of a point; each has been checked when this returns.
    Raises PlanError with the problems of the plan, or of every point that has some.
    """
    inputs = inputs or {}
    load(path_or_text, inputs, limits, file)
    document = _document(path_or_text, file)
    points = _points(document)
    swept = {name for point in points for name in point.inputs}
    for name in inputs:
        if name in swept:
            document.add(("sweep",), f"--set {name}: the sweep gives it its values.", "Take one of the two out.", key=True)
    found = list(document.problems)
    for point in points:
        try:
            load(path_or_text, {**inputs, **point.inputs}, limits, file)
        except PlanError as error:
            found += [replace(item, text=f"point {point.number} ({point.name}): {item.text}") for item in error.problems]
    if found:
        raise PlanError(found)
    return points


def _points(document: source.Document) -> list[Point]:
    declared = document.data.get("inputs")

    def judge(name: str, value: Any, path: source.Path_) -> None:
        entry = declared.get(name) if isinstance(declared, dict) else None
        if isinstance(entry, dict) and entry.get("default") is not None:
            check_value(document, name, entry, value, f"sweep: {name} {value}", path)

    return sweep.points(document, judge)


def _document(path_or_text: Path | str | bytes, file: str) -> source.Document:
    if isinstance(path_or_text, bytes):
        return source.parse(path_or_text, file)
    if isinstance(path_or_text, str):
        if "\n" in path_or_text:
            return source.parse(path_or_text.encode("utf-8", "surrogatepass"), file)
        if path_or_text in library.names():
            path_or_text = library.path(path_or_text)
        elif not path_or_text.endswith((".yaml", ".yml")) and not Path(path_or_text).exists():
            near = difflib.get_close_matches(path_or_text, library.names(), 1)
            listed = f"The library has: {', '.join(library.names())}."
            hint = f"Did you mean '{near[0]}'? {listed}" if near else listed
            raise PlanError([Problem(path_or_text, 0, 0, "there is no such plan.", hint)])
    path = Path(path_or_text)
    return source.parse(source.read(path), str(path))


def _known(data: dict[str, Any], limits: Mapping[str, int]) -> Known:
    """Return what fields are judged against: the limits, and the names that the plan declares, as far as they make sense."""
    cells, pumps = data.get("cells"), data.get("pumps")
    return Known(limits, frozenset(cells if isinstance(cells, dict) else ()) & frozenset(CELLS), pumps if isinstance(pumps, dict) else {})
