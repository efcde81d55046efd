"""Trains of step pulses: what edges a list of segments must give, and where recorded ones differ."""

from itertools import pairwise


def expected(segments):
    """Instants in cycles, from the first segment on, of the rising edges of [(steps, interval), ...]; steps 0: a dwell."""
    at, edges = 0, []
    for steps, interval in segments:
        edges.extend(range(at, at + max(steps, 0) * interval, interval))
        at += max(steps, 1) * interval
    return edges


def rises(edges):
    return [cycle for cycle, level in edges if level]


def widths(edges):
    """Lengths of the high times in cycles."""
    return [after - before for (before, level), (after, _) in pairwise(edges) if level]


def worst_interval_error(segments, edges):
    """Largest difference in cycles between an interval of `edges` (instants of rises) and the plan's; the counts must agree."""
    plan = expected(segments)
    assert len(edges) == len(plan), f"{len(edges)} edges, {len(plan)} planned"
    return max((abs((b - a) - (d - c)) for (a, b), (c, d) in zip(pairwise(edges), pairwise(plan), strict=True)), default=0)
