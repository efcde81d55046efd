"""What was published beside what was measured: the `compare` entries of the manifest.

An entry: {cell: A, at: 5 h, published: "~70 %", value: 70, scatter: 10, source: "liang2023 fig. 5c"}. Measured is the reading at that
stress time (within 1 min or 1 %, one at the reference temperature first), else interpolated between its neighbours on ln R. They agree when
they differ by no more than sqrt(scatter^2 + (2 u)^2): the scatter is the published half-width, u the measured standard uncertainty.
"""

from __future__ import annotations

import math
import re
from typing import Any

from .results import CellResult, Comparison, CurvePoint

_SECONDS = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0}
_NEAR_S, _NEAR_SHARE = 60.0, 0.01


def compare(entries: Any, cells: list[CellResult]) -> list[Comparison]:
    """Return a comparison per entry, in their order; an entry that cannot be read is compared with nothing, not dropped."""
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        cell = next((c for c in cells if c.cell == str(entry.get("cell"))), None)
        at_h = hours_of(entry)
        value, scatter = _number(entry.get("value")), _number(entry.get("scatter"))
        measured, u, how = measured_at(cell, at_h)
        if value is None:
            verdict = "no published number"
        elif measured is None or u is None:
            verdict = "not measured"
        else:
            verdict = "agrees" if abs(measured - value) <= math.hypot(scatter or 0.0, 2 * u) else "disagrees"
        found.append(
            Comparison(
                cell=str(entry.get("cell", "?")),
                sample=cell.sample if cell else str(entry.get("sample", "")),
                at_h=at_h,
                measured_pct=measured,
                u_pct=u,
                how=how,
                published=str(entry.get("published", "") if entry.get("published") is not None else ""),
                published_pct=value,
                scatter_pct=scatter,
                source=str(entry.get("source", "") or ""),
                verdict=verdict,
            )
        )
    return found


def hours_of(entry: dict[str, Any]) -> float | None:
    """Return the time of an entry in h, from at_h, at_s, or `at` as text with a unit (a bare number: seconds)."""
    for key, scale in (("at_h", 3600.0), ("at_s", 1.0)):
        number = _number(entry.get(key))
        if number is not None:
            return number * scale / 3600
    match = re.fullmatch(r"\s*([-+0-9.eE]+)\s*([a-z]*)\s*", str(entry.get("at", "")))
    number = _number(match[1]) if match else None
    if match is None or number is None or match[2] and match[2] not in _SECONDS:
        return None
    return number * _SECONDS.get(match[2], 1.0) / 3600


def measured_at(cell: CellResult | None, at_h: float | None) -> tuple[float | None, float | None, str]:
    """Return (remnant in %, its standard uncertainty, how it was had) at a stress time; (None, None, why) without one."""
    if cell is None:
        return None, None, "no such cell in this run"
    points = [p for p in cell.points if p.remnant_pct is not None and p.u_pct is not None]
    if at_h is None or not points:
        return None, None, "no time to compare at" if at_h is None else "no readings"
    near_h = max(_NEAR_S / 3600, _NEAR_SHARE * at_h)
    near = [p for p in points if abs(p.t_h - at_h) <= near_h and (p.t_h > 0 or at_h <= 0)]
    if near:
        best = min(near, key=lambda p: (p.how != "reference", abs(p.t_h - at_h)))
        return best.remnant_pct, best.u_pct, f"{best.how} reading at {best.t_h:.3g} h"
    before = [p for p in points if p.t_h <= at_h]
    after = [p for p in points if p.t_h > at_h]
    if not before or not after:
        return None, None, f"the run has no reading at or after {at_h:.3g} h"
    return *_interpolated(before[-1], after[0], at_h), "interpolated between readings"


def _interpolated(a: CurvePoint, b: CurvePoint, at_h: float) -> tuple[float, float]:
    share = (at_h - a.t_h) / (b.t_h - a.t_h)
    low, high = max(a.remnant_pct or 0.0, 1e-9), max(b.remnant_pct or 0.0, 1e-9)
    value = math.exp((1 - share) * math.log(low) + share * math.log(high))
    straight = (1 - share) * low + share * high
    own = math.hypot((1 - share) * (a.u_independent_pct or 0.0), share * (b.u_independent_pct or 0.0))
    common = value / high * (b.u_common_pct or 0.0)
    return value, math.hypot(own, common, (value - straight) / 2)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
