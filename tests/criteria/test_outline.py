"""Outlines: how rows become a tree, and how a bad row is refused."""

from __future__ import annotations

from typing import Any

import pytest

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.criteria import Node, OutlineError, facts_read, outline
from tests.criteria.support import TERMS, TREES

Row = dict[str, Any]
COLUMNS = ("place", "rule", "reads", "comparator", "value", "title", "if_not_met")
TESTS = ("her2-negative-test", "her2-positive-test")


def row(place: str, rule: str, **cells: str | None) -> Row:
    return dict.fromkeys(COLUMNS) | {"place": place, "rule": rule, "title": f"row {place}"} | cells


def fact(place: str, reads: str | None = "visceral_crisis", **cells: str | None) -> Row:
    read = {"reads": reads, "comparator": "is", "value": "true", "if_not_met": "it is not"}
    return row(place, "fact") | read | cells


def term(place: str, reads: str | None, **cells: str | None) -> Row:
    return row(place, "term") | {"reads": reads, "if_not_met": "it is not"} | cells


def read(*rows: Row) -> Node:
    return outline("made up", rows, TERMS)


# ---- trees ----------------------------------------------------------------------------------


def places(node: Node) -> Any:
    """The places of a tree, those under one in a list behind it."""
    return [(child.place, *[places(child)] * bool(child.children)) for child in node.children]


def test_rows_stand_under_the_row_of_their_place() -> None:
    tree = read(
        fact("1"),
        row("2", "any"),
        fact("2.a"),
        row("2.b", "all"),
        fact("2.b.1"),
        fact("2.b.2"),
        fact("3"),
    )
    assert places(tree) == [
        ("1",),
        ("2", [("2.a",), ("2.b", [("2.b.1",), ("2.b.2",)])]),
        ("3",),
    ]
    assert (tree.place, tree.rule, tree.title) == ("", "all", "made up")
    assert [node.place for node in tree.walk()] == [
        *("", "1", "2", "2.a", "2.b", "2.b.1", "2.b.2", "3"),
    ]


def test_rows_of_one_parent_need_not_stand_together() -> None:
    tree = read(row("1", "any"), row("2", "all"), fact("1.a"), fact("2.1"), fact("1.b"))
    assert places(tree) == [("1", [("1.a",), ("1.b",)]), ("2", [("2.1",)])]


def test_a_place_is_under_another_by_its_parts_and_not_by_its_letters() -> None:
    tree = read(row("1", "any"), fact("1.a"), fact("10"), fact("1.ab"))
    assert places(tree) == [("1", [("1.a",), ("1.ab",)]), ("10",)]


def test_what_a_row_says_is_kept() -> None:
    (node,) = read(fact("1") | {"sentence": "crisis"}).children
    assert node == Node(
        *("1", "fact", "row 1", "visceral_crisis", "is", "true", "it is not", "crisis")
    )


def test_the_facts_that_a_tree_reads_are_told_once_in_its_order() -> None:
    tree = read(
        term("1", "triple-negative"),
        fact("2", "er_percent", comparator="below", value="50"),
        fact("3"),
    )
    assert facts_read(tree, TERMS) == [
        *("her2_ihc", "her2_ish_ratio", "her2_copy_number", "er_percent", "pr_percent"),
        "visceral_crisis",
    ]


def test_every_clinical_fact_but_the_body_surface_is_read_by_a_shipped_tree() -> None:
    """The body surface is the dose's."""
    read_by = {name for tree in TREES.values() for name in facts_read(tree, TERMS)}
    assert set(CLINICAL_FACTS.columns) - read_by == {"authorization_number", "bsa_m2"}


@pytest.mark.parametrize(
    ("reads", "comparator", "value"),
    [
        ("regimen", "is", "single_agent"),
        ("regimen", "is", "single_agent; with_capecitabine"),
        ("regimen", "is not", "other;with_trastuzumab"),
        ("visceral_crisis", "is", "false"),
        ("line_of_therapy", "is", "2"),
        ("line_of_therapy", "is not", "2"),
        ("er_percent", "at least", "1"),
        ("er_percent", "at most", "1.5"),
        ("er_percent", "below", "0.5"),
        ("er_percent", "above", "-1"),
    ],
)
def test_a_fact_may_be_compared(reads: str, comparator: str, value: str) -> None:
    assert read(fact("1", reads, comparator=comparator, value=value)).children


# ---- bad rows -------------------------------------------------------------------------------

BAD: dict[str, tuple[list[Row], str]] = {
    "no row": ([], "there is no row"),
    "a place that is taken": ([fact("1"), fact("1")], "place 1 is taken twice"),
    "a parent that is not there": ([fact("1"), fact("2.a")], "place 2.a stands before place 2"),
    "a parent that comes later": (
        [fact("1.a"), row("1", "any")],
        "place 1.a stands before place 1",
    ),
    "a grandparent alone": (
        [row("1", "any"), fact("1.a.1"), fact("1.b")],
        "place 1.a.1 stands before place 1.a",
    ),
    "a fact with rows under it": (
        [fact("1"), fact("1.a")],
        "place 1 is a fact, with rows under it",
    ),
    "a term with rows under it": (
        [term("1", "taxane-resistant"), fact("1.a")],
        "place 1 is a term, with rows under it",
    ),
    "all of nothing": ([fact("1"), row("2", "all")], "place 2 is to be all of the rows under it"),
    "any of nothing": ([row("1", "any")], "place 1 is to be any of the rows under it: none is"),
    "any that reads a fact": (
        [row("1", "any", reads="regimen"), fact("1.a")],
        "place 1: is any of the rows under it, and reads nothing itself",
    ),
    "all with a comparator": ([row("1", "all", comparator="is"), fact("1.a")], "place 1: is all"),
    "all with a value": ([row("1", "all", value="2"), fact("1.a")], "place 1: is all"),
    "all that says why": ([row("1", "all", if_not_met="no"), fact("1.a")], "place 1: is all"),
    "a fact that says nothing": (
        [fact("1", if_not_met=None)],
        "place 1: if_not_met must be written",
    ),
    "a term that says nothing": (
        [term("1", "taxane-resistant", if_not_met=None)],
        "place 1: if_not_met must be written",
    ),
    "a term that does not exist": (
        [term("1", "platinum-resistant")],
        "place 1: there is no term 'platinum-resistant'",
    ),
    "no term": ([term("1", None)], "place 1: there is no term None"),
    "a fact as a term": ([term("1", "regimen")], "place 1: there is no term 'regimen'"),
    "a term that is compared": (
        [term("1", "taxane-resistant", comparator="is")],
        "place 1: a term is compared with nothing",
    ),
    "a term with a value": (
        [term("1", "taxane-resistant", value="true")],
        "place 1: a term is compared with nothing",
    ),
    "a fact that does not exist": (
        [fact("1", "performance_status")],
        "place 1: there is no clinical fact 'performance_status'",
    ),
    "no fact": ([fact("1", reads=None)], "place 1: there is no clinical fact None"),
    "the number of the authorization": (
        [fact("1", "authorization_number")],
        "place 1: there is no clinical fact 'authorization_number'",
    ),
    "no comparator": ([fact("1", comparator=None)], "place 1: needs comparator and value"),
    "no value": ([fact("1", value=None)], "place 1: needs comparator and value"),
    "a word that does not exist": (
        [fact("1", "regimen", value="with_lapatinib")],
        "place 1: regimen cannot be compared: is with_lapatinib",
    ),
    "one word of several that does not exist": (
        [fact("1", "regimen", value="single_agent; with_lapatinib")],
        "place 1: regimen cannot be compared",
    ),
    "a word with an order": (
        [fact("1", "regimen", comparator="at least", value="single_agent")],
        "place 1: regimen cannot be compared: at least single_agent",
    ),
    "yes or no with an order": (
        [fact("1", comparator="above", value="true")],
        "place 1: visceral_crisis cannot be compared: above true",
    ),
    "yes or no that is not": (
        [fact("1", comparator="is not")],
        "place 1: visceral_crisis cannot be compared: is not true",
    ),
    "yes or no in other words": (
        [fact("1", value="yes")],
        "place 1: visceral_crisis cannot be compared: is yes",
    ),
    "a number that is none": (
        [fact("1", "er_percent", comparator="below", value="one")],
        "place 1: er_percent cannot be compared: below one",
    ),
    "a number that is not finite": (
        [fact("1", "er_percent", comparator="below", value="inf")],
        "place 1: er_percent cannot be compared: below inf",
    ),
    "no number": (
        [fact("1", "er_percent", comparator="below", value="nan")],
        "place 1: er_percent cannot be compared: below nan",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_row_is_refused_by_its_place(fault: str) -> None:
    rows, says = BAD[fault]
    with pytest.raises(OutlineError) as refused:
        read(*rows)
    assert says in str(refused.value)


@pytest.mark.parametrize("name", ["her2-negative", "her2-positive"])
def test_a_status_may_be_read_where_both_of_its_tests_are_terms(name: str) -> None:
    assert outline("made up", [term("1", name)], TESTS).children
    for one in TESTS:
        with pytest.raises(OutlineError, match=f"there is no term '{name}'"):
            outline("made up", [term("1", name)], [one])
