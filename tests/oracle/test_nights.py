"""What the nights reach, and that the oracle does not look at the order of rows."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from .examples import REFERENCE_DATA
from .made_up import MADE_UP, write_made_up
from .nights import IXABEPILONE, Drug, RawExtract, coverage_of, nights
from .oracle import ORDER
from .reading import RawRow


@pytest.fixture(scope="session")
def made_up_reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up(tmp_path_factory.mktemp("reference_data"), REFERENCE_DATA)


def reached_by_nights(reference: Path, drug: Drug, examples: int) -> set[str]:
    reached: set[str] = set()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(extract=nights(drug))
    def look(extract: RawExtract) -> None:
        reached.update(coverage_of(extract.edited(drug.policy_id, reference)))

    look()
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
EVERYTHING = (
    {f"{edit_id}:fail" for edit_id in ORDER}
    | {f"{edit_id}:unknown" for edit_id in UNKNOWABLE}
    | {f"disposition:{word}" for word in DISPOSITIONS}
    | {f"rejected:{name}" for name in NAMES_OF_ROWS}
    | {"rejected-authorization:duplicate_row", "rejected-authorization:conflicting_key"}
    | {"out-of-scope", "draws:several"}
)
NOT_UNDER_THE_REAL_POLICY = {
    "procedure-not-effective:fail",  # J9207 has not ended
    "program-terms-govern:fail",
    "wastage-modifier-missing:fail",
}


def test_nights_reach_everything() -> None:
    reached = reached_by_nights(REFERENCE_DATA, IXABEPILONE, 600)
    assert EVERYTHING - NOT_UNDER_THE_REAL_POLICY - reached == set()


def test_nights_of_a_made_up_drug_reach_the_rest(made_up_reference: Path) -> None:
    reached = reached_by_nights(made_up_reference, MADE_UP, 400)
    wanted = NOT_UNDER_THE_REAL_POLICY | {
        "diagnosis-sex-conflict:unknown",
        "authorization-provider-mismatch:unknown",
        "action:cutback",
    }
    assert wanted - reached == set()


def in_key_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["claim_id"], row["claim_line_number"]))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(extract=nights())
def test_the_order_of_rows_changes_nothing_and_every_row_is_somewhere(extract: RawExtract) -> None:
    night = extract.edited(IXABEPILONE.policy_id, REFERENCE_DATA)
    turned = RawExtract(
        extract.claims[::-1], extract.authorizations[::-1], extract.members, extract.as_of
    ).edited(IXABEPILONE.policy_id, REFERENCE_DATA)
    assert in_key_order(night.lines) == in_key_order(turned.lines)
    assert in_key_order(night.findings) == in_key_order(turned.findings)
    for name in ("rejected_lines", "rejected_authorizations"):
        rejected, turned_rejected = getattr(night, name), getattr(turned, name)
        assert Counter(rejected) == Counter(turned_rejected)
    assert night.out_of_scope == turned.out_of_scope
    rows = len(night.lines) + len(night.rejected_lines) + night.out_of_scope
    assert rows == len(extract.claims)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(extract=nights())
def test_files_say_the_same_as_the_extract(
    tmp_path_factory: pytest.TempPathFactory, extract: RawExtract
) -> None:
    files = extract.write(tmp_path_factory.mktemp("extract"))
    rows = {name: read_csv(path) for name, path in files.items()}
    again = RawExtract(rows["claims"], rows["authorizations"], rows.get("members"), extract.as_of)
    assert again.edited(IXABEPILONE.policy_id, REFERENCE_DATA) == extract.edited(
        IXABEPILONE.policy_id, REFERENCE_DATA
    )


def read_csv(path: Path) -> list[RawRow]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]
