"""Every tree of criteria, read from its table and written out by hand, says the same of all facts."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.branches import BRANCHES, REQUESTS, everything_judged, judged
from tests.oracle.clinical import ClinicalFacts, read_facts, sort_out_facts
from tests.oracle.clinical_rows import drawn_facts, numbered
from tests.oracle.criteria import criteria
from tests.oracle.dice import Dice, Row
from tests.oracle.drugs import BCBST_DRAFT, BCBST_IXABEPILONE, IXABEPILONE, Drug
from tests.oracle.examples import authorization, claim
from tests.oracle.made_up import MADE_UP, write_made_up
from tests.support import REFERENCE, edit_rows

PATIENTS = 4000
DRUGS = (
    (IXABEPILONE, "2025-09-04"),
    (BCBST_IXABEPILONE, "current"),
    (BCBST_DRAFT, "2026-draft"),
    (MADE_UP, "one"),
    (MADE_UP, "two"),
)


@pytest.mark.parametrize(
    ("drug", "version"), DRUGS, ids=lambda one: str(getattr(one, "policy_id", one))
)
def test_every_tree_is_read_as_it_is_written(tmp_path: Path, drug: Drug, version: str) -> None:
    rng = random.Random(f"{drug.policy_id}@{version}")
    made_up = drug is MADE_UP
    reference = write_made_up(tmp_path, REFERENCE) if made_up else REFERENCE
    patients = [patient(rng, drug, version, number) for number in range(PATIENTS)]
    edited = edit_rows(
        [claim(claim_id=who, member_id=who, hcpcs_code=drug.hcpcs) for who, _, _ in patients],
        [
            authorization(
                authorization_number=who, member_id=who, request_type=kind, hcpcs_code=drug.hcpcs
            )
            for who, kind, _ in patients
        ],
        None,
        [{**numbered(who), **facts} for who, _, facts in patients],
        as_of=date(2026, 12, 31),
        policy_id=drug.policy_id,
        reference_folder=reference,
        version=version,
    )
    found = verdicts(edited.findings.to_dicts())
    reached: set[str] = set()
    for who, kind, facts in patients:
        tree = drug.policy_id, version, kind
        met = criteria(*tree, documented(facts))
        assert found.get(who, "pass") == {True: "pass", False: "fail", None: "unknown"}[met], facts
        reached |= judged(tree, documented(facts))
    assert everything_judged(drug.policy_id, version) - reached == set()


def patient(rng: random.Random, drug: Drug, version: str, number: int) -> tuple[str, str, Row]:
    kind = rng.choice(REQUESTS)
    assert (drug.policy_id, version, kind) in BRANCHES
    facts = drawn_facts(Dice(rng.randbytes(60)), drug, (drug.policy_id, version, kind))
    return f"M{number}", kind, facts


def documented(facts: Row) -> ClinicalFacts:
    good, bad = sort_out_facts([read_facts({**numbered("A"), **facts})])
    assert not bad
    return good["A"]


def verdicts(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {
        row["claim_id"]: row["verdict"] for row in findings if row["edit_id"] == "coverage-criteria"
    }
