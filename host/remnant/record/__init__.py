"""What is kept of a run: the journal while it goes on, tables and a manifest at its end."""

from .finish import finish, recover
from .journal import Journal

__all__ = ["Journal", "finish", "recover"]
