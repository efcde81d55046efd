"""An hour without a host loses nothing, and the run does not notice."""

import csv

from host_away import away


def test_an_hour_alone_at_ten_records_a_second_comes_back_whole_and_in_order(tmp_path):
    told = away(tmp_path)
    manifest = told["manifest"]
    assert manifest["status"] == "completed" and manifest["gaps"] == []
    assert told["pages"] > 300  # it had been in flash, not in RAM
    with (told["folder"] / "telemetry.csv").open(newline="") as file:
        times = [float(row["t_s"]) for row in csv.DictReader(file)]
    assert len(times) > 36_000
    assert all(0.0999 < later - earlier < 0.1001 for earlier, later in zip(times[1:], times[2:], strict=False))  # none missing, none twice
