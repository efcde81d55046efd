"""`remnant dry-run`: what a run of a plan will be like, before anything is switched on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import Exit
from ..plan import compile_plan, disassemble, load, sweep_points
from .campaigning import flow_lines
from .forecast_lines import lines_of
from .limits import limits_of
from .output import Output


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

    forecast = foresee(plan, compiled, limits)
    for line in lines_of(forecast):
        output.say(line)
    for line in flow_lines(source, plan, sweep_points(source, inputs, limits), inputs, limits):
        output.say(line)
    document: dict[str, Any] = forecast.to_json()
    if figure is not None:
        figure.write_text(draw(forecast), encoding="utf-8")
        output.say(f"figure: {figure}")
        document["figure"] = str(figure)
    code = Exit.PLAN if forecast.refused else Exit.OK
    output.result({**document, "exit": int(code)})
    return code
