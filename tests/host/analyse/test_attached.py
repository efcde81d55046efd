"""Spectrometer results come into a run whole or not at all, each wrong row with one message, and keep their origin."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from synthetic_run import Synthetic, make_run

import remnant.library
from remnant.analyse.attached import attach, attached
from remnant.errors import PlanError
from remnant_protocol.errors import RigError

NOW = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
GOOD = "step,cell,plqy_pct,peak_nm,fwhm_nm,u_plqy_pct,instrument\nbaseline,A,62.5,514.2,21.4,1.5,sphere\n1,B,43.4,513.9,,,sphere\n"


@pytest.fixture
def run(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5))
    return tmp_path / "run"


def table(tmp_path, text, name="plqy.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_are_read_back_with_their_origin(run, tmp_path):
    path = table(tmp_path, GOOD)
    done = attach(run, path, NOW)
    assert (done.rows, done.new) == (2, True)
    assert done.path.read_bytes() == path.read_bytes()
    first, second = attached(run)
    assert (first.step, first.step_name, first.cell, first.plqy_pct, first.u_plqy_pct) == (0, "baseline", "A", 62.5, 1.5)
    assert (second.step, second.step_name, second.fwhm_nm, second.instrument) == (1, "soak", None, "sphere")
    assert first.file == "plqy.csv" and first.attached_utc == "2026-03-01T16:00:00+00:00" and len(first.sha256) == 64


def test_the_same_file_is_attached_once_and_another_of_that_name_beside_it(run, tmp_path):
    attach(run, table(tmp_path, GOOD), NOW)
    assert attach(run, table(tmp_path, GOOD, "copy.csv"), NOW).new is False
    assert attach(run, table(tmp_path, GOOD.replace("62.5", "60.0")), NOW).path.name == "plqy-2.csv"
    assert len(attached(run)) == 4


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("62.5", "162.5", ":2:3: plqy_pct 162.5 is outside 0 to 100 %. It is in percent."),
        ("62.5", "0.6 %", ":2:3: plqy_pct '0.6 %' is no number. Write a number without its unit."),
        ("62.5", '"62,5"', ":2:3: plqy_pct '62,5' is no number. Use a point for decimals."),
        ("62.5", "nan", ":2:3: plqy_pct nan is outside 0 to 100 %. It is in percent."),
        ("514.2", "5142", ":2:4: peak_nm 5142 is outside 300 to 1700 nm. It is in nanometres."),
        ("514.2", "2.41", ":2:4: peak_nm 2.41 is outside 300 to 1700 nm. It is in nanometres."),
        ("21.4", "0", ":2:5: fwhm_nm 0 is outside 1 to 300 nm. It is in nanometres."),
        ("1.5,", "-1.5,", ":2:6: u_plqy_pct -1.5 is outside 0 to 100 %. It is in percent."),
        ("baseline", "beginning", ":2:1: step 'beginning' is not in the run. Its steps: baseline, soak, 0, 1."),
        ("1,B", "7,B", ":3:1: step '7' is not in the run. Its steps: baseline, soak, 0, 1."),
        ("1,B", "1,Z", ":3:2: cell 'Z' is not in the run. Its cells: A, B; empty: not of one cell."),
        ("43.4,513.9,,", ",,,", ":3:1: none of plqy_pct, peak_nm, fwhm_nm is given. Leave the row out, or write what was measured."),
        ("62.5,", "62.5,1,", ":2:8: 8 cells, the heads are 7. Quote a text that has a comma in it."),
        ("plqy_pct,", "plqy,", ":1:3: unknown column 'plqy'. Did you mean plqy_pct?"),
        ("cell", "step", ":1:2: column step comes twice. Leave one out."),
        ("step,cell", "cell,note", ":1:1: no column step. Every row needs the number or the name of a step; `remnant report` shows them."),
        ("instrument", "measured_utc", ":2:7: 'sphere' is no time. Write it like 2026-03-01T14:05:00Z."),
    ],
)
def test_a_wrong_cell_is_one_message_with_line_column_and_limit(run, tmp_path, old, new, told):
    path = table(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(PlanError) as error:
        attach(run, path, NOW)
    assert str(error.value).splitlines()[0] == f"{path}{told}"
    assert not (run / "attached").exists()


@pytest.mark.parametrize("text", [b"", b"\n\n", b"# only a remark\n", b"step,plqy_pct\n", b"\xff\xfe\x00", GOOD.encode("utf-16")])
def test_a_file_that_is_no_table_is_one_message(run, tmp_path, text):
    with pytest.raises(PlanError) as error:
        attach(run, table(tmp_path, text), NOW)
    assert len(error.value.problems) == 1 and error.value.problems[0].hint


def test_all_that_is_wrong_is_told_at_once(run, tmp_path):
    path = table(tmp_path, GOOD.replace("62.5", "-1").replace("514.2", "x").replace("1,B", "9,Q"))
    with pytest.raises(PlanError) as error:
        attach(run, path, NOW)
    assert [(p.line, p.column) for p in error.value.problems] == [(2, 3), (2, 4), (3, 1), (3, 2)]


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(RigError) as error:
        attach(tmp_path, table(tmp_path, GOOD), NOW)
    assert "no finished run" in error.value.text


def test_a_copy_that_was_changed_afterwards_is_left_out_and_told(run, tmp_path):
    path = attach(run, table(tmp_path, GOOD), NOW).path
    path.write_text(GOOD.replace("62.5", "99.5"))
    missing = []
    assert attached(run, missing) == []
    assert "SHA-256" in missing[0]


def test_the_example_of_the_library_can_be_attached_to_its_plan(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    manifest["steps"] = [{"index": i, "name": name} for i, name in enumerate(("baseline", "", "hot", "cool down", "final"))]
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    example = Path(remnant.library.__file__).parent / "data" / "plqy-example.csv"
    assert attach(tmp_path / "run", example, NOW).rows == 4
    assert {s.step_name for s in attached(tmp_path / "run")} == {"baseline", "final"}
