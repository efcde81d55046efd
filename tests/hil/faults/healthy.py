"""Ten simulated days at the limits with three times the sensor's noise: any fault is a false one. And a run across 2^30 ms of board time.

The limits are those of boards/virtual: 120 degC, 15 degC/min, 40 mW/cm2, the coldest setpoint in the coldest room, the hottest room.
"""

from __future__ import annotations

from typing import Any

from tap import Truth
from trial import LONG_S, Stage, Trial, finished
from verdict import Verdict, judge, unpacked

from remnant_protocol import messages as m

NOISE_COUNTS = 60  # rms a sample; boards/plant has 20
HEAD = 'version: "1"\ntitle: {title}\ncells:\n  A: {{sample: templated, model: templated}}\nrecord: {{period: {period}}}\nsteps:\n{steps}\n'
PLANS = (
    # what, hours, room in degC, steps
    ("hottest setpoint, fastest ramp, brightest light", 48, 22, (
        "  - ramp: {to: 120 degC, rate: 15 degC/min}",
        "  - expose: {irradiance: 40 mW/cm2, for: 47 h, at: 120 degC}",
    )),
    ("hottest setpoint in the hottest room", 48, 50, (
        "  - soak: {at: 120 degC, for: 47 h}",
    )),
    ("coldest setpoint in the coldest room", 48, -20, (
        "  - soak: {at: 5 degC, for: 47 h}",
    )),
    ("heated and cooled as fast as it goes", 48, 22, (
        "  - repeat:",
        "      times: 110",
        "      do:",
        "        - ramp: {to: 120 degC, rate: 15 degC/min}",
        "        - soak: {at: 120 degC, for: 2 min}",
        "        - ramp: {to: 35 degC}",
    )),
    ("light on and off, doses, probes", 48, 22, (
        "  - repeat:",
        "      times: 90",
        "      do:",
        "        - expose: {irradiance: 40 mW/cm2, for: 20 min, at: 40 degC}",
        "          every: {period: 1 min, do: [probe]}",
        "        - infuse: {pump: 1, volume: 100 uL, flow: 60 mL/h}",
        "        - wait: {for: 10 min}",
    )),
)  # fmt: skip
ACROSS_MS_H = 301  # 2^30 ms are 298.26 h


def healthy_trials(share: float) -> list[Trial]:
    """All of it, or, for less than a half, nothing: it has no small version."""
    if share < 0.5:
        return []
    made = []
    for number, (what, _, room_c, steps) in enumerate(PLANS):
        about = _about(what, "\n".join(steps), "10 s")
        made.append(Trial("10 days at the limits", "healthy", 1000 + number, facts={**about, "scenario": {"ambient_c": room_c}}))
    across = _about("across 2^30 ms", f"  - soak: {{at: 40 degC, for: {ACROSS_MS_H} h}}\n    every: {{period: 6 h, do: [probe]}}", "60 s")
    made.append(Trial("board clock wraps at 2^30 ms", "healthy", 1000, facts=across))
    return made


def _about(title: str, steps: str, period: str) -> dict[str, Any]:
    text = HEAD.format(title=title, period=period, steps=steps)
    return {"plan_text": text, "preset": {"noise": NOISE_COUNTS}, "long": True, "compare": False}


def days(stage: Stage) -> dict[str, Any]:
    """The run has to complete without a fault; board time has to go forward all the way."""
    finished(stage.run(), LONG_S)
    found: dict[str, Any] = {}

    def later(truth: Truth) -> Verdict:
        verdict = judge(stage.runs, truth, None)
        fields = [unpacked(body) for _, body in sorted(truth.records.items())]
        faults = [body[4] for body in fields if body[0] == m.FAULT]
        found["false_faults"] = len(faults)
        found["board_h"] = round(fields[-1][2] / 3600, 2)
        if faults or verdict.status != "completed":
            verdict.why.append(f"{stage.trial.facts['plan_text'].splitlines()[1]}: {verdict.status}, faults {faults}")
        if any((b[2], b[3]) < (a[2], a[3]) for a, b in zip(fields, fields[1:], strict=False)):
            verdict.why.append("board time goes back")
        return verdict

    return {"later": later, "found": found}
