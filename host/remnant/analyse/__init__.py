"""Analysis of a run from its folder alone: signals, remnant PL with uncertainty, T80 and T50, fits, planned against achieved, published
numbers. `analyse(folder)` writes analysis.json; the same folder gives the same bytes."""

from .analysis import FILE_NAME, METHOD, analyse, analyse_run
from .estimates import Crossing, Fit, Parameter
from .folder import RunData, read_run
from .results import Analysis, CellResult, Comparison, Conditions, CurvePoint, Headline, HeadlineRow, Quenching

__all__ = [
    "Analysis",
    "CellResult",
    "Comparison",
    "Conditions",
    "Crossing",
    "CurvePoint",
    "FILE_NAME",
    "Fit",
    "Headline",
    "HeadlineRow",
    "METHOD",
    "Parameter",
    "Quenching",
    "RunData",
    "analyse",
    "analyse_run",
    "read_run",
]
