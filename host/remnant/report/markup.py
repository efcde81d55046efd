"""Text and tables as HTML; whatever comes in is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from ..analyse.notation import plain


def shown(text: Any) -> str:
    """Return text for the page: escaped, with the signs that ASCII spells out."""
    plain_text = str(text).replace("+-", "\N{PLUS-MINUS SIGN}").replace("degC", "\N{DEGREE SIGN}C").replace("cm2", "cm\N{SUPERSCRIPT TWO}")
    return html.escape(plain_text).replace("\n", "<br>")


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], numeric: Iterable[int] = ()) -> str:
    """Return an accessible table: a caption, column heads, the first cell of each row as its head; "" without rows."""
    body = []
    right = set(numeric)
    for row in rows:
        cells = []
        for i, value in enumerate(row):
            tag, scope = ("th", ' scope="row"') if i == 0 else ("td", "")
            cells.append(f"<{tag}{scope}{' class=n' if i in right else ''}>{shown(value)}</{tag}>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    if not body:
        return ""
    head = "".join(f'<th scope="col"{" class=n" if i in right else ""}>{shown(h)}</th>' for i, h in enumerate(heads))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{shown(caption)}"><table><caption>{shown(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def bracket(low: float | None, high: float | None, unit: str = "") -> str:
    """Return "[1.2, 1.4] h"; "" without both ends."""
    return "" if low is None or high is None else f"[{plain(low)}, {plain(high)}] {unit}".strip()


def lines(*parts: str) -> str:
    """Return the parts that are not empty, one a line."""
    return "\n".join(part for part in parts if part)
