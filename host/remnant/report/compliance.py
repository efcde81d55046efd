"""The table of a run beside the protocol that its plan names."""

from __future__ import annotations

from ..analyse import Analysis
from .markup import shown, table

_SIGNS = {"kept": "\N{CHECK MARK}", "not kept": "\N{BALLOT X}", "not measured": "?", "recorded": ""}


def compliance(analysis: Analysis) -> str:
    """Return summary and table; "" for a run that names no protocol."""
    held = analysis.compliance
    if held is None:
        return ""
    rows = [(r.quantity, r.wanted, r.planned, r.achieved, f"{_SIGNS.get(r.verdict, '')} {r.verdict}".strip()) for r in held.rows]
    heads = ("quantity", f"{held.protocol} wants", "planned", "achieved", "verdict")
    return f"<p>{shown(held.summary)}.</p>{table(f'Beside the protocol {held.protocol}', heads, rows)}"
