"""Reports: one self-contained HTML page with figures for a run, or for several with their table on top; a page that compares runs.
`write_report(folders, out)`, `compare_runs(folders, out)`."""

from .across import Compared, compare_runs
from .page import FILE_NAME, write_report

__all__ = ["Compared", "FILE_NAME", "compare_runs", "write_report"]
