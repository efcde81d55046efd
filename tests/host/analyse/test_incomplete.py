"""A run that ended early says what can be said, and never raises."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic_run import Synthetic, make_run

from remnant.analyse import analyse
from remnant_protocol.errors import RigError


@pytest.mark.parametrize("stop_at_h", [0.0, 0.01, 0.1, 0.22, 0.4, 0.6, 1.2, 5.25])
@pytest.mark.parametrize("status", ["stopped", "fault", "board lost"])
def test_run_that_ended_early_is_analysed_as_far_as_it_goes(tmp_path, stop_at_h, status):
    make_run(tmp_path / "run", Synthetic(stop_at_h=stop_at_h, status=status))
    analysis = analyse(tmp_path / "run")
    assert any(status in note for note in analysis.notes)
    for cell in analysis.cells:
        assert cell.headline.how
        if stop_at_h >= 1.2:
            assert cell.quenching.method == "start pair"
            assert any("no final reading" in note for note in cell.notes)


def test_stopped_run_is_right_within_its_larger_uncertainty(tmp_path):
    for seed in range(12):
        truth = make_run(tmp_path / str(seed), Synthetic(seed=seed, stop_at_h=2.0, status="stopped"))
        for cell in analyse(tmp_path / str(seed)).cells:
            h = cell.headline
            assert abs(h.remnant_pct - 100 * truth.remnant(cell.cell, h.t_h)) < 2 * h.u_pct


def test_light_run_that_stops_has_its_last_reading_as_headline(tmp_path):
    make_run(tmp_path / "run", Synthetic(light=True, duration_h=48, every_h=1, stop_at_h=10.5, status="stopped"))
    assert analyse(tmp_path / "run").cells[0].headline.t_h == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("name", ["telemetry.csv", "probes.csv", "events.csv", "manifest.json"])
@pytest.mark.parametrize("damage", ["absent", "empty", "header only", "cut in a line", "garbage"])
def test_damaged_file_is_told_not_raised(tmp_path, name, damage):
    make_run(tmp_path / "run", Synthetic(duration_h=1.0))
    path = tmp_path / "run" / name
    content = path.read_bytes()
    if damage == "absent":
        path.unlink()
    else:
        cut = {"empty": 0, "header only": content.find(b"\n") + 1, "cut in a line": len(content) * 2 // 3 + 3}
        path.write_bytes(content[: cut[damage]] if damage in cut else bytes(range(256)) * 20)
    analysis = analyse(tmp_path / "run")
    json.loads(analysis.to_json())
    if name == "manifest.json" or (damage == "absent" and name != "manifest.json"):
        assert analysis.notes


def test_folder_without_a_run_is_one_clear_error(tmp_path):
    with pytest.raises(RigError):
        analyse(tmp_path)
    with pytest.raises(RigError):
        analyse(tmp_path / "nowhere")


def test_dark_cell_gives_no_number(tmp_path):
    make_run(tmp_path / "run", Synthetic(duration_h=0.5, decays={"A": lambda s: 0.0}))
    probes = (tmp_path / "run" / "probes.csv").read_text().splitlines()
    head = probes[0].split(",")
    lit, dark = head.index("lit_counts"), head.index("dark_counts")
    rows = [row.split(",") for row in probes[1:]]
    for row in rows:
        row[lit] = row[dark]
    (tmp_path / "run" / "probes.csv").write_text("\n".join([probes[0], *(",".join(row) for row in rows)]) + "\n")
    (cell,) = analyse(tmp_path / "run").cells
    assert cell.headline.remnant_pct is None and "cannot be said" in cell.headline.how


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**31), st.floats(0, 1), st.sampled_from(["telemetry.csv", "probes.csv", "manifest.json", "events.csv"]))
def test_any_scratch_on_any_file_never_raises(tmp_path, seed, where, name):
    make_run(tmp_path / "run", Synthetic(seed=seed, duration_h=0.5, pulses=3))
    path = tmp_path / "run" / name
    content = bytearray(path.read_bytes())
    at = int(where * (len(content) - 1))
    content[at : at + 7] = bytes((seed >> shift) & 0xFF for shift in range(0, 28, 4))
    path.write_bytes(content)
    json.loads(analyse(tmp_path / "run").to_json())
