"""Plans: YAML with units -> checked model -> program for the board. The language is in README.md beside this file."""

from .compile import compile_plan
from .compiled import CellInfo, Compiled, Liquid, ProbeInfo, StepInfo
from .disassemble import disassemble
from .load import load, sweep_points
from .model import Plan
from .sweep import Point

__all__ = [
    "CellInfo",
    "Compiled",
    "Liquid",
    "Plan",
    "Point",
    "ProbeInfo",
    "StepInfo",
    "compile_plan",
    "disassemble",
    "load",
    "sweep_points",
]
