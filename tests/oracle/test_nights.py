"""What the nights reach, and that the oracle does not look at the order of rows."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from .dice import Dice, throws_of
from .drugs import BCBST_DRAFT, BCBST_IXABEPILONE
from .examples import REFERENCE_DATA
from .made_up import MADE_UP, write_made_up
from .nights import IXABEPILONE, THROWS, Drug, RawExtract, coverage_of, night_of, nights
from .oracle import ORDER
from .reached_clinical import DOSES, PARTNERS
from .reading import RawRow
from .reference import read_reference


@pytest.fixture(scope="session")
def made_up_reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up(tmp_path_factory.mktemp("reference_data"), REFERENCE_DATA)


def reached_by_nights(reference: Path, drug: Drug, examples: int) -> set[str]:
    reached: set[str] = set()
    terms = read_reference(reference, drug.policy_id, drug.governing_alone)
    for number in range(examples):
        extract = night_of(Dice(throws_of(number, THROWS)), drug)
        night = extract.edited(drug.policy_id, reference, drug.governing_alone)
        reached |= coverage_of(night, terms)
    return reached


DISPOSITIONS = {"pay", "flag", "partial", "deny", "void", "superseded"}
NAMES_OF_ROWS = {"duplicate_row", "conflicting_key", "conflicting_claim", "replacement_cycle"}
UNKNOWABLE = {
    "member-under-age",
    "ndc-units-conflict",
    "authorization-absent",
    "authorization-expired",
    "authorization-not-started",
}
CLINICAL_CHECKS = {
    "authorization_number:not_null",
    "disease_extent:known_value",
    "her2_ihc:readable",
    "her2_ihc:at_least_0",
    "her2_ihc:at_most_3",
    "her2_ish_ratio:readable",
    "her2_ish_ratio:not_below_0",
    "er_percent:at_most_100",
    "line_of_therapy:at_least_1",
    "taxane_failed:readable",
    "bsa_m2:above_0",
    "duplicate_row",
    "conflicting_key",
}
EVERYTHING = (
    {f"{edit_id}:fail" for edit_id in ORDER}
    | {f"{edit_id}:unknown" for edit_id in UNKNOWABLE}
    | {f"disposition:{word}" for word in DISPOSITIONS}
    | {f"rejected:{name}" for name in NAMES_OF_ROWS}
    | {"rejected-authorization:duplicate_row", "rejected-authorization:conflicting_key"}
    | {"out-of-scope", "draws:several", "coverage-criteria:unknown"}
    | {f"rejected-facts:{name}" for name in CLINICAL_CHECKS}
    | DOSES
    | PARTNERS
)
NOT_UNDER_THE_REAL_POLICY = {
    "procedure-not-effective:fail",  # J9207 has not ended
    "program-terms-govern:fail",
    "wastage-modifier-missing:fail",
}
BY_THE_MADE_UP_DRUG_ALONE = NOT_UNDER_THE_REAL_POLICY | {
    "dose: without products",
    "partner: code not in force",
    "partner: code of another drug",
    "combination-partner-missing:unknown",
    "dose-exceeds-body-surface:unknown",
    "diagnosis-sex-conflict:unknown",
    "authorization-provider-mismatch:unknown",
    "action:cutback",
}
NOT_OF_THE_OTHER_DOCUMENT = (
    "diagnosis",
    "ndc",
    "wastage",
    "units-per",
    "member",
    "dose",
    "partner",
    "rejected-facts",
)
UNDER_THE_OTHER_POLICY = {
    name
    for name in EVERYTHING - {"procedure-not-effective:fail"}
    if not name.startswith(NOT_OF_THE_OTHER_DOCUMENT)
} - {
    "no-policy-in-force:fail",
    "combination-partner-missing:fail",
    "authorization-units-exceeded:fail",
    "disposition:partial",
}


def test_nights_reach_everything() -> None:
    reached = reached_by_nights(REFERENCE_DATA, IXABEPILONE, 1500)
    assert EVERYTHING - NOT_UNDER_THE_REAL_POLICY - reached == set()


def test_nights_of_a_made_up_drug_reach_the_rest(made_up_reference: Path) -> None:
    reached = reached_by_nights(made_up_reference, MADE_UP, 600)
    assert BY_THE_MADE_UP_DRUG_ALONE - reached == set()


@pytest.mark.parametrize("drug", [BCBST_IXABEPILONE, BCBST_DRAFT])
def test_nights_under_another_policy_reach_all_that_it_asks(drug: Drug) -> None:
    reached = reached_by_nights(REFERENCE_DATA, drug, 600)
    assert UNDER_THE_OTHER_POLICY - reached == set()


def in_key_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["claim_id"], row["claim_line_number"]))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(extract=nights())
def test_the_order_of_rows_changes_nothing_and_every_row_is_somewhere(extract: RawExtract) -> None:
    night = extract.edited(IXABEPILONE.policy_id, REFERENCE_DATA)
    turned = RawExtract(
        extract.claims[::-1],
        extract.authorizations[::-1],
        extract.members,
        extract.as_of,
        extract.clinical and extract.clinical[::-1],
    ).edited(IXABEPILONE.policy_id, REFERENCE_DATA)
    assert in_key_order(night.lines) == in_key_order(turned.lines)
    assert in_key_order(night.findings) == in_key_order(turned.findings)
    for name in ("rejected_lines", "rejected_authorizations", "rejected_clinical_facts"):
        rejected, turned_rejected = getattr(night, name), getattr(turned, name)
        assert Counter(rejected) == Counter(turned_rejected)
    assert night.out_of_scope == turned.out_of_scope
    assert sorted(map(str, night.partner_lines)) == sorted(map(str, turned.partner_lines))
    rows = len(night.lines) + len(night.rejected_lines) + night.out_of_scope
    assert rows == len(extract.claims)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(extract=nights())
def test_files_say_the_same_as_the_extract(
    tmp_path_factory: pytest.TempPathFactory, extract: RawExtract
) -> None:
    files = extract.write(tmp_path_factory.mktemp("extract"))
    rows = {name: read_csv(path) for name, path in files.items()}
    again = RawExtract(
        rows["claims"],
        rows["authorizations"],
        rows.get("members"),
        extract.as_of,
        rows.get("clinical"),
    )
    assert again.edited(IXABEPILONE.policy_id, REFERENCE_DATA) == extract.edited(
        IXABEPILONE.policy_id, REFERENCE_DATA
    )


def read_csv(path: Path) -> list[RawRow]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]
