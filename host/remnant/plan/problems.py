"""From what pydantic found to what a person reads: one message for each problem, at its line and column, with the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from .model import Plan
from .source import Document, Path_
from .steps import BODY, STEPS, TOGETHER, tag_of
from .words import BESIDE

_TAGS = {tag_of(word): model for word, model in STEPS.items()}
LISTED_MAX = 12  # names in a message
_INSIDE = {"every": BODY, "parallel": TOGETHER}
_NEEDS = {
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of keys to values",
    "list_type": "a list, each item after a dash",
    "tuple_type": "a list, each item after a dash",
    "string_type": "text; put it in quotes",
    "bool_type": "true or false",
}


def collect(error: ValidationError, document: Document, used: Mapping[Path_, str]) -> None:
    """Put every problem of `error` into `document`; `used` names the input behind a substituted value."""
    found = error.errors(include_url=False)
    wrong_keys = {item["loc"][:-1] for item in found if item["loc"][-1:] == ("[key]",)}
    for item in found:
        loc = item["loc"]
        if loc in wrong_keys:
            continue  # what belongs to a wrong key is judged when the key is right
        if item["type"] == "too_short" and item.get("ctx", {}).get("field_type") == "Tuple" and item["input"]:
            continue  # pydantic also misses the items that were wrong in themselves
        path = _path(loc)
        if not any(path[:at] in document.unknown for at in range(len(path) + 1)):
            _add(document, path, item, loc, used)


def _add(document: Document, path: Path_, item: Any, loc: tuple[int | str, ...], used: Mapping[Path_, str]) -> None:
    kind, value, context = item["type"], item["input"], item.get("ctx") or {}
    word = path[-1] if path else "plan"
    at_key = bool(loc) and loc[-1] == "[key]"
    label = "" if at_key else _label(document, path, used)
    if kind == "plan":
        document.add(path, f"{label}{context['text']}", context["hint"], key=at_key)
    elif kind == "extra_forbidden":
        document.add(path, f"unknown key '{word}'{_in(path)}.", _nearest(str(word), loc[:-1], path), key=True)
    elif kind == "missing":
        document.add(path[:-1], f"'{word}' is missing{_in(path)}.", _example(loc), key=True)
    elif kind in ("union_tag_not_found", "union_tag_invalid"):
        document.add(path, *_step_problem(value, next((part for part in reversed(path) if part in _INSIDE), None)))
    elif kind == "literal_error":
        choices = _literals(str(context["expected"]))
        if at_key:
            document.add(path, f"'{_shown(word)}' is none of {', '.join(choices)}.", f"Write e.g. {choices[0]}.", key=True)
            return
        if path == ("version",):
            document.add(path, f"version {_shown(value)} of the plan language is not known here.", 'Write version: "1".')
            return
        near = difflib.get_close_matches(str(value), choices, 1)
        listed = ", ".join(choices) if len(choices) <= LISTED_MAX else f"the {len(choices)} names that are known here"
        some = choices[0] if len(choices) <= LISTED_MAX else ", ".join(choices[:LISTED_MAX])
        hint = f"Did you mean '{near[0]}'?" if near else f"Write e.g. {some}."
        document.add(path, f"{label}{_shown(value)} is none of {listed}.", hint)
    elif kind == "too_short":
        document.add(path, f"{label}it is empty.", _example(loc) or "Write at least one.", key=True)
    elif kind == "too_long" or kind == "string_too_long":
        document.add(path, f"{label}it is longer than {context.get('max_length')}.", "Shorten it.", key=True)
    elif kind == "string_too_short":
        document.add(path, f"{label}it is empty.", "Write some text.")
    elif kind == "string_pattern_mismatch":
        document.add(
            path, f"'{word}' is no name for an input.", "Use letters, digits and _, beginning with a letter, at most 32.", key=True
        )
    elif kind in _NEEDS:
        what = f"{_shown(value)} is not"
        if value is None or isinstance(value, dict | list):
            what = f"it {'has no value' if value is None else f'is {_shown(value)}'}; it needs"
        document.add(path, f"{label}{what} {_NEEDS[kind]}.", _example(loc))
    else:
        document.add(path, f"{label}{item['msg']}.", _example(loc))


def _label(document: Document, path: Path_, used: Mapping[Path_, str]) -> str:
    """Return "to: " or "to: $temperature: ": the last word of the path that stands in the file, and the input it came from."""
    while path and (path not in document.keys or isinstance(path[-1], int)):
        path = path[:-1]
    return "".join([f"{_shown(path[-1])}: " if path else "", f"${used[path]}: " if path in used else ""])


def _path(loc: Iterable[int | str]) -> Path_:
    """Return the path in the file of a pydantic location: without the names of branches and the mark of a key."""
    return tuple(part for part in loc if part not in _TAGS and part != "[key]")


def _in(path: Path_) -> str:
    parents = [part for part in path[:-1] if isinstance(part, str)]
    return f" in {parents[-1]}" if parents else ""


def _model_at(loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Return the model that stands at a pydantic location, or None where there is none."""
    model: type[BaseModel] | None = Plan
    for part in loc:
        if part in _TAGS:
            model = _TAGS[part]
        elif isinstance(part, str) and model is not None:
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            if part in fields:
                inner = _models_in(fields[part].annotation)
                model = inner[0] if len(inner) == 1 else model if not inner else None
    return model


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return list(dict.fromkeys(model for part in get_args(annotation) for model in _models_in(part)))


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _nearest(word: str, loc: tuple[int | str, ...], path: Path_) -> str:
    keys = _keys(_model_at(loc))
    near = difflib.get_close_matches(word, keys, 1)
    listed = f"Keys here: {', '.join(keys)}." if keys else ""
    if near:
        return f"Did you mean '{near[0]}'? {listed}"
    if word in BESIDE and len(path) > 1 and path[-2] in STEPS and word in _keys(STEPS[path[-2]]):
        return f"'{word}' stands beside '{path[-2]}', in a line of its own at the same depth. {listed}"
    return listed


def _example(loc: tuple[int | str, ...]) -> str:
    """Return "Write e.g. ..." for the field at `loc`, when its description has an example."""
    model = _model_at(loc[:-1]) if loc else None
    for name, field in (model.model_fields if model else {}).items():
        if (field.alias or name) == loc[-1]:
            if field.examples:
                example = field.examples[0]
                return f"Write e.g. {loc[-1]}: {_inline(example)}."
            inner = _models_in(field.annotation)
            if len(inner) == 1:
                return f"Write e.g. {loc[-1]}: {{{_sample(inner[0])}}}."
    return {"version": 'Write version: "1".', "stop when": "Write e.g. stop when: {time: 4 h}."}.get(str(loc[-1]) if loc else "", "")


def _sample(model: type[BaseModel]) -> str:
    """Return the keys of a model that a plan must give, each with its example; the first key where none must be given."""
    given = {
        field.alias or name: field.examples[0] if field.examples else "..."
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    if not given:
        name, field = next(iter(model.model_fields.items()))
        given = {field.alias or name: field.examples[0] if field.examples else "..."}
    return ", ".join(f"{key}: {_inline(example)}" for key, example in given.items())


def _inline(example: Any) -> str:
    """Return an example as one writes it in a plan."""
    if isinstance(example, list):
        return f"[{', '.join(map(_inline, example))}]"
    if isinstance(example, dict):
        return f"{{{', '.join(f'{key}: {_inline(value)}' for key, value in example.items())}}}"
    return str(example).lower() if isinstance(example, bool) else str(example)


def _step_problem(value: Any, inside: str | None) -> tuple[str, str]:
    """Return (text, hint) for a value that is no step of the language; inside: the word it stands under, where not every step may."""
    allowed = _INSIDE[inside] if inside else tuple(STEPS)
    listed = f"Steps: {', '.join(allowed)}."
    if isinstance(value, str):
        near = difflib.get_close_matches(value, allowed, 1)
        if value in allowed:
            return f"step '{value}' needs its values.", f"Write {value}: {{...}}."
        return f"'{_shown(value)}' is not a step.", f"Did you mean '{near[0]}'? {listed}" if near else listed
    if not isinstance(value, dict):
        return f"{_shown(value)} is not a step.", listed
    words = [word for word in value if word in STEPS]
    if len(words) > 1:
        return f"one step says {' and '.join(words)}.", f"Begin a new step for {words[1]}: put a dash before it."
    if words:
        return f"'{words[0]}' cannot stand under {inside}.", f"Allowed there: {', '.join(allowed)}."
    for word in value:
        near = difflib.get_close_matches(str(word), allowed, 1, 0.7)
        if near:
            return f"'{_shown(word)}' is not a step.", f"Did you mean '{near[0]}'? {listed}"
    return f"no step word among {', '.join(repr(_shown(word)) for word in list(value)[:4]) or 'no keys'}.", listed


def _literals(expected: str) -> list[str]:
    return [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = str(value).encode("ascii", "backslashreplace").decode().replace("\n", "\\n")
    return text if len(text) <= 60 else text[:57] + "..."
