"""The protocol's table on the page."""

from types import SimpleNamespace

from remnant.analyse.compliance import Compliance, ComplianceRow
from remnant.report.compliance import compliance


def test_a_run_without_a_protocol_has_no_table():
    assert compliance(SimpleNamespace(compliance=None)) == ""


def test_the_table_says_what_was_not_measured_and_escapes_what_it_shows():
    rows = [
        ComplianceRow("humidity", "85 %RH", "-", "not measured", "not measured"),
        ComplianceRow("temperature", "23 +- 4 degC", "<25> degC", "setpoint deviation 0.1 K mean", "kept"),
    ]
    page = compliance(SimpleNamespace(compliance=Compliance("ISOS-D-3", "khenkin2020", "ISOS-D-3: 1 of 2 conditions kept", rows)))
    assert "ISOS-D-3 wants" in page and "1 of 2 conditions kept" in page
    assert "? not measured" in page and "\N{CHECK MARK} kept" in page
    assert "<25>" not in page and "&lt;25&gt;" in page
