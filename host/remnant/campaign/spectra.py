"""Spectrometer results of a campaign: a CSV with a line for each condition, kept in the campaign's folder with where it came from.

Columns: condition (the number of a point, its name, or the value of what is swept, "1000 mL/h"), plqy_pct, and where known peak_nm, fwhm_nm
and sample (several lines of one condition are several samples). Lines that begin with # are kept as its origin's words.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .. import units
from ..record.finish import write_whole
from .document import Campaign, PointRun

FILE_NAME = "spectra.csv"
ORIGIN = "spectra.json"
_RANGES = {"plqy_pct": (0.0, 120.0), "peak_nm": (200.0, 2500.0), "fwhm_nm": (1.0, 500.0)}
_NEEDED = ("condition", "plqy_pct")


@dataclass(frozen=True)
class Spectrum:
    """What a spectrometer says of one point's product. plqy_pct in percent; peak_nm and fwhm_nm in nm, None where not given."""

    point: int
    sample: str
    plqy_pct: float
    peak_nm: float | None
    fwhm_nm: float | None


def attach(campaign: Campaign, file: Path) -> list[Spectrum]:
    """Check a CSV against the campaign's points and keep it in its folder with name and hash. Raises RigError(STORE_CORRUPT), OSError."""
    data = file.read_bytes()
    found = _parsed(campaign.points, data, file.name)
    write_whole(campaign.folder / FILE_NAME, data)
    origin = {"file": file.name, "sha256": sha256(data).hexdigest(), "words": _words(data)}
    write_whole(campaign.folder / ORIGIN, (json.dumps(origin, indent=2) + "\n").encode())
    return found


def attached(campaign: Campaign) -> tuple[list[Spectrum], str]:
    """Return what has been attached and its origin in words; ([], "") when nothing has. Raises RigError(STORE_CORRUPT)."""
    path = campaign.folder / FILE_NAME
    if not path.is_file():
        return [], ""
    data = path.read_bytes()
    try:
        origin = json.loads((campaign.folder / ORIGIN).read_text(encoding="utf-8"))
        words = f"{origin['file']}{': ' + origin['words'] if origin['words'] else ''}"
    except (OSError, ValueError, KeyError):
        words = FILE_NAME
    return _parsed(campaign.points, data, FILE_NAME), words


def _parsed(points: Sequence[PointRun], data: bytes, name: str) -> list[Spectrum]:
    lines = [line for line in data.decode("utf-8-sig", "replace").splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(lines)
    missing = [column for column in _NEEDED if column not in (reader.fieldnames or [])]
    if missing:
        raise _refused(name, f"it has no column {', '.join(missing)}; columns: condition, sample, plqy_pct, peak_nm, fwhm_nm")
    found = []
    for number, row in enumerate(reader, 2):
        where = f"line {number} of its table"
        point = _point(points, (row["condition"] or "").strip())
        if point is None:
            known = ", ".join(f"{p.number}: {p.name}" for p in points)
            raise _refused(name, f"{where}: condition '{row['condition']}' is no point of this campaign, or of several. Points: {known}")
        values = {column: _value(name, where, column, row.get(column)) for column in _RANGES}
        plqy = values["plqy_pct"]
        if plqy is None:
            raise _refused(name, f"{where}: plqy_pct is missing")
        found.append(Spectrum(point.number, (row.get("sample") or "").strip(), plqy, values["peak_nm"], values["fwhm_nm"]))
    if not found:
        raise _refused(name, "it has no rows")
    return found


def _point(points: Sequence[PointRun], condition: str) -> PointRun | None:
    """Return the point that a condition names, None when there is none, or more than one."""
    for point in points:
        if condition in (str(point.number), point.name):
            return point
    swept = {name for point in points for name in point.inputs if len({p.inputs.get(name) for p in points}) > 1}
    named = [point for point in points if any(_same(point.inputs.get(name), condition) for name in swept)]
    return named[0] if len(named) == 1 else None


def _same(value: str | None, condition: str) -> bool:
    if value is None or units.dimension_of(value) is None or units.dimension_of(value) != units.dimension_of(condition):
        return value == condition
    kind = next((kind for kind in _KINDS if kind.noun == units.dimension_of(value)), None)
    return kind is not None and units.parse(value, kind) == units.parse(condition, kind)


_KINDS = (units.FLOW, units.VOLUME, units.TEMPERATURE, units.DURATION, units.IRRADIANCE, units.EXPOSURE, units.RAMP)


def _value(name: str, where: str, column: str, text: str | None) -> float | None:
    if text is None or not text.strip():
        return None
    low, high = _RANGES[column]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise _refused(name, f"{where}: {column} '{text}' is not a number within {low:g}..{high:g}")
    return value


def _words(data: bytes) -> str:
    lines = [line[1:].strip() for line in data.decode("utf-8-sig", "replace").splitlines() if line.startswith("#")]
    return " ".join(lines)


def _refused(name: str, text: str) -> RigError:
    return RigError(codes.STORE_CORRUPT, where=name, text=f"{name}: {text}")
