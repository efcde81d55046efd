"""Plans: YAML with units -> checked model -> program for the board. The language is in README.md beside this file."""

from .compile import compile_plan
from .compiled import CellInfo, Compiled, ProbeInfo, StepInfo
from .disassemble import disassemble
from .load import load
from .model import Plan

__all__ = ["CellInfo", "Compiled", "Plan", "ProbeInfo", "StepInfo", "compile_plan", "disassemble", "load"]
