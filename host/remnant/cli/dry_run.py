"""`remnant dry-run`: what a run of a plan will be like, before anything is switched on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Exit
from ..plan import Point, compile_plan, disassemble, load, sweep_points
from .campaigning import flow_lines
from .forecast_lines import lines_of, points_lines
from .limits import limits_of
from .output import Output

if TYPE_CHECKING:
    from ..preflight import Forecast


def dry_run(source: str, inputs: dict[str, str], program: bool, figure: Path | None, output: Output) -> Exit:
    """Tell the forecast of a plan, or its program; OK unless it asks for what cannot be done. Raises PlanError, RigError, OSError."""
    limits = limits_of("virtual")
    plan = load(source, inputs, limits)
    compiled = compile_plan(plan, limits)
    if program:
        lines = disassemble(compiled.program)
        for line in lines:
            output.say(line)
        output.result({"ok": True, "program_bytes": len(compiled.data), "program": lines})
        return Exit.OK

    from ..preflight import draw, foresee

    points = sweep_points(source, inputs, limits)
    foreseen = []
    for point in points:
        one = load(source, {**inputs, **point.inputs}, limits)
        foreseen.append((point, foresee(one, compile_plan(one, limits), limits)))
    forecast = foreseen[0][1] if foreseen else foresee(plan, compiled, limits)
    for line in lines_of(forecast) if not foreseen else points_lines(foreseen):
        output.say(line)
    for line in flow_lines(source, plan, points, inputs, limits):
        output.say(line)
    document: dict[str, Any] = forecast.to_json() if not foreseen else _of_points(foreseen)
    if figure is not None:
        figure.write_text(draw(forecast), encoding="utf-8")
        output.say(f"figure: {figure}{' (of point 1)' if foreseen else ''}")
        document["figure"] = str(figure)
    code = Exit.OK if document["ok"] else Exit.PLAN
    output.result({**document, "exit": int(code)})
    return code


def _of_points(foreseen: list[tuple[Point, Forecast]]) -> dict[str, Any]:
    return {
        "ok": not any(forecast.refused for _, forecast in foreseen),
        "duration_s": sum(forecast.duration_s for _, forecast in foreseen),
        "points": [{**asdict(point), **forecast.to_json()} for point, forecast in foreseen],
    }
