"""The report's tests use the synthetic run of the analysis."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "analyse"), str(Path(__file__).parent)]
