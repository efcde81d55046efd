"""Make the synthetic run importable from tests of analysis and report."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
