"""The laws of `laws` fitted to the readings of one cell, all at once, and compared.

    y_i = A q_i f(s_i)                    A near 1: the baseline is a reading as any other; q_i: an unknown factor of all hot readings

y_i is signal over the baseline's signal, s_i = s_nominal + g u_s,i the equivalent time since the baseline, g one common number known to be
0 +- 1 (ageing while heating up and cooling down, see `stress`). A, q and g are fitted with the law, so what all readings share is in
every interval. Weights are 1/u^2 of each reading's own part. scipy's Levenberg-Marquardt finds the minimum, from several starts.

Where the scatter is larger than the readings' own uncertainty explains (chi2 above its 95 % point), covariance grows with chi2/dof, and the
intervals are Student's. Laws are compared by AICc (Burnham and Anderson, Model Selection and Multimodel Inference, 2nd ed. 2002, eq. 2.4):
of those within 2 of the lowest the one with the fewest parameters. A fit that fails or is not determined says so and offers no numbers.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import leastsq
from scipy.stats import chi2 as chi2_distribution

from .confidence import FREEDOM_MANY
from .laws import LAWS, Law

AS_GOOD_AICC = 2.0  # differences up to this carry no weight (Burnham and Anderson, section 2.6)
_POOR_CHI2 = 5.0  # reduced; above it the scatter is not that of the readings
_LN_TAU_LOW, _LN_TAU_HIGH = math.log(1e-3), math.log(1e5)  # in spans of the readings: beyond, tau says nothing of them
_LN_BETA_LOW, _LN_BETA_HIGH = math.log(0.05), math.log(4.0)
_LOGIT_W_FAR = 5.0
_UNSURE_LOGIT_W, _UNSURE_LN_TAU = 1.5, 1.0  # standard uncertainties from which on two exponentials are not told apart


@dataclass(frozen=True)
class Readings:
    """What is fitted, in order of time. s_h: nominal equivalent time; y: fraction; u: own standard uncertainty; s_u_h: uncertainty of
    s_h that all share; hot: readings with the unknown factor q; q_u: None when nothing is known of ln q, else it is 0 +- q_u.

    freedom: of the pulse noise behind u; None: u is a guess, the scatter about the fit says more.
    """

    s_h: np.ndarray
    y: np.ndarray
    u: np.ndarray
    s_u_h: np.ndarray
    hot: np.ndarray
    q_u: float | None = None
    freedom: float | None = FREEDOM_MANY


@dataclass(frozen=True)
class Solution:
    """A fit that worked: p = parameters of the law, ln A, then ln q and g where they are fitted, with their covariance.

    freedom: degrees of freedom of the covariance, for Student's t.
    """

    law: Law
    data: Readings
    p: np.ndarray
    covariance: np.ndarray
    chi2: float
    dof: int
    freedom: float
    aicc: float | None
    layout: _Layout = field(repr=False)

    def shape(self, s_h: np.ndarray | float, p: np.ndarray | None = None) -> np.ndarray:
        """Return f, the fraction of the true baseline, at nominal equivalent times in h (shifted as the readings under stress are)."""
        p = self.p if p is None else p
        s = np.atleast_1d(np.asarray(s_h, dtype=float))
        return self.law.shape(np.maximum(s + self.layout.shift(p, self.layout.common_u_h) * (s > 0), 0.0), p)[0]

    def band(self, s_h: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return (f, its standard uncertainty), as `shape`."""
        s = np.atleast_1d(np.asarray(s_h, dtype=float))
        g, common_u_h = self.layout.g, self.layout.common_u_h
        f, slope, by_p = self.law.shape(np.maximum(s + self.layout.shift(self.p, common_u_h) * (s > 0), 0.0), self.p)
        columns = np.zeros((len(s), self.layout.size))
        columns[:, : self.layout.amplitude] = by_p
        if g is not None:
            columns[:, g] = slope * common_u_h * (s > 0)
        return f, np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", columns, self.covariance, columns), 0.0))

    def fitted(self) -> np.ndarray:
        """Return the fit at its own readings, as y."""
        return self.layout.predict(self.p)[0]

    def uncertainty(self, quantity: Callable[[np.ndarray], float]) -> float:
        """Return the standard uncertainty of a function of p, by first-order propagation."""
        steps = 1e-4 * np.clip(np.sqrt(np.diag(self.covariance)), 1e-4, 10.0)
        gradient = np.array([(quantity(self.p + d) - quantity(self.p - d)) / (2 * h) for d, h in zip(np.diag(steps), steps, strict=True)])
        return math.sqrt(max(float(gradient @ self.covariance @ gradient), 0.0))


Attempt = tuple[Law, Solution | None, str]  # the solution, and "ok" or why it says little or nothing


class _Layout:
    """Where what stands in p, and the residuals with their derivatives."""

    def __init__(self, law: Law, data: Readings):
        self.law, self.data = law, data
        self.amplitude = law.parameters
        both = bool(data.hot.any()) and not data.hot.all()
        self.q = self.amplitude + 1 if both and data.q_u != 0 else None
        self.held_q = self.q is not None and data.q_u is not None
        shifted = bool((data.s_u_h > 0).any())
        self.g = self.amplitude + 1 + (self.q is not None) if shifted else None
        self.size = self.amplitude + 1 + (self.q is not None) + shifted
        self.free = self.size - shifted - self.held_q
        later = data.s_u_h[data.s_h > 0]
        self.common_u_h = float(later.min()) if later.size else 0.0  # what all readings after the baseline share
        self._seen: tuple[np.ndarray, tuple[np.ndarray, np.ndarray]] | None = None

    def shift(self, p: np.ndarray, u_h: float | np.ndarray) -> float | np.ndarray:
        return 0.0 if self.g is None else p[self.g] * u_h

    def predict(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (y, dy/dp); the last answer is kept, because residuals and derivatives are asked for one after the other."""
        if self._seen is None or not np.array_equal(self._seen[0], p):
            self._seen = (p.copy(), self._predicted(p))
        return self._seen[1]

    def _predicted(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        data = self.data
        f, slope, by_p = self.law.shape(np.maximum(data.s_h + self.shift(p, data.s_u_h), 0.0), p)
        factor = math.exp(p[self.amplitude]) * (np.ones(len(f)) if self.q is None else np.exp(data.hot * p[self.q]))
        y = factor * f
        columns = np.empty((len(y), self.size))
        columns[:, : self.amplitude] = factor[:, None] * by_p
        columns[:, self.amplitude] = y
        if self.q is not None:
            columns[:, self.q] = y * data.hot
        if self.g is not None:
            columns[:, self.g] = factor * slope * data.s_u_h
        return y, columns

    def residuals(self, p: np.ndarray) -> np.ndarray:
        y, _ = self.predict(p)
        return np.concatenate(((y - self.data.y) / self.data.u, self._priors(p)))

    def jacobian(self, p: np.ndarray) -> np.ndarray:
        _, columns = self.predict(p)
        rows = [columns / self.data.u[:, None]]
        for index, u in self._held():
            row = np.zeros((1, self.size))
            row[0, index] = 1 / u
            rows.append(row)
        return np.concatenate(rows)

    def _held(self) -> list[tuple[int, float]]:
        held = [] if self.g is None else [(self.g, 1.0)]
        if self.held_q and self.q is not None and self.data.q_u:
            held.append((self.q, self.data.q_u))
        return held

    def _priors(self, p: np.ndarray) -> np.ndarray:
        return np.array([p[index] / u for index, u in self._held()])


def solve_all(data: Readings, earlier: list[Attempt] | None = None) -> list[Attempt]:
    """Return (law, solution or None, status) for every law, in the order mono, bi, stretched; status "ok" or why not.

    earlier: what was found for part of these readings; a law that worked there starts from that.
    """
    known = {law.name: s.p[: law.parameters].tolist() for law, s, _ in earlier or [] if s is not None}
    return [(law, *_solve(law, data, known.get(law.name))) for law in LAWS]


def best(attempts: list[Attempt]) -> Solution | None:
    """Return the preferred solution: of those within 2 of the lowest AICc the one with the fewest parameters (lowest chi2 when readings
    are too few for AICc); None when every fit failed. A poor fit can still be the best there is."""
    good = [s for _, s, _ in attempts if s is not None]
    ranked = [(s.aicc, s) for s in good if s.aicc is not None]
    if ranked:
        lowest = min(aicc for aicc, _ in ranked)
        return min((pair for pair in ranked if pair[0] - lowest <= AS_GOOD_AICC), key=lambda pair: (pair[1].law.parameters, pair[0]))[1]
    return min(good, key=lambda s: s.chi2, default=None)


def _solve(law: Law, data: Readings, start: list[float] | None) -> tuple[Solution | None, str]:
    layout = _Layout(law, data)
    count = len(data.y)
    if count <= layout.free:
        return None, f"too few readings: {count} for {layout.free} parameters"
    found = _minimum(layout, start)
    if found is None:
        return None, "did not converge"
    p, chi2 = found
    if law.name == "bi" and p[1] > p[2]:
        p = p.copy()
        p[0], p[1], p[2] = -p[0], p[2], p[1]
    with np.errstate(all="ignore"):
        jacobian = layout.jacobian(p)
        information = jacobian.T @ jacobian
        try:
            covariance = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None, "not determined: the readings do not fix all parameters"
    if not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        return None, "not determined: the readings do not fix all parameters"
    if _beyond(law, p, float(data.s_h.max()) or 1.0):
        return None, "not determined: a parameter runs off, the readings do not need this model"
    dof = count - layout.free
    widened = data.freedom is None or chi2 > chi2_distribution.ppf(0.95, dof)
    covariance = covariance * (chi2 / dof if widened else 1.0)
    k = layout.free
    aicc = chi2 + 2 * k + 2 * k * (k + 1) / (count - k - 1) if count - k - 1 > 0 else None
    freedom = float(dof) if widened or data.freedom is None else data.freedom
    solution = Solution(law, data, p, covariance, chi2, dof, freedom, aicc, layout)
    u = np.sqrt(np.diag(covariance))
    if law.name == "bi" and (u[0] > _UNSURE_LOGIT_W or u[1] > _UNSURE_LN_TAU or p[2] - p[1] < 2 * math.hypot(u[1], u[2])):
        return None, "not determined: the two exponentials cannot be told apart, one does as well"
    if chi2 / dof > _POOR_CHI2:
        miss = float(np.sqrt(np.mean((data.y - solution.fitted()) ** 2)))
        return solution, f"poor: the readings lie off by {100 * miss:.2g} % of the baseline (rms), more than their scatter"
    return solution, "ok"


def _minimum(layout: _Layout, known: list[float] | None) -> tuple[np.ndarray, float] | None:
    data = layout.data
    y = data.y.copy()
    if layout.q is not None and layout.data.q_u is None and data.hot.any():
        y[data.hot] *= _guess_inverse_q(data)
    found: tuple[np.ndarray, float] | None = None
    order = data.s_h > 0
    s, y_from = (data.s_h[order], y[order]) if order.sum() >= 2 else (data.s_h, y)
    for start in [known] if known else layout.law.starts(s, y_from):
        p0 = np.zeros(layout.size)
        p0[: len(start)] = start
        if data.hot.all():
            p0[layout.amplitude] = math.log(max(float(data.y[0]), 1e-6))
        elif layout.q is not None and data.q_u is None:
            p0[layout.q] = -math.log(_guess_inverse_q(data))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # what it warns about shows in chi2 and covariance
            try:
                answer: Any = leastsq(layout.residuals, p0, Dfun=layout.jacobian, full_output=True, maxfev=60)
            except (ValueError, np.linalg.LinAlgError):
                continue
            p, ok = answer[0], answer[4]
            chi2 = float(np.sum(layout.residuals(p) ** 2))
        if ok in (1, 2, 3, 4) and math.isfinite(chi2) and (found is None or chi2 < found[1] - 1e-9):
            found = (p, chi2)
            if chi2 <= len(data.y) - layout.free:  # as good as the scatter allows: no need to look elsewhere
                break
    return found


def _guess_inverse_q(data: Readings) -> float:
    """1 / q as if nothing aged between a hot reading and the reference reading next to it in time (the last such pair)."""
    pairs = np.flatnonzero(data.hot[:-1] != data.hot[1:])
    if not pairs.size:
        return 1.0
    i = int(pairs[-1])
    hot, cold = (i, i + 1) if data.hot[i] else (i + 1, i)
    return float(min(max(data.y[cold] / max(data.y[hot], 1e-6), 0.01), 100.0))


def _beyond(law: Law, p: np.ndarray, span_h: float) -> bool:
    """A parameter so far off that the readings cannot have led there."""
    taus = p[1:3] if law.name == "bi" else p[:1]
    far = bool(np.any(taus - math.log(span_h) < _LN_TAU_LOW) or np.any(taus - math.log(span_h) > _LN_TAU_HIGH))
    if law.name == "bi":
        return far or abs(p[0]) > _LOGIT_W_FAR
    return far or (law.name == "stretched" and not _LN_BETA_LOW < p[1] < _LN_BETA_HIGH)
