"""Results to rows, totals, a table for the terminal and for the README."""

from __future__ import annotations

from typing import Any

BEGIN, END = "<!-- faults -->", "<!-- /faults -->"
COLUMNS = ("attack", "attacks", "detected within", "outputs off after", "lost", "doubled", "twice", "analysis differs", "trials failed")


def rows(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row an attack, in the order in which they came up."""
    by_attack: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_attack.setdefault(result["trial"]["attack"], []).append(result)
    return [_row(attack, of_it) for attack, of_it in by_attack.items()]


def _row(attack: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    detected = [result["detected_s"] for result in results if result.get("detected_s") is not None]
    off = [result["off_ms"] for result in results if result.get("off_ms") is not None]
    return {
        "attack": attack,
        "trials": len(results),
        "attacks": sum(result.get("killed", result.get("resets", result["trial"]["count"])) for result in results),
        "detected_s_max": max(detected) if detected else None,
        "off_ms_max": max(off) if off else None,
        "wall_s": round(sum(result.get("wall_s", 0.0) for result in results), 1),
        "records": sum(result.get("records", 0) for result in results),
        "lost": sum(result["lost"] for result in results),
        "declared": sum(result["declared"] for result in results),
        "predicted": sum(result.get("predicted", 0) for result in results),
        "doubled": sum(result["doubled"] + result["altered"] for result in results),
        "twice": sum(result["twice"] for result in results),
        "differs": sum(bool(result["differs"]) for result in results),
        "false_faults": sum(result.get("false_faults", 0) for result in results),
        "failed": sum(not result["good"] for result in results),
    }


def totals(of: list[dict[str, Any]]) -> dict[str, int]:
    names = {
        "attacks": "attacks",
        "trials": "trials",
        "records": "records",
        "records_lost": "lost",
        "records_declared": "declared",
        "records_doubled": "doubled",
        "executed_twice": "twice",
        "analysis_differs": "differs",
        "false_faults": "false_faults",
        "trials_failed": "failed",
    }
    return {name: sum(row[key] for row in of) for name, key in names.items()}


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    lost = str(row["lost"]) + (f" ({row['declared']} declared)" if row["declared"] else "")
    seconds = "" if row["detected_s_max"] is None else f"{row['detected_s_max']:.1f} s"
    off = "" if row["off_ms_max"] is None else f"{row['off_ms_max']:.0f} ms"
    return (
        row["attack"],
        str(row["attacks"]),
        seconds,
        off,
        lost,
        str(row["doubled"]),
        str(row["twice"]),
        str(row["differs"]),
        f"{row['failed']} of {row['trials']}",
    )


def text(of: list[dict[str, Any]]) -> str:
    """Aligned columns."""
    lines = [COLUMNS, *(cells(row) for row in of)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def markdown(of: list[dict[str, Any]], seed: int) -> str:
    """The section of the README."""
    total = totals(of)
    head = (
        "## Under attack\n"
        f"`make faults` (seed {seed}): {total['attacks']} attacks in {total['trials']} trials, {total['records']} records. Records lost\n"
        f"{total['records_lost']}, doubled {total['records_doubled']}, commands executed twice {total['executed_twice']}, "
        f"false faults {total['false_faults']}. What a line means: tests/hil/faults/README.md.\n"
    )
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in of]
    return "\n".join([head, *lines])


def into_readme(readme: str, section: str) -> str:
    """The README with the section between its markers, at the end of "Measured" when there are none yet."""
    block = f"{BEGIN}\n{section}\n{END}"
    if BEGIN in readme and END in readme:
        before, rest = readme.split(BEGIN, 1)
        return before + block + rest.split(END, 1)[1]
    before, licence, rest = readme.rpartition("\nMIT licence.")
    return f"{before}\n{block}\n{licence}{rest}" if licence else f"{readme}\n{block}\n"
