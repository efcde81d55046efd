"""You know before you start: a compiled plan is played ahead of time, and what comes of it is told, with all that cannot be done."""

from .figure import draw
from .forecast import Forecast, Liquid, Passage, Spool
from .foresee import Assumptions, foresee
from .mixing import Mixing

__all__ = ["Assumptions", "Forecast", "Liquid", "Mixing", "Passage", "Spool", "draw", "foresee"]
