"""Patients who meet the criteria, each by one way of its own: what each fact does to the answer.

`patients.csv` names, for every way through every tree, a patient who meets it with nothing to spare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from claims_edit.criteria import Node
from claims_edit.nearest import EXPLANATION
from tests.criteria.support import TREES, facts_of, judge, table, verdicts

# What speaks against every patient: no way of any tree is met by it, and none is left open by it.
AGAINST_ALL = facts_of(
    "no_response_to_preoperative_therapy false; her2_test_approved false; er_percent 0;"
    "pr_percent 0; visceral_crisis false; endocrine_refractory false; line_of_therapy 1;"
    "germline_brca_mutation true; pd_l1_cps 10; t_dxd_candidate true; disease_extent early;"
    "regimen other; anthracycline_setting adjuvant; anthracycline_progressed_on_therapy false;"
    "anthracycline_months_to_progression 99; anthracycline_failed false; taxane_setting adjuvant;"
    "taxane_progressed_on_therapy false; taxane_months_to_progression 99; taxane_failed false;"
    "anthracycline_contraindicated false; capecitabine_failed false; ast_xuln 9; alt_xuln 9;"
    "bilirubin_xuln 9; cremophor_hypersensitivity true; disease_response progression;"
    "unacceptable_toxicity true"
)
HER2 = ("her2_ihc", "her2_ish_ratio", "her2_copy_number")
TreeName = tuple[str, str]
Facts = dict[str, Any]


@dataclass(frozen=True)
class Patient:
    """A patient and one tree that is met with nothing to spare."""

    name: str
    tree_name: TreeName
    facts: Facts
    against: Facts

    def __str__(self) -> str:
        return f"{' '.join(self.tree_name)}: {self.name}"

    def without(self, fact: str) -> Facts:
        return {name: value for name, value in self.facts.items() if name != fact}

    def against_all(self, **changes: Any) -> Facts:
        """The patient where all that is not among its facts speaks against it."""
        return AGAINST_ALL | self.facts | changes

    @property
    def cases(self) -> dict[tuple[str, str], Facts]:
        """The facts, as they are and changed, by what was done to which of them."""
        return (
            {("as it is", ""): self.facts, ("against all", ""): self.against_all()}
            | {("without", fact): self.without(fact) for fact in self.facts}
            | {("null", fact): self.against_all(**{fact: None}) for fact in self.facts}
            | {("against", f): self.against_all(**{f: v}) for f, v in self.against.items()}
        )

    def judged(self, done: str, fact: str = "") -> dict[str, Any]:
        return judged_of(self.tree_name)[self.name, done, fact]


def patients() -> Iterator[Patient]:
    for row in table("patients.csv"):
        for tree in row["trees"].split("; "):
            name, _, request = tree.partition(" ")
            facts, against = facts_of(row["facts"]), facts_of(row["against"])
            yield Patient(row["patient"], (name, request), facts, against)


PATIENTS = list(patients())
EACH_FACT = [pytest.param(p, fact, id=f"{p}, {fact}") for p in PATIENTS for fact in p.facts]
EACH_AGAINST = [pytest.param(p, fact, id=f"{p}, {fact}") for p in PATIENTS for fact in p.against]


def of_tree(tree_name: TreeName) -> dict[tuple[str, str, str], Facts]:
    """All cases of all patients of a tree."""
    of_it = [p for p in PATIENTS if p.tree_name == tree_name]
    return {(p.name, *case): facts for p in of_it for case, facts in p.cases.items()}


@cache
def judged_of(tree_name: TreeName) -> dict[tuple[str, str, str], dict[str, Any]]:
    cases = of_tree(tree_name)
    return dict(zip(cases, judge(TREES[tree_name], list(cases.values())), strict=True))


@pytest.mark.parametrize("patient", PATIENTS, ids=str)
def test_a_patient_meets_the_criteria(patient: Patient) -> None:
    found = patient.judged("as it is")
    assert found["met"] is True
    assert {found[column] for column in EXPLANATION if column != "met"} == {None}


@pytest.mark.parametrize(("patient", "fact"), EACH_FACT)
def test_without_any_one_fact_nobody_can_tell(patient: Patient, fact: str) -> None:
    found = patient.judged("without", fact)
    assert found["met"] is None
    assert found["not_met"] == []
    assert found["missing"] != []
    assert set(found["missing"]).isdisjoint(patient.without(fact))


@pytest.mark.parametrize("patient", PATIENTS, ids=str)
def test_facts_of_other_ways_do_not_matter(patient: Patient) -> None:
    assert patient.judged("against all")["met"] is True


@pytest.mark.parametrize(("patient", "fact"), EACH_FACT)
def test_a_null_decides_nothing_whatever_else_speaks_against_the_patient(
    patient: Patient, fact: str
) -> None:
    found = patient.judged("null", fact)
    assert found["met"] is None
    assert found["not_met"] == []
    lacks = [name for name in HER2 if name not in patient.without(fact)] if fact in HER2 else [fact]
    assert found["missing"] == lacks


@pytest.mark.parametrize(("patient", "fact"), EACH_AGAINST)
def test_one_fact_against_the_criteria_fails_them(patient: Patient, fact: str) -> None:
    found = patient.judged("against", fact)
    assert found["met"] is False
    assert found["not_met"] != []
    assert patient.facts[fact] != patient.against[fact]


# ---- every row of every tree ----------------------------------------------------------------


def leaves(tree: Node) -> list[Node]:
    return [node for node in tree.walk() if not node.children]


@pytest.mark.parametrize("tree_name", TREES, ids=" ".join)
def test_every_leaf_decides_for_some_patient(tree_name: TreeName) -> None:
    """One fact turns the leaf from met to unmet, and the whole tree with it."""
    cases = of_tree(tree_name)
    decided = set()
    for leaf in leaves(TREES[tree_name]):
        answers = dict(zip(cases, verdicts(leaf, list(cases.values())), strict=True))
        for name, done, fact in cases:
            turned = done == "against" and answers[name, "against all", ""] is True
            if turned and answers[name, done, fact] is False:
                decided.add(leaf.place)
    assert [leaf.title for leaf in leaves(TREES[tree_name]) if leaf.place not in decided] == []


@pytest.mark.parametrize("tree_name", TREES, ids=" ".join)
def test_every_row_is_reached_met_and_unmet_and_undecided(tree_name: TreeName) -> None:
    cases = list(of_tree(tree_name).values())
    found = {
        f"{node.place} {node.title}": set(verdicts(node, cases)) for node in TREES[tree_name].walk()
    }
    assert {row: seen for row, seen in found.items() if seen != {True, False, None}} == {}


def test_every_tree_has_patients_and_every_patient_a_tree() -> None:
    assert {patient.tree_name for patient in PATIENTS} == set(TREES)
    assert len({str(patient) for patient in PATIENTS}) == len(PATIENTS)
