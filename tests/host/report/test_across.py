"""Several runs on one page: what stands in figure, table and CSV, and that it is whole, self-contained and repeatable."""

import csv
import json
import math
import re
from xml.etree import ElementTree

import pytest
from page_outline import Outline
from synthetic_run import Synthetic, make_run, mono, stretched
from typer.testing import CliRunner

from remnant.cli.app import app
from remnant.report import compare_runs

EA_KJ = 95.0
PLQY = "step,cell,plqy_pct,peak_nm,fwhm_nm\nbaseline,A,62.5,514.2,21.4\nsoak,A,43.4,513.9,21.8\n"


def slower(temp_degc):
    return math.exp(EA_KJ / 8.314462618e-3 * (1 / (temp_degc + 273.15) - 1 / 353.15))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three temperatures, two irradiances."""
    root = tmp_path_factory.mktemp("runs")
    for seed, temp in enumerate((60.0, 70.0, 80.0)):
        decays = {"A": mono(14.0 * slower(temp)), "B": stretched(1.165 * slower(temp), 0.5726)}
        make_run(root / f"heat-{temp:g}", Synthetic(seed=seed, soak_degc=temp, every_h=0.25, decays=decays))
    for seed, share in enumerate((1.0, 2.0)):
        folder = root / f"light-{share:g}"
        make_run(folder, Synthetic(seed=seed, light=True, duration_h=24, every_h=2, decays={"A": mono(100 / share)}))
        brighter(folder, share)
    return root


def brighter(folder, share):
    path = folder / "telemetry.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["irradiance_mW_per_cm2"] = float(row["irradiance_mW_per_cm2"]) * share
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def compared(runs):
    return compare_runs(sorted(path for path in runs.iterdir() if path.is_dir()), runs / "out" / "all.html", reference=True)


def test_trends_over_the_runs_are_right(compared):
    found = {(t.sample, t.name): t for t in compared.trends}
    assert set(found) == {("templated", "Ea"), ("control", "Ea"), ("templated", "m")}
    for sample in ("templated", "control"):
        assert found[sample, "Ea"].value == pytest.approx(EA_KJ, rel=0.02)
        assert found[sample, "Ea"].low < found[sample, "Ea"].value < found[sample, "Ea"].high
    assert found["templated", "m"].low < 1.0 < found["templated", "m"].high


def test_table_as_csv_has_a_row_per_cell_with_units_in_its_heads(compared):
    with compared.files[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 == len(compared.rows)
    assert {"T80_h", "T80_low_h", "T80_high_h", "k_per_h", "k_low_per_h", "remnant_pct", "sample_over_control"} <= set(rows[0])
    hot = next(row for row in rows if row["folder"] == "heat-80" and row["cell"] == "A")
    assert float(hot["T80_low_h"]) < float(hot["T80_h"]) < float(hot["T80_high_h"])
    assert float(hot["T80_h"]) == pytest.approx(14 * math.log(1 / 0.8), abs=0.1)  # less what aged while heating up
    assert float(hot["k_low_per_h"]) < 1 / 14 < float(hot["k_high_per_h"])
    assert float(hot["sample_over_control"]) == pytest.approx(7.0, rel=0.05)
    assert next(row for row in rows if row["folder"] == "heat-60" and row["cell"] == "A")["T80_status"] == "not reached"


def test_page_is_whole_and_loads_nothing_and_cites_what_it_shows(compared):
    page = compared.files[0].read_text(encoding="ascii")
    outline = Outline(page)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page) and "<script" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert page.count("<figcaption>SIMULATED. ") == len(outline.named("svg")) == 4
    text = " ".join(outline.text)
    assert "liang2023 fig. 5c" in text and "Nanoscale Adv. 2023, 5, 2038-2044" in text
    assert "95 % confidence band" in text


def test_vector_figures_are_files_of_their_own(compared):
    figures = [path for path in compared.files if path.suffix == ".svg"]
    assert {path.stem for path in figures} == {"all-remnant", "all-ratio", "all-arrhenius", "all-irradiance"}
    for path in figures:
        root = ElementTree.fromstring(path.read_text())
        assert root.tag.endswith("svg") and root.get("width", "").endswith("pt")
        assert "var(--" not in path.read_text()


def test_same_runs_give_the_same_files(compared, runs):
    again = compare_runs(sorted(p for p in runs.iterdir() if (p / "manifest.json").exists()), runs / "again" / "all.html", reference=True)
    for first, second in zip(compared.files, again.files, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_more_curves_than_a_legend_can_name_are_coloured_by_sample(runs, tmp_path):
    found = compare_runs([runs / "heat-60"] * 11, tmp_path / "many.html")
    assert len(found.rows) == 22
    figure = (tmp_path / "many-remnant.svg").read_text()
    assert figure.count(">templated<") == 1 and figure.count(">control<") == 1
    assert "Colours: sample." in found.files[0].read_text()


def test_without_reference_nothing_published_is_shown(runs, tmp_path):
    found = compare_runs([runs / "heat-80"], tmp_path / "one.html")
    assert found.published == [] and "liang2023" not in found.files[0].read_text().split("<footer>")[0]


def test_command_writes_where_it_is_told_and_speaks_json(runs, tmp_path):
    folders = [str(runs / "heat-60"), str(runs / "heat-80")]
    out = tmp_path / "cmp.html"
    result = CliRunner().invoke(app, ["compare", *folders, "--reference", "--at", "30 min", "--out", str(out), "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert out.is_file() and str(out) == document["files"][0]
    assert "remnant_at_0.5_h_pct" in document["rows"][0]
    assert {t["quantity"] for t in document["trends"]} == {"Ea"} and document["published"]
    assert CliRunner().invoke(app, ["compare", *folders, "--at", "5 parsec"]).exit_code == 2
    assert CliRunner().invoke(app, ["compare", str(tmp_path / "nowhere")]).exit_code == 2
    assert CliRunner().invoke(app, ["compare", str(tmp_path)]).exit_code == 4


def test_attached_spectra_are_in_report_and_comparison(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5))
    table = tmp_path / "plqy.csv"
    table.write_text(PLQY)
    result = CliRunner().invoke(app, ["attach", str(tmp_path / "run"), str(table), "--json"])
    assert result.exit_code == 0 and json.loads(result.stdout)["rows"] == 2
    page = (tmp_path / "run" / "report.html").read_text()
    Outline(page)
    assert "43.4 %" in page and "SHA-256" in page and "plqy.csv" in page
    found = compare_runs([tmp_path / "run"], tmp_path / "all.html")
    assert "Attached spectrometer results" in found.files[0].read_text()
    assert any(path.stem == "all-spectra" for path in found.files)


def test_attach_refuses_a_wrong_file_and_a_missing_one(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5))
    table = tmp_path / "plqy.csv"
    table.write_text(PLQY.replace("43.4", "434"))
    result = CliRunner().invoke(app, ["attach", str(tmp_path / "run"), str(table)])
    assert result.exit_code == 3
    assert result.stderr.strip() == f"{table}:3:3: plqy_pct 434 is outside 0 to 100 %. It is in percent."
    assert CliRunner().invoke(app, ["attach", str(tmp_path / "run")]).exit_code == 2
    assert CliRunner().invoke(app, ["attach", str(tmp_path / "run"), str(tmp_path / "none.csv")]).exit_code == 4
