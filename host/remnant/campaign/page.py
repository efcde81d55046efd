"""The campaign's page: one HTML file with the table of its points and the figures; and campaign.csv beside it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from ..flow.production import BATCH_G_PER_H, SOURCE
from ..library import CITATIONS
from ..record.finish import write_whole
from ..report.markup import shown, table
from ..report.page import FILE_NAME, sheet
from .document import Campaign, PointRun
from .figures import figures_of
from .spectra import attached
from .table import Row, rows

CSV_NAME = "campaign.csv"


def write_campaign_report(campaign: Campaign) -> Path:
    """Write report.html and campaign.csv into the campaign's folder and return the page's path. Raises RigError(STORE_CORRUPT), OSError."""
    found = rows(campaign)
    write_whole(campaign.folder / CSV_NAME, _csv(found).encode())
    target = campaign.folder / FILE_NAME
    write_whole(target, _page(campaign, found).encode("ascii", "xmlcharrefreplace"))
    return target


def facts_of(row: Row) -> dict[str, Any]:
    """Return a row as plain values with their units in the names, for --json and campaign.csv; None where there is nothing."""
    facts: dict[str, Any] = {"point": row.point.number, "status": row.point.status, "run": row.point.folder, **row.point.inputs}
    s = row.synthesis
    if s is not None:
        made = s.condition
        facts |= {
            "antisolvent_mL_per_h": made.antisolvent_ml_per_h,
            "precursor_mL_per_h": made.precursor_ml_per_h,
            "ratio": made.ratio,
            "dilution": made.dilution,
            "reynolds": made.reynolds,
            "regime": made.regime,
            "residence_s": made.residence_s,
            "let_pass_s": s.let_pass_s,
            "starts_apart_us": s.begun_apart_us,
        }
        for name, volume in s.volumes.items():
            facts |= {
                f"{name}_requested_mL": volume.requested_ml,
                f"{name}_accepted_mL": volume.accepted_ml,
                f"{name}_measured_mL": volume.measured_ml,
            }
        facts |= {"yield_g_per_h": s.production.g_per_h, "collected_mg": s.production.mg}
    for name, pump in row.pumps.items():
        facts |= {f"{name}_run_requested_mL": pump.requested_ml, f"{name}_run_measured_mL": pump.measured_ml}
        facts |= {f"{name}_primed_mL": pump.primed_ml, f"{name}_withdrawn_mL": pump.withdrawn_ml}
    for number, spectrum in enumerate(row.spectra, 1):
        tail = "" if number == 1 else f"_{number}"
        facts |= {f"sample{tail}": spectrum.sample, f"plqy_pct{tail}": spectrum.plqy_pct}
        facts |= {f"peak_nm{tail}": spectrum.peak_nm, f"fwhm_nm{tail}": spectrum.fwhm_nm}
    return facts


def _csv(found: list[Row]) -> str:
    facts = [{key: value for key, value in facts_of(row).items() if value is not None} for row in found]
    columns = list(dict.fromkeys(key for row in facts for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()} for row in facts)
    return text.getvalue()


def _page(campaign: Campaign, found: list[Row]) -> str:
    spectra, origin = attached(campaign)
    simulated = any(_simulated(campaign, row.point) for row in found)
    done = f"{campaign.done} of {len(found)} points are completed. Status: {campaign.status}."
    parts = [f'<p class="under">{shown(done)}{" SIMULATED." if simulated else ""} Plan {shown(campaign.name)}.</p>']
    figures = figures_of(found, simulated, origin)
    if figures:
        mark = "SIMULATED. " if simulated else ""
        drawn = "".join(f"<figure>{f.svg}<figcaption>{mark}{shown(f.caption)}</figcaption></figure>" for f in figures)
        parts.append(f'<div class="figures">{drawn}</div>')
    parts += [_conditions(found), _volumes(found), _whole_runs(found), _solvents(found), _spectra(found), _points(found)]
    if spectra:
        parts.append(f"<p>PLQY, peak and FWHM were measured off the rig and attached. {shown(origin)}</p>")
    sources = [text for key, text in CITATIONS.items() if any(row.synthesis or key in campaign.source for row in found)]
    footer = f"<footer>{''.join(f'<p>{shown(text)}</p>' for text in sources)}</footer>"
    return sheet(campaign.title, "".join(parts), simulated, footer)


def _conditions(found: list[Row]) -> str:
    heads = ("point", "antisolvent", "precursor", "ratio", "Re", "regime", "residence time", "let pass", "yield", "over batch", "collected")
    lines, assumed = [], ""
    for row in found:
        if (s := row.synthesis) is None:
            continue
        made = s.condition
        assumed = made.assumed
        lines.append(
            (
                str(row.point.number),
                f"{made.antisolvent_ml_per_h:g} mL/h",
                f"{made.precursor_ml_per_h:g} mL/h",
                f"{made.ratio:.1f} : 1",
                f"{made.reynolds:.0f}",
                made.regime,
                f"{made.residence_s:.2f} s",
                f"{s.let_pass_s:g} s ({s.let_pass_s / made.residence_s:.1f} residence times)",
                f"{s.production.g_per_h:.4f} g/h",
                f"{s.production.times_batch:.1f} x",
                f"{s.production.mg:.3f} mg in {s.collected_s:g} s",
            )
        )
    if not lines:
        return ""
    words = f"Assumed: {assumed}. Yield: {SOURCE}; batch {BATCH_G_PER_H:g} g/h. Calculated, not measured."
    return table("Conditions", heads, lines, numeric=(1, 2, 3, 4, 6, 8, 9)) + f"<p>{shown(words)}</p>"


def _volumes(found: list[Row]) -> str:
    heads = ("point", "pump", "requested", "accepted", "measured from steps", "deviation", "starts apart")
    lines = [
        (
            str(row.point.number),
            name,
            f"{volume.requested_ml:.5g} mL",
            f"{volume.accepted_ml:.5g} mL",
            f"{volume.measured_ml:.5g} mL",
            f"{volume.deviation_pct:+.4f} %",
            "-" if s.begun_apart_us is None else f"{s.begun_apart_us / 1000:g} ms",
        )
        for row in found
        if (s := row.synthesis) is not None
        for name, volume in s.volumes.items()
    ]
    return table("Collected: volumes by pump", heads, lines, numeric=(2, 3, 4, 5, 6))


def _whole_runs(found: list[Row]) -> str:
    heads = ("point", "pump", "requested", "measured from steps", "primed to waste", "drawn in")
    lines = [
        (str(row.point.number), name, *(f"{ml:.5g} mL" for ml in (pump.requested_ml, pump.measured_ml, pump.primed_ml, pump.withdrawn_ml)))
        for row in found
        for name, pump in row.pumps.items()
    ]
    return table("Whole runs: all that was dispensed", heads, lines, numeric=(2, 3, 4, 5))


def _solvents(found: list[Row]) -> str:
    heads = ("point", "solvent", "relative permittivity", "density", "viscosity", "boiling point", "permittivity from")
    lines = [
        (
            str(row.point.number),
            liquid.name,
            _shown(liquid.permittivity, "", 3),
            _shown(liquid.density_kg_per_m3, "kg/m3", 4),
            _shown(liquid.viscosity_pa_s and liquid.viscosity_pa_s * 1e3, "mPa s", 3),
            _shown(liquid.boiling_c, "degC", 4),
            liquid.origin.get("permittivity", "-"),
        )
        for row in found
        for liquid in row.solvents
    ]
    return table("Solvents at 25 degC", heads, lines, numeric=(2, 3, 4, 5))


def _shown(value: float | None, unit: str, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}g} {unit}".strip()


def _spectra(found: list[Row]) -> str:
    lines = [
        (
            str(row.point.number),
            spectrum.sample or "product",
            f"{spectrum.plqy_pct:g} %",
            "-" if spectrum.peak_nm is None else f"{spectrum.peak_nm:g} nm",
            "-" if spectrum.fwhm_nm is None else f"{spectrum.fwhm_nm:g} nm",
        )
        for row in found
        for spectrum in row.spectra
    ]
    return table("Spectrometer results", ("point", "sample", "PLQY", "peak", "FWHM"), lines, numeric=(2, 3, 4))


def _points(found: list[Row]) -> str:
    lines = [(str(row.point.number), row.point.name, row.point.status, row.point.folder or "-", row.point.error or "") for row in found]
    return table("Points", ("point", "inputs", "status", "run folder", "what ended it"), lines)


def _simulated(campaign: Campaign, point: PointRun) -> bool:
    try:
        return bool(json.loads((campaign.folder / point.folder / "manifest.json").read_text(encoding="utf-8"))["simulated"])
    except (OSError, ValueError, KeyError):
        return False
