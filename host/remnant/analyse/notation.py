"""A value with its uncertainty as text: two significant digits of the uncertainty, the value to the same place. ASCII."""

from __future__ import annotations

import math

MISSING = "-"


def plus_minus(value: float | None, u: float | None, unit: str = "") -> str:
    """Return "69.74 +- 0.12 %"; the value alone to 4 digits without an uncertainty; "-" without a value."""
    if value is None or not math.isfinite(value):
        return MISSING
    tail = f" {unit}" if unit else ""
    if u is None or not math.isfinite(u) or u <= 0:
        return f"{value:.4g}{tail}"
    places = max(1 - math.floor(math.log10(u)), 0)
    return f"{value:.{places}f} +- {u:.{places}f}{tail}"


def plain(value: float | None, unit: str = "", digits: int = 4) -> str:
    """Return a number to `digits` significant digits without an exponent where that stays readable."""
    if value is None or not math.isfinite(value):
        return MISSING
    tail = f" {unit}" if unit else ""
    if value == 0 or not 1e-4 <= abs(value) < 10**digits:
        return f"{value:.{digits}g}{tail}" if abs(value) < 10**digits or abs(value) >= 1e9 else f"{value:.0f}{tail}"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + tail
