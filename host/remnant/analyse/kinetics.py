"""Decay models fitted to remnant PL against stress time: mono-, bi- and stretched exponential.

    mono       R = A exp(-s / tau)
    bi         R = A [w exp(-s / tau_1) + (1 - w) exp(-s / tau_2)]
    stretched  R = A exp(-(s / tau)^beta)

s = t + s_0 is equivalent time since the baseline (see `stress`), so R(s = 0) = 1. What all readings share enters as parameters that
are held by what is known of them, not as more scatter: A = 1 +- u (baseline and quenching) and s_0 +- u (ageing while heating up).
Weights are 1/u^2 of each reading's own part. Intervals are 95 %, Student's t, widened by sqrt(chi2/dof) where that exceeds 1; those of tau
are taken on ln tau, so they are not symmetric. Models are compared by AICc (Burnham and Anderson, Model Selection and Multimodel
Inference, 2nd ed. 2002, eq. 2.4). A fit that fails, or that runs into a bound, says so and offers no numbers.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit, root_scalar
from scipy.stats import t as student_t

from .results import Fit, Parameter

_CONFIDENCE = 0.975
_CURVE_POINTS = 120
_AS_GOOD_AICC = 2.0  # differences up to this carry no weight (Burnham and Anderson, section 2.6)
_POOR_CHI2 = 5.0  # reduced; above it the scatter is not that of the readings
_FREE_SCALE_LN = 2.0  # a free amplitude: within exp(+-2 sigma) of the first reading


@dataclass(frozen=True)
class Readings:
    """What is fitted. s_h: nominal equivalent time; y: fraction; u: own standard uncertainty; shift_u_h: uncertainty of s_0;
    scale_u: relative uncertainty that all y share, None for a free amplitude."""

    s_h: np.ndarray
    y: np.ndarray
    u: np.ndarray
    shift_u_h: float
    scale_u: float | None


@dataclass(frozen=True)
class Model:
    """A decay law in the shape parameters p (transformed so that simple bounds keep them sensible)."""

    name: str
    formula: str
    shape: Callable[[np.ndarray, np.ndarray], np.ndarray]
    starts: Callable[[Readings], list[list[float]]]
    bounds: Callable[[Readings], tuple[list[float], list[float]]]
    named: Callable[[np.ndarray, np.ndarray], list[tuple[str, str, float, float, float]]]
    parameters: int


@dataclass(frozen=True)
class Solution:
    """A fit that worked: p = shape parameters, then scale, then shift (if any), with their covariance."""

    model: Model
    data: Readings
    p: np.ndarray
    covariance: np.ndarray
    chi2: float
    dof: int
    aicc: float | None

    def predict(self, s_h: np.ndarray | float, p: np.ndarray | None = None) -> np.ndarray:
        """Return R at nominal equivalent times in h."""
        return _predict(self.model, self.data, np.atleast_1d(np.asarray(s_h, dtype=float)), self.p if p is None else p)

    def uncertainty(self, quantity: Callable[[np.ndarray], float]) -> float:
        """Return the standard uncertainty of a function of p, by first-order propagation."""
        steps = 1e-4 * np.maximum(np.abs(self.p), 1e-2)
        gradient = np.array(
            [(quantity(self.p + step) - quantity(self.p - step)) / (2 * size) for step, size in zip(np.diag(steps), steps, strict=True)]
        )
        return math.sqrt(max(float(gradient @ self.covariance @ gradient), 0.0))


Attempt = tuple[Model, Solution | None, str]  # the solution, and "ok" or why it says little or nothing


def solve_all(data: Readings) -> list[Attempt]:
    """Return (model, solution or None, status) for every model, in the order mono, bi, stretched; status "ok" or why not."""
    return [(model, *_solve(model, data)) for model in MODELS]


def best(solutions: list[Attempt]) -> Solution | None:
    """Return the preferred solution: of those within 2 of the lowest AICc the one with the fewest parameters (lowest chi2 when readings
    are too few for AICc); None when every fit failed.

    A poor fit can still be the best there is; one whose parameters are not determined cannot.
    """
    good = [s for _, s, status in solutions if s is not None and not status.startswith("not determined")]
    ranked = [(s.aicc, s) for s in good if s.aicc is not None]
    if ranked:
        lowest = min(aicc for aicc, _ in ranked)
        return min((pair for pair in ranked if pair[0] - lowest <= _AS_GOOD_AICC), key=lambda pair: (pair[1].model.parameters, pair[0]))[1]
    return min(good, key=lambda s: s.chi2, default=None)


def _lowest(solutions: list[Solution]) -> float:
    return min((s.aicc for s in solutions if s.aicc is not None), default=math.nan)


def describe(solutions: list[Attempt], zero_s_h: float, end_t_h: float) -> list[Fit]:
    """Return the fits as results. zero_s_h: equivalent time at t = 0; end_t_h: stress time up to which the curve is drawn."""
    chosen = best(solutions)
    lowest = _lowest([s for _, s, _ in solutions if s is not None])
    fits = []
    for model, solution, status in solutions:
        if solution is None:
            fits.append(Fit(model.name, model.formula, status))
            continue
        grid = np.linspace(-zero_s_h, max(end_t_h, 0.0), _CURVE_POINTS)
        data = solution.data
        delta = None
        if solution.aicc is not None:
            delta = solution.aicc - lowest
        fits.append(
            Fit(
                model=model.name,
                formula=model.formula,
                status=status,
                parameters=_intervals(solution),
                readings=len(data.y),
                chi2_reduced=solution.chi2 / solution.dof,
                aicc=solution.aicc,
                delta_aicc=delta,
                preferred=solution is chosen,
                t80_h=_time_to(solution, 0.8, zero_s_h),
                t50_h=_time_to(solution, 0.5, zero_s_h),
                residual_t_h=[float(s - zero_s_h) for s in data.s_h],
                residuals=[float(r) for r in (data.y - solution.predict(data.s_h)) / data.u],
                curve_t_h=[float(t) for t in grid],
                curve_pct=[float(y) for y in 100 * solution.predict(grid + zero_s_h)],
            )
        )
    return fits


def _solve(model: Model, data: Readings) -> tuple[Solution | None, str]:
    count = len(data.y)
    if count <= model.parameters + (1 if data.scale_u is None else 0):
        return None, f"too few readings: {count} for {model.parameters} parameters"
    low, high = model.bounds(data)
    priors = 1 + (1 if data.shift_u_h > 0 else 0)
    low, high = [*low, *[-8.0] * priors], [*high, *[8.0] * priors]
    target = np.concatenate((data.y, np.zeros(priors)))
    sigma = np.concatenate((data.u, np.ones(priors)))

    def curve(s_h: np.ndarray, *p: float) -> np.ndarray:
        values = np.array(p)
        return np.concatenate((_predict(model, data, s_h, values), values[model.parameters :]))

    found: tuple[float, np.ndarray, np.ndarray] | None = None
    for start in model.starts(data):
        p0 = np.clip([*start, *[0.0] * priors], np.array(low) + 1e-6, np.array(high) - 1e-6)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # what curve_fit warns about is read off the covariance below
            try:
                p, covariance = curve_fit(
                    curve, data.s_h, target, p0=p0, sigma=sigma, absolute_sigma=True, bounds=(low, high), max_nfev=4000
                )
            except (RuntimeError, ValueError, np.linalg.LinAlgError):
                continue
        chi2 = float(np.sum(((target - curve(data.s_h, *p)) / sigma) ** 2))
        if math.isfinite(chi2) and (found is None or chi2 < found[0] - 1e-9):
            found = (chi2, p, covariance)
    if found is None:
        return None, "did not converge"
    chi2, p, covariance = found
    margin = 1e-3 * (np.array(high) - np.array(low))
    stuck = (p - np.array(low) < margin) | (np.array(high) - p < margin)
    if stuck[: model.parameters].any():
        return None, "not determined: a parameter runs into its bound, the readings do not need this model"
    if not np.isfinite(covariance).all():
        return None, "not determined: the readings do not fix all parameters"
    dof = max(count - model.parameters, 1)
    k = model.parameters + priors
    n = count + priors
    aicc = chi2 + 2 * k + 2 * k * (k + 1) / (n - k - 1) if n - k - 1 > 0 else None
    solution = Solution(model, data, p, covariance * max(1.0, chi2 / dof), chi2, dof, aicc)
    if model.name == "bi" and abs(p[0] - 0.5) + _half_widths(solution)[0] > 0.5:
        return solution, "not determined: the interval of w includes 0 or 1, one exponential does as well"
    if stuck.any() or chi2 / dof > _POOR_CHI2:
        miss = float(np.sqrt(np.mean((data.y - solution.predict(data.s_h)) ** 2)))
        off = f"{100 * miss:.2g} % of the baseline" if data.scale_u is not None else f"{100 * miss:.2g} %"
        return solution, f"poor: the readings lie off by {off} (rms), more than their scatter"
    return solution, "ok"


def _predict(model: Model, data: Readings, s_h: np.ndarray, p: np.ndarray) -> np.ndarray:
    scale = math.exp(_FREE_SCALE_LN * p[model.parameters]) if data.scale_u is None else 1 + data.scale_u * p[model.parameters]
    shift = data.shift_u_h * p[model.parameters + 1] if data.shift_u_h > 0 else 0.0
    return scale * model.shape(np.maximum(s_h + shift, 0.0), p)


def _intervals(solution: Solution) -> list[Parameter]:
    return [Parameter(*row) for row in solution.model.named(solution.p, _half_widths(solution))]


def _half_widths(solution: Solution) -> np.ndarray:
    return float(student_t.ppf(_CONFIDENCE, solution.dof)) * np.sqrt(np.diag(solution.covariance))


def _time_to(solution: Solution, level: float, zero_s_h: float) -> float | None:
    """Return t in h at which the model reaches the level; None outside the readings, where a model is only a guess."""

    def above(s_h: float) -> float:
        return float(solution.predict(s_h)[0]) - level

    last = float(solution.data.s_h.max())
    if above(0.0) < 0 or above(last) > 0:
        return None
    return float(root_scalar(above, bracket=(0.0, last), method="brentq").root) - zero_s_h


def _ln_tau_bounds(data: Readings) -> tuple[float, float]:
    span = float(data.s_h.max()) or 1.0
    return math.log(1e-3 * span), math.log(1e5 * span)


def _tau_guess(data: Readings) -> float:
    """Return tau in h from the first and last reading."""
    first, last = float(data.y[0]), float(data.y[-1])
    span = float(data.s_h[-1] - data.s_h[0]) or float(data.s_h.max()) or 1.0
    drop = math.log(first / last) if first > 0 and last > 0 else 0.0
    return span / max(drop, 1e-3)


def _mono_named(p: np.ndarray, width: np.ndarray) -> list[tuple[str, str, float, float, float]]:
    return [_tau_row("tau", p[0], width[0])]


def _tau_row(name: str, ln_tau: float, width: float) -> tuple[str, str, float, float, float]:
    low, high = (math.exp(min(max(ln_tau + sign * width, -50.0), 50.0)) for sign in (-1, 1))
    return (name, "h", math.exp(ln_tau), low, high)


def _bi_named(p: np.ndarray, width: np.ndarray) -> list[tuple[str, str, float, float, float]]:
    return [
        ("w", "", float(p[0]), float(p[0] - width[0]), float(p[0] + width[0])),
        _tau_row("tau_1", p[1], width[1]),
        _tau_row("tau_2", p[2], width[2]),
    ]


def _bi_shape(s: np.ndarray, p: np.ndarray) -> np.ndarray:
    return p[0] * np.exp(-s / math.exp(p[1])) + (1 - p[0]) * np.exp(-s / math.exp(p[2]))


def _bi_starts(data: Readings) -> list[list[float]]:
    span, tau = float(data.s_h.max()) or 1.0, _tau_guess(data)
    return [[w, math.log(fast * span), math.log(max(2 * tau, fast * span * 4))] for w, fast in ((0.3, 0.1), (0.5, 0.25), (0.15, 0.03))]


def _bi_bounds(data: Readings) -> tuple[list[float], list[float]]:
    """The fast part is over within the run, the slow part outlives a third of it: without that the two can trade names."""
    span = float(data.s_h.max()) or 1.0
    low, high = _ln_tau_bounds(data)
    return [0.0, low, math.log(span / 3)], [1.0, math.log(span / 3), high]


def _stretched_shape(s: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.exp(-((s / math.exp(p[0])) ** p[1]))


def _stretched_starts(data: Readings) -> list[list[float]]:
    tau = _tau_guess(data)
    starts = [[math.log(tau), 1.0], [math.log(tau), 0.6]]
    inside = (data.y > 0.01) & (data.y < 0.99) & (data.s_h > 0)
    if inside.sum() >= 3 and np.ptp(data.s_h[inside]) > 0:
        beta, offset = np.polyfit(np.log(data.s_h[inside]), np.log(-np.log(data.y[inside])), 1)
        if 0.1 < beta < 3:
            starts.insert(0, [-float(offset) / float(beta), float(beta)])
    return starts


def _stretched_bounds(data: Readings) -> tuple[list[float], list[float]]:
    low, high = _ln_tau_bounds(data)
    return [low, 0.05], [high, 4.0]


def _stretched_named(p: np.ndarray, width: np.ndarray) -> list[tuple[str, str, float, float, float]]:
    return [_tau_row("tau", p[0], width[0]), ("beta", "", float(p[1]), float(p[1] - width[1]), float(p[1] + width[1]))]


MODELS = (
    Model(
        "mono",
        "A exp(-s/tau)",
        lambda s, p: np.exp(-s / math.exp(p[0])),
        lambda data: [[math.log(_tau_guess(data))]],
        lambda data: ([_ln_tau_bounds(data)[0]], [_ln_tau_bounds(data)[1]]),
        _mono_named,
        1,
    ),
    Model("bi", "A [w exp(-s/tau_1) + (1-w) exp(-s/tau_2)]", _bi_shape, _bi_starts, _bi_bounds, _bi_named, 3),
    Model("stretched", "A exp(-(s/tau)^beta)", _stretched_shape, _stretched_starts, _stretched_bounds, _stretched_named, 2),
)
