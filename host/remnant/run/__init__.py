"""A run: upload, start, follow, stop, and leave a folder that is complete whatever happened."""

from .execute import RunResult, execute
from .progress import Progress

__all__ = ["Progress", "RunResult", "execute"]
