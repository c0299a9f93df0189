"""HER2 status on every combination of IHC and ISH, as `her2_status.csv` has it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from claims_edit.criteria import Node
from tests.criteria.support import (
    BCBST,
    MET,
    TREES,
    fact,
    table,
    term_verdicts,
    verdicts,
)
from tests.support import IXABEPILONE

Row = dict[str, str]
ROWS = list(table("her2_status.csv"))
COLUMNS = {"ihc": "her2_ihc", "ratio": "her2_ish_ratio", "copies": "her2_copy_number"}
# What a status makes of the two terms.
TERMS_OF = {"negative": (True, False), "positive": (False, True), "unknown": (None, None)}
APPROVED = (True, False, None)


def patient(row: Row) -> dict[str, Any]:
    return {name: fact(name, row[c]) for c, name in COLUMNS.items() if row[c]}


def is_group(row: Row) -> str:
    """The words of the table for what was given of ISH."""
    if not row["ratio"] and not row["copies"]:
        return "not done"
    if not row["ratio"]:
        few, many = float(row["copies"]) < 4, float(row["copies"]) >= 6
        return f"ratio not given, {'few' if few else 'many' if many else 'some'} copies"
    high = float(row["ratio"]) >= 2
    if not row["copies"]:
        return f"copies not given, {'high' if high else 'low'} ratio"
    copies = float(row["copies"])
    if high:
        return "group 1" if copies >= 4 else "group 2"
    return "group 3" if copies >= 6 else "group 4" if copies >= 4 else "group 5"


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"IHC {r['ihc'] or '-'} {r['ish']}")
def test_the_status(row: Row) -> None:
    (negative,) = term_verdicts("her2-negative-test", [patient(row)])
    (positive,) = term_verdicts("her2-positive-test", [patient(row)])
    assert (negative, positive) == (MET[row["negative_test"]], MET[row["positive_test"]])
    (is_negative,) = term_verdicts("her2-negative", [patient(row)])
    (is_positive,) = term_verdicts("her2-positive", [patient(row)])
    assert (is_negative, is_positive) == TERMS_OF[row["status"]]


def test_the_table_has_every_combination_once() -> None:
    assert [row["ish"] for row in ROWS] == [is_group(row) for row in ROWS]
    given = [(row["ihc"], row["ish"]) for row in ROWS if "bounds" not in row["why"]]
    assert len(given) == 55
    groups = {row["ish"] for row in ROWS}
    assert set(given) == set(product(("", "0", "1", "2", "3"), groups))


def test_a_status_follows_from_the_two_tests() -> None:
    for row in ROWS:
        negative, positive = MET[row["negative_test"]], MET[row["positive_test"]]
        status = "unknown"
        if bool(negative) != bool(positive):
            status = "negative" if negative else "positive"
        assert row["status"] == status


def in_tree(tree: Node, term: str) -> Node:
    """The row of a tree under which the term stands beside the approval of the test."""
    (found,) = (
        node
        for node in tree.walk()
        if {child.reads for child in node.children} == {term, "her2_test_approved"}
    )
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"IHC {r['ihc'] or '-'} {r['ish']}")
@pytest.mark.parametrize("approved", APPROVED)
def test_the_status_counts_only_of_an_approved_test(row: Row, approved: bool | None) -> None:
    """A test that is not approved makes both false; where nothing is said of it, what is false stays."""
    tree = TREES[f"{IXABEPILONE}@2025-09-04", "initial"]
    for term, status in zip(
        ("her2-negative", "her2-positive"), TERMS_OF[row["status"]], strict=True
    ):
        counts = status if approved else None if approved is None and status is not False else False
        tested = patient(row) | {"her2_test_approved": approved}
        assert verdicts(in_tree(tree, term), [tested]) == [counts]


def test_the_approval_is_asked_by_one_policy_alone() -> None:
    asking = {name for (name, _), tree in TREES.items() if reads_the_approval(tree)}
    assert asking == {f"{IXABEPILONE}@2025-09-04"}
    assert {name for name, _ in TREES if name.startswith(BCBST)} == {
        f"{BCBST}@current",
        f"{BCBST}@2026-draft",
    }


def reads_the_approval(tree: Node) -> bool:
    return any(node.reads == "her2_test_approved" for node in tree.walk())
