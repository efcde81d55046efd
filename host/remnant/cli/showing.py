"""A plan shown: where it comes from, what is published beside it, its inputs with their limits, its steps, its text."""

from __future__ import annotations

from typing import Any

from .. import library
from ..plan import compile_plan, load
from .limits import limits_of
from .table import aligned

_BOARD = "virtual"


def plans_listed() -> list[dict[str, Any]]:
    """A row for each plan of the library: name, title, source, how long it takes with its defaults."""
    rows = []
    limits = limits_of(_BOARD)
    for name in library.names():
        plan = load(name, {}, limits)
        rows.append(
            {
                "name": name,
                "title": plan.title,
                "source": plan.source or "",
                "duration": duration_text(compile_plan(plan, limits).duration_s),
            }
        )
    return rows


def duration_text(seconds: float) -> str:
    """Return "48 h", "40 min" or "100 d": one unit, three digits; days from 100 h on."""
    if seconds >= 100 * 3600:
        return f"{seconds / 86400:.3g} d"
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def shown_plan(source: str, inputs: dict[str, str]) -> dict[str, Any]:
    """Return everything that `remnant show` tells of a plan. Raises PlanError."""
    limits = limits_of(_BOARD)
    plan = load(source, inputs, limits)
    compiled = compile_plan(plan, limits)
    sources = [plan.source or "", *(entry.source for entry in plan.compare)]
    keys = dict.fromkeys(text.split(" ")[0] for text in sources if text)
    return {
        "name": source,
        "title": plan.title,
        "source": plan.source,
        "protocol": plan.protocol,
        "citations": {key: library.CITATIONS[key] for key in keys if key in library.CITATIONS},
        "file": plan.file,
        "duration_s": compiled.duration_s,
        "stress": compiled.stress,
        "cells": {letter: {"sample": cell.sample, "model": cell.model} for letter, cell in sorted(plan.cells.items())},
        "inputs": [
            {"name": name, "value": plan.inputs_used.get(name), "default": entry.default, "min": entry.min, "max": entry.max}
            for name, entry in plan.inputs.items()
        ],
        "liquids": [vars(liquid) for _, liquid in sorted(compiled.liquids.items())],
        "steps": [{"index": s.index, "text": s.text, "planned_s": s.planned_s, "times": s.times} for s in compiled.steps],
        "published": [
            {
                "cell": entry.cell,
                "at": str(entry.at),
                "published": entry.published,
                "value_pct": entry.value,
                "scatter_pct": entry.scatter,
                "source": entry.source,
            }
            for entry in plan.compare
        ],
        "text": plan.text,
    }


def lines_of_plan(facts: dict[str, Any]) -> list[str]:
    """Return the same as text for people."""
    lines = [f"{facts['name']}: {facts['title']}"]
    lines += [f"source: {facts['source'] or 'none named'}"]
    lines += [f"  {key}: {citation}" for key, citation in facts["citations"].items()]
    if facts["protocol"]:
        lines.append(f"protocol: {facts['protocol']} (the report says what of it was kept)")
    lines += [f"takes about {duration_text(facts['duration_s'])}; stress: {facts['stress']}", ""]
    lines += ["cells"]
    lines += [f"  {letter}: {cell['sample']}" for letter, cell in facts["cells"].items()] or ["  none"]
    lines += ["", "inputs (--set NAME=VALUE)"]
    rows = [(i["name"], _text(i["value"]), _text(i["default"]), _text(i["min"]), _text(i["max"])) for i in facts["inputs"]]
    lines += [f"  {line}" for line in aligned(("input", "value", "default", "least", "most"), rows)] if rows else ["  none"]
    lines += ["", "published"]
    rows = [(p["cell"], p["at"], p["published"], _scatter(p), p["source"]) for p in facts["published"]]
    lines += [f"  {line}" for line in aligned(("cell", "at", "remnant PL", "compared with", "source"), rows)] if rows else ["  nothing"]
    lines += ["", "steps"]
    lines += [f"  {s['index']:3}  {duration_text(s['planned_s']):>9}  {s['text']}{_times(s)}" for s in facts["steps"]]
    return [*lines, "", f"text ({facts['file']})", "", *facts["text"].splitlines()]


def _text(value: Any) -> str:
    return "-" if value is None else str(value)


def _times(step: dict[str, Any]) -> str:
    return f" ({step['times']} times)" if step["times"] > 1 else ""


def _scatter(entry: dict[str, Any]) -> str:
    if entry["value_pct"] is None:
        return "no number"
    return f"{entry['value_pct']:g} +- {entry['scatter_pct'] or 0:g} %"
