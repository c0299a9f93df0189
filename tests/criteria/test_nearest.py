"""What came nearest where criteria are not met: on small made-up outlines, and on the shipped ones."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from claims_edit.criteria import Node, outline
from claims_edit.nearest import EXPLANATION, judged
from tests.criteria.support import (
    TERMS,
    TREES,
    facts_of,
    frame,
    judge,
    table,
)
from tests.criteria.test_patients import AGAINST_ALL, PATIENTS


def tree_of(*rows: str) -> Node:
    """A tree of rows `place all|any` and `place fact comparator value`, each titled by itself."""
    return outline("made up", map(_row, rows), TERMS)


def _row(text: str) -> dict[str, Any]:
    place, *words = text.split()
    row: dict[str, Any] = dict.fromkeys(("reads", "comparator", "value", "if_not_met"))
    row |= {"place": place, "title": text.partition(" ")[2]}
    if words[0] in ("all", "any"):
        return row | {"rule": words[0], "title": f"{words[0]} {place}"}
    if words[0] == "term":
        return row | {"rule": "term", "reads": words[1], "if_not_met": f"no {words[1]}"}
    name, *comparator, value = words
    read = {"reads": name, "comparator": " ".join(comparator), "value": value}
    return row | {"rule": "fact", "if_not_met": f"not {row['title']}"} | read


def nearest(tree: Node, facts: str) -> dict[str, Any]:
    (found,) = judge(tree, [facts_of(facts)])
    return found


A, B, C = "visceral_crisis", "endocrine_refractory", "capecitabine_failed"
D, E, F = "anthracycline_failed", "taxane_failed", "anthracycline_contraindicated"


def two_ways(first: tuple[str, ...], second: tuple[str, ...]) -> Node:
    """Two alternatives, each of several facts that are all required to be so."""
    rows = ["1 any"]
    for letter, names in zip("ab", (first, second), strict=True):
        rows.append(f"1.{letter} all")
        rows += [
            f"1.{letter}.{i} {name}" if " is " in name else f"1.{letter}.{i} {name} is true"
            for i, name in enumerate(names, 1)
        ]
    return tree_of(*rows)


ALONE, TRASTUZUMAB = "regimen is single_agent", "regimen is with_trastuzumab"
# Which of two ways is nearest: by the rule that tells, the two ways, the facts, and the way.
WAYS: list[tuple[str, Node, str, str]] = [
    (
        "the fewest that are false",
        two_ways((A, B), (C, D, E)),
        f"{A} false; {B} false; {C} false; {D} true; {E} true",
        "1.b",
    ),
    (
        "the fewest that are false, whatever is missing",
        two_ways((A, B), (C, D, E)),
        f"{A} false; {B} true",
        "1.b",
    ),
    (
        "the regimen that is asked for, of equally many that are false",
        two_ways((A, ALONE), (B, TRASTUZUMAB)),
        f"{A} true; {B} false; regimen with_trastuzumab",
        "1.b",
    ),
    (
        "the regimen that is asked for, whatever is missing",
        two_ways((A, ALONE), (B, C, D, TRASTUZUMAB)),
        f"{A} true; {B} false; regimen with_trastuzumab",
        "1.b",
    ),
    (
        "the regimen that is asked for, whatever is false",
        two_ways((A, ALONE), (B, C, TRASTUZUMAB)),
        f"{A} true; {B} false; {C} false; regimen with_trastuzumab",
        "1.b",
    ),
    (
        "the fewest that are missing, of equally many that are false",
        two_ways((A, B, C), (D, E)),
        f"{A} false; {D} false; {E} true",
        "1.b",
    ),
    (
        "the fewest that are missing, where none is false",
        two_ways((A, B, C), (D, E)),
        f"{A} true; {D} true",
        "1.b",
    ),
    (
        "the one that gets furthest, of equally many false and missing",
        two_ways((A, B, C), (D, E, F)),
        f"{A} true; {B} false; {C} true; {D} true; {E} true; {F} false",
        "1.b",
    ),
    (
        "getting furthest ends at what is missing too",
        two_ways((A, B, C), (D, E, F)),
        f"{A} true; {C} true; {D} true; {E} true",
        "1.b",
    ),
    (
        "the first of the document, of all that are equal",
        two_ways((A, B), (C, D)),
        f"{A} true; {B} false; {C} true; {D} false",
        "1.a",
    ),
    ("the first of the document, where nothing is documented", two_ways((A, B), (C, D)), "", "1.a"),
]


@pytest.mark.parametrize(("rule", "tree", "facts", "way"), WAYS, ids=[w[0] for w in WAYS])
def test_which_way_is_nearest(rule: str, tree: Node, facts: str, way: str) -> None:
    assert nearest(tree, facts)["branch"] == f"all {way}", rule


def test_a_way_is_as_far_as_the_nearest_of_the_ways_within_it() -> None:
    tree = tree_of(
        "1 any",
        "1.a all",
        f"1.a.1 {A} is true",
        "1.a.2 any",
        "1.a.2.a all",
        f"1.a.2.a.1 {B} is true",
        f"1.a.2.a.2 {C} is true",
        "1.a.2.b all",
        f"1.a.2.b.1 {D} is true",
        "1.b all",
        f"1.b.1 {E} is true",
        f"1.b.2 {F} is true",
    )
    facts = f"{A} true; {B} false; {C} false; {D} false; {E} false; {F} false"
    assert nearest(tree, facts)["branch"] == "all 1.a > all 1.a.2.b"
    assert nearest(tree, f"{facts}; {C} true; {B} none")["branch"] == "all 1.a > all 1.a.2.a"


def test_all_that_is_required_beside_the_ways_is_told() -> None:
    tree = tree_of(
        f"1 {A} is true",
        "2 any",
        "2.a all",
        f"2.a.1 {B} is true",
        "2.b all",
        f"2.b.1 {C} is true",
        f"3 {D} is true",
    )
    found = nearest(tree, f"{A} false; {B} true; {C} false")
    assert found == {
        **dict.fromkeys(frame([]).columns),
        **facts_of(f"{A} false; {B} true; {C} false"),
        "met": False,
        "branch": "all 2.a",
        "not_met": [f"not {A} is true ({A} false)"],
        "undecided": [f"{D} is true"],
        "contradicted": [],
        "missing": [D],
        "open": [],
    }


def one_condition() -> Node:
    return tree_of("1 any", f"1.a {A} is true", f"1.b {B} is true", f"2 {C} is true")


def test_of_one_condition_in_several_words_all_that_is_false_is_told() -> None:
    found = nearest(one_condition(), f"{A} false; {B} false; {C} true")
    assert found["not_met"] == [f"not {A} is true ({A} false)", f"not {B} is true ({B} false)"]
    assert found["branch"] == ""


def test_of_one_condition_in_several_words_all_that_is_missing_is_told() -> None:
    assert nearest(one_condition(), f"{C} true")["missing"] == [A, B]
    assert nearest(one_condition(), f"{A} false; {C} true")["missing"] == [B]
    assert nearest(one_condition(), f"{A} true")["missing"] == [C]


def test_what_any_way_lacks_that_may_still_be_met_is_open() -> None:
    ways = two_ways((A, B), (C, D))
    assert nearest(ways, f"{A} true")["open"] == [B, C, D]
    assert nearest(ways, f"{A} true")["missing"] == [B]
    assert nearest(ways, f"{A} true; {C} false")["open"] == [B]
    assert nearest(ways, f"{A} false; {C} false")["open"] == []


def test_what_is_false_is_told_with_its_values() -> None:
    tree = tree_of(
        "1 pd_l1_cps below 10",
        "2 line_of_therapy at least 3",
        "3 regimen is single_agent",
        "4 term liver-within-limits",
        "5 bsa_m2 above 1.5",
    )
    found = nearest(
        tree,
        "pd_l1_cps 10; line_of_therapy 2; regimen other; ast_xuln 2.51; bilirubin_xuln 1; bsa_m2 1.5",
    )
    assert found["not_met"] == [
        "not pd_l1_cps below 10 (pd_l1_cps 10)",
        "not line_of_therapy at least 3 (line_of_therapy 2)",
        "not regimen is single_agent (regimen other)",
        "no liver-within-limits (ast_xuln 2.51, bilirubin_xuln 1)",
        "not bsa_m2 above 1.5 (bsa_m2 1.5)",
    ]
    assert found["undecided"] == found["missing"] == []


def test_what_is_missing_is_told_once_in_the_order_of_the_document() -> None:
    tree = tree_of(
        "1 term taxane-resistant", "2 taxane_months_to_progression at most 9", f"3 {A} is true"
    )
    found = nearest(tree, "taxane_setting adjuvant")
    assert found["met"] is None
    assert found["undecided"] == [
        "term taxane-resistant",
        "taxane_months_to_progression at most 9",
        f"{A} is true",
    ]
    assert found["missing"] == [
        "taxane_progressed_on_therapy",
        "taxane_months_to_progression",
        "visceral_crisis",
    ]


def test_of_results_that_contradict_each_other_nothing_is_missing() -> None:
    found = nearest(
        tree_of("1 term her2-negative"), "her2_ihc 3; her2_ish_ratio 1.5; her2_copy_number 3"
    )
    assert (found["met"], found["missing"]) == (None, [])
    assert found["undecided"] == found["contradicted"] == ["term her2-negative"]
    assert (found["branch"], found["not_met"]) == ("", [])


def test_what_contradicts_itself_is_told_beside_what_is_missing() -> None:
    tree = tree_of("1 term her2-negative", f"2 {A} is true")
    found = nearest(tree, "her2_ihc 3; her2_ish_ratio 1.5; her2_copy_number 3")
    assert (found["contradicted"], found["missing"]) == (["term her2-negative"], [A])


def test_rows_keep_their_order_and_their_other_columns() -> None:
    tree = tree_of(f"1 {A} is true")
    rows = frame([{A: value} for value in (True, None, False, True)])
    found = judged(tree, TERMS, rows.with_columns(number=pl.Series([4, 3, 2, 1])))
    assert found.columns == [*rows.columns, "number", *EXPLANATION]
    assert found.select("number", "met").rows() == [(4, True), (3, None), (2, False), (1, True)]
    assert found["missing"].to_list() == [None, [A], [], None]
    assert dict(found.select(EXPLANATION.keys()).schema) == EXPLANATION


def test_no_rows_are_judged_as_none() -> None:
    found = judged(tree_of(f"1 {A} is true"), TERMS, frame([]))
    assert found.is_empty()
    assert dict(found.select(EXPLANATION.keys()).schema) == EXPLANATION


# ---- the shipped criteria -------------------------------------------------------------------

Row = dict[str, str]
ROWS = list(table("nearest.csv"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['tree']}: {row['says']}")
def test_the_nearest_way_of_a_patient(row: Row) -> None:
    name, _, request = row["tree"].partition(" ")
    facts = dict(AGAINST_ALL) if row["against"] == "all" else {}
    if row["patient"]:
        (patient,) = (
            p for p in PATIENTS if p.name == row["patient"] and p.tree_name == (name, request)
        )
        facts |= patient.facts
    (found,) = judge(TREES[name, request], [facts | facts_of(row["but"])])
    assert found["met"] is {"not met": False, "undecided": None}[row["met"]]
    assert found["branch"] == row["branch"]
    assert found["not_met"] == list(filter(None, row["not_met"].split(" | ")))
    assert found["missing"] == row["missing"].split()
