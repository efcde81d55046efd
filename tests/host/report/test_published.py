import pytest

from remnant.report.published import citations, rows_of_source, value_of


@pytest.mark.parametrize(("text", "value"), [("70", 70), ("~70", 70), ("52-64", 58), ("", None), ("none", None), (" ~5.5 % ", 5.5)])
def test_value_behind_what_is_printed(text, value):
    assert value_of(text) == value


def test_rows_of_a_figure_and_of_a_reference():
    assert {row.stressor for row in rows_of_source("liang2023 fig. 5c")} == {"heat"}
    assert len(rows_of_source("liang2023 fig. 5c")) == 2
    assert {row.compound for row in rows_of_source("zhong2021 table 1, ref 31")} == {"CsPbBr3/ZnS"}
    assert rows_of_source("nobody 2020") == []


def test_each_source_is_cited_once():
    found = citations(["liang2023 fig. 5b", "liang2023 fig. 5c", "own notebook", ""])
    assert len(found) == 2 and found[0].startswith("Liang") and found[1] == "own notebook"
