"""Flow synthesis: what a Y-connector with two syringe pumps does to the liquids, from their properties and the flows (README.md)."""

from .production import Production, produced
from .reactor import Condition, Tube, condition, diameter_for
from .solvents import Solvent, solvent

__all__ = ["Condition", "Production", "Solvent", "Tube", "condition", "diameter_for", "produced", "solvent"]
