"""What the pumps of a run did, from its folder alone: steps that left the pins, made volume by what the board said a step is worth.

The board tells its count of steps at the start and the rest of each motion and with each telemetry record, so between two of these instants
the volume is exact. Steps that only turn the screw through its backlash count as no volume, as on the board (firmware/rig/pump.py).
"""

from __future__ import annotations

import csv
import json
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError


@dataclass(frozen=True)
class PumpFacts:
    """nl_per_step: liquid a step, exact to the calibration; backlash_steps: play of the screw."""

    nl_per_step: float
    backlash_steps: int


@dataclass(frozen=True)
class Reading:
    """At t_s (board_us: on the board's clock) a pump had made `steps`; infused_nl, withdrawn_nl: each since the first reading."""

    t_s: float
    board_us: int
    steps: int
    infused_nl: float
    withdrawn_nl: float


@dataclass(frozen=True)
class StepTime:
    """When a step of the program began or ended, once for each time that it was done."""

    step: int
    began_s: float
    ended_s: float
    began_us: int


@dataclass(frozen=True)
class Pumped:
    """readings: by pump from 1; steps: in the order they began."""

    readings: dict[int, list[Reading]]
    steps: list[StepTime]
    pumps: dict[int, PumpFacts]

    def infused_nl(self, pump: int, from_s: float = 0.0, to_s: float = float("inf")) -> float:
        """Return what a pump has infused between two instants."""
        return self._at(pump, to_s).infused_nl - self._at(pump, from_s).infused_nl

    def withdrawn_nl(self, pump: int, from_s: float = 0.0, to_s: float = float("inf")) -> float:
        return self._at(pump, to_s).withdrawn_nl - self._at(pump, from_s).withdrawn_nl

    def started_us(self, pump: int, from_s: float) -> int | None:
        """Return the board's time of the first reading of a pump from an instant on: where it began, when it was at rest before."""
        return next((reading.board_us for reading in self.readings.get(pump, []) if reading.t_s >= from_s - 1e-6), None)

    def _at(self, pump: int, t_s: float) -> Reading:
        readings = self.readings.get(pump, [])
        at = bisect_right(readings, t_s + 1e-6, key=lambda reading: reading.t_s)
        return readings[at - 1] if at else Reading(0.0, 0, 0, 0.0, 0.0)


def read_pumped(folder: Path) -> Pumped:
    """Read a run folder. Raises RigError(STORE_CORRUPT) when it has no events, or does not say what a step is worth."""
    try:
        description = tomllib.loads((folder / "rig.toml").read_text(encoding="utf-8"))["description"]
        pumps = {
            number: PumpFacts(pl / 1000 / turn if turn else 0.0, play)
            for number, (pl, turn, play) in enumerate(
                zip(
                    description["pump_pl_per_turn"],
                    description["pump_steps_per_turn"],
                    description["pump_backlash_steps"],
                    strict=True,
                ),
                1,
            )
        }
        with (folder / "events.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, KeyError, ValueError) as error:
        text = f"{folder} does not tell what its pumps did ({type(error).__name__}: {error})"
        raise RigError(codes.STORE_CORRUPT, where=str(folder), text=text) from None
    counted: dict[int, list[tuple[float, int, int]]] = {}
    open_steps: dict[int, tuple[float, int]] = {}
    steps: list[StepTime] = []
    for row in rows:
        if row["kind"] == "pump_telemetry":
            detail = json.loads(row["detail"])
            counted.setdefault(detail["pump"] + 1, []).append((float(row["t_s"]), int(row["board_time_us"]), detail["steps"]))
        elif row["kind"] == "step_began":
            open_steps[json.loads(row["detail"])["step"]] = (float(row["t_s"]), int(row["board_time_us"]))
        elif row["kind"] == "step_ended" and (began := open_steps.pop(number := json.loads(row["detail"])["step"], None)):
            steps.append(StepTime(number, began[0], float(row["t_s"]), began[1]))
    steps.sort(key=lambda step: step.began_s)
    return Pumped({pump: _volumes(series, pumps[pump]) for pump, series in sorted(counted.items())}, steps, pumps)


def _volumes(series: list[tuple[float, int, int]], facts: PumpFacts) -> list[Reading]:
    """A run begins with the screw bearing on infusing (it begins with a prime, or the board has just started)."""
    found: list[Reading] = []
    play, infused, withdrawn, before = 0, 0, 0, series[0][2]
    for t_s, board_us, steps in series:
        slack = play - (steps - before)
        play = max(0, min(facts.backlash_steps, slack))
        moved, before = play - slack, steps
        infused += max(0, moved)
        withdrawn += max(0, -moved)
        found.append(Reading(t_s, board_us, steps, infused * facts.nl_per_step, withdrawn * facts.nl_per_step))
    return found
