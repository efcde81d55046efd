"""A run of one step: its plan, and what a board tells of it."""

import csv

from remnant.plan import CellInfo, Compiled, ProbeInfo, StepInfo
from remnant_protocol import messages as m

COMPILED = Compiled(
    program=[],
    data=b"\x01" * 400,
    steps=[StepInfo(0, "wait", "wait for 10 s", 10.0)],
    probes=[ProbeInfo(0, "baseline", 25.0, False)],
    cells={"A": CellInfo(0, "templated", None)},
    duration_s=10.0,
    telemetry_ms=1000,
    stress="time",
    source=None,
    compare=[],
)
TICKS = [(m.TELEMETRY, m.RUNNING, 0, 25000, 25000, 0, 0, 0, 0, 10)] * 5
COMPLETE = [(m.EVENT, m.STEP_BEGAN, 0, 1), *TICKS, (m.EVENT, m.STEP_ENDED, 0, 1), (m.EVENT, m.RUN_ENDED, m.BY_COMPLETION, 0)]


def kinds(folder):
    with (folder / "events.csv").open(newline="") as file:
        return [row["kind"] for row in csv.DictReader(file)]
