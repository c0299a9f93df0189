"""Criteria worked out by hand, and that their branches say the same as the trees."""

from collections.abc import Callable

import pytest

from .branches import BRANCHES, Tree, everything_judged, judged
from .clinical import ClinicalFacts, read_facts, sort_out_facts
from .clinical_rows import drawn_facts, facts_that_meet, numbered, random_facts
from .criteria import BCBST, PRIME, criteria, her2_status
from .dice import Dice, throws_of
from .drugs import BCBST_DRAFT, BCBST_IXABEPILONE, IXABEPILONE
from .kleene import Truth, and_, not_, or_
from .made_up import MADE_UP
from .terms import anthracycline_resistant, taxane_resistant

Cells = dict[str, object]
CURRENT, DRAFT, ONLY = "current", "2026-draft", "2025-09-04"
ISH = {1: (2.0, 4.0), 2: (2.0, 3.99), 3: (1.99, 6.0), 4: (1.99, 4.0), 5: (1.99, 3.99)}
# By IHC: the status with ISH of group 1, 2, 3, 4, 5, and without ISH.
STATUS = {
    0: "?-----",
    1: "?-----",
    2: "+-+--?",
    3: "++++?+",
    None: "+???-?",
}
WORDS = {"+": "positive", "-": "negative", "?": None}


@pytest.mark.parametrize("ihc", STATUS)
@pytest.mark.parametrize("group", [1, 2, 3, 4, 5, None])
def test_her2_status(ihc: int | None, group: int | None) -> None:
    ratio, copies = ISH[group] if group else (None, None)
    facts = ClinicalFacts(her2_ihc=ihc, her2_ish_ratio=ratio, her2_copy_number=copies)
    assert her2_status(facts) == WORDS[STATUS[ihc][(group or 6) - 1]]


@pytest.mark.parametrize(
    ("ihc", "ratio", "copies", "expected"),
    [
        (2, 1.99, 5.99, "negative"),  # group 4 goes up to 6 copies
        (2, 1.99, 6.0, "positive"),
        (2, 2.0, None, None),
        (2, None, 6.0, None),
        (3, None, 3.99, "positive"),
        (0, None, 4.0, "negative"),
        (None, 1.99, None, None),
    ],
)
def test_her2_status_where_half_of_ish_is_there(
    ihc: int | None, ratio: float | None, copies: float | None, expected: str | None
) -> None:
    facts = ClinicalFacts(her2_ihc=ihc, her2_ish_ratio=ratio, her2_copy_number=copies)
    assert her2_status(facts) == expected


@pytest.mark.parametrize(
    ("is_resistant", "adjuvant", "metastatic"),
    [("anthracycline", 6, 3), ("taxane", 12, 4)],
)
def test_resistance(is_resistant: str, adjuvant: float, metastatic: float) -> None:
    test: Callable[[ClinicalFacts], Truth] = {
        "anthracycline": anthracycline_resistant,
        "taxane": taxane_resistant,
    }[is_resistant]

    def resistant(progressed: Truth, setting: str | None, months: float | None) -> Truth:
        cells: Cells = {"progressed_on_therapy": progressed, "setting": setting}
        cells["months_to_progression"] = months
        named = {f"{is_resistant}_{name}": value for name, value in cells.items()}
        return test(ClinicalFacts(**named))  # type: ignore[arg-type]

    assert resistant(True, None, None) is True
    assert resistant(False, "adjuvant", adjuvant) is True
    assert resistant(False, "adjuvant", adjuvant + 0.01) is False
    assert resistant(None, "adjuvant", adjuvant + 0.01) is None
    assert resistant(False, "metastatic", metastatic) is True
    assert resistant(False, "metastatic", metastatic + 0.01) is False
    assert resistant(False, None, metastatic) is None
    assert resistant(False, None, adjuvant + 0.01) is False
    assert resistant(False, "adjuvant", None) is None
    assert resistant(False, None, None) is None


NEGATIVE = {"her2_ihc": 0}
POSITIVE = {"her2_ihc": 3}
LIVER = {"ast_xuln": 2.5, "alt_xuln": 2.5, "bilirubin_xuln": 1}
A1 = {
    "cremophor_hypersensitivity": False,
    "disease_extent": "metastatic",
    **NEGATIVE,
    "her2_test_approved": True,
    "regimen": "single_agent",
}
A1A = A1 | {"er_percent": 1, "visceral_crisis": True}
A1B = A1 | {"er_percent": 0, "pr_percent": 0}
A2 = A1 | POSITIVE | {"regimen": "with_trastuzumab", "line_of_therapy": 4}
B = {
    "cremophor_hypersensitivity": False,
    "disease_extent": "locally_advanced",
    "anthracycline_failed": True,
    "taxane_failed": True,
    "regimen": "with_capecitabine",
    **LIVER,
}
AFTER = B | {"regimen": "single_agent", "capecitabine_failed": True, "ast_xuln": 9}
PRIME_RENEWED = {
    "cremophor_hypersensitivity": False,
    "regimen": "single_agent",
    "disease_response": "stable",
    "unacceptable_toxicity": False,
}
EXAMPLES: list[tuple[str, str, str, Cells, Truth]] = [
    (PRIME, ONLY, "initial", {}, None),
    (PRIME, ONLY, "initial", {"cremophor_hypersensitivity": True}, False),
    (PRIME, ONLY, "initial", A1A | {"line_of_therapy": 3}, True),
    (
        PRIME,
        ONLY,
        "initial",
        A1A | {"line_of_therapy": 3, "cremophor_hypersensitivity": None},
        None,
    ),
    (PRIME, ONLY, "initial", A1A | {"line_of_therapy": 3, "her2_test_approved": False}, None),
    (PRIME, ONLY, "initial", A1A | {"line_of_therapy": 3, "capecitabine_failed": False}, True),
    (PRIME, ONLY, "initial", A1A | {"line_of_therapy": 3, "disease_extent": "inflammatory"}, None),
    (
        *(PRIME, ONLY, "initial"),
        A1A
        | {
            "line_of_therapy": 3,
            "disease_extent": "inflammatory",
            "no_response_to_preoperative_therapy": True,
        },
        True,
    ),
    (PRIME, ONLY, "initial", A1A | {"line_of_therapy": 1, "germline_brca_mutation": False}, True),
    (PRIME, ONLY, "initial", A1A | {"line_of_therapy": 2, "t_dxd_candidate": False}, True),
    (
        *(PRIME, ONLY, "initial"),
        A1A | {"line_of_therapy": 2, "t_dxd_candidate": True, "capecitabine_failed": False},
        False,
    ),
    (PRIME, ONLY, "initial", A1B | {"line_of_therapy": 2}, True),
    (
        *(PRIME, ONLY, "initial"),
        A1B | {"line_of_therapy": 1, "pd_l1_cps": 9.9, "germline_brca_mutation": False},
        True,
    ),
    (
        *(PRIME, ONLY, "initial"),
        A1B | {"line_of_therapy": 1, "pd_l1_cps": 10, "capecitabine_failed": False},
        False,
    ),
    (PRIME, ONLY, "initial", A2, True),
    (PRIME, ONLY, "initial", A2 | {"line_of_therapy": 3}, False),
    (PRIME, ONLY, "initial", A2 | {"her2_test_approved": False}, False),
    (PRIME, ONLY, "initial", B, True),
    (PRIME, ONLY, "initial", B | {"alt_xuln": 2.51}, False),
    (PRIME, ONLY, "initial", B | {"alt_xuln": None}, None),
    (PRIME, ONLY, "initial", B | {"disease_extent": "inflammatory"}, True),
    (PRIME, ONLY, "initial", B | {"disease_extent": "recurrent_unresectable"}, False),
    (PRIME, ONLY, "initial", AFTER, True),
    (PRIME, ONLY, "initial", AFTER | {"capecitabine_failed": None}, None),
    (
        *(PRIME, ONLY, "initial"),
        B
        | {
            "anthracycline_failed": None,
            "anthracycline_contraindicated": True,
            "taxane_progressed_on_therapy": True,
        },
        True,
    ),
    (PRIME, ONLY, "renewal", PRIME_RENEWED, True),
    (PRIME, ONLY, "renewal", PRIME_RENEWED | {"regimen": "with_trastuzumab"} | NEGATIVE, False),
    (
        *(PRIME, ONLY, "renewal"),
        PRIME_RENEWED | {"regimen": "with_trastuzumab", "her2_test_approved": True} | POSITIVE,
        True,
    ),
    (PRIME, ONLY, "renewal", PRIME_RENEWED | {"regimen": "with_trastuzumab"} | POSITIVE, None),
    (PRIME, ONLY, "renewal", PRIME_RENEWED | {"regimen": "with_capecitabine"}, None),
    (PRIME, ONLY, "renewal", PRIME_RENEWED | {"disease_response": "progression"}, False),
    (PRIME, ONLY, "renewal", PRIME_RENEWED | {"unacceptable_toxicity": True}, False),
    (BCBST, CURRENT, "initial", A1 | {"disease_extent": "inflammatory"}, True),
    (BCBST, CURRENT, "initial", A1 | {"disease_extent": "recurrent_resectable"}, None),
    (
        *(BCBST, CURRENT, "initial"),
        A1 | {"disease_extent": "early", "no_response_to_preoperative_therapy": True},
        True,
    ),
    (BCBST, CURRENT, "initial", A2 | {"line_of_therapy": 1}, True),
    (BCBST, DRAFT, "initial", A2 | {"line_of_therapy": 1}, False),
    (BCBST, DRAFT, "initial", A2, True),
    (BCBST, CURRENT, "initial", A2 | {"disease_extent": "recurrent_resectable"}, True),
    (BCBST, DRAFT, "initial", A2 | {"disease_extent": "recurrent_resectable"}, None),
    (BCBST, CURRENT, "initial", B, True),
    (BCBST, DRAFT, "initial", B, None),
    (BCBST, CURRENT, "initial", AFTER, None),
    (
        *(BCBST, DRAFT, "initial"),
        B | {"anthracycline_progressed_on_therapy": True, "taxane_progressed_on_therapy": True},
        True,
    ),
    (BCBST, CURRENT, "renewal", PRIME_RENEWED, True),
    (BCBST, CURRENT, "renewal", PRIME_RENEWED | {"disease_response": None}, None),
    (BCBST, DRAFT, "renewal", PRIME_RENEWED | {"disease_response": "progression"}, False),
    (BCBST, DRAFT, "renewal", PRIME_RENEWED | {"regimen": "other"}, False),
    (BCBST, CURRENT, "renewal", PRIME_RENEWED | {"regimen": "with_trastuzumab"} | NEGATIVE, True),
]


@pytest.mark.parametrize(("policy_id", "version", "request_type", "cells", "met"), EXAMPLES)
def test_criteria(
    policy_id: str, version: str, request_type: str, cells: Cells, met: Truth
) -> None:
    facts = ClinicalFacts(**cells)  # type: ignore[arg-type]
    assert criteria(policy_id, version, request_type, facts) is met


def test_nothing_documented_decides_nothing() -> None:
    assert and_(None, False) is False
    assert or_(None, True) is True
    assert [and_(True, None), or_(False, None), not_(None)] == [None, None, None]
    for tree in BRANCHES:
        assert criteria(*tree, ClinicalFacts()) is None


DRUGS = (IXABEPILONE, BCBST_IXABEPILONE, BCBST_DRAFT, MADE_UP)
TREES = {tree: drug for drug in DRUGS for tree in BRANCHES if tree[:2] in drug.governing}


@pytest.mark.parametrize("tree", TREES, ids="/".join)
def test_branches_say_what_the_trees_say_and_generated_facts_reach_them_all(tree: Tree) -> None:
    reached: set[str] = set()

    def documented(cells: dict[str, str]) -> ClinicalFacts:
        good, bad = sort_out_facts([read_facts({**numbered("A1"), **cells})])
        assert not bad
        return good["A1"]

    for number in range(1000):
        dice = Dice(throws_of(number, 60))
        for cells in (drawn_facts(dice, TREES[tree], tree), random_facts(dice)):
            facts = documented(cells)
            branches = BRANCHES[tree].values()
            met = or_(*(and_(*(leaf.holds(facts) for leaf in branch)) for branch in branches))
            assert criteria(*tree, facts) is met
            reached.update(judged(tree, facts))
    for branch in BRANCHES[tree].values():
        facts = documented(facts_that_meet(Dice(b""), branch))
        assert criteria(*tree, facts) is True
    assert {one for one in everything_judged(*tree[:2]) if tree[2] in one} - reached == set()
