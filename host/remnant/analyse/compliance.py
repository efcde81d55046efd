"""A run held to the protocol that its plan names: what the protocol wants, what was planned, what was achieved, quantity by quantity.

A verdict is "kept", "not kept", "not measured" or "recorded" (the protocol sets no limit). What was not measured is never kept, and the
whole is never called compliant: the summary counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .notation import plain
from .protocols import AMBIENT_DEGC, PERIOD_SHARE, PROTOCOLS, TEMPERATURE_BAND_K, Protocol

if TYPE_CHECKING:
    from .folder import RunData
    from .results import CellResult, Conditions
    from .stress import Stress

KEPT, NOT_KEPT, NOT_MEASURED, RECORDED = "kept", "not kept", "not measured", "recorded"
_SETTLED_K = 1.0
_SAME_SETPOINT_K = 0.05
_PROBING_S = 30.0  # darkness shorter than this is a reading
_LAMP = "365 nm LED"
_J_PER_WH_PER_M2 = 0.36  # 1 W h/m2 = 3600 J/m2 = 0.36 J/cm2


@dataclass(frozen=True)
class ComplianceRow:
    """One quantity; `numbers` has what the texts say, as numbers with the unit in their names."""

    quantity: str
    wanted: str
    planned: str
    achieved: str
    verdict: str
    numbers: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Compliance:
    """A run beside a protocol."""

    protocol: str
    source: str
    summary: str
    rows: list[ComplianceRow]


def judge(name: Any, data: RunData, stress: Stress, conditions: Conditions, cells: list[CellResult]) -> Compliance | None:
    """Return the table of a run whose manifest names a protocol; None for one that names none."""
    if not name:
        return None
    protocol = PROTOCOLS.get(str(name))
    if protocol is None:
        return Compliance(str(name), "", f"{name} is not a protocol that is known here: nothing was judged", [])
    rows = [
        *_temperature(protocol, data, stress),
        *_light(protocol, data, conditions),
        *_cycles(protocol, data),
        *_exposure(protocol, conditions),
        *_surroundings(protocol, data),
        _interruptions(data),
        _duration(protocol, conditions, cells),
    ]
    return Compliance(str(name), protocol.source, _summary(str(name), rows), rows)


def _summary(name: str, rows: list[ComplianceRow]) -> str:
    parts = [f"{name}: {sum(row.verdict == KEPT for row in rows)} of {sum(row.verdict != RECORDED for row in rows)} conditions kept"]
    for verdict in (NOT_KEPT, NOT_MEASURED):
        named = [row.quantity for row in rows if row.verdict == verdict]
        if named:
            parts.append(f"{verdict}: {', '.join(named)}")
    return "; ".join(parts)


# ---- temperature


def _temperature(protocol: Protocol, data: RunData, stress: Stress) -> list[ComplianceRow]:
    levels = _levels(data, stress)
    if not levels:
        return [_room(protocol, data)]
    hottest = max(levels)
    rows = []
    for level in sorted(levels) if protocol.cycled else [hottest]:
        wanted_degc = protocol.hot_degc if level == hottest else ()
        wanted = _wanted(wanted_degc)
        mean, worst = float(levels[level].mean()), float(levels[level][np.argmax(np.abs(levels[level]))])
        reached = level + mean
        low, high = AMBIENT_DEGC
        right = any(abs(reached - degc) <= TEMPERATURE_BAND_K for degc in wanted_degc) if wanted_degc else low <= reached <= high
        rows.append(
            ComplianceRow(
                "temperature" if not protocol.cycled else "temperature, warm" if level == hottest else "temperature, cool",
                wanted,
                plain(level, "degC"),
                f"setpoint deviation {plain(mean, 'K', 2)} mean, {plain(worst, 'K', 2)} largest",
                KEPT if right and abs(worst) <= TEMPERATURE_BAND_K else NOT_KEPT,
                {"planned_degc": level, "deviation_mean_k": mean, "deviation_largest_k": worst},
            )
        )
    if protocol.cycled:
        rounds = _rounds(data, hottest)
        cool = len(levels) > 1
        rows.append(
            ComplianceRow(
                "thermal cycles",
                "room temperature and warm, in turn",
                "-",
                f"{rounds} warm phases{'' if cool else ', never cool between them'}",
                KEPT if cool and rounds > 1 else NOT_KEPT,
                {"warm_phases": rounds},
            )
        )
    return rows


def _wanted(hot_degc: tuple[float, ...]) -> str:
    if hot_degc:
        return f"{' or '.join(plain(degc) for degc in hot_degc)} degC (within {TEMPERATURE_BAND_K:g} K is ours)"
    return "ambient, 23 +- 4 degC"


def _room(protocol: Protocol, data: RunData) -> ComplianceRow:
    """Heater off: the room is the condition, over the whole run."""
    temp = data.column("temp_degC")
    temp = temp[np.isfinite(temp)]
    wanted = _wanted(protocol.hot_degc)
    if not temp.size:
        return ComplianceRow("temperature", wanted, "heater off", NOT_MEASURED, NOT_MEASURED)
    mean, least, most = float(temp.mean()), float(temp.min()), float(temp.max())
    inside = not protocol.hot_degc and AMBIENT_DEGC[0] <= least and most <= AMBIENT_DEGC[1]
    achieved = f"{plain(mean, 'degC')} mean, {plain(least)} to {plain(most, 'degC')}"
    numbers: dict[str, float | None] = {"mean_degc": mean, "least_degc": least, "most_degc": most}
    return ComplianceRow("temperature", wanted, "heater off", achieved, KEPT if inside else NOT_KEPT, numbers)


def _window(data: RunData, stress: Stress) -> np.ndarray:
    t = data.column("t_s")
    if stress.began_s is None or stress.ended_s is None:
        return np.isfinite(t)
    return (t >= stress.began_s) & (t <= stress.ended_s)


def _levels(data: RunData, stress: Stress) -> dict[float, np.ndarray]:
    """Setpoint (degC) -> deviations (K) in the stress, from when the block had come within 1 K of it. A setpoint on a ramp is none."""
    window = _window(data, stress)
    setpoint, temp = data.column("setpoint_degC")[window], data.column("temp_degC")[window]
    found: dict[float, list[np.ndarray]] = {}
    for first, last in _stretches(np.isfinite(setpoint) & np.isfinite(temp)):
        changes = np.flatnonzero(np.abs(np.diff(setpoint[first:last])) > _SAME_SETPOINT_K) + 1
        for begin, end in pairwise([first, *(first + changes), last]):
            off = temp[begin:end] - setpoint[begin]
            settled = np.flatnonzero(np.abs(off) <= _SETTLED_K)
            if end - begin > 1 and settled.size:
                found.setdefault(round(float(setpoint[begin]), 1), []).append(off[settled[0] :])
    return {level: np.concatenate(parts) for level, parts in found.items()}


def _rounds(data: RunData, level: float) -> int:
    setpoint = data.column("setpoint_degC")
    return len(_stretches(np.abs(np.nan_to_num(setpoint, nan=-300.0) - level) <= _SAME_SETPOINT_K))


def _stretches(rows: np.ndarray) -> list[tuple[int, int]]:
    """Return (first, one past the last) of each stretch of true rows."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], rows.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


# ---- light


def _phases(data: RunData) -> list[tuple[float, float]]:
    """Return (from, to) in s of each stretch of light; readings do not end one."""
    t, duty = data.column("t_s"), np.nan_to_num(data.column("lamp_duty_pct"))
    found: list[tuple[float, float]] = []
    for first, last in _stretches(duty > 0):
        begin, end = float(t[first]), float(t[last - 1])
        step = float(t[first] - t[first - 1]) if first else 0.0
        if found and begin - found[-1][1] <= step + _PROBING_S:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _light(protocol: Protocol, data: RunData, c: Conditions) -> list[ComplianceRow]:
    if not protocol.light:
        if not np.isfinite(data.column("lamp_duty_pct")).any():
            return [ComplianceRow("light", "darkness", "lamp off", NOT_MEASURED, NOT_MEASURED)]
        lit_h = sum(to - begun for begun, to in _phases(data)) / 3600
        spent = plain(c.probe_exposure_j_per_cm2, "J/cm2", 3)
        achieved = f"lamp never on; {spent} by reading" if not _phases(data) else f"lamp on for {plain(lit_h, 'h', 3)}"
        numbers = {"lit_h": lit_h, "probe_exposure_j_per_cm2": c.probe_exposure_j_per_cm2}
        return [ComplianceRow("light", "darkness", "lamp off", achieved, NOT_KEPT if _phases(data) else KEPT, numbers)]
    near_uv = protocol.near_uv_wh_per_m2 is not None
    rows = [ComplianceRow("light source", protocol.light, _LAMP, _LAMP, KEPT if near_uv else NOT_KEPT)]
    mean, planned = c.irradiance_mean_mw_per_cm2, c.planned_irradiance_mw_per_cm2
    if mean is None:
        return [*rows, ComplianceRow("irradiance", "stated", plain(planned, "mW/cm2"), NOT_MEASURED, NOT_MEASURED)]
    off_pct = 100 * (mean / planned - 1) if planned else None
    spread = f" +- {plain(c.irradiance_sd_mw_per_cm2, '', 2)}" if c.irradiance_sd_mw_per_cm2 is not None else ""
    achieved = f"{plain(mean)}{spread} mW/cm2" + (f", {plain(off_pct, '%', 2)} from plan" if off_pct is not None else "")
    numbers = {
        "planned_mw_per_cm2": planned,
        "mean_mw_per_cm2": mean,
        "sd_mw_per_cm2": c.irradiance_sd_mw_per_cm2,
        "deviation_pct": off_pct,
    }
    return [*rows, ComplianceRow("irradiance", "stated", plain(planned, "mW/cm2"), achieved, RECORDED, numbers)]


def _cycles(protocol: Protocol, data: RunData) -> list[ComplianceRow]:
    phases = _phases(data)
    lit_h = [(to - begun) / 3600 for begun, to in phases]
    dark_h = [(b[0] - a[1]) / 3600 for a, b in pairwise(phases)]
    if not protocol.periods_h:
        if protocol.light and not protocol.cycled and protocol.near_uv_wh_per_m2 is None:
            whole = len(phases) == 1
            achieved = "one stretch" if whole else f"{len(phases)} stretches of light, {plain(sum(dark_h), 'h', 3)} dark between them"
            return [ComplianceRow("continuity of light", "without a break", "-", achieved, KEPT if whole else NOT_KEPT)]
        return []
    wanted = f"period {', '.join(plain(h) for h in protocol.periods_h)} h; light to dark {', '.join(f'1:{r:g}' for r in protocol.ratios)}"
    if not dark_h:
        return [ComplianceRow("light cycles", wanted, "-", f"{len(phases)} stretch of light: no cycle", NOT_KEPT)]
    period = float(np.mean([(b[0] - a[0]) / 3600 for a, b in pairwise(phases)]))
    lit, dark = float(np.mean(lit_h)), float(np.mean(dark_h))
    right = any(abs(period / h - 1) <= PERIOD_SHARE for h in protocol.periods_h) and any(
        abs(dark / lit / r - 1) <= 2 * PERIOD_SHARE for r in protocol.ratios
    )
    achieved = f"{len(phases)} times {plain(lit, 'h', 3)} light, {plain(dark, 'h', 3)} dark; period {plain(period, 'h', 3)}"
    numbers: dict[str, float | None] = {"cycles": len(phases), "lit_h": lit, "dark_h": dark, "period_h": period}
    return [ComplianceRow("light cycles", wanted, _planned_cycle(data), achieved, KEPT if right else NOT_KEPT, numbers)]


def _planned_cycle(data: RunData) -> str:
    steps = data.manifest.get("steps")
    told = [
        f"{plain(step['planned_s'] / step['times'] / 3600, 'h', 3)} {step.get('name')}"
        for step in (steps if isinstance(steps, list) else [])
        if isinstance(step, dict)
        and step.get("word") in ("expose", "soak", "wait")
        and (step.get("times") or 0) > 1
        and step.get("planned_s")
    ]
    return ", ".join(told) or "-"


def _exposure(protocol: Protocol, c: Conditions) -> list[ComplianceRow]:
    if not protocol.light:
        return []
    total = c.exposure_j_per_cm2  # all light, that of the readings too
    numbers = {"j_per_cm2": total, "wh_per_m2": None if total is None else total / _J_PER_WH_PER_M2}
    achieved = NOT_MEASURED if total is None else f"{plain(total, 'J/cm2')} ({plain(total / _J_PER_WH_PER_M2, 'W h/m2')})"
    least = protocol.near_uv_wh_per_m2
    verdict = NOT_MEASURED if total is None else RECORDED if least is None else KEPT if total / _J_PER_WH_PER_M2 >= least else NOT_KEPT
    wanted = "stated" if least is None else f"near-UV at least {plain(least, 'W h/m2')} ({plain(least * _J_PER_WH_PER_M2, 'J/cm2')})"
    rows = [ComplianceRow("radiant exposure", wanted, "-", achieved, verdict, numbers)]
    if protocol.lux_h is not None:
        wanted = f"at least {plain(protocol.lux_h / 1e6)} million lux h"
        rows.append(ComplianceRow("visible light", wanted, "none: the lamp has none", NOT_MEASURED, NOT_MEASURED))
    return rows


# ---- the rest


def _surroundings(protocol: Protocol, data: RunData) -> list[ComplianceRow]:
    rows = []
    if protocol.humidity:
        noted = _noted_humidity(data)
        achieved = f"{noted}, as a person noted it; not measured by the rig" if noted else NOT_MEASURED
        rows.append(ComplianceRow("humidity", protocol.humidity, "-", achieved, RECORDED if noted else NOT_MEASURED))
    if protocol.dark_control:
        rows.append(ComplianceRow("dark control", "beside the exposed sample", "none", "none: one lamp lights every cell", NOT_KEPT))
    return rows


def _noted_humidity(data: RunData) -> str:
    """What was given as the plan's input "humidity"; "" when it was left as it is."""
    plan = data.manifest.get("plan")
    inputs = plan.get("inputs") if isinstance(plan, dict) else None
    told = str(inputs.get("humidity") or "") if isinstance(inputs, dict) else ""
    return "" if told == NOT_MEASURED else told


def _interruptions(data: RunData) -> ComplianceRow:
    told = data.manifest.get("interruptions")
    found = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    dark_s = sum(float(entry.get("dark_s") or 0.0) for entry in found)
    gaps = data.manifest.get("gaps")
    lost = len(gaps) if isinstance(gaps, list) else 0
    text = f"{len(found)}, {plain(dark_s / 60, 'min', 3)} without power" if found else "none"
    text += f"; {lost} gaps in the record" if lost else ""
    whole = not found and not lost and data.manifest.get("status") == "completed"
    if not whole and data.manifest.get("status") != "completed":
        text += f"; the run ended as: {data.manifest.get('status')}"
    numbers: dict[str, float | None] = {"interruptions": len(found), "dark_s": dark_s, "gaps": lost}
    return ComplianceRow("interruptions", "none, or reported", "none", text, KEPT if whole else RECORDED, numbers)


def _duration(protocol: Protocol, c: Conditions, cells: list[CellResult]) -> ComplianceRow:
    hours = c.duration_h
    achieved = NOT_MEASURED if hours is None or not math.isfinite(hours) else plain(hours, "h")
    if not protocol.until_t80:
        return ComplianceRow("duration", "until the exposure is reached", "-", achieved, RECORDED, {"h": hours})
    told = ", ".join(f"{cell.cell} {cell.t80}" for cell in cells)
    reached = bool(cells) and all(cell.t80.status == "reached" for cell in cells)
    return ComplianceRow("duration", "until T80", "-", f"{achieved}; T80: {told}", KEPT if reached else NOT_KEPT, {"h": hours})
