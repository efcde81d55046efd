"""Plan -> program: each step becomes a STEP of the board, each waiting gets a timeout, each probe an id.

What the board does with the operations is written in `remnant_protocol.program`; what a step promises, in README.md beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from remnant import units
from remnant.errors import PlanError, Problem, explain
from remnant_protocol import messages as m
from remnant_protocol import program as p
from remnant_protocol.errors import RigError

from . import timing
from .compiled import CellInfo, Compiled, ProbeInfo, StepInfo
from .dosing import DOSES, Account, dose_s, flows_of
from .ending import stopped_s, volumes_in
from .model import Plan
from .quantity import Duration
from .steps import (
    ExposeStep,
    FlowStep,
    InfuseStep,
    NoteStep,
    ParallelStep,
    Probe,
    ProbeStep,
    RampStep,
    RepeatStep,
    SoakStep,
    TriggerStep,
    Wait,
    WaitStep,
)
from .stops import EXPOSURE, REMNANT_BELOW, SETTLED, TIME, VOLUME_OF
from .walk import steps_of
from .wording import sentence, word_of
from .words import CELLS

RAMP_BAND_MC, RAMP_HOLD_MS = 1000, 30_000  # a ramp is over when the block has settled this well
PROBE_BAND_MC, PROBE_HOLD_MS = 500, 60_000  # a reference reading wants the sample, which lags the block, there too
DURATION_MAX_S = 366 * 86_400
SHORT_RUN_S = 6 * 3600
TELEMETRY_SHORT_MS, TELEMETRY_LONG_MS = 1000, 10_000
REFERENCE_MC = 25_000  # where no probe of the plan names its temperature
LOOK_MS = 3_600_000  # an EVERY that only waits does its nothing once an hour
VOLUME_MAX_NL = 2**31 - 1  # of a DISPENSE
HEAT_FROM_MC = 15_000  # a setpoint this much above the reference is a stress

_HOST_LOST = {"continue": p.HOST_LOST_CONTINUE, "hold": p.HOST_LOST_HOLD, "stop": p.HOST_LOST_STOP}


def compile_plan(plan: Plan, limits: Mapping[str, int] | None = None) -> Compiled:
    """Return the program of a checked plan. Raises PlanError when the board cannot hold it or it would never end."""
    builder = _Builder(plan)
    operations = builder.steps(plan.steps)
    duration_s = sum(step.planned_s for step in builder.infos)
    if duration_s > DURATION_MAX_S:
        days = duration_s / 86_400
        raise _refused(
            plan,
            f"the plan takes about {days:.0f} days; the limit is {DURATION_MAX_S // 86_400} days.",
            "Shorten a step or repeat less often.",
        )
    telemetry_ms = int(plan.record.period) if plan.record else TELEMETRY_SHORT_MS if duration_s <= SHORT_RUN_S else TELEMETRY_LONG_MS
    cells = {letter: CellInfo(CELLS.index(letter), cell.sample, cell.model, cell.solvent) for letter, cell in sorted(plan.cells.items())}
    on_fault = plan.on_fault
    program = [
        p.VERSION,
        telemetry_ms,
        builder.cells_mask,
        [p.FAULT_KEEP if action == "keep" else p.FAULT_OFF for action in (on_fault.heater, on_fault.lamp, on_fault.pumps)],
        [_HOST_LOST[plan.host_lost.then], int(plan.host_lost.after) // 1000, int(plan.resume_within or 0) // 1000],
        operations,
    ]
    data = _encoded(plan, program, limits or {})
    return Compiled(
        program,
        data,
        builder.infos,
        builder.probes,
        cells,
        duration_s,
        telemetry_ms,
        builder.stress(),
        plan.source,
        builder.compare(),
        builder.account.liquids(),
        builder.prompts,
        plan.protocol,
    )


def _encoded(plan: Plan, program: list[Any], limits: Mapping[str, int]) -> bytes:
    data = p.encode(program)
    size_max = limits.get("program_max_bytes")
    if size_max is not None and len(data) > size_max:
        raise _refused(plan, f"the program takes {len(data)} bytes; the board holds {size_max}.", "Use repeat and every instead of copies.")
    if limits:
        try:
            p.validate(program, limits)
        except RigError as err:  # the board's own check: what it refuses is refused here, before anything is sent
            raise _refused(plan, f"the board would refuse the program: {explain(err)}", "Change that step.") from err
    return data


def _refused(plan: Plan, text: str, hint: str) -> PlanError:
    place = plan._document.place(("steps",), key=True) if plan._document else None
    return PlanError([Problem(plan.file, place.line if place else 0, place.column if place else 0, text, hint)])


class _Builder:
    """Walks the steps once and keeps what the next one depends on: the setpoint, the estimated temperature, the ids given so far."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.infos: list[StepInfo] = []
        self.probes: list[ProbeInfo] = []
        self.cells_mask = sum(1 << CELLS.index(letter) for letter in plan.cells)
        self.setpoint_mc: int | None = None  # None: heater off, or not known
        self.temp_c = timing.AMBIENT_C
        self.account = Account(plan)
        self.prompts: list[str] = []
        self._times = 1
        self._flowing: dict[int, int] = {}  # pumps that the step before leaves flowing
        self._names: dict[str, int] = {}
        setpoints = list(_setpoints(plan))
        self.peak_c = max((setpoint for _, setpoint in setpoints), default=0) / 1000
        self.reference_mc = next((mc for is_probe, mc in setpoints if is_probe), REFERENCE_MC)
        self._stress_steps: list[tuple[int, str]] = []

    # -- steps

    def steps(self, steps: tuple[Any, ...]) -> list[Any]:
        """Return the operations of a list of steps."""
        operations = []
        for step in steps:
            operations.append(self._repeat(step) if isinstance(step, RepeatStep) else self._step(step))
        return operations

    def _step(self, step: Any) -> list[Any]:
        index = len(self.infos)
        name = (step.probe.name if isinstance(step, ProbeStep) else getattr(step, "name", None)) or word_of(step)
        self.infos.append(StepInfo(index, name, sentence(step), 0.0, self._times, word_of(step)))
        self._note_stress(index, step)
        body, planned_s = self._body(step, index)
        self.infos[index] = StepInfo(index, name, sentence(step), round(planned_s, 1), self._times, word_of(step))
        return [p.STEP, index, body]

    def _repeat(self, step: RepeatStep) -> list[Any]:
        """Compile the body twice: the first pass starts where the steps before ended, the others where the body itself ends."""
        times = step.repeat.times
        first_info, first_probe, names, outer = len(self.infos), len(self.probes), dict(self._names), self._times
        stress_steps, first_prompt, doses = list(self._stress_steps), len(self.prompts), self.account.kept()
        entry_mc, entry_flowing = self.setpoint_mc, self._flowing
        self._times = self.account.times = outer * times
        operations = self.steps(step.repeat.do)
        if times > 1:
            first_pass = self.infos[first_info:]
            del self.infos[first_info:], self.probes[first_probe:], self.prompts[first_prompt:]
            self.account.back_to(doses)
            self._names, self._stress_steps = names, stress_steps
            if self.setpoint_mc != entry_mc:
                self.setpoint_mc = None  # differs between passes: a probe before the next setpoint is not at a known temperature
            self._flowing = {**entry_flowing, **self._flowing}
            operations = self.steps(step.repeat.do)
            for at, first in enumerate(first_pass, first_info):
                again = self.infos[at]
                self.infos[at] = StepInfo(
                    again.index, again.name, again.text, round(first.planned_s + (times - 1) * again.planned_s, 1), again.times, again.word
                )
        self._times = self.account.times = outer
        return [p.REPEAT, int(times), operations]

    def _body(self, step: Any, index: int) -> tuple[list[Any], float]:
        """Return (operations, planned seconds) of one step."""
        if isinstance(step, RampStep):
            rate = int(step.ramp.rate or 0)
            return self._go(int(step.ramp.to), rate, RAMP_BAND_MC, RAMP_HOLD_MS)
        if isinstance(step, SoakStep):
            soak = step.soak
            reach, reach_s = self._go(int(soak.at), 0, int(soak.within), int(soak.settle))
            during, during_s = self._meanwhile(
                step, [p.DURATION, int(soak.for_)], soak.for_ / 1000, final=_is_multiple(soak.for_, step.every)
            )
            return reach + during, reach_s + during_s
        if isinstance(step, ExposeStep):
            return self._expose(step)
        if isinstance(step, ProbeStep):
            probe = self._probe_id(step.probe, f"probe {index}")
            return self._probe(step.probe, probe)
        if isinstance(step, FlowStep):
            return self._flow(step)
        if isinstance(step, WaitStep):
            condition, timeout_ms, lasts_s = self._awaited(step.wait)
            final = step.wait.for_ is not None and _is_multiple(step.wait.for_, step.every)
            return self._meanwhile(step, condition, lasts_s, final, timeout_ms=timeout_ms)
        return self._simple(step, index)

    def _simple(self, step: Any, index: int) -> tuple[list[Any], float]:
        if isinstance(step, WaitStep):
            condition, timeout_ms, lasts_s = self._awaited(step.wait)
            return [[p.WAIT, condition, timeout_ms, p.TIMEOUT_FAULT]], lasts_s
        if isinstance(step, (*DOSES, ParallelStep)):
            return self.account.operations(step), dose_s(step, self.plan)
        if isinstance(step, TriggerStep):
            trigger = step.trigger
            pulse = [p.TRIGGER, trigger.output - 1, int(trigger.for_)]
            if not trigger.wait:
                return [pulse], 0.0
            return [pulse, [p.WAIT, [p.DURATION, int(trigger.for_)], 0, p.TIMEOUT_FAULT]], trigger.for_ / 1000
        if isinstance(step, NoteStep):
            return [[p.MARK, index]], 0.0
        raise TypeError(f"no program for {type(step).__name__}")

    def _awaited(self, wait: Wait) -> tuple[list[Any], int, float]:
        """Return (condition, timeout in ms, planned seconds) of a wait; how long an event takes to come nobody knows."""
        if wait.for_ is not None:
            return [p.DURATION, int(wait.for_)], 0, wait.for_ / 1000
        if wait.trigger is not None:
            return [p.TRIGGER_IN, wait.trigger - 1], int(wait.at_most), 0.0
        assert wait.operator is not None  # the model lets one of the three through
        self.prompts.append(wait.operator)
        return [p.OPERATOR, len(self.prompts) - 1], int(wait.at_most), 0.0

    def _flow(self, step: FlowStep) -> tuple[list[Any], float]:
        """A flow whose end is known is a dose for each pump, begun together: exact to a step. What a reading ends is stopped."""
        flows = flows_of(step, self.plan)
        condition = None if step.for_ is None else [p.DURATION, int(step.for_)]
        said_s = math.inf if step.for_ is None else step.for_ / 1000
        lasts_s = stopped_s(step, said_s, self.plan)
        doses = {pump: round(flow * lasts_s / 60) for pump, flow in flows.items()}
        self.account.flow(doses)
        if step.then == "keep" or self._flowing or any(abs(volume) > VOLUME_MAX_NL for volume in doses.values()):
            start = [[m.FLOW, pump - 1, flow] for pump, flow in flows.items()]
            start += [[m.FLOW, pump - 1, 0] for pump in self._flowing if pump not in flows]
            stopped = True
        else:
            start = [[m.DISPENSE, pump - 1, volume, abs(flows[pump]), False] for pump, volume in doses.items()]
            stopped = any(key == SETTLED or REMNANT_BELOW.fullmatch(key) for key in step.stop_when or {})
        self._flowing = flows if step.then == "keep" else {}
        end: list[Any] = []
        if not self._flowing:
            mask = sum(1 << (pump - 1) for pump in flows)
            end = [[m.FLOW, pump - 1, 0] for pump in flows] if stopped else []
            end.append([p.WAIT, [p.PUMPS_DONE, mask], 0, p.TIMEOUT_FAULT])
        final = step.for_ is not None and _is_multiple(step.for_, step.every)
        done = None if start[0][0] == m.FLOW or condition else [p.PUMPS_DONE, sum(1 << (pump - 1) for pump in flows)]
        during, during_s = self._meanwhile(step, condition, said_s, final, after=end, done=done)
        return start + during, during_s

    def _expose(self, step: ExposeStep) -> tuple[list[Any], float]:
        expose = step.expose
        operations, reach_s = ([], 0.0) if expose.at is None else self._go(int(expose.at), 0, RAMP_BAND_MC, RAMP_HOLD_MS)
        if expose.for_ is not None:
            condition, lasts_s, final = [p.DURATION, int(expose.for_)], expose.for_ / 1000, _is_multiple(expose.for_, step.every)
        else:
            assert expose.until is not None  # the model lets one of the two through
            condition, lasts_s, final = [p.EXPOSURE, int(expose.until)], expose.until * 1000 / expose.irradiance, True
        timeout_ms = timing.whole_minutes_ms(2 * lasts_s + timing.HEATING_MARGIN_S) if condition[0] == p.EXPOSURE else 0
        during, during_s = self._meanwhile(step, condition, lasts_s, final, [[m.LAMP, 0]], timeout_ms)
        return operations + [[m.LAMP, int(expose.irradiance)]] + during, reach_s + during_s

    # -- parts of steps

    def _go(self, to_mc: int, ramp_mc_per_min: int, band_mc: int, hold_ms: int) -> tuple[list[Any], float]:
        """Return (operations, seconds) to bring the block to `to_mc` and let it settle."""
        to_c, band_c, hold_s, ramp = to_mc / 1000, band_mc / 1000, hold_ms / 1000, ramp_mc_per_min / 1000
        timeout_ms = timing.whole_minutes_ms(timing.timeout_s(to_c, self.peak_c, band_c, hold_s, ramp))
        operations: list[Any] = [[m.HEATER, to_mc, ramp_mc_per_min]]
        if ramp_mc_per_min:
            operations.append([p.WAIT, [p.RAMP_DONE], timeout_ms, p.TIMEOUT_FAULT])
        operations.append([p.WAIT, [p.TEMPERATURE, to_mc, band_mc, hold_ms], timeout_ms, p.TIMEOUT_FAULT])
        planned_s = hold_s + timing.reach_s(self.temp_c, to_c, band_c, ramp)
        self.setpoint_mc, self.temp_c = to_mc, to_c
        return operations, planned_s

    def _meanwhile(
        self,
        step: Any,
        condition: list[Any] | None,
        lasts_s: float,
        final: bool,
        after: list[Any] | None = None,
        timeout_ms: int = 0,
        done: list[Any] | None = None,
    ) -> tuple[list[Any], float]:
        """Return (operations, seconds) of waiting for `condition` or one of `stop when`, with the step's `every` meanwhile.

        after: what follows, before a last reading (`final`). timeout_ms: when the waiting is a fault; 0: never. done: a condition behind
        those of `stop when`.
        """
        after = after or []
        lasts_s = stopped_s(step, lasts_s, self.plan)
        body, probes = self._every_body(step, lasts_s) if step.every else ([], [])
        conditions = [each for each in (condition, *self._stops(step, probes), done) if each is not None]
        if len(conditions) == 1 and not step.every:
            return [[p.WAIT, conditions[0], timeout_ms, p.TIMEOUT_FAULT], *after], lasts_s
        if timeout_ms:
            conditions.append([p.TIMEOUT, timeout_ms])
        last = [operation for operations in probes for operation in operations] if final else []
        period_ms = int(step.every.period) if step.every else LOOK_MS
        return [[p.EVERY, period_ms, conditions, body], *after, *last], lasts_s + (timing.PROBE_S if last else 0)

    def _every_body(self, step: Any, lasts_s: float) -> tuple[list[Any], list[list[Any]]]:
        """Return (operations of a round, those of each probe in it), and count the doses of all rounds."""
        body: list[Any] = []
        probes: list[list[Any]] = []
        held_mc = self.setpoint_mc
        series = step.name or word_of(step)
        before = self.account.kept()
        for inner in step.every.do:
            if isinstance(inner, ProbeStep):
                operations, _ = self._probe(inner.probe, self._probe_id(inner.probe, series))
                probes.append(operations)
            else:
                operations, _ = self._simple(inner, len(self.infos) - 1)
            body += operations
            if self.setpoint_mc != held_mc and held_mc is not None:
                body += self._go(held_mc, 0, RAMP_BAND_MC, RAMP_HOLD_MS)[0]
        rounds = max(1, math.ceil(lasts_s * 1000 / step.every.period)) if lasts_s else 1
        self.account.repeated(before, rounds, volumes_in(step, self.plan))
        return body, probes

    def _stops(self, step: Any, probes: list[list[Any]]) -> list[Any]:
        """Return the conditions of `stop when`; each cell is compared with its first reading at the same temperature."""
        found = []
        for key, value in (step.stop_when or {}).items():
            if (match := REMNANT_BELOW.fullmatch(key)) and probes:
                found.append([p.REMNANT_BELOW, CELLS.index(match[1]), int(value), self._reference_of(probes[0][-1][1])])
            elif match := VOLUME_OF.fullmatch(key):
                found.append([p.VOLUME, self.plan.pump_number(match[1]) - 1, int(value)])
            elif key == SETTLED:
                found.append([p.TEMPERATURE, int(value), RAMP_BAND_MC, RAMP_HOLD_MS])
            elif key in (TIME, EXPOSURE):
                found.append([p.DURATION if key == TIME else p.EXPOSURE, int(value)])
        return found

    def _reference_of(self, series: int) -> int:
        """Return the first probe at the temperature of a series, by whose id the series goes."""
        here = self.probes[series].reference_c
        return next((probe.id for probe in self.probes if probe.reference_c is not None and probe.reference_c == here), series)

    def _probe_id(self, probe: Probe, name: str) -> int:
        """Give the next probe id and keep what the analysis needs to know of it."""
        at_mc = self.setpoint_mc if probe.at is None else int(probe.at)
        is_reference = at_mc == self.reference_mc
        reference_c = at_mc / 1000 if at_mc is not None and (is_reference or probe.at is not None) else None
        self.probes.append(
            ProbeInfo(len(self.probes), self._unique(probe.name or name), reference_c, at_mc is not None and not is_reference)
        )
        return len(self.probes) - 1

    def _probe(self, probe: Probe, number: int) -> tuple[list[Any], float]:
        operations, seconds = ([], 0.0) if probe.at is None else self._go(int(probe.at), 0, PROBE_BAND_MC, PROBE_HOLD_MS)
        return [*operations, [m.PROBE, number, int(probe.pulses), self.cells_mask]], seconds + timing.PROBE_S

    def _unique(self, name: str) -> str:
        self._names[name] = self._names.get(name, 0) + 1
        return name if self._names[name] == 1 else f"{name} {self._names[name]}"

    # -- what the whole is

    def _note_stress(self, index: int, step: Any) -> None:
        if isinstance(step, ExposeStep):
            self._stress_steps.append((index, "light"))
        if isinstance(step, SoakStep | ExposeStep):
            at = step.soak.at if isinstance(step, SoakStep) else step.expose.at
            if at is not None and at >= self.reference_mc + HEAT_FROM_MC:
                self._stress_steps.append((index, "heat"))
        if isinstance(step, InfuseStep | FlowStep | ParallelStep):
            self._stress_steps.append((index, "liquid"))

    def stress(self) -> str:
        kinds = {kind for _, kind in self._stress_steps}
        return " and ".join(kind for kind in ("heat", "light") if kind in kinds) or ("liquid" if kinds else "time")

    def compare(self) -> list[dict[str, Any]]:
        """Return the published values; none when an input has been changed, other than a duration: they hold for the defaults."""
        for name, entry in self.plan.inputs.items():
            value = self.plan.inputs_used.get(name, entry.default)
            if value != entry.default and units.dimension_of(entry.default) != units.DURATION.noun:
                return []
        from_step = self._stress_steps[0][0] if self._stress_steps else None
        return [
            {
                "cell": entry.cell,
                "at": str(entry.at),
                "at_s": entry.at / 1000,
                "from_step": from_step,
                "published": entry.published,
                "value": entry.value,
                "scatter": entry.scatter,
                "source": entry.source,
            }
            for entry in self.plan.compare
        ]


def _is_multiple(lasts: Duration, every: Any) -> bool:
    return bool(every) and lasts % every.period == 0


def _setpoints(plan: Plan) -> list[tuple[bool, int]]:
    """Return (is it a probe's, mdegC) for every temperature the plan goes to."""
    found = []
    for _, step in steps_of(plan):
        if isinstance(step, RampStep):
            found.append((False, int(step.ramp.to)))
        elif isinstance(step, SoakStep):
            found.append((False, int(step.soak.at)))
        elif isinstance(step, ExposeStep) and step.expose.at is not None:
            found.append((False, int(step.expose.at)))
        elif isinstance(step, ProbeStep) and step.probe.at is not None:
            found.append((True, int(step.probe.at)))
    return found
