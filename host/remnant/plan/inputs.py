"""$name in a plan: each input's value, its limits, and where it goes.

A value that is exactly `$name` becomes the value of that input, before anything else is checked; so an input may stand wherever a value
may. Its limits compare quantities of one dimension, or plain numbers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from remnant import units

from .nearest import did_you_mean
from .quantity import INPUT_NAME
from .source import Document, Path_, plain

_REFERENCE = re.compile(rf"\$({INPUT_NAME})")
_NAME = re.compile(INPUT_NAME)
_KINDS = (units.TEMPERATURE, units.DURATION, units.RAMP, units.IRRADIANCE, units.EXPOSURE, units.VOLUME, units.FLOW, units.RATIO)
_KIND_OF = {kind.noun: kind for kind in _KINDS}


def substitute(document: Document, overrides: Mapping[str, Any]) -> tuple[Any, dict[str, Any], dict[Path_, str]]:
    """Return (the plan's data with every $name replaced, the value of each input, the input's name by the path where it was put).

    `overrides` are the values of --set, as text or as plain values. Problems go to `document.problems`.
    """
    declared = document.data.get("inputs")
    declared = declared if isinstance(declared, dict) else {}
    used: dict[Path_, str] = {}
    values: dict[str, Any] = {}
    for name, entry in declared.items():
        if not isinstance(entry, dict) or entry.get("default") is None:
            continue  # the models tell what is wrong with it
        values[name] = entry["default"]
        if name in overrides:
            given = overrides[name]
            values[name] = plain(given) if isinstance(given, str) else given
        is_set = name in overrides
        origin = f"--set {name}={values[name]}" if is_set else f"input '{name}': default {values[name]}"
        path: Path_ = ("inputs", name) if is_set else ("inputs", name, "default")
        check_value(document, name, entry, values[name], origin, path, limits_too=True)
    for name in overrides:
        if name not in declared:
            listed = f"Its inputs: {', '.join(declared)}." if declared else "It has no inputs."
            document.add(("inputs",), f"--set {name}: the plan has no such input.", did_you_mean(name, declared, listed), key=True)
    data = {
        key: value if key in ("inputs", "sweep") else _replaced(document, value, (key,), declared, values, used)
        for key, value in document.data.items()
    }
    for name in declared:
        if name not in used.values() and _NAME.fullmatch(name):
            document.add(
                ("inputs", name), f"input '{name}' is used nowhere.", f"Write ${name} where its value belongs, or take it out.", key=True
            )
    return data, values, used


def _replaced(document: Document, value: Any, path: Path_, declared: Mapping, values: Mapping[str, Any], used: dict[Path_, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(document, item, (*path, key), declared, values, used) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(document, item, (*path, at), declared, values, used) for at, item in enumerate(value)]
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return value
    name = match[1]
    if name not in declared:
        near = difflib.get_close_matches(name, declared, 1)
        listed = f"Its inputs: {', '.join(declared)}." if declared else f"Declare it: inputs: {{{name}: {{default: ...}}}}."
        document.add(path, f"${name}: the plan has no such input.", f"Did you mean '${near[0]}'? {listed}" if near else listed)
        document.unknown.add(path)
        return value
    used[path] = name
    if name not in values:
        document.unknown.add(path)
    return values.get(name)


def check_value(document: Document, name: str, entry: dict, value: Any, origin: str, path: Path_, limits_too: bool = False) -> None:
    """Put a problem into `document` where `value` is not of the dimension of the default, or is beyond min or max.

    origin: where the value comes from, for the message. limits_too: also judge min and max themselves.
    """
    default = entry.get("default")
    wanted, got = units.dimension_of(default), units.dimension_of(value)
    if wanted is None and isinstance(default, str) and isinstance(value, str):
        return  # free text, whatever it looks like
    if wanted != got or (wanted is None and isinstance(default, str) != isinstance(value, str)):
        what = wanted or ("a text" if isinstance(default, str) else "a plain number")
        document.add(path, f"{origin} is not {what}, as the default is.", f"Write e.g. {default}.", key=True)
        return
    for bound, sign, word in (("min", -1, "below"), ("max", 1, "above")):
        limit = entry.get(bound)
        if limit is None:
            continue
        at = ("inputs", name, bound)
        if units.dimension_of(limit) != wanted or (wanted is None and not _is_number(limit)):
            if limits_too:
                text = f"input '{name}': {bound} {limit} is not {wanted or 'a plain number'}, as the default is."
                document.add(at, text, f"Write e.g. {default}.")
        elif (wanted or _is_number(value)) and sign * _comparable(value, wanted) > sign * _comparable(limit, wanted):
            document.add(
                path, f"{origin} is {word} its {bound} of {limit}.", f"Choose {limit} or {'less' if sign > 0 else 'more'}.", key=True
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _comparable(value: Any, noun: str | None) -> float:
    kind = _KIND_OF.get(noun or "")
    try:
        return units.parse(value, kind) if kind else float(value)
    except (units.QuantityError, ValueError):
        return 0.0
