"""The page: whole, self-contained, marked, escaped, repeatable."""

import re

import pytest
from page_outline import Outline
from synthetic_run import CONTROL, TEMPLATED, Synthetic, make_run

from remnant.report import write_report

SIZE_MAX = 3_000_000
COMPARE = [{"cell": "A", "at": "1 h", "published": "~95 %", "value": 95, "scatter": 10, "source": "liang2023 fig. 5c"}]


@pytest.fixture(scope="module")
def heat_page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heat") / "run"
    make_run(folder, Synthetic(duration_h=1.0, compare=COMPARE))
    return write_report(folder).read_text(encoding="ascii")


def test_page_is_whole_and_loads_nothing(heat_page):
    outline = Outline(heat_page)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", heat_page)
    assert not re.search(r"url\((?!#)|@import|<script", heat_page)
    addresses = set(re.findall(r"https?://[^\"'\s<]+", heat_page))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # the name of the format, never fetched
    assert {"viewport"} <= {meta.get("name") for meta in outline.named("meta")}


def test_ids_are_unique_and_every_reference_has_its_target(tmp_path):
    for name in ("one", "two"):
        make_run(tmp_path / name, Synthetic(duration_h=0.5))
    page = write_report([tmp_path / "one", tmp_path / "two"], tmp_path / "all.html").read_text()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert wanted <= set(ids)
    for labelled in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert set(labelled.split()) <= set(ids)


def test_every_figure_has_words_and_every_table_its_heads(heat_page):
    outline = Outline(heat_page)
    figures = outline.named("svg")
    assert len(figures) == 5
    assert all(svg["role"] == "img" and svg["aria-labelledby"] for svg in figures)
    assert heat_page.count("<figcaption>") == 5 == heat_page.count("<desc ")
    assert len(outline.named("caption")) == len(outline.named("table")) >= 9
    assert all(head.get("scope") in ("col", "row") for head in outline.named("th"))


def test_simulated_data_are_marked_on_page_table_and_each_figure(heat_page, tmp_path):
    assert '<div class="simulated"' in heat_page and "SIMULATED</title>" in heat_page
    for svg in re.findall(r"<svg.*?</svg>", heat_page, flags=re.S):
        assert svg.count(">SIMULATED</text>") == 1
    assert heat_page.count("<figcaption>SIMULATED. ") == 5
    make_run(tmp_path / "real", Synthetic(duration_h=0.5, simulated=False))
    assert "SIMULATED" not in write_report(tmp_path / "real").read_text()


def test_a_page_with_one_simulated_run_says_which_share(tmp_path):
    make_run(tmp_path / "real", Synthetic(duration_h=0.5, simulated=False))
    make_run(tmp_path / "model", Synthetic(duration_h=0.5))
    page = write_report([tmp_path / "real", tmp_path / "model"]).read_text()
    assert "(1 of 2 runs)" in page
    assert (tmp_path / "report.html").is_file()


def test_text_from_files_is_escaped(tmp_path):
    evil = '<script>alert("x")</script>&'
    what = Synthetic(
        duration_h=0.5, title=evil, status=evil, decays={"<b>": TEMPLATED, "&": CONTROL}, compare=[COMPARE[0] | {"published": evil}]
    )
    make_run(tmp_path / "run", what)
    page = write_report(tmp_path / "run").read_text()
    Outline(page)
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;" in page


def test_dollar_signs_and_names_that_start_with_an_underscore_are_only_text(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5, decays={"$\\frac$ x^2 $": TEMPLATED, "_B": CONTROL, "\u6837\u54c1\x07": CONTROL}))
    page = write_report(tmp_path / "run").read_text()
    Outline(page)
    assert page.count("frac") >= 2 and "_B: _B" in page and "&#26679;" in page


def test_published_values_come_with_their_citation(heat_page):
    text = " ".join(Outline(heat_page).text)
    assert "liang2023 fig. 5c" in text
    assert "Nanoscale Adv. 2023, 5, 2038-2044" in text and "Nanoscale 2021, 13, 19341-19351" in text


def test_same_folder_gives_the_same_page(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5))
    first = write_report(tmp_path / "run").read_bytes()
    assert write_report(tmp_path / "run", tmp_path / "again.html").read_bytes() == first


def test_48_h_stays_small_and_spikes_stay_visible(tmp_path):
    what = Synthetic(light=True, duration_h=48, every_h=0.5, pulses=2)
    make_run(tmp_path / "run", what)
    page = write_report([tmp_path / "run"] * 4, tmp_path / "all.html")
    assert page.stat().st_size < SIZE_MAX


@pytest.mark.parametrize("stop_at_h", [0.0, 0.01, 0.2, 0.3, 0.7])
@pytest.mark.parametrize("light", [False, True])
def test_incomplete_run_has_a_page_that_says_so(tmp_path, stop_at_h, light):
    make_run(tmp_path / "run", Synthetic(stop_at_h=stop_at_h, status="board lost", light=light, compare=COMPARE))
    page = write_report(tmp_path / "run").read_text()
    Outline(page)
    assert "the run did not complete (status: board lost)" in page


@pytest.mark.parametrize("name", ["telemetry.csv", "probes.csv", "events.csv", "manifest.json"])
def test_page_without_one_of_its_files(tmp_path, name):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5))
    (tmp_path / "run" / name).unlink()
    Outline(write_report(tmp_path / "run").read_text())


def test_no_folder_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        write_report([])
