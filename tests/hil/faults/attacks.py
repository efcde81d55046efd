"""The table of attacks: what is done, how often, and the seed of each trial. `trials(seed, share)` is the whole suite as plain data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from trial import Trial

RUN_BYTES = {"short": 12_000, "fast": 78_000}  # of an undisturbed run, less what its start and end take
SPEEDS = (0, 0, 60)  # two of three compare byte for byte; in the third, time does not wait for the host
BOARD_SEEDS = 3

# attack, trials, what the cable does to both directions
DAMAGE = (
    ("bit flips 1e-4", 30, {"flip": 1e-4}),
    ("bit flips 1e-3", 30, {"flip": 1e-3}),
    ("bit flips 1e-2", 20, {"flip": 1e-2}),
    ("frames dropped", 30, {"drop": 0.05}),
    ("frames doubled", 30, {"double": 0.05}),
    ("frames reordered", 30, {"reorder": 0.05}),
    ("frames truncated", 30, {"truncate": 0.05}),
    ("all of these", 20, {"flip": 3e-4, "drop": 0.02, "double": 0.02, "reorder": 0.02, "truncate": 0.02}),
)
# attack, trials, byte, direction, seconds at line rate
FLOODS = (
    ("storm of 0x03", 20, "03", "both", 0.05),
    ("storm of 0x00", 20, "00", "both", 0.05),
    ("garbage to the board", 20, "garbage", "down", 0.4),
    ("garbage to the host", 20, "garbage", "up", 0.4),
)
KILLS = (100, 2)  # attacks, of them in one run
PULLS = (100, 5)
RESETS = (100, 2)
POWER_CUTS = (20, 1)
PAGES_TORN = 20  # not the first page: it is written in the tick of the start, and of that run no host knows anything
PAGE_BYTES = 249  # head, payload and check of a full page


def trials(seed: int, share: float = 1.0) -> list[Trial]:
    """All trials of the virtual board; share: so much of each kind, one at least."""
    found: list[Trial] = []
    for made in (_damage, _floods, _silence, _kills, _pulls, _resets, _others):
        found += made(seed, share)
    return found


def _numbered(seed: int, attack: str, count: float) -> Iterator[tuple[int, random.Random, dict[str, Any]]]:
    """(seed of the trial, its chance, plan, board and speed in turn)."""
    for i in range(max(1, round(count))):
        own = seed * 1000 + i
        plan = ("short", "fast")[i % 2]
        yield own, random.Random(f"{attack} {own}"), {"plan": plan, "speed": SPEEDS[i % 3], "board_seed": 1 + i % BOARD_SEEDS}


def _damage(seed: int, share: float) -> Iterator[Trial]:
    for attack, count, how in DAMAGE:
        for own, chance, facts in _numbered(seed, attack, count * share):
            whole = RUN_BYTES[facts["plan"]]
            begin = chance.randrange(whole // 2)
            end = begin + chance.randrange(whole // 4, whole // 2)
            script = [[{"run_bytes": begin}, {"do": "damage", "up": how, "down": how}], [{"run_bytes": end}, {"do": "damage"}]]
            yield Trial(attack, "line", own, script=script, **facts)


def _floods(seed: int, share: float) -> Iterator[Trial]:
    for attack, count, kind, way, for_s in FLOODS:
        for own, chance, facts in _numbered(seed, attack, count * share):
            flood = {"do": "flood", "way": way, "kind": kind, "for_s": for_s}
            yield Trial(attack, "line", own, script=_at(chance, facts, 3, flood), **facts)


def _silence(seed: int, share: float) -> Iterator[Trial]:
    for own, chance, facts in _numbered(seed, "host stops reading", 15 * share):
        yield Trial("host stops reading", "stops", own, script=_tells(chance, facts, 2), facts={"for_s": 1.0}, count=2, **facts)
    for way, attack in (("up", "line silent to the host"), ("down", "line silent to the board")):
        for own, chance, facts in _numbered(seed, attack, 10 * share):
            yield Trial(attack, "line", own, script=_at(chance, facts, 2, {"do": "hold", "way": way, "for_s": 1.5}), **facts)


def _kills(seed: int, share: float) -> Iterator[Trial]:
    attacks, in_a_run = KILLS
    for own, chance, facts in _numbered(seed, "host killed", share * attacks / in_a_run):
        yield Trial("host killed (kill -9)", "killed", own, script=_tells(chance, facts, in_a_run), count=in_a_run, **facts)


def _pulls(seed: int, share: float) -> Iterator[Trial]:
    attacks, in_a_run = PULLS
    for own, chance, facts in _numbered(seed, "cable pulled", share * attacks / in_a_run):
        pull = {"do": "pull", "for_s": round(chance.uniform(0.02, 0.8), 3)}
        yield Trial("cable pulled", "line", own, script=_at(chance, facts, in_a_run, pull), count=in_a_run, **facts)


def _resets(seed: int, share: float) -> Iterator[Trial]:
    for attack, (attacks, in_a_run), cut in (("board reset", RESETS, False), ("power cut", POWER_CUTS, True)):
        for own, chance, facts in _numbered(seed, attack, share * attacks / in_a_run):
            about = {"course_changes": True, "power_cut": cut, "may_declare": cut}
            yield Trial(attack, "reset", own, script=_tells(chance, facts, in_a_run), facts=about, count=in_a_run, **facts)
    for own, chance, facts in _numbered(seed, "page torn", PAGES_TORN * share):
        cut = [chance.randrange(2, 12), chance.randrange(PAGE_BYTES + 1)]
        about = {"course_changes": True, "may_declare": True, "preset": {"cut": cut}, "compare": False}
        script = [[{"run_bytes": chance.randrange(2_000, 20_000)}, {"do": "tell", "what": "now"}]]
        yield Trial("power cut in a page write", "torn", own, script=script, facts=about, **{**facts, "plan": "fast", "speed": 60})


def _others(seed: int, share: float) -> Iterator[Trial]:
    for own, chance, facts in _numbered(seed, "disk full", 20 * share):
        yield Trial("disk full", "disk", own, script=_tells(chance, facts, 1), facts={"for_s": chance.uniform(0.2, 1.5)}, **facts)
    for own, _, facts in _numbered(seed, "wall clock jumps", 10 * share):
        yield Trial("wall clock jumps", "jumps", own, **facts)
    for own, _, facts in _numbered(seed, "clock wraps at 2^30 us", 10 * share):
        wraps = {"preset": {"starts_us": 2**30 - 1_000_000 * (5 + own % 120)}, "course_changes": True}
        yield Trial("board clock wraps at 2^30 us", "line", own, facts=wraps, **facts)
    for own, chance, facts in _numbered(seed, "commands by hand", 20 * share):
        how = {"flip": chance.choice((1e-4, 1e-3, 3e-3)), "drop": 0.03, "double": 0.1, "reorder": 0.03}
        begin = {"do": "damage", "up": how, "down": how}
        facts["speed"] = min(facts["speed"], 1)  # a hand is not accelerated; 10 records a second are more than a line this bad carries
        yield Trial("commands by hand, bad line", "hand", own, script=[[{"bytes": 900}, begin]], facts={"compare": False}, **facts)


def _at(chance: random.Random, facts: dict[str, Any], times: int, action: dict[str, Any]) -> list[list[Any]]:
    return [[{"run_bytes": at}, action] for at in sorted(chance.randrange(RUN_BYTES[facts["plan"]]) for _ in range(times))]


def _tells(chance: random.Random, facts: dict[str, Any], times: int) -> list[list[Any]]:
    return _at(chance, facts, times, {"do": "tell", "what": "now"})
