"""Reports: one self-contained HTML page with figures for a run, or for several with their table on top. `write_report(folders, out)`."""

from .page import FILE_NAME, write_report

__all__ = ["FILE_NAME", "write_report"]
