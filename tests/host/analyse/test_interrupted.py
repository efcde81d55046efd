"""A run that was interrupted and resumed: stress time stands still meanwhile, the curve does not shift, and everybody can see it."""

import csv
import json

import pytest
from synthetic_run import Synthetic, make_run

from remnant.analyse import analyse
from remnant.report import write_report

DARK_S = 1200
WARM_AGAIN_S = 600


def interrupt(folder, at_s):
    """Tear a finished run apart at `at_s`: nothing for DARK_S, then the block warms up, then what was there goes on."""
    later_s = DARK_S + WARM_AGAIN_S
    for name in ("telemetry.csv", "probes.csv"):
        with (folder / name).open(newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if float(row["t_s"]) > at_s:
                row["t_s"] = repr(float(row["t_s"]) + later_s)
        if name == "telemetry.csv":
            at = next(i for i, row in enumerate(rows) if float(row["t_s"]) > at_s)
            model = rows[at]
            for k in range(WARM_AGAIN_S // 10):
                rows.insert(at + k, {**model, "t_s": repr(at_s + DARK_S + 10.0 * k), "temp_degC": repr(40 + 0.06 * 10 * k)})
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["interruptions"] = [{"t_s": at_s, "dark_s": DARK_S, "from_temp_c": 80.0, "to_temp_c": 40.0, "step": 2}]
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def pair(tmp_path):
    """(undisturbed, interrupted) analysis of the same experiment, and the folder of the second."""
    make_run(tmp_path / "whole", Synthetic(seed=3))
    make_run(tmp_path / "torn", Synthetic(seed=3))
    interrupt(tmp_path / "torn", 2.5 * 3600 + 700)
    return analyse(tmp_path / "whole"), analyse(tmp_path / "torn"), tmp_path / "torn"


def test_stress_time_stands_still_while_the_stress_is_away(pair):
    whole, torn, _ = pair
    assert torn.conditions.duration_h == pytest.approx(whole.conditions.duration_h, abs=25 / 3600)
    for before, after in zip(whole.cells, torn.cells, strict=True):
        assert after.headline.remnant_pct == pytest.approx(before.headline.remnant_pct, abs=1e-6)
        for left, right in zip(before.points, after.points, strict=True):
            assert right.t_h == pytest.approx(left.t_h, abs=25 / 3600)  # telemetry comes every 10 s


def test_the_interruption_is_told_with_its_numbers(pair):
    _, torn, _ = pair
    stop = torn.interruptions[0]
    assert (stop.dark_s, stop.from_degc, stop.to_degc) == (DARK_S, 80.0, 40.0)
    assert (stop.back_run_t_h - stop.run_t_h) * 3600 == pytest.approx(DARK_S + WARM_AGAIN_S, abs=700)
    note = next(note for note in torn.notes if note.startswith("interrupted"))
    assert "min without stress" in note and "aged the sample like about" in note


def test_the_report_shows_it_in_figures_and_in_a_table(pair):
    page = write_report(pair[2]).read_text()
    assert "Interruptions" in page and "Dashed: the run was interrupted" in page and "20.0 min" in page


def test_a_run_that_was_not_interrupted_says_nothing_of_it(pair, tmp_path):
    page = write_report(tmp_path / "whole").read_text()
    assert pair[0].interruptions == [] and "nterrupt" not in page.replace("standing still", "")
