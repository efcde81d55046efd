"""Put an analysis together: run folder in, `Analysis` out. Nothing here measures; each part has its module."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from remnant_protocol import errors as codes
from remnant_protocol import messages

from .compare import compare
from .compliance import judge
from .curve import LAMP_WARMS_K_PER_MW_PER_CM2, SAMPLE_LAG_S, analyse_cell, unread_cell
from .folder import Event, RunData, number, read_run
from .notation import plain
from .pulses import OUTLIER_SIGMAS, Reading, probe_exposure_j_per_cm2, readings_by_cell
from .results import Analysis, Conditions, Incident, Interruption, StepResult
from .stress import ACTIVATION_KJ_PER_MOL, ACTIVATION_U_KJ_PER_MOL, Stress, equivalent_s, find_stress

FILE_NAME = "analysis.json"
PROBE_SHARE_WARN_PCT = 1.0
_INCIDENT_KINDS = ("fault", "outputs_off", "run_ended", "wait_timed_out", "period_missed", "gap", "cleared", "booted", "board_lost") + (
    "run_interrupted",
    "run_resumed",
    "host_lost",
    "lease_lapsed",
    "pump_failed",
)
_ENDED_BY = {
    messages.BY_COMPLETION: "completion",
    messages.BY_STOP: "stop",
    messages.BY_CUT: "cut",
    messages.BY_FAULT: "fault",
    messages.BY_RESET: "reset",
}
_CODE_NAMES = {value: name for name, value in vars(codes).items() if name.isupper() and isinstance(value, int)}

METHOD = {
    "signal": "mean over pulses of (lit - dark) / (monitor - monitor_dark): drift of the lamp drops out; standard error s / sqrt(n)",
    "outliers": f"a pulse more than {OUTLIER_SIGMAS:g} robust standard deviations (1.4826 x median absolute deviation, at least the cell's "
    "pooled scatter) from the median of its reading is rejected, in readings of 4 pulses and more; counted, and kept in probes.csv; "
    "none where more than a third of a reading would go",
    "weights": "pulse noise pooled over the cell as phi (lit + dark) / (monitor - monitor_dark)^2",
    "remnant_pl": "signal / baseline signal in percent; hot readings divided by the thermal quenching q",
    "headline": "final over baseline, at the reference temperature; ageing while heating up and cooling down is in it",
    "uncertainty": "u: standard (k = 1); intervals: 95 %, Student t; baseline and q are common to all points of a cell and scale them",
    "quenching": "end pair (last hot, final) corrected for ageing in between by the fitted decay; start pair where no final reading exists",
    "time": "t = 0 when the stress began; it stands still while a reset had taken the stress away, and after the stress ended",
    "equivalent_time": f"Arrhenius, Ea = {ACTIVATION_KJ_PER_MOL:g} +- {ACTIVATION_U_KJ_PER_MOL:g} kJ/mol (liang2023 fig. 5a, c), for ramps",
    "sample_lag": f"sample behind block by up to {SAMPLE_LAG_S:g} s assumed, as uncertainty",
    "lamp_warming": f"sample above block by up to {LAMP_WARMS_K_PER_MW_PER_CM2:g} K per mW/cm2 while lit assumed, as uncertainty",
    "fits": "weighted least squares to all signals of a cell at once, with amplitude, q and ageing on the ramps as unknowns; covariance "
    "times chi2/dof where chi2 lies above its 95 % point; model by AICc, the simplest of those within 2",
    "times": "T95, T80, T50: where the preferred fit reaches the level; interval averaged over the laws that describe the readings, with "
    "Akaike weights; interpolated between readings where none does; a level not reached is censored: above the end of the readings",
    "rates": "k = 1 / mean lifetime of the fit: 1/tau (mono), 1 / (w tau_1 + (1-w) tau_2) (bi), beta / (tau Gamma(1/beta)) (stretched)",
    "probing": f"exposure added by probe pulses as a share of the stress exposure; above {PROBE_SHARE_WARN_PCT:g} % it is a warning",
    "agreement": "|measured - published| <= sqrt(scatter^2 + (2 u)^2)",
}


def analyse(folder: str | Path) -> Analysis:
    """Analyse a run folder, write analysis.json into it and return the analysis.

    Raises RigError(STORE_CORRUPT) when the folder holds no run. An incomplete run is analysed as far as it goes.
    """
    analysis = analyse_run(read_run(folder))
    (Path(folder) / FILE_NAME).write_text(analysis.to_json(), encoding="utf-8", newline="\n")
    return analysis


def analyse_run(data: RunData) -> Analysis:
    """Return the analysis of a run that has been read."""
    manifest, notes = data.manifest, list(data.missing)
    monitor_dark = number(manifest.get("monitor_dark_u16"))
    if not math.isfinite(monitor_dark):
        monitor_dark = 0.0
        notes.append("the manifest has no monitor_dark_u16: the monitor's dark count is taken as 0")
    cells = readings_by_cell(data.pulses, monitor_dark)
    samples = _samples(manifest.get("cells"))
    first = min((r for readings in cells.values() for r in readings), key=lambda r: r.t_s, default=None)
    reference = first.temp_degc if first is not None and math.isfinite(first.temp_degc) else None
    stress = find_stress(data, reference)
    if not cells:
        notes.append("no PL reading was recorded: remnant PL cannot be said")
    results = [
        analyse_cell(cell, cells[cell], stress, data) if cell in cells else unread_cell(cell, samples[cell])
        for cell in sorted({*cells, *samples})
    ]
    status = str(manifest.get("status") or "unknown")
    if status != "completed":
        notes.insert(0, f"the run did not complete (status: {status}): what follows holds for what was recorded")
    plan = manifest.get("plan")
    test = plan.get("name") if isinstance(plan, dict) else None
    conditions = _conditions(data, stress, cells)
    _judge_probing(conditions, notes)
    return Analysis(
        run_id=str(manifest.get("run_id") or ""),
        title=str(manifest.get("title") or ""),
        test=str(test or manifest.get("title") or ""),
        source=str(manifest.get("source") or ""),
        status=status,
        simulated=bool(manifest.get("simulated")),
        conditions=conditions,
        cells=results,
        comparisons=compare(manifest.get("compare"), results),
        steps=_steps(manifest.get("steps")),
        incidents=_incidents(data.events),
        record_gaps=[gap if isinstance(gap, dict) else {"gap": gap} for gap in _listed(manifest.get("gaps"))],
        notes=notes,
        method=METHOD,
        interruptions=_interruptions(data, stress, notes),
        compliance=judge(manifest.get("test_protocol"), data, stress, conditions, results),
    )


def _samples(named: Any) -> dict[str, str]:
    """Return cell letter -> sample as the manifest names them."""
    if not isinstance(named, dict):
        return {}
    return {str(letter): str(cell.get("sample") or "") if isinstance(cell, dict) else str(cell) for letter, cell in named.items()}


def _conditions(data: RunData, stress: Stress, cells: dict[str, list[Reading]]) -> Conditions:
    temp, light = data.column("temp_degC"), data.column("irradiance_mW_per_cm2")
    rows = stress.soak_rows if stress.soak_rows.any() else stress.lamp_rows
    if stress.kind in ("liquid", "time"):
        rows = (data.column("t_s") >= stress.began_s) & (data.column("t_s") <= stress.ended_s)
    planned_temp = stress.soak_degc
    if planned_temp is None:
        setpoints = data.column("setpoint_degC")[rows]
        planned_temp = _or_none(float(np.median(setpoints[np.isfinite(setpoints)]))) if np.isfinite(setpoints).any() else None
    soak, lit = temp[rows], light[stress.lamp_rows]
    soak, lit = soak[np.isfinite(soak)], lit[np.isfinite(lit)]
    deviation = None
    if soak.size and planned_temp is not None:
        deviation = float((soak - planned_temp)[np.argmax(np.abs(soak - planned_temp))])
    exposure = data.column("exposure_J_per_cm2")
    exposure = exposure[np.isfinite(exposure)]
    total = float(exposure.max()) if exposure.size else None
    probing = probe_exposure_j_per_cm2(cells)
    by_lamp = max(total - probing, 0.0) if total is not None and "light" in stress.kind else None
    late = data.column("tick_late_us")
    return Conditions(
        stress=stress.kind,
        time_zero=stress.time_zero,
        began_run_h=None if stress.began_s is None else stress.began_s / 3600,
        duration_h=None if stress.began_s is None or stress.ended_s is None else stress.stress_s(stress.ended_s) / 3600,
        planned_temp_degc=planned_temp,
        temp_mean_degc=float(soak.mean()) if soak.size else None,
        temp_sd_k=float(soak.std(ddof=1)) if soak.size > 1 else None,
        temp_max_deviation_k=deviation,
        planned_irradiance_mw_per_cm2=data.planned_irradiance_mw_per_cm2,
        irradiance_mean_mw_per_cm2=float(lit.mean()) if lit.size else None,
        irradiance_sd_mw_per_cm2=float(lit.std(ddof=1)) if lit.size > 1 else None,
        exposure_j_per_cm2=total,
        probe_exposure_j_per_cm2=probing,
        stress_exposure_j_per_cm2=by_lamp,
        probe_share_pct=100 * probing / by_lamp if by_lamp else None,
        tick_late_max_us=float(np.nanmax(late)) if np.isfinite(late).any() else None,
    )


def _judge_probing(conditions: Conditions, notes: list[str]) -> None:
    """Say in `notes` when probing added more light than it may."""
    probing, share = conditions.probe_exposure_j_per_cm2 or 0.0, conditions.probe_share_pct
    if share is not None and share > PROBE_SHARE_WARN_PCT:
        notes.append(
            f"probing added {plain(probing, 'J/cm2', 3)}, {plain(share, '%', 3)} of the stress exposure (limit "
            f"{PROBE_SHARE_WARN_PCT:g} %): use fewer pulses, or probe less often"
        )


def _interruptions(data: RunData, stress: Stress, notes: list[str]) -> list[Interruption]:
    """Return what the manifest tells of them, with the pause of the stress; say in `notes` what they may have cost."""
    found = []
    for entry in _listed(data.manifest.get("interruptions")):
        t_s = number(entry.get("t_s")) if isinstance(entry, dict) else math.nan
        if not math.isfinite(t_s):
            continue
        pause = next(((begun, to) for begun, to in stress.pauses if begun <= t_s <= to), None)
        found.append(
            Interruption(
                run_t_h=t_s / 3600,
                back_run_t_h=pause[1] / 3600 if pause else None,
                stress_t_h=max(stress.stress_s(t_s), 0.0) / 3600,
                dark_s=_or_none(number(entry.get("dark_s"))),
                from_degc=_or_none(number(entry.get("from_temp_c"))),
                to_degc=_or_none(number(entry.get("to_temp_c"))),
            )
        )
        if pause:
            minutes = (pause[1] - pause[0]) / 60
            text = f"interrupted at {t_s / 3600:.2f} h of the run: {minutes:.1f} min without stress, not counted as stress time"
            if stress.has_heat and stress.soak_degc is not None:
                aged = equivalent_s(data, *pause, stress.soak_degc)[0]
                text += f"; cooling down and warming up aged the sample like about {aged / 60:.1f} min of soak"
            notes.append(text)
        else:
            notes.append(f"interrupted at {t_s / 3600:.2f} h of the run")
    return found


def _steps(steps: Any) -> list[StepResult]:
    return [
        StepResult(
            name=str(step.get("name") or ""),
            text=str(step.get("text") or ""),
            planned_s=_or_none(number(step.get("planned_s"))),
            began_s=_or_none(number(step.get("began_s"))),
            ended_s=_or_none(number(step.get("ended_s"))),
        )
        for step in _listed(steps)
        if isinstance(step, dict)
    ]


def _incidents(events: list[Event]) -> list[Incident]:
    """Return what an operator should know of: faults, stops, outputs going off, missed periods. Steps and marks are told elsewhere."""
    found = []
    for event in events:
        if event.kind not in _INCIDENT_KINDS:
            continue
        parts = [f"E{event.code} {_CODE_NAMES[event.code].lower().replace('_', ' ')}"] if event.code in _CODE_NAMES and event.code else []
        if event.detail.get("by") in _ENDED_BY:
            parts.append(f"by {_ENDED_BY[event.detail['by']]}")
        parts += [f"{key} {value}" for key, value in event.detail.items() if value is not None and key not in ("code", "by")]
        found.append(Incident(_or_none(event.t_s), event.kind, ", ".join(parts)))
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
