"""Load a plan: bytes -> values with places -> inputs put in -> models; or every problem at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from remnant import library
from remnant.errors import PlanError, Problem

from . import check, problems, source
from .inputs import substitute
from .model import Plan
from .quantity import Known
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
