"""What is kept of a run: the journal while it goes on, tables and a manifest at its end."""

from .finish import finish, recover
from .journal import Journal, Keeper
from .span import read_events
from .store import FILE_NAME

__all__ = ["FILE_NAME", "Journal", "Keeper", "finish", "read_events", "recover"]
