"""A forecast as text: the timeline, the sums, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..analyse.notation import plain
from ..plan import Point
from ..preflight import Forecast, Liquid, Mixing, Passage, Spool
from .table import aligned

_PASSES_SHOWN = 3  # of a step that is repeated, then its last


def lines_of(forecast: Forecast) -> list[str]:
    """Return what `remnant dry-run` prints."""
    lines = aligned(("step", "begins", "ends", "lasts", ""), list(_rows(forecast.steps)))
    lines += ["", *_pairs(_sums(forecast))]
    return lines + said(forecast)


def clock(seconds: float) -> str:
    """Return seconds as 0:01:29, days before it where there are any."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    text = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days} d {rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}" if days else text


def span(seconds: float) -> str:
    """Return a duration in the unit that suits it, three digits."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return plain(seconds / size, unit, 3)
    return plain(seconds, "s", 3)


def _rows(steps: tuple[Passage, ...]) -> Iterable[tuple[str, ...]]:
    last = {step.index: step.number for step in steps}
    left_out: set[int] = set()
    for step in steps:
        passes = last[step.index]
        if passes > _PASSES_SHOWN + 1 and _PASSES_SHOWN < step.number < passes:
            if step.index not in left_out:
                left_out.add(step.index)
                between = f"passes {step.number} to {passes - 1}"
                yield str(step.index), "...", "", "", f"{between}: {step.text}"
            continue
        text = f"{step.text} (pass {step.number} of {passes})" if passes > 1 else step.text
        yield str(step.index), clock(step.begin_s), clock(step.end_s), span(step.lasts_s), text


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return "name   value" lines."""
    pairs = list(pairs)
    width = max(len(name) for name, _ in pairs)
    return [f"{name.ljust(width)}  {value}" for name, value in pairs]


def _sums(forecast: Forecast) -> Iterable[tuple[str, str]]:
    most = "at most " if forecast.at_most else ""
    yield (
        "duration",
        f"{most}{clock(forecast.duration_s)} ({span(forecast.duration_s)}); {clock(forecast.shortest_s)} to {clock(forecast.longest_s)} "
        f"with {_tolerances(forecast)}",
    )
    where = f" in step {forecast.peak_step}" if forecast.peak_step is not None else ""
    yield "peak temperature", f"{forecast.peak_c:.1f} degC{where}"
    for cell, exposure in forecast.exposure_j_per_cm2.items():
        probing = forecast.probe_exposure_j_per_cm2[cell]
        share = f" ({probing / exposure * 100:.2g} %)" if exposure and probing <= exposure else ""
        yield f"radiant exposure of {cell}", f"{most}{plain(exposure, 'J/cm2')}, of it by probing {plain(probing, 'J/cm2', 3)}{share}"
    for liquid in forecast.liquids:
        yield liquid_words(liquid)
    for mixing in forecast.mixings:
        yield f"flow of step {mixing.step}", mixing_words(mixing)
    whole = sum(forecast.energy_j.values())
    parts = ", ".join(f"{name} {plain(joules / 1000, 'kJ', 3)}" for name, joules in forecast.energy_j.items() if joules)
    yield "electrical energy", f"{plain(whole / 1000, 'kJ', 3)} ({plain(whole / 3.6e6, 'kWh', 3)}): {parts}"
    yield "disk", plain(forecast.disk_bytes / 1e6, "MB", 3)
    yield "spool", spool_words(forecast.spool)


def _tolerances(forecast: Forecast) -> str:
    given = forecast.assumptions
    return (
        f"heat capacity +-{given['heat_capacity_tolerance'] * 100:g} %, heater +-{given['heater_power_tolerance'] * 100:g} %, "
        f"room {given['ambient_c']:g} +- {given['ambient_tolerance_c']:g} degC"
    )


def liquid_words(liquid: Liquid) -> tuple[str, str]:
    """Return (which, how much) of one pump."""
    name = f"pump {liquid.pump}" if liquid.name == f"pump {liquid.pump}" else f"{liquid.name} (pump {liquid.pump})"
    parts = [f"{_ml(liquid.dispensed_nl)} dispensed"]
    parts += [f"{_ml(liquid.primed_nl)} primed"] if liquid.primed_nl else []
    parts += [f"{_ml(liquid.dead_volume_nl)} of it stay in the tubing"] if liquid.dead_volume_nl else []
    text = f"{_ml(liquid.needed_nl)}{' of ' + liquid.liquid if liquid.liquid else ''} ({', '.join(parts)})"
    text += f", {_ml(liquid.withdrawn_nl)} withdrawn" if liquid.withdrawn_nl else ""
    return name, f"{text}; syringe of {_ml(liquid.holds_nl)}, refills needed: {liquid.refills}"


def mixing_words(mixing: Mixing) -> str:
    """Return what two flows make in the tube."""
    return (
        f"Re {mixing.reynolds:.0f} ({mixing.regime}), antisolvent : precursor {plain(mixing.ratio, digits=3)} : 1, residence time "
        f"{plain(mixing.residence_s, 's', 3)}, collect after {plain(mixing.collect_after_s, 's', 3)}, yield "
        f"{plain(mixing.yield_g_per_h, 'g/h', 3)} ({mixing.assumed})"
    )


def points_lines(points: Sequence[tuple[Point, Forecast]]) -> list[str]:
    """Return a line for each point of a sweep, and what all of them need together."""
    rows = []
    for point, forecast in points:
        liquids = ", ".join(f"{liquid.name} {_ml(liquid.needed_nl)}" for liquid in forecast.liquids) or "-"
        reynolds = ", ".join(f"{mixing.reynolds:.0f}" for mixing in forecast.mixings) or "-"
        state = f"{len(forecast.refused)} refused" if forecast.refused else "ok"
        rows.append((str(point.number), clock(forecast.duration_s), f"{forecast.peak_c:.1f} degC", liquids, reynolds, state, point.name))
    lines = aligned(("point", "lasts", "hottest", "liquids", "Re", "", ""), rows)
    needed: dict[str, int] = {}
    for _, forecast in points:
        for liquid in forecast.liquids:
            needed[liquid.name] = needed.get(liquid.name, 0) + liquid.needed_nl
    together = [f"{name} {_ml(volume)}" for name, volume in needed.items()]
    together += [plain(sum(forecast.disk_bytes for _, forecast in points) / 1e6, "MB", 3)]
    lines += ["", f"all {len(points)} points: {clock(sum(forecast.duration_s for _, forecast in points))}, {', '.join(together)}"]
    spoken = [(point.number, line) for point, forecast in points for line in dict.fromkeys(said(forecast))]
    times = Counter(line for _, line in spoken)
    shared = [line for line in times if times[line] == len(points)]
    return [*lines, *shared, *(f"point {number}: {line}" for number, line in spoken if line not in shared)]


def said(forecast: Forecast) -> list[str]:
    """Return notes, warnings and refusals."""
    lines = [f"note: {note}" for note in forecast.notes]
    lines += [f"warning: {problem}" for problem in forecast.warnings]
    return lines + [f"refused: {problem}" for problem in forecast.refused]


def spool_words(spool: Spool) -> str:
    """Return what becomes of the records when no host comes for them."""
    text = f"{spool.records} records; without a host all the time "
    if spool.kept_every == 1:
        return text + f"all of them fit into flash ({spool.pages} of {spool.pages_there} pages)"
    thinned = f"every record of the first {span(spool.whole_s)} is kept, then "
    rest = f"one telemetry record in {spool.kept_every}" if spool.kept_every else "readings and events only"
    return text + thinned + rest + ("" if spool.fits else ", until flash is full: a host has to come before the end")


def _ml(volume_nl: int) -> str:
    return plain(volume_nl / 1e6, "mL")
