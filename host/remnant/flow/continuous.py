"""A plan of alternating pairs in the words of the language: `flow` for stairs and holds, `repeat` for periods (flow-continuous.yaml).

Several pairs hand over at the same moments, because a `flow` names every pump that goes on. Write the library's plan anew with
`python -m remnant.flow.continuous > flow-continuous.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .pair import REST_S, Drive, Pair, plan_pair

SYRINGE_60 = Drive(nl_per_step=1121483 / 3200)  # BD Plastipak 60 mL (26.72 mm), lead 2 mm, 3200 steps per turn
SYRINGE_10 = Drive(nl_per_step=330260 / 3200)  # BD Plastipak 10 mL (14.50 mm)


@dataclass(frozen=True)
class Line:
    """One liquid from a pair. name: of its pumps, with a and b behind it; pumps: their numbers; prime_ml: into the line and to waste."""

    name: str
    liquid: str
    pumps: tuple[int, int]
    pair: Pair
    syringe_ml: float
    prime_ml: float


def plan_text(lines: list[Line], head: str, periods: int = 3) -> str:
    """Return the YAML of a plan that runs the pairs for so many periods. Raises RigError(PLAN_INVALID) when they hand over apart."""
    first = lines[0].pair
    if any((line.pair.levels, line.pair.hold_s) != (first.levels, first.hold_s) for line in lines):
        raise RigError(codes.PLAN_INVALID, where="pairs", text="pairs of one plan hand over together: give them one fade and one hold")
    out = [head.rstrip(), "inputs:", f"  periods: {{default: {periods}, min: 1, max: 1000}}", "pumps:"]
    for line in lines:
        for letter, pump in zip("ab", line.pumps, strict=True):
            facts = f"pump: {pump}, liquid: {_quoted(line.liquid)}, dead volume: {line.prime_ml:g} mL, holds: {line.syringe_ml:g} mL"
            out.append(f"  {line.name}_{letter}: {{{facts}}}")
    out += ["record: {period: 100 ms}", "steps:", "  - parallel:"]
    out += [f"      - prime: {{pump: {line.name}_{letter}, flow: {_prime_flow(line)}}}" for line in lines for letter in "ab"]
    out += ["    name: prime", *_flow("  ", _alone(lines, "b"), first.hold_s + first.fade_s / 2, "the first stroke")]
    out += ["  - repeat:", "      times: $periods", "      do:"]
    for ends, begins in (("b", "a"), ("a", "b")):
        out += _fade("        ", lines, ends, begins)
        out += _flow("        ", _alone(lines, begins), REST_S, f"{begins} alone")
        out += _flow("        ", _alone(lines, begins), first.hold_s - REST_S, f"{begins} alone, {ends} refills", _refill(lines, ends))
    out += _flow("  ", _alone(lines, "b"), 1.0, "the end", keep=False)
    return "\n".join(out) + "\n"


def _fade(indent: str, lines: list[Line], ends: str, begins: str) -> list[str]:
    found = []
    stairs = [line.pair.stairs() for line in lines]
    for i in range(lines[0].pair.levels):
        flows = {f"{line.name}_{ends}": stair[i][0] for line, stair in zip(lines, stairs, strict=True)}
        flows |= {f"{line.name}_{begins}": stair[i][1] for line, stair in zip(lines, stairs, strict=True)}
        found += _flow(indent, flows, lines[0].pair.step_s, f"fade {ends} to {begins}" if not i else None)
    return found


def _alone(lines: list[Line], letter: str) -> dict[str, int]:
    return {f"{line.name}_{letter}": line.pair.flow_nl_per_min for line in lines}


def _refill(lines: list[Line], letter: str) -> list[str]:
    """Every pump draws its stroke, then its screw is brought to bear again."""
    draws = [(line, line.pair.stroke_nl + line.pair.bearing_nl, line.pair.refill_nl_per_min / 1000) for line in lines]
    bears = [(line, line.pair.bearing_nl, line.pair.bearing_ml_per_h * 1000 / 60) for line in lines]
    found = []
    for word, doses in (("withdraw", draws), ("infuse", bears)):
        inner = ", ".join(
            f"{word}: {{pump: {line.name}_{letter}, volume: {nl / 1000:.3f} uL, flow: {flow:.3f} uL/min}}" for line, nl, flow in doses
        )
        found.append(f"parallel: [{inner}]" if len(doses) > 1 else inner)
    return found


def _flow(
    indent: str, flows: dict[str, int], lasts_s: float, name: str | None = None, meanwhile: list[str] | None = None, keep: bool = True
) -> list[str]:
    listed = ", ".join(f"{pump}: {nl / 1000:.3f} uL/min" for pump, nl in flows.items())
    found = [f"{indent}- flow: {{{listed}}}", f"{indent}  for: {lasts_s:.1f} s"]
    if keep:
        found.append(f"{indent}  then: keep")
    if meanwhile:
        found.append(f"{indent}  every:  # once")
        found += [f"{indent}    period: {lasts_s:.1f} s", f"{indent}    do:", *(f"{indent}      - {one}" for one in meanwhile)]
    return [*found, f"{indent}  name: {name}"] if name else found


def _prime_flow(line: Line) -> str:
    return f"{min(600.0, 5 * line.pair.flow_ml_per_h):g} mL/h"


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text


HEAD = """\
version: "1"
title: Continuous flow at the optimum, an alternating pair of syringes per liquid
source: liang2023 figs 2 and 3, its optimum of 5000 and 60 mL/h
# Written by host/remnant/flow/continuous.py, which says how a period goes; the stairs are not for editing by hand. Toluene flows from pumps
# 1 and 3 (60 mL), the precursor in DMF from 2 and 4 (10 mL); while one of a pair infuses the other refills from its reservoir, through
# check valves. The fade of 4 s has 40 stairs of 100 ms; the sum of the two setpoints is the flow at every instant.
# Ours: the pairs, the fade, the syringes; the paper has one syringe a liquid.
"""


def library_plan() -> str:
    """Return the text of flow-continuous.yaml."""
    antisolvent = plan_pair(5000, 50, 4.0, SYRINGE_60, 60)
    precursor = plan_pair(60, 0.6, 4.0, SYRINGE_10, 10)
    lines = [
        Line("antisolvent", "toluene", (1, 3), antisolvent, 60, 1.0),
        Line("precursor", "N,N-dimethylformamide", (2, 4), precursor, 10, 0.3),
    ]
    return plan_text(lines, HEAD)


if __name__ == "__main__":
    print(library_plan(), end="")
