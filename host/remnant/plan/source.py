"""From the bytes of a plan to plain values that remember where each of them stood.

YAML is read event by event, so that anchors, aliases, tags and deep nesting are refused before anything is built from them, and the
size is refused before anything is parsed. What is left of YAML is what people write by hand: mappings, lists and scalars.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from remnant.errors import PlanError, Problem

SIZE_MAX = 256 * 1024  # bytes; the longest plan of the library has 2 KiB
DEPTH_MAX = 16  # nested mappings and lists; the language itself needs 10

_SCALARS = (
    (re.compile(r"~|null|Null|NULL|"), lambda text: None),
    (re.compile(r"true|True|TRUE"), lambda text: True),
    (re.compile(r"false|False|FALSE"), lambda text: False),
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?"), float),
)

Path_ = tuple[str | int, ...]  # of keys and list positions, from the top of the plan


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; line and column count from 1, as editors do."""

    line: int
    column: int


@dataclass
class Document:
    """The values of one plan and the places they came from.

    `keys[path]` is where the key (or the list item) begins, `values[path]` where its value begins. `unknown` holds the paths whose value
    could not be found out; they have their problem already.
    """

    file: str
    text: str
    data: Any = None
    keys: dict[Path_, Place] = field(default_factory=dict)
    values: dict[Path_, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unknown: set[Path_] = field(default_factory=set)

    def place(self, path: Path_, key: bool = False) -> Place:
        """Return the place of `path`, or of the nearest thing around it that is in the file."""
        places = self.keys if key else self.values
        while path not in places:
            if not path:
                return Place(1, 1)
            path = path[:-1]
        return places[path]

    def add(self, path: Path_, text: str, hint: str = "", key: bool = False) -> None:
        place = self.place(path, key)
        self.problems.append(Problem(self.file, place.line, place.column, text, hint))


def read(file: Path) -> bytes:
    """Return the bytes of a plan file. Raises PlanError when it is missing, no file, or larger than SIZE_MAX."""
    name = str(file)
    try:
        if file.is_dir():
            raise PlanError([Problem(name, 0, 0, "is a folder, not a plan.", "Name the .yaml file in it.")])
        if not file.exists():
            near = _neighbours(file)
            raise PlanError([Problem(name, 0, 0, "there is no such file.", f"Did you mean '{near}'?" if near else "Check the path.")])
        if not file.is_file():
            raise PlanError([Problem(name, 0, 0, "is not an ordinary file.", "Write the plan to a .yaml file.")])
        size = file.stat().st_size
        if size > SIZE_MAX:
            raise PlanError([_too_large(name, size)])
        with file.open("rb") as stream:
            return stream.read(SIZE_MAX + 1)
    except (OSError, ValueError) as err:  # ValueError: a name with a zero byte
        raise PlanError(
            [Problem(name, 0, 0, f"cannot be read: {getattr(err, 'strerror', None) or err}.", "Check the path and its rights.")]
        ) from err


def parse(content: bytes, file: str) -> Document:
    """Return the document in `content`; duplicate keys are left in its `problems`, everything worse raises PlanError."""
    if len(content) > SIZE_MAX:
        raise PlanError([_too_large(file, len(content))])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        column = err.start - content.rfind(b"\n", 0, err.start)
        raise PlanError([Problem(file, line, column, f"byte 0x{content[err.start]:02x} is not UTF-8.", "Save the file as UTF-8.")]) from err
    document = Document(file, text)
    fatal = _build(document)
    if fatal:
        raise PlanError(fatal + document.problems)
    if document.data is None:
        raise PlanError([Problem(file, 1, 1, "the plan is empty.", 'It needs at least version: "1", title, and steps.')])
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else "a single value"
        raise PlanError([Problem(file, 1, 1, f"a plan is a mapping of keys to values; this is {kind}.", 'Begin with version: "1".')])
    return document


def plain(text: str) -> Any:
    """Return the value of an unquoted scalar: None, bool, int, float, or the text itself (the core schema of YAML 1.2, decimal only)."""
    for pattern, convert in _SCALARS:
        if pattern.fullmatch(text):
            return convert(text)
    return text


def _build(document: Document) -> list[Problem]:
    """Fill `document` from its YAML events; return what makes it unusable."""
    fatal: list[Problem] = []
    stack: list[_Open] = []
    documents = 0

    def refuse(event, text, hint):
        mark = event.start_mark
        fatal.append(Problem(document.file, mark.line + 1, mark.column + 1, text, hint))

    def put(value, event):
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        if stack and stack[-1].key is not None and isinstance(event, ScalarEvent) and not event.value and event.implicit[0]:
            place = stack[-1].last  # YAML puts a value that is not there behind the next line
        if not stack:
            document.data = value
            document.values[()] = document.keys[()] = place
            return ()
        return stack[-1].put(value, place, document)

    try:
        for event in YAML(typ="safe", pure=True).parse(document.text):
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    refuse(event, "a second document begins here (---).", "Keep one plan in one file.")
                    break
            elif isinstance(event, AliasEvent):
                refuse(
                    event, f"alias *{event.anchor} is not part of the plan language.", "Write the value out, or make it an input ($name)."
                )
                break
            elif isinstance(event, NodeEvent):
                if event.anchor:
                    refuse(
                        event,
                        f"anchor &{event.anchor} is not part of the plan language.",
                        "Write the value out, or make it an input ($name).",
                    )
                if tag := getattr(event, "tag", None):
                    refuse(event, f"tag {tag} is not part of the plan language.", "Write the plain value.")
                if isinstance(event, ScalarEvent):
                    as_key = bool(stack) and stack[-1].wants_key
                    put(event.value if as_key or not event.implicit[0] else plain(event.value), event)
                    continue
                if stack and stack[-1].wants_key:
                    refuse(event, "a key must be a plain word.", "Write key: value.")
                    break
                if len(stack) == DEPTH_MAX:
                    refuse(event, f"more than {DEPTH_MAX} levels of nesting.", "Take levels out.")
                    break
                value: dict | list = {} if isinstance(event, MappingStartEvent) else []
                stack.append(_Open(put(value, event), value))
            elif isinstance(event, MappingEndEvent | SequenceEndEvent):
                stack.pop()
    except MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(str(part).strip() for part in (err.context, err.problem) if part)
        fatal.append(
            Problem(
                document.file, line, column, f"YAML syntax: {_one_line(what)}.", "Check indentation, colons and quotes here and just above."
            )
        )
    except Exception as err:  # ruamel meets any text here, and fails in many ways on some: each is a syntax error of the file
        fatal.append(
            Problem(
                document.file, 1, 1, f"YAML syntax: {_one_line(str(err)) or type(err).__name__}.", "Check the file for stray characters."
            )
        )
    return fatal


@dataclass
class _Open:
    """A mapping or list that is being filled."""

    path: Path_
    value: Any
    key: str | None = None
    ignored: int = 0
    last: Place = Place(1, 1)  # of the newest key

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    def put(self, item: Any, place: Place, document: Document) -> Path_:
        if self.wants_key:
            self.key, self.last = item, place
            path = (*self.path, item)
            if item in self.value:
                first = document.keys[path]
                document.problems.append(
                    Problem(
                        document.file,
                        place.line,
                        place.column,
                        f"key '{_one_line(item)}' stands here twice.",
                        f"The first is in line {first.line}. Keep one.",
                    )
                )
                self.ignored += 1
            else:
                document.keys[path] = place
            return path
        if isinstance(self.value, list):
            path = (*self.path, len(self.value))
            self.value.append(item)
            document.keys[path] = document.values[path] = place
            return path
        assert self.key is not None  # a mapping's items come in pairs
        path, self.key = (*self.path, self.key), None
        if path[-1] in self.value:  # the second of two equal keys: kept apart, so that its inside is not mixed into the first
            return (*path, f"(again {self.ignored})")
        self.value[path[-1]] = item
        document.values[path] = place
        return path


def _too_large(file: str, size: int) -> Problem:
    return Problem(
        file,
        0,
        0,
        f"{size / 1024:.0f} KiB is larger than a plan may be ({SIZE_MAX // 1024} KiB).",
        "Use repeat and every instead of copies.",
    )


def _neighbours(file: Path) -> str | None:
    """Return the YAML file beside a missing one whose name is nearest."""
    try:
        with os.scandir(file.parent) as entries:
            names = [entry.name for _, entry in zip(range(1000), entries, strict=False) if entry.name.endswith((".yaml", ".yml"))]
    except OSError:
        return None
    near = difflib.get_close_matches(file.name, names, 1)
    return str(file.parent / near[0]) if near else None


def _one_line(text: str) -> str:
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode().rstrip(".")
    return line if len(line) <= 160 else line[:157] + "..."
