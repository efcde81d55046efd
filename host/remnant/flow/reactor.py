"""Two liquids that meet in a Y-connector: mixture, Reynolds number, residence time, dilution.

Mixing rule: volumes add (ideal), so the density is the mean by volume fraction; ln of the viscosity is the mean of the logarithms by weight
fraction, the form that `chemicals` recommends for liquids (chemicals.viscosity, "Liquid Mixing Rules").
Reynolds number of the whole flow in the tube behind the Y: Re = 4 rho Q / (pi mu D).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from remnant_protocol import errors as codes
from remnant_protocol.errors import RigError

from .solvents import ROOM_C, Solvent, solvent

LAMINAR_BELOW = 1800.0  # liang2023: the transition in a circular tube is accepted to lie between 1800 and 2300 (its refs 53, 54)
TURBULENT_FROM = 2300.0
RESIDENCE_TIMES = 3  # to let pass before anything is collected
_ML_PER_H = 1e-6 / 3600  # m3/s


@dataclass(frozen=True)
class Tube:
    """The tube behind the Y-connector: inner diameter and length in mm."""

    inner_diameter_mm: float
    length_mm: float

    def __post_init__(self) -> None:
        for what, value in (("inner diameter", self.inner_diameter_mm), ("length", self.length_mm)):
            if not 0 < value < 1e5:
                text = f"tube: {what} {value:g} mm is not a size of a tube; write millimetres above 0"
                raise RigError(codes.PLAN_INVALID, where="tube", value=value, text=text)

    @property
    def volume_ul(self) -> float:
        """What the tube holds, in microlitres."""
        return math.pi * self.inner_diameter_mm**2 / 4 * self.length_mm


# liang2023 names no size; 1/16 inch is the inner diameter of common PTFE tubing with Luer ends and reproduces the printed Reynolds
# numbers best (README.md, "Against the paper"). The length is an assumption of ours.
DEFAULT_TUBE = Tube(inner_diameter_mm=1.5875, length_mm=300.0)


@dataclass(frozen=True)
class Condition:
    """What two flows make in one tube. Flows in mL/h; Re dimensionless; residence time in s; ratio antisolvent : precursor by volume.

    regime: "laminar" (Re < 1800), "transition" (< 2300) or "turbulent". dilution: volume of the mixture per volume of precursor solution.
    """

    antisolvent: Solvent
    precursor: Solvent
    tube: Tube
    antisolvent_ml_per_h: float
    precursor_ml_per_h: float
    density_kg_per_m3: float
    viscosity_pa_s: float
    reynolds: float
    residence_s: float

    @property
    def total_ml_per_h(self) -> float:
        return self.antisolvent_ml_per_h + self.precursor_ml_per_h

    @property
    def ratio(self) -> float:
        return self.antisolvent_ml_per_h / self.precursor_ml_per_h if self.precursor_ml_per_h else math.inf

    @property
    def dilution(self) -> float:
        return self.total_ml_per_h / self.precursor_ml_per_h if self.precursor_ml_per_h else math.inf

    @property
    def regime(self) -> str:
        return "laminar" if self.reynolds < LAMINAR_BELOW else "transition" if self.reynolds < TURBULENT_FROM else "turbulent"

    @property
    def settle_s(self) -> float:
        """Time until what leaves the tube is of these flows: 3 residence times."""
        return RESIDENCE_TIMES * self.residence_s

    @property
    def assumed(self) -> str:
        """Tube and properties behind the figures, for a caption."""
        return (
            f"tube {self.tube.inner_diameter_mm:g} mm x {self.tube.length_mm:g} mm, {self.antisolvent.name} and {self.precursor.name} at "
            f"{self.antisolvent.temp_c:g} degC, mixture {self.density_kg_per_m3:.0f} kg/m3 and {self.viscosity_pa_s * 1e3:.3f} mPa s"
        )


def condition(
    antisolvent_ml_per_h: float,
    precursor_ml_per_h: float,
    tube: Tube = DEFAULT_TUBE,
    antisolvent: str = "toluene",
    precursor: str = "N,N-dimethylformamide",
    temp_c: float = ROOM_C,
) -> Condition:
    """Return what the two flows (mL/h) make in the tube. Raises RigError(PLAN_INVALID) for a flow, a solvent or a temperature it cannot."""
    flows = (antisolvent_ml_per_h, precursor_ml_per_h)
    if not all(flow >= 0 and math.isfinite(flow) for flow in flows) or not sum(flows):
        text = f"flow: {flows[0]:g} and {flows[1]:g} mL/h: neither may be negative, and one must flow"
        raise RigError(codes.PLAN_INVALID, where="flow", text=text)
    liquids = (solvent(antisolvent, temp_c), solvent(precursor, temp_c))
    density, viscosity = mixed(liquids, flows)
    total = sum(flows) * _ML_PER_H
    reynolds = 4 * density * total / (math.pi * viscosity * tube.inner_diameter_mm * 1e-3)
    residence_s = tube.volume_ul * 1e-9 / total
    return Condition(*liquids, tube, *flows, density, viscosity, reynolds, residence_s)


def mixed(liquids: tuple[Solvent, ...], volumes: tuple[float, ...]) -> tuple[float, float]:
    """Return (density in kg/m3, viscosity in Pa s) of liquids mixed by volume; the rule stands in the head of this module."""
    masses = [volume * liquid.needed("density_kg_per_m3") for liquid, volume in zip(liquids, volumes, strict=True)]
    mass = sum(masses)
    logs = (m / mass * math.log(liquid.needed("viscosity_pa_s")) for liquid, m in zip(liquids, masses, strict=True) if m)
    return mass / sum(volumes), math.exp(sum(logs))


def diameter_for(reynolds: float, at: Condition) -> float:
    """Return the inner diameter in mm at which the flows of `at` have this Reynolds number."""
    return at.tube.inner_diameter_mm * at.reynolds / reynolds
