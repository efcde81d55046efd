"""A run: upload, start, follow, stop, take up again, and leave a folder that is complete whatever happened."""

from .attach import attach, fetch, folder_of, resume
from .execute import RunResult, execute
from .follow import ANSWER, Person
from .interruption import Interruption, find_interruption, may_be_resumed
from .progress import Progress

__all__ = [
    "ANSWER",
    "Interruption",
    "Person",
    "Progress",
    "RunResult",
    "attach",
    "execute",
    "fetch",
    "find_interruption",
    "folder_of",
    "may_be_resumed",
    "resume",
]
