"""flow.html of a run with alternating pairs: both flows and their sum at a hand-over, and the ripple over windows, from the motors' steps.

A pair is two pumps named alike with _a and _b behind it, as flow/continuous.py writes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import PlanError
from ..flow.of_plan import flat
from ..library import CITATIONS
from ..plan import Plan, load
from ..plan.steps import FlowStep
from ..record.finish import COMPLETED, write_whole
from ..report.drawing import MARKERS, SERIES, Drawing
from ..report.markup import shown, table
from ..report.page import sheet
from .measured import Pumped, read_pumped
from .ripple import Ripple, ripple, sums

FILE_NAME = "flow.html"
WINDOWS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
_AROUND_S = 2.0


@dataclass(frozen=True)
class Measured:
    """One pair of a run: its name, pumps, setpoint in mL/h, the ripple over each of WINDOWS_S, and what a step of both pumps is of it."""

    name: str
    pumps: tuple[int, int]
    flow_ml_per_h: float
    step_nl: float
    ripples: tuple[Ripple, ...]

    def grid_pct(self, window_s: float) -> float:
        return 200 * self.step_nl / (self.flow_ml_per_h * 1e6 / 3600 * window_s)


def pairs_of(plan: Plan) -> dict[str, tuple[int, int, float]]:
    """Return name -> (pump a, pump b, flow in mL/h) for each pair of a plan; the flow is what both have together."""
    steps = [step for step in flat(plan.steps) if isinstance(step, FlowStep)]
    found = {}
    for name in plan.pumps:
        stem, mark, letter = name.rpartition("_")
        flows = [sum(int(step.flow.get(f"{stem}_{one}", 0)) for one in "ab") for step in steps]
        if mark and letter == "a" and f"{stem}_b" in plan.pumps and flows and min(flows) == max(flows) > 0:
            found[stem] = plan.pump_number(name), plan.pump_number(f"{stem}_b"), flows[0] * 60 / 1e6
    return found


def write_pairs_page(folder: Path) -> Path | None:
    """Write flow.html into the folder of a completed run with pairs; None where it has none. Raises RigError(STORE_CORRUPT), OSError."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    plan = _plan(folder, manifest) if manifest.get("status") == COMPLETED else None
    pairs = pairs_of(plan) if plan else {}
    if plan is None or not pairs:
        return None
    pumped = read_pumped(folder)
    began_s, ended_s = _flowing(plan, pumped)
    parts, measured = [], []
    for name, (a, b, flow) in pairs.items():
        points = sums(pumped, (a, b), began_s, ended_s)
        found = tuple(ripple(points, flow, window_s) for window_s in WINDOWS_S)
        measured.append(Measured(name, (a, b), flow, pumped.pumps[a].nl_per_step, found))
        parts.append(_figure(name, (a, b), flow, pumped, found, bool(manifest["simulated"])))
    body = f'<p class="under">Run {shown(folder.name)}, {began_s:.0f} to {ended_s:.0f} s.</p><div class="figures">{"".join(parts)}</div>'
    cited = f"<footer><p>{shown(CITATIONS['liang2023'])}</p></footer>" if "liang2023" in (plan.source or "") else ""
    page = sheet(f"Ripple: {plan.title}", body + _table(measured), bool(manifest["simulated"]), cited)
    write_whole(folder / FILE_NAME, page.encode("ascii", "xmlcharrefreplace"))
    return folder / FILE_NAME


def _plan(folder: Path, manifest: dict[str, Any]) -> Plan | None:
    """Return the plan of a run when it may have pairs; most have none, and their plan need not be read again."""
    try:
        if "_a:" not in (folder / "plan.yaml").read_text(encoding="utf-8"):
            return None
        return load(folder / "plan.yaml", manifest["plan"]["inputs"], {})
    except (OSError, ValueError, KeyError, PlanError):  # found on a board, or written by another version
        return None


def _flowing(plan: Plan, pumped: Pumped) -> tuple[float, float]:
    """From a second behind the first flow, when it has begun, to the beginning of the last one, which stops."""
    flows = [number for number, step in enumerate(flat(plan.steps)) if isinstance(step, FlowStep)]
    began = min(time.began_s for time in pumped.steps if time.step == flows[0])
    return began + 1, max(time.began_s for time in pumped.steps if time.step == flows[-1])


def _figure(name: str, pumps: tuple[int, int], flow: float, pumped: Pumped, found: tuple[Ripple, ...], simulated: bool) -> str:
    at_s = found[0].at_s  # where it is worst
    series = {letter: _flows(pumped, pump, at_s) for letter, pump in zip("ab", pumps, strict=True)}
    points = sums(pumped, pumps, at_s - _AROUND_S, at_s + _AROUND_S + 0.1)
    both = [(t, (v2 - v1) * 3600e-6 / (t2 - t)) for (t, v1), (t2, v2) in zip(points, points[1:], strict=False) if t2 > t]
    with Drawing(rows=2, height_in=4.4) as d:
        for index, (letter, values) in enumerate(series.items()):
            x, y = [t for t, _ in values], [v for _, v in values]
            d.axes[0].step(
                x, y, where="post", color=SERIES[index], marker=MARKERS[index], markersize=2.5, label=f"pump {pumps[index]} ({letter})"
            )
        d.axes[0].step([t for t, _ in both], [v for _, v in both], where="post", color=SERIES[2], label="sum")
        d.axes[0].set_ylabel("flow / (mL/h)")
        d.axes[0].legend(loc="center right")
        d.axes[1].step([t for t, _ in both], [100 * (v / flow - 1) for _, v in both], where="post", color=SERIES[2])
        d.axes[1].axhline(0, color=SERIES[0], linewidth=0.7)
        d.axes[1].set_ylabel("sum - setpoint / %")
        d.axes[1].set_xlabel("run time / s")
        words = f"{name}: largest deviation {found[0].largest_pct:.2f} % in {found[0].window_s:g} s"
        svg = d.svg(f"Flows of {name} at a hand-over", words, simulated, f"pair-{name}")
    caption = (
        f"{name}, {flow:g} mL/h: flow of each pump and their sum in windows of {found[0].window_s:g} s, where the sum is farthest from its "
        f"setpoint ({found[0].largest_pct:+.2f} %). From the steps that left the pins."
    )
    return f"<figure>{svg}<figcaption>{'SIMULATED. ' if simulated else ''}{shown(caption)}</figcaption></figure>"


def _flows(pumped: Pumped, pump: int, at_s: float) -> list[tuple[float, float]]:
    readings = [one for one in pumped.readings.get(pump, []) if abs(one.t_s - at_s) <= _AROUND_S + 0.1]
    pairs = zip(readings, readings[1:], strict=False)
    return [(one.t_s, (two.infused_nl - one.infused_nl) * 3600e-6 / (two.t_s - one.t_s)) for one, two in pairs if two.t_s > one.t_s]


def _table(measured: list[Measured]) -> str:
    heads = ("pair", "window", "largest deviation", "rms", "mean", "a step of each pump")
    lines = [
        (
            pair.name,
            f"{one.window_s:g} s",
            f"{one.largest_pct:+.2f} %",
            f"{one.rms_pct:.3f} %",
            f"{one.mean_pct:+.4f} %",
            f"{pair.grid_pct(one.window_s):.2f} %",
        )
        for pair in measured
        for one in pair.ripples
    ]
    return table("Ripple: deviation of the sum from its setpoint", heads, lines, numeric=(1, 2, 3, 4, 5))
