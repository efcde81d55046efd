"""Where firmware, boards and protocol lie: inside an installed package, or in the repository of an editable one."""

from __future__ import annotations

from pathlib import Path


def root() -> Path:
    """The folder that holds firmware/, boards/ and protocol/."""
    package = Path(__file__).resolve().parent
    installed = package / "bundle"
    return installed if installed.is_dir() else package.parent.parent
