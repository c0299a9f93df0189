"""What is not documented decides nothing: whatever it turns out to be, a decision stands."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import polars as pl
import pytest

from claims_edit.clinical_contracts import WORDS
from claims_edit.criteria import Node, facts_read
from tests.criteria.support import TERMS, TREES, TYPES, Facts, verdicts
from tests.criteria.test_patients import AGAINST_ALL, PATIENTS, TreeName

# More of HER2 may contradict what was established: IHC 1+ is negative until ISH says otherwise.
HER2 = ("her2_ihc", "her2_ish_ratio", "her2_copy_number")
PATIENTS_PER_TREE = 60


def bounds() -> Iterator[tuple[str, float]]:
    """Every number that a row of a tree or of a term compares with."""
    for tree in (*TREES.values(), *TERMS.values()):
        for node in tree.walk():
            if node.rule == "fact" and TYPES[node.reads or ""] in (pl.Float64, pl.Int64):
                yield node.reads or "", float(node.value or "")


def values_of(fact: str) -> list[Any]:
    """Its words, true and false, or numbers on both sides of every bound."""
    if fact in WORDS:
        return list(WORDS[fact])
    if TYPES[fact] == pl.Boolean:
        return [True, False]
    step = 1 if TYPES[fact] == pl.Int64 else 0.01
    around = {max(b + d, 0) for name, b in bounds() if name == fact for d in (-step, 0, step)}
    return [int(n) if TYPES[fact] == pl.Int64 else n for n in sorted(around)]


def patients_of(tree_name: TreeName) -> list[Facts]:
    """Patients who meet the tree, changed here and there, a third of their facts taken away."""
    random = Random(" ".join(tree_name))
    beginnings = [p.facts for p in PATIENTS if p.tree_name == tree_name]
    found: list[Facts] = []
    for _ in range(PATIENTS_PER_TREE):
        facts = dict(random.choice(beginnings))
        if random.random() < 0.5:
            facts = AGAINST_ALL | facts
        for name in random.sample(sorted(TYPES), random.choice((0, 2, 6))):
            if values_of(name):
                facts[name] = random.choice(values_of(name))
        found.append({name: v for name, v in facts.items() if random.random() < 0.67})
    return found


@pytest.mark.parametrize("tree_name", TREES, ids=" ".join)
def test_a_decision_stands_whatever_is_documented_later(tree_name: TreeName) -> None:
    tree = TREES[tree_name]
    read = [name for name in facts_read(tree, TERMS) if name not in HER2]
    patients = patients_of(tree_name)
    decided = [
        (facts, verdict)
        for facts, verdict in zip(patients, verdicts(tree, patients), strict=True)
        if verdict is not None
    ]
    assert {verdict for _, verdict in decided} == {True, False}
    later = [
        (dict(facts) | {name: value}, verdict)
        for facts, verdict in decided
        for name in read
        if name not in facts
        for value in values_of(name)
    ]
    found = verdicts(tree, [facts for facts, _ in later])
    changed = [facts for (facts, before), now in zip(later, found, strict=True) if before != now]
    assert changed == []


@pytest.mark.parametrize("tree_name", TREES, ids=" ".join)
def test_where_nothing_is_documented_nothing_is_decided(tree_name: TreeName) -> None:
    tree = TREES[tree_name]
    assert verdicts(tree, [{}]) == [None]
    for node in _under(tree):
        assert verdicts(node, [{}]) == [None], node.place


def _under(tree: Node) -> Iterator[Node]:
    return (node for node in tree.walk() if node.place)


def test_more_of_her2_may_contradict_what_was_established() -> None:
    negative = Node("1", "term", "HER2 negative", reads="her2-negative")
    positive = {"her2_ish_ratio": 2.0, "her2_copy_number": 4.0}
    assert verdicts(negative, [{"her2_ihc": 1}, {"her2_ihc": 1} | positive]) == [True, None]
