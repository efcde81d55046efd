"""The commands. Each does its checks, then calls the library that does the work; heavy modules are loaded when a command needs them."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remnant_protocol.errors import RigError

from ..errors import Exit
from .compare import attach_file, compare
from .output import Output, told
from .table import aligned

if TYPE_CHECKING:
    from ..run import RunResult

app = typer.Typer(
    name="remnant",
    help="Stress tests of luminescent nanocrystals: how much photoluminescence is left after heat, UV, liquids or time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of text.")]
Inputs = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help='An input of the plan, e.g. temperature="60 degC".')]
PlanName = Annotated[str, typer.Argument(metavar="PLAN", help="A plan file, or the name of a plan of the library (`remnant list`).")]
Port = Annotated[str | None, typer.Option("--rig", help="Serial port or USB serial number; the only USB port when not given.")]
Runs = Annotated[Path, typer.Option("--out", help="Folder of runs.")]


def main() -> None:
    """Entry point of the `remnant` command."""
    try:
        app()
    except KeyboardInterrupt:  # before a command has begun
        sys.exit(Exit.INTERRUPTED)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the runs and the report; an earlier demo in it is replaced.")] = Path("build/demo"),
    seed: Annotated[int, typer.Option(help="Seed of the simulated rigs.")] = 1,
    as_json: Json = False,
) -> None:
    """Run heat-80 and uv-365 on two virtual boards, control and templated sample side by side, and compare with the published values."""
    output = Output(as_json)
    with told(output):
        from .demo import run_demo

        raise typer.Exit(run_demo(out, seed, output))


@app.command()
def run(
    plan: Annotated[str | None, typer.Argument(metavar="PLAN", help="A plan file, or a name of the library (`remnant list`).")] = None,
    set_: Inputs = None,
    rig: Annotated[str, typer.Option(help="virtual, emulated, a serial port, or a USB serial number.")] = "virtual",
    out: Annotated[Path, typer.Option(help="Folder that gets the run's folder.")] = Path("runs"),
    speed: Annotated[str, typer.Option(help="Virtual rig: max, or times the wall clock (1, 60).")] = "max",
    seed: Annotated[int, typer.Option(help="Virtual rig: seed of noise and kinetics.")] = 1,
    scenario: Annotated[Path | None, typer.Option(help="Virtual rig: JSON file with faults (boards/virtual/README.md).")] = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="Give up an interrupted run that the board could still take up.")] = False,
    attach: Annotated[bool, typer.Option("--attach", help="Start nothing: follow the run that is going on (`remnant attach`).")] = False,
    into: Annotated[Path | None, typer.Option(help="A plan with sweep: the campaign's folder to go on with.", file_okay=False)] = None,
    as_json: Json = False,
) -> None:
    """Run a plan and leave a run folder with data, analysis and report; with a sweep, a campaign of them and a report of it."""
    output = Output(as_json)
    with told(output):
        if attach:
            if plan is not None:
                raise typer.BadParameter("--attach follows the run that is going on; leave PLAN out")
            _attach(None if rig == "virtual" else rig, out, output)
        if plan is None:
            raise typer.BadParameter("PLAN: which one? `remnant list` names those of the library")
        from ..virtual import SIMULATED
        from .campaigning import carried_out, made, points_of
        from .running import Wish, folder_for, plan_name, run_all

        facts: dict[str, Any] = {"seed": seed, "speed": _speed(speed), **_scenario(scenario)} if rig in SIMULATED else {}
        name = plan_name(plan)
        if points := points_of(plan, _inputs(set_), rig):
            raise typer.Exit(carried_out(made(plan, points, _inputs(set_), rig, out, into), facts, output))
        if into is not None:
            raise typer.BadParameter("--into goes on with a campaign; this plan has no sweep")
        result = run_all([Wish(name, plan, _inputs(set_), folder_for(out, name), rig, facts, give_up)], output)[0]
        _end(result, output)


@app.command()
def attach(
    folder: Annotated[Path | None, typer.Argument(metavar="[RUN|CAMPAIGN", help="A finished run's or a campaign's folder ...")] = None,
    file: Annotated[Path | None, typer.Argument(metavar="FILE]", help="... and a CSV of spectrometer results for it.")] = None,
    rig: Port = None,
    out: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Follow the run that a board is at, or fetch what it still has of the last one; then data, analysis and report as after a run.

    With a folder and FILE: add spectrometer results (PLQY, peak, FWHM) to a finished run or campaign; they are checked, kept with their
    origin and shown in its report.
    """
    output = Output(as_json)
    with told(output):
        from .campaigning import attached_to, is_campaign

        if folder is None:
            _attach(rig, out, output)
        elif file is not None and is_campaign(folder):
            attached_to(folder, file, output)
        else:
            attach_file(folder, file, output)


@app.command()
def resume(
    rig: Port = None,
    out: Runs = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dark: Annotated[int | None, typer.Option(min=0, help="Seconds the run was dark, when this host cannot know.")] = None,
    as_json: Json = False,
) -> None:
    """Have a paused or interrupted run go on, after showing what happened; then follow it."""
    output = Output(as_json)
    with told(output):
        from .attaching import looked_at, port_of, resumed

        port = port_of(rig)
        looked = looked_at(port, out, output)
        for line in looked.lines:
            output.say(line)
        if looked.interruption and not yes and not typer.confirm("Go on with it?", default=False, err=True):
            output.result({"ok": False, "exit": int(Exit.OK), "resumed": False})
            raise typer.Exit(Exit.OK)
        _end(resumed(port, out, output, looked, dark), output)


@app.command()
def status(rig: Port = None, out: Runs = Path("runs"), as_json: Json = False) -> None:
    """Tell what a board is doing, and what it has that no host has yet."""
    output = Output(as_json)
    with told(output):
        from .at_rig import facts_of, lines_of
        from .attaching import port_of

        facts = facts_of(port_of(rig), out)
        for line in lines_of(facts):
            output.say(line)
        output.result({"ok": True, **facts})


@app.command()
def stop(rig: Port = None, as_json: Json = False) -> None:
    """End the run on a board in order and switch everything off."""
    _ask(rig, as_json, "STOP")


@app.command()
def pause(rig: Port = None, as_json: Json = False) -> None:
    """Hold the run on a board: light off, temperature kept. `remnant resume` goes on."""
    _ask(rig, as_json, "PAUSE")


@app.command("continue")
def continue_(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Folder of a run that a host follows.", exists=True, file_okay=False)
    ] = None,
    rig: Port = None,
    as_json: Json = False,
) -> None:
    """Tell that what a plan asks of a person has been done: to the host that follows RUN, or to a board that nobody follows."""
    if run is None:
        _ask(rig, as_json, "CONTINUE")
        return
    output = Output(as_json)
    with told(output):
        from ..run import ANSWER

        (run / ANSWER).touch()
        output.say(f"told to the host that follows {run}")
        output.result({"ok": True, "folder": str(run)})


@app.command()
def clear(rig: Port = None, as_json: Json = False) -> None:
    """Leave the fault of a board, once its cause is gone."""
    _ask(rig, as_json, "CLEAR")


@app.command()
def sim(
    speed: Annotated[str, typer.Option(help="max, or times the wall clock (1, 60).")] = "1",
    seed: Annotated[int, typer.Option(help="Seed of noise and kinetics.")] = 1,
    scenario: Annotated[Path | None, typer.Option(help="JSON file with cells and faults (boards/virtual/README.md).")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder that keeps what outlives a restart.", file_okay=False)] = None,
    port_link: Annotated[Path | None, typer.Option(help="Symbolic link that is made to its port.")] = None,
    as_json: Json = False,
) -> None:
    """Start a virtual board that lives until Ctrl-C and tell its port, for --rig of the other commands."""
    output = Output(as_json)
    with told(output):
        from .sim import simulate

        simulate({"seed": seed, "speed": _speed(speed), **_scenario(scenario)}, state, port_link, output)


def _attach(rig: str | None, out: Path, output: Output) -> None:
    from .attaching import attached, port_of

    _end(attached(port_of(rig), out, output), output)


def _ask(rig: str | None, as_json: bool, op: str) -> None:
    output = Output(as_json)
    with told(output):
        from remnant_protocol import messages

        from .at_rig import STATES, asked
        from .attaching import port_of

        state = STATES.get(asked(port_of(rig), getattr(messages, op)), "unknown")
        output.say(f"done; the rig is {state}")
        output.result({"ok": True, "state": state})


def _end(result: RunResult, output: Output) -> None:
    """Report what became of a run, and end the command with the exit code that goes with it."""
    from ..errors import exit_code, explain
    from ..report import write_report

    output.say(f"{result.status}: {result.folder}")
    page = None
    try:
        page = str(write_report(result.folder))
        output.say(f"report: {page}")
        _pairs(result.folder, output)
    except RigError as error:  # a run of which nothing is known but its records, or a disk that takes no more
        output.say(f"no report: {explain(error)}")
    simulated = bool(result.manifest["simulated"])
    document = {"status": result.status, "simulated": simulated, "folder": str(result.folder), "report": page}
    if result.error:
        code = exit_code(result.error)
        output.result({"ok": False, "exit": int(code), "code": result.error.code, "error": explain(result.error), **document})
        print(explain(result.error), file=sys.stderr)
        raise typer.Exit(code)
    code = Exit.INTERRUPTED if result.status == "stopped" else Exit.OK
    output.result({"ok": code == Exit.OK, "exit": int(code), **document})
    raise typer.Exit(code)


def _pairs(folder: Path, output: Output) -> None:
    from ..campaign.pairs import write_pairs_page

    if (page := write_pairs_page(folder)) is not None:
        output.say(f"flows of its pairs of pumps: {page}")


@app.command()
def check(plan: PlanName, set_: Inputs = None, as_json: Json = False) -> None:
    """Check a plan: every error at once with file and line; its steps, duration and program size when there is none."""
    output = Output(as_json)
    with told(output):
        from ..plan import compile_plan, load, sweep_points
        from .campaigning import flow_lines
        from .limits import limits_of

        limits = limits_of("virtual")
        points = sweep_points(plan, _inputs(set_), limits)
        loaded = load(plan, _inputs(set_), limits)
        compiled = compile_plan(loaded, limits)
        for step in compiled.steps:
            output.say(f"{step.index:3}  {step.planned_s / 3600:8.2f} h  {step.text}")
        output.say(f"ok: {len(compiled.steps)} steps, about {compiled.duration_s / 3600:.1f} h, program of {len(compiled.data)} bytes")
        for point in points:
            output.say(f"point {point.number}: {point.name}")
        for line in flow_lines(plan, loaded, points, _inputs(set_), limits):
            output.say(line)
        steps = [{"index": s.index, "text": s.text, "planned_s": s.planned_s} for s in compiled.steps]
        output.result(
            {
                "ok": True,
                "duration_s": compiled.duration_s,
                "program_bytes": len(compiled.data),
                "steps": steps,
                "points": [vars(point) for point in points],
            }
        )


@app.command("dry-run")
def dry_run(
    plan: PlanName,
    set_: Inputs = None,
    program: Annotated[bool, typer.Option("--program", help="Print the compiled program instead, line by line.")] = False,
    figure: Annotated[Path | None, typer.Option(help="Draw the forecast into this SVG file.", dir_okay=False)] = None,
    as_json: Json = False,
) -> None:
    """Play a plan ahead of time: timeline, duration, liquids, exposure, energy, disk; refuses what the rig cannot do."""
    output = Output(as_json)
    with told(output):
        from .dry_run import dry_run as dry_run_

        code = dry_run_(plan, _inputs(set_), program, figure, output)
        if code:
            raise typer.Exit(code)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", exists=True, file_okay=False)],
    out: Annotated[Path | None, typer.Option(help="Where the report goes; beside the run when it is one.")] = None,
    as_json: Json = False,
) -> None:
    """Analyse run folders again, from the folders alone, and write the report."""
    output = Output(as_json)
    with told(output):
        from ..record import recover
        from ..report import write_report
        from .campaigning import is_campaign, reported

        if len(runs) == 1 and is_campaign(runs[0]):
            from ..campaign.document import take_up

            output.result({"ok": True, "report": reported(take_up(runs[0]), output)})
            return
        for folder in runs:
            if recover(folder):
                output.say(f"{folder}: the host ended before the run did; its tables were made from the journal")
        path = write_report(runs[0] if len(runs) == 1 and out is None else runs, out)
        output.say(f"report: {path}")
        for folder in runs:
            _pairs(folder, output)
        output.result({"ok": True, "report": str(path)})


app.command()(compare)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(metavar="[plans|runs|ports]")] = "plans",
    out: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    as_json: Json = False,
) -> None:
    """List plans of the library with their source and duration, runs in a folder, or serial ports."""
    output = Output(as_json)
    with told(output):
        rows = _listed(what, out)
        if rows:
            for line in aligned(tuple(rows[0]), [tuple(str(value) for value in row.values()) for row in rows]):
                output.say(line)
        else:
            output.say(f"no {what}")
        output.result({"ok": True, what: rows})


@app.command()
def show(plan: PlanName, set_: Inputs = None, as_json: Json = False) -> None:
    """Show a plan: where it comes from, what is published, its inputs with their limits, what it does and how long, and its text."""
    output = Output(as_json)
    with told(output):
        from .showing import lines_of_plan, shown_plan

        facts = shown_plan(plan, _inputs(set_))
        for line in lines_of_plan(facts):
            output.say(line)
        output.result({"ok": True, **facts})


def _listed(what: str, out: Path) -> list[dict[str, Any]]:
    if what == "plans":
        from .showing import plans_listed

        return plans_listed()
    if what == "runs":
        folders = sorted({path.parent for name in ("manifest.json", "run.sqlite") for path in out.glob(f"*/{name}")})
        return [{"folder": folder.name, **_facts_of(folder)} for folder in folders]
    if what == "ports":
        from ..link import find_ports

        return [{"path": p.path, "serial_number": p.serial_number or "-", "description": p.description} for p in find_ports()]
    near = difflib.get_close_matches(what, ("plans", "runs", "ports"), 1)
    raise typer.BadParameter(f"{what!r}: {f'did you mean {near[0]}? ' if near else ''}Choose plans, runs or ports")


def _facts_of(folder: Path) -> dict[str, str]:
    try:
        facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        mark = "SIMULATED" if facts.get("simulated") else ""
        return {"status": str(facts.get("status")), "title": str(facts.get("title")), "simulated": mark}
    except (OSError, ValueError, AttributeError):
        return {"status": "no manifest (`remnant report` makes one)", "title": "", "simulated": ""}


def _inputs(pairs: list[str] | None) -> dict[str, str]:
    inputs = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f'--set {pair}: write NAME=VALUE, e.g. --set temperature="60 degC"')
        inputs[name.strip()] = value.strip()
    return inputs


def _speed(text: str) -> float:
    if text == "max":
        return 0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 10000:
        raise typer.BadParameter(f"--speed {text}: max, or a factor from 0.01 to 10000")
    return speed


def _scenario(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--scenario {path}: {error}") from None
    if not isinstance(facts, dict):
        raise typer.BadParameter(f"--scenario {path}: a JSON object is needed")
    return facts
