"""Does a liquid boil where the plan takes it? Normal boiling points by name from the PyPI library `chemicals`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache

from ..errors import Problem
from ..plan import Compiled, Plan
from .places import Places

NOTHING_BOILS_BELOW_C = 30.0  # what is a liquid on the bench does not boil at the bench's temperature


@cache
def boiling_c(name: str) -> float | None:
    """Return the normal boiling point in degC; None where the name or its boiling point is not known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # chemicals 1.5 hands pandas 3 an argument that pandas has deprecated
        import chemicals  # it and its tables take a second or two, which only a hot plan with named liquids pays

        try:
            kelvin = chemicals.Tb(chemicals.CAS_from_any(name))
        except ValueError:
            return None
    return None if kelvin is None else kelvin - 273.15


def judged(plan: Plan, compiled: Compiled, places: Places, peak_c: float, peak_step: int | None) -> Iterator[Problem | str]:
    """Yield a warning for each liquid whose boiling point the block reaches, and a note for a name that is unknown."""
    if peak_c < NOTHING_BOILS_BELOW_C:
        return
    when = next((f" ({info.text})" for info in compiled.steps if info.index == peak_step), "")
    for letter, cell in plan.cells.items():
        solvent = cell.solvent
        if solvent is None:
            continue
        boils_c = boiling_c(solvent)
        if boils_c is None:
            yield f"cell {letter}: no boiling point is known for '{solvent}'; whether it boils was not checked."
        elif peak_c >= boils_c:
            yield places.cell(
                letter,
                f"cell {letter}: {solvent} boils at {boils_c:.1f} degC and the block gets to {peak_c:.1f} degC{when}.",
                "Close the cell tightly and leave room for pressure, or stay below.",
            )
    for pump in plan.pumps.values():
        liquid = pump.liquid
        if liquid is None:
            continue
        boils_c = boiling_c(liquid)
        if boils_c is None:
            yield f"pump {pump.pump}: no boiling point is known for '{liquid}'; whether it boils in the cells was not checked."
        elif peak_c >= boils_c:
            yield places.problem(
                peak_step,
                f"pump {pump.pump}: {liquid} boils at {boils_c:.1f} degC and the block gets to {peak_c:.1f} degC{when}.",
                "Dose it below that temperature.",
            )
