"""The decay laws that are fitted: shape, derivatives, starting values, and what a reader wants to know of them.

    mono       f = exp(-s / tau)
    bi         f = w exp(-s / tau_1) + (1 - w) exp(-s / tau_2), tau_1 < tau_2
    stretched  f = exp(-(s / tau)^beta)

s in h. Each law is written in parameters p that may take any value: ln tau, ln beta, ln(w / (1 - w)). So no bound bends an interval, and
an interval taken on p comes out unsymmetric and sensible in tau, beta and w.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gamma

Array = np.ndarray
_TINY_S_H = 1e-12


@dataclass(frozen=True)
class Quantity:
    """Something positive or a share that follows from p. of: p -> its value on the scale on which its interval is symmetric; back: from
    there to the value."""

    name: str
    unit: str
    of: Callable[[Array], float]
    back: Callable[[float], float]


@dataclass(frozen=True)
class Law:
    """shape(s, p) -> (f, df/ds, df/dp with a column per parameter); rates: 1/h, the last one compares laws: 1 / mean lifetime."""

    name: str
    formula: str
    parameters: int
    shape: Callable[[Array, Array], tuple[Array, Array, Array]]
    starts: Callable[[Array, Array], list[list[float]]]
    named: tuple[Quantity, ...]
    rates: tuple[Quantity, ...]


def _ln(name: str, unit: str, of: Callable[[Array], float]) -> Quantity:
    return Quantity(name, unit, of, lambda x: float(np.exp(np.clip(x, -300, 300))))


def tau_guess_h(s: Array, y: Array) -> float:
    """Return tau in h from the first and last reading."""
    span = float(s[-1] - s[0]) or float(s.max()) or 1.0
    drop = float(np.log(y[0] / y[-1])) if y[0] > 0 and y[-1] > 0 else 0.0
    return span / max(drop, 1e-3)


def _mono(s: Array, p: Array) -> tuple[Array, Array, Array]:
    rate = np.exp(-p[0])
    x = s * rate
    f = np.exp(-x)
    return f, -f * rate, (x * f)[:, None]


def _stretched(s: Array, p: Array) -> tuple[Array, Array, Array]:
    beta = np.exp(p[1])
    ln_ratio = np.log(np.maximum(s, _TINY_S_H)) - p[0]
    x = np.exp(np.minimum(beta * ln_ratio, 50.0))
    f = np.exp(-x)
    by_p = np.empty((len(s), 2))
    by_p[:, 0] = beta * x * f
    by_p[:, 1] = -by_p[:, 0] * ln_ratio
    return f, -by_p[:, 0] / np.maximum(s, _TINY_S_H), by_p


def _bi(s: Array, p: Array) -> tuple[Array, Array, Array]:
    w = 1 / (1 + np.exp(-p[0]))
    fast_rate, slow_rate = np.exp(-p[1]), np.exp(-p[2])
    fast, slow = np.exp(-s * fast_rate), np.exp(-s * slow_rate)
    lost_fast, lost_slow = w * fast_rate * fast, (1 - w) * slow_rate * slow
    by_p = np.empty((len(s), 3))
    by_p[:, 0] = w * (1 - w) * (fast - slow)
    by_p[:, 1] = s * lost_fast
    by_p[:, 2] = s * lost_slow
    return w * fast + (1 - w) * slow, -lost_fast - lost_slow, by_p


def _stretched_starts(s: Array, y: Array) -> list[list[float]]:
    tau = tau_guess_h(s, y)
    inside = (y > 0.01) & (y < 0.99) & (s > 0)
    if inside.sum() >= 3 and np.ptp(s[inside]) > 0:
        beta, offset = np.polyfit(np.log(s[inside]), np.log(-np.log(y[inside])), 1)
        if 0.1 < beta < 3:
            return [[-float(offset) / float(beta), float(np.log(beta))], [float(np.log(tau)), float(np.log(0.6))]]
    return [[float(np.log(tau)), 0.0], [float(np.log(tau)), float(np.log(0.6))]]


def _bi_starts(s: Array, y: Array) -> list[list[float]]:
    span, tau = float(s.max()) or 1.0, tau_guess_h(s, y)
    pairs = ((-0.8, 0.1), (0.0, 0.25), (-1.7, 0.03))
    return [[w, float(np.log(fast * span)), float(np.log(max(2 * tau, fast * span * 4)))] for w, fast in pairs]


def _bi_mean(p: Array) -> float:
    """ln of 1 / (w tau_1 + (1 - w) tau_2)."""
    w = expit(p[0])
    return float(-np.log(w * np.exp(p[1]) + (1 - w) * np.exp(p[2])))


def _stretched_mean(p: Array) -> float:
    """ln of 1 / <tau>, <tau> = tau / beta Gamma(1 / beta)."""
    beta = np.exp(np.clip(p[1], -3.0, 3.0))
    return float(-(p[0] - np.log(beta) + np.log(gamma(1 / beta))))


LAWS = (
    Law(
        "mono",
        "A exp(-s/tau)",
        1,
        _mono,
        lambda s, y: [[float(np.log(tau_guess_h(s, y)))]],
        (_ln("tau", "h", lambda p: p[0]),),
        (_ln("k", "1/h", lambda p: -p[0]),),
    ),
    Law(
        "bi",
        "A [w exp(-s/tau_1) + (1-w) exp(-s/tau_2)]",
        3,
        _bi,
        _bi_starts,
        (
            Quantity("w", "", lambda p: p[0], lambda x: float(expit(x))),
            _ln("tau_1", "h", lambda p: p[1]),
            _ln("tau_2", "h", lambda p: p[2]),
        ),
        (
            _ln("k_1", "1/h", lambda p: -p[1]),
            _ln("k_2", "1/h", lambda p: -p[2]),
            _ln("k", "1/h", _bi_mean),
        ),
    ),
    Law(
        "stretched",
        "A exp(-(s/tau)^beta)",
        2,
        _stretched,
        _stretched_starts,
        (_ln("tau", "h", lambda p: p[0]), _ln("beta", "", lambda p: p[1])),
        (_ln("k_tau", "1/h", lambda p: -p[0]), _ln("k", "1/h", _stretched_mean)),
    ),
)
