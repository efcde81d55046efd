"""What an analysis says, as values: frozen dataclasses that become analysis.json.

Percent are of the baseline's PL. Every `u_` is a standard uncertainty (k = 1). None means: not known; a note says why.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

from .compliance import Compliance
from .notation import plain, plus_minus

SCHEMA_VERSION = 2
_DIGITS = 7  # significant digits written: beyond any measurement, below the last bits in which machines differ


@dataclass(frozen=True)
class CurvePoint:
    """One reading as remnant PL.

    t_h: stress time in h (readings after the stress stand at its end); run_t_h: hours since run start.
    u_pct = sqrt(u_independent_pct^2 + u_common_pct^2); the common part (baseline, quenching) moves all points together.
    how: "reference" (read at the reference temperature), "hot" (related to it by the thermal quenching), "between" (not related).
    """

    t_h: float
    run_t_h: float
    name: str
    how: str
    temp_degc: float | None
    signal: float
    signal_se: float | None
    pulses: int
    outliers: int
    remnant_pct: float | None
    u_pct: float | None
    u_independent_pct: float | None
    u_common_pct: float | None
    exposure_j_per_cm2: float | None


@dataclass(frozen=True)
class Quenching:
    """Reversible thermal quenching PL(hot) / PL(reference).

    method: "end pair", "start pair", "start pair, uncorrected", "not needed" or "unknown".
    """

    method: str
    ratio: float | None = None
    u_ratio: float | None = None
    hot_degc: float | None = None
    reference_degc: float | None = None
    start_ratio: float | None = None  # first hot reading over baseline, not corrected for ageing while heating up
    decay_between_pct: float | None = None  # ageing between the two readings of the pair, corrected for
    u_decay_between_pct: float | None = None
    decay_model: str = ""  # the fit that correction comes from
    heating_up_equivalent_h: float | None = None
    u_heating_up_equivalent_h: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Headline:
    """Remnant PL at the end of the stress; low_pct to high_pct: its 95 % interval."""

    remnant_pct: float | None
    u_pct: float | None
    t_h: float | None
    how: str
    low_pct: float | None = None
    high_pct: float | None = None


@dataclass(frozen=True)
class Crossing:
    """Time to a level. status: "reached", "not reached" (censored), "before t = 0", "no readings".

    t_h only when reached; beyond_h: readings up to here are above the level. low_h to high_h: 95 % interval, high_h None: no upper bound.
    method: "mono fit", "interpolation" and so on.
    """

    level_pct: float
    status: str
    t_h: float | None = None
    u_t_h: float | None = None
    beyond_h: float | None = None
    note: str = ""
    low_h: float | None = None
    high_h: float | None = None
    method: str = ""

    def __str__(self) -> str:
        if self.status == "reached" and self.t_h is not None:
            return f"{plus_minus(self.t_h, self.u_t_h)} h"
        if self.status == "not reached" and self.beyond_h is not None:
            return f"> {plain(self.beyond_h if self.low_h is None else self.low_h, 'h', 3)}"
        return self.status

    @property
    def interval(self) -> str:
        """The 95 % interval as text; "" where there is none."""
        if self.status == "not reached" and self.beyond_h is not None:
            return f"not reached in {plain(self.beyond_h, 'h', 3)}"
        if self.low_h is None or self.status != "reached":
            return ""
        return f"[{plain(self.low_h)}, {plain(self.high_h) if self.high_h is not None else 'no bound'}] h"


@dataclass(frozen=True)
class Parameter:
    """A fitted parameter with its 95 % confidence interval."""

    name: str
    unit: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    """One model fitted to one cell. status: "ok", or why it says little or nothing; residuals in standard uncertainties.

    rates in 1/h; the last one, k = 1 / mean lifetime, can be compared between models. curve_low_pct, curve_high_pct: 95 % band.
    """

    model: str
    formula: str
    status: str
    parameters: list[Parameter] = field(default_factory=list)
    rates: list[Parameter] = field(default_factory=list)
    readings: int = 0
    chi2_reduced: float | None = None
    aicc: float | None = None
    delta_aicc: float | None = None
    preferred: bool = False
    residual_t_h: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    curve_t_h: list[float] = field(default_factory=list)
    curve_pct: list[float] = field(default_factory=list)
    curve_low_pct: list[float] = field(default_factory=list)
    curve_high_pct: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """A published number beside the measured one. verdict: "agrees", "disagrees", "no published number", "not measured"."""

    cell: str
    sample: str
    at_h: float | None
    measured_pct: float | None
    u_pct: float | None
    how: str
    published: str
    published_pct: float | None
    scatter_pct: float | None
    source: str
    verdict: str


@dataclass(frozen=True)
class CellResult:
    """All that is said of one cell."""

    cell: str
    sample: str
    headline: Headline
    quenching: Quenching
    points: list[CurvePoint]
    t95: Crossing
    t80: Crossing
    t50: Crossing
    fits: list[Fit]
    notes: list[str]


@dataclass(frozen=True)
class Conditions:
    """Planned against achieved, over the stress. Temperatures degC, irradiance mW/cm2, exposure J/cm2, times h.

    stress_exposure_j_per_cm2: by the stress lamp, without probing; probe_share_pct: probing over it, None where light is not the stress.
    """

    stress: str
    time_zero: str
    began_run_h: float | None = None
    duration_h: float | None = None
    planned_temp_degc: float | None = None
    temp_mean_degc: float | None = None
    temp_sd_k: float | None = None
    temp_max_deviation_k: float | None = None
    planned_irradiance_mw_per_cm2: float | None = None
    irradiance_mean_mw_per_cm2: float | None = None
    irradiance_sd_mw_per_cm2: float | None = None
    exposure_j_per_cm2: float | None = None
    stress_exposure_j_per_cm2: float | None = None
    probe_exposure_j_per_cm2: float | None = None
    probe_share_pct: float | None = None
    tick_late_max_us: float | None = None


@dataclass(frozen=True)
class StepResult:
    """A step of the plan: planned and achieved duration in s."""

    name: str
    text: str
    planned_s: float | None
    began_s: float | None
    ended_s: float | None

    @property
    def achieved_s(self) -> float | None:
        return None if self.began_s is None or self.ended_s is None else self.ended_s - self.began_s


@dataclass(frozen=True)
class Incident:
    """A fault, a stop, outputs going off: what the record says happened."""

    t_s: float | None
    kind: str
    text: str


@dataclass(frozen=True)
class Interruption:
    """A reset or a power cut, and the run taken up again: run time at which the record stops and at which the stress was back, in h; stress
    time at it in h; how long the board was dark in s; block temperature at the last record and at the return, degC."""

    run_t_h: float
    back_run_t_h: float | None
    stress_t_h: float
    dark_s: float | None
    from_degc: float | None
    to_degc: float | None


@dataclass(frozen=True)
class HeadlineRow:
    """One row of the table that compares a run with what was published."""

    test: str
    sample: str
    t_h: float | None
    remnant_pct: float | None
    u_pct: float | None
    published: str
    source: str
    verdict: str


@dataclass(frozen=True)
class Analysis:
    """A run, analysed from its folder alone."""

    run_id: str
    title: str
    test: str
    source: str
    status: str
    simulated: bool
    conditions: Conditions
    cells: list[CellResult]
    comparisons: list[Comparison]
    steps: list[StepResult]
    incidents: list[Incident]
    record_gaps: list[dict[str, Any]]
    notes: list[str]
    method: dict[str, str]
    interruptions: list[Interruption] = field(default_factory=list)
    compliance: Compliance | None = None
    schema_version: int = SCHEMA_VERSION

    def rows(self) -> list[HeadlineRow]:
        """Return a row per published comparison; for a cell without one, a row with its headline."""
        rows = []
        for cell in self.cells:
            own = [c for c in self.comparisons if c.cell == cell.cell]
            if not own:
                h = cell.headline
                rows.append(HeadlineRow(self.test, cell.sample, h.t_h, h.remnant_pct, h.u_pct, "", "", "no published number"))
            for c in own:
                rows.append(HeadlineRow(self.test, c.sample, c.at_h, c.measured_pct, c.u_pct, c.published, c.source, c.verdict))
        return rows

    def to_json(self) -> str:
        """Return the analysis as JSON: numbers to 7 significant digits, what is unknown as null, the same text for the same run."""
        return json.dumps(_jsonable(self), indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _jsonable(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _jsonable(part) for key, part in asdict(value).items()}
    if isinstance(value, dict):
        return {str(key): _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    raise TypeError(f"{type(value).__name__} has no place in an analysis")
