"""What a long plan costs: check and compile of 500 different steps, beside reading the same file as YAML alone."""

from __future__ import annotations

import time
from statistics import median

from ruamel.yaml import YAML

from remnant.plan import compile_plan, load, sweep_points

STEPS = 500
ROUNDS = 5
POINTS = 50
LIMITS = {
    "temp_min_mc": 5000,
    "temp_max_mc": 120000,
    "ramp_max_mc_per_min": 15000,
    "irradiance_max_uw_per_cm2": 40000,
    "pumps": 2,
    "flow_max_nl_per_min": 100000000,
    "cells": 4,
    "probe_pulses_max": 32,
    "telemetry_min_ms": 100,
    "program_max_bytes": 1 << 20,  # a board holds 4 KiB; this is about the host
    "wait_max_ms": 4294967295,
}
HEAD = """version: "1"
title: a long plan
inputs: {hot: {default: 60 degC}}
cells: {A: a film, B: another}
pumps: {antisolvent: {pump: 1, holds: 60 mL}, precursor: {pump: 2}}
"""


def run() -> list[dict]:
    text = long_plan()
    checked_ms = taken_ms(lambda: compile_plan(load(text, {}, LIMITS), LIMITS))
    yaml_ms = taken_ms(lambda: YAML(typ="safe", pure=True).load(text))
    compiled = compile_plan(load(text, {}, LIMITS), LIMITS)
    assert len(compiled.steps) == STEPS
    what = f"{STEPS} different steps, {len(text) // 1024} KiB of YAML, a program of {len(compiled.data)} bytes"
    sweep = HEAD + f"sweep: {{hot: [{', '.join(f'{30 + i} degC' for i in range(POINTS))}]}}\nsteps: [{{ramp: {{to: $hot}}}}]\n"
    return [
        _row("plan_500_steps_check_compile_ms", checked_ms, "ms", "<= 3000", what),
        _row("plan_500_steps_over_yaml", checked_ms / yaml_ms, "x", "", f"ruamel.yaml alone, reading the same text: {yaml_ms:.0f} ms"),
        _row("plan_sweep_50_points_ms", taken_ms(lambda: sweep_points(sweep, {}, LIMITS)), "ms", "", f"{POINTS} points, each checked"),
    ]


def long_plan() -> str:
    """No two steps alike, so that nothing is gained by remembering."""
    kinds = (
        "soak: {{at: {t} degC, for: {n} min}}\n    every: {{period: 1 min, do: [probe]}}\n    stop when: {{remnant PL of A below: {p} %}}",
        "ramp: {{to: {t} degC, rate: {r} degC/min}}",
        "expose: {{irradiance: {r}.{p} mW/cm2, until: {n} J/cm2, at: {t} degC}}",
        "infuse: {{pump: antisolvent, volume: {n}.{p} uL, flow: {t} mL/h}}",
        "flow: {{antisolvent: {n} mL/h, precursor: {t} mL/h}}\n    for: {r} s",
        "wait: {{for: {n} s}}",
        "probe: {{name: reading {n}, at: {t} degC}}",
        "parallel: [{{prime: {{pump: 1, volume: {n} uL, flow: 60 mL/h}}}}, {{withdraw: {{pump: 2, volume: {n} uL, flow: 60 mL/h}}}}]",
        "trigger: {{output: 1, for: {n} s}}",
        "repeat: {{times: {r}, do: [{{wait: {{for: {n} ms}}}}]}}",
    )
    steps = [kinds[i % len(kinds)].format(n=i + 1, t=20 + i % 80 + i / 1000, r=1 + i % 14, p=1 + i % 99) for i in range(STEPS)]
    return HEAD + "steps:\n  - ramp: {to: $hot}\n" + "".join(f"  - {step}\n" for step in steps[1:])


def taken_ms(call) -> float:
    """Median of some rounds; the first one, which loads what is needed, does not count."""
    call()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _row(name, value, unit, goal, compared_with) -> dict:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "compared_with": compared_with}
