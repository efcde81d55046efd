import pytest
from synthetic_run import Synthetic, make_run

from remnant.analyse import analyse
from remnant.analyse.compare import hours_of


@pytest.mark.parametrize(
    ("entry", "hours"),
    [
        ({"at": "5 h"}, 5),
        ({"at": "30 min"}, 0.5),
        ({"at": 3600}, 1),
        ({"at_h": 2}, 2),
        ({"at_s": 1800.0}, 0.5),
        ({"at": "5 parsec"}, None),
        ({}, None),
    ],
)
def test_time_of_an_entry(entry, hours):
    assert hours_of(entry) == (pytest.approx(hours) if hours is not None else None)


def test_published_numbers_agree_disagree_or_cannot_be_judged(tmp_path):
    entries = [
        {"cell": "A", "at": "5 h", "published": "~70 %", "value": 70, "scatter": 10, "source": "liang2023 fig. 5c"},
        {"cell": "B", "at": "1 h", "published": "~40 %", "value": 40, "scatter": 5, "source": "liang2023 fig. 5c"},
        {"cell": "B", "at": "5 h", "published": "90 %", "value": 90, "scatter": 5, "source": "made up"},
        {"cell": "B", "at": "5 h", "published": "degraded", "source": "liang2023 fig. 5b"},
        {"cell": "A", "at": "50 h", "published": "60 %", "value": 60, "scatter": 5},
        {"cell": "Z", "at": "5 h", "value": 60, "scatter": 5},
        "nonsense",
    ]
    make_run(tmp_path / "run", Synthetic(compare=entries))
    analysis = analyse(tmp_path / "run")
    verdicts = [c.verdict for c in analysis.comparisons]
    assert verdicts == ["agrees", "agrees", "disagrees", "no published number", "not measured", "not measured"]
    assert analysis.comparisons[0].how == "reference reading at 5 h"
    assert analysis.comparisons[1].measured_pct == pytest.approx(40, abs=2)
    assert [c.sample for c in analysis.comparisons[:2]] == ["templated", "control"]
    assert len(analysis.rows()) == 5  # the entry of a cell that is not there has no row
