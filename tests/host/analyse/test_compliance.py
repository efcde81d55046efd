"""A run beside its protocol: what was kept, what was not, and that nothing unmeasured is ever kept."""

from typing import get_args

import numpy as np
import pytest

from remnant.analyse.compliance import KEPT, NOT_KEPT, NOT_MEASURED, RECORDED, judge
from remnant.analyse.folder import RunData
from remnant.analyse.protocols import PROTOCOLS
from remnant.analyse.results import Conditions
from remnant.analyse.stress import find_stress
from remnant.library import CITATIONS
from remnant.plan.named import ProtocolName

STEP_S = 10.0


def run_of(hours, setpoint=None, temp=22.0, duty=0.0, manifest=None):
    """A run with these columns; a callable is asked for the value at t in h."""
    t = np.arange(0, hours * 3600 + STEP_S, STEP_S)

    def column(value):
        if value is None:
            return np.full(len(t), np.nan)
        return np.array([value(at / 3600) for at in t]) if callable(value) else np.full(len(t), float(value))

    lamp = column(duty)
    telemetry = {"t_s": t, "setpoint_degC": column(setpoint), "temp_degC": column(temp), "lamp_duty_pct": lamp}
    telemetry["irradiance_mW_per_cm2"] = lamp / 2
    return RunData(manifest={"status": "completed", "gaps": [], "interruptions": [], **(manifest or {})}, telemetry=telemetry)


def held(protocol, data, **conditions):
    """{quantity: row} of the table."""
    stress = find_stress(data, 22.0)
    facts = {"stress": stress.kind, "time_zero": "", "duration_h": 1.0, **conditions}
    result = judge(protocol, data, stress, Conditions(**facts), [])
    assert "compl" not in result.summary.lower()
    return {row.quantity: row for row in result.rows}


def test_every_protocol_of_a_plan_is_known_and_cited():
    assert set(get_args(ProtocolName)) == set(PROTOCOLS)
    assert {protocol.source for protocol in PROTOCOLS.values()} <= set(CITATIONS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_not_measured_is_never_kept(protocol):
    rows = held(protocol, RunData(manifest={"status": "completed"}))
    for name in ("temperature", "light", "irradiance", "radiant exposure", "humidity", "visible light"):
        assert name not in rows or rows[name].verdict == NOT_MEASURED, rows[name]


def test_a_plan_without_a_protocol_has_no_table_and_an_unknown_one_says_so():
    data = run_of(1)
    stress = find_stress(data, 22.0)
    assert judge(None, data, stress, Conditions("none", ""), []) is None
    assert "nothing was judged" in judge("ISOS-X-9", data, stress, Conditions("none", ""), []).summary


def test_darkness_at_ambient():
    rows = held("ISOS-D-1", run_of(5))
    assert (rows["temperature"].verdict, rows["light"].verdict) == (KEPT, KEPT)
    assert rows["temperature"].numbers["mean_degc"] == 22.0
    assert rows["humidity"].verdict == NOT_MEASURED


def test_a_warm_room_and_a_lamp_that_was_on_are_not_kept():
    rows = held("ISOS-D-1", run_of(5, temp=lambda h: 28.0 if h > 4 else 22.0, duty=lambda h: 20.0 if 1 < h < 1.5 else 0.0))
    assert (rows["temperature"].verdict, rows["light"].verdict) == (NOT_KEPT, NOT_KEPT)
    assert rows["light"].numbers["lit_h"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("off_k", "setpoint", "verdict"), [(0.3, 65, KEPT), (0.3, 60, NOT_KEPT), (0.9, 65, KEPT), (0.3, 85, KEPT)])
def test_setpoint_deviation(off_k, setpoint, verdict):
    def temp(h):
        return 22 + (setpoint - 22 + off_k) * min(h / 0.2, 1)

    row = held("ISOS-D-2", run_of(3, setpoint=setpoint, temp=temp))["temperature"]
    assert row.verdict == verdict
    assert row.numbers["deviation_mean_k"] == pytest.approx(off_k, abs=0.05)  # the last kelvin of heating up is in it
    assert row.numbers["planned_degc"] == setpoint


def test_an_excursion_is_the_largest_deviation():
    row = held("ISOS-D-2", run_of(3, setpoint=65, temp=lambda h: 60.0 if 2 < h < 2.1 else 65.0))["temperature"]
    assert row.verdict == NOT_KEPT
    assert row.numbers["deviation_largest_k"] == -5.0


def cycling(lit_h, dark_h):
    """Light and darkness in turn, with a dark row each 10 min for a reading."""

    def duty(h):
        within = h % (lit_h + dark_h)
        return 20.0 if within < lit_h and round(h * 360) % 60 != 30 else 0.0

    return duty


@pytest.mark.parametrize(
    ("lit_h", "dark_h", "verdict"), [(1, 1, KEPT), (4, 4, KEPT), (8 / 3, 16 / 3, KEPT), (1.5, 1.5, NOT_KEPT), (0.5, 1.5, NOT_KEPT)]
)
def test_light_cycles(lit_h, dark_h, verdict):
    data = run_of(3 * (lit_h + dark_h) - 0.1, setpoint=25, temp=25, duty=cycling(lit_h, dark_h))
    row = held("ISOS-LC-1", data, irradiance_mean_mw_per_cm2=10.0)["light cycles"]
    assert row.verdict == verdict, row
    assert row.numbers["cycles"] == 3
    assert row.numbers["period_h"] == pytest.approx(lit_h + dark_h, abs=0.02)


def test_light_without_a_break_may_be_read_but_not_interrupted():
    read = held("ISOS-L-1", run_of(5, 25, 25, cycling(10, 0)))
    broken = held("ISOS-L-1", run_of(5, 25, 25, lambda h: 0.0 if 2 < h < 2.2 else 20.0))
    assert (read["continuity of light"].verdict, broken["continuity of light"].verdict) == (KEPT, NOT_KEPT)
    assert read["light source"].verdict == NOT_KEPT  # 365 nm is no sun


@pytest.mark.parametrize(("exposure", "verdict"), [(72.0, KEPT), (71.9, NOT_KEPT), (None, NOT_MEASURED)])
def test_near_uv_of_ich_q1b(exposure, verdict):
    rows = held("ICH Q1B near-UV", run_of(2, 25, 25, 20), exposure_j_per_cm2=exposure)
    assert rows["radiant exposure"].verdict == verdict
    assert rows["visible light"].verdict == NOT_MEASURED
    assert rows["dark control"].verdict == NOT_KEPT


def test_thermal_cycles_need_both_ends():
    rows = held("ISOS-T-1", run_of(4, setpoint=lambda h: 65.0 if h % 2 < 1 else 25.0, temp=lambda h: 65.0 if h % 2 < 1 else 25.0))
    assert [rows[name].verdict for name in ("temperature, cool", "temperature, warm", "thermal cycles")] == [KEPT] * 3
    rows = held("ISOS-T-1", run_of(4, setpoint=65, temp=65))
    assert rows["thermal cycles"].verdict == NOT_KEPT


def test_interruptions_are_told():
    row = held("ISOS-D-1", run_of(1, manifest={"interruptions": [{"t_s": 10.0, "dark_s": 600.0}]}))["interruptions"]
    assert row.verdict != KEPT
    assert row.achieved.startswith("1, 10 min")


def test_a_humidity_that_a_person_noted_is_recorded_and_not_kept():
    noted = held("ISOS-D-1", run_of(1, manifest={"plan": {"inputs": {"humidity": "41 %RH"}}}))["humidity"]
    left = held("ISOS-D-1", run_of(1, manifest={"plan": {"inputs": {"humidity": "not measured"}}}))["humidity"]
    assert noted.verdict == RECORDED and "41 %RH" in noted.achieved and "not measured by the rig" in noted.achieved
    assert left.verdict == NOT_MEASURED
