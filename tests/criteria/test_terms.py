"""The terms that policies share, at their bounds and where nothing is documented, as `terms.csv` says."""

from __future__ import annotations

import pytest

from claims_edit.criteria import Node, missing
from tests.criteria.support import MET, TERMS, facts_of, frame, table, term_verdicts, verdicts
from tests.criteria.test_her2_status import patient

Row = dict[str, str]
ROWS = list(table("terms.csv"))
HER2 = {"her2-negative-test", "her2-positive-test"}  # in her2_status.csv


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['term']}: {row['says']}")
def test_a_term(row: Row) -> None:
    assert term_verdicts(row["term"], [facts_of(row["facts"])]) == [MET[row["met"]]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['term']}: {row['says']}")
def test_what_a_term_lacks(row: Row) -> None:
    node = Node("1", "term", row["term"], reads=row["term"])
    (found,) = frame([facts_of(row["facts"])]).select(missing(node, TERMS)).to_series().to_list()
    assert list(dict.fromkeys(found)) == row["missing"].split()


def test_every_term_is_in_a_table_met_not_met_and_undecided() -> None:
    shown = {(row["term"], row["met"]) for row in ROWS}
    assert shown == {(term, met) for term in TERMS.keys() - HER2 for met in MET}


def test_every_row_of_a_term_is_reached_met_and_unmet_and_undecided() -> None:
    her2 = [patient(row) for row in table("her2_status.csv")]
    for term, tree in TERMS.items():
        own = [facts_of(row["facts"]) for row in ROWS if row["term"] == term]
        found = {
            f"{node.place} {node.title}": set(verdicts(node, her2 if term in HER2 else own))
            for node in tree.walk()
        }
        assert {row: seen for row, seen in found.items() if seen != {True, False, None}} == {}, term
