"""What is estimated, with 95 % intervals: times to a level, parameters, fits."""

from __future__ import annotations

from dataclasses import dataclass, field

from .notation import plain, plus_minus


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
