"""Policy prime-ic-0072 as data: what its document says, number by number."""

from __future__ import annotations

from datetime import date

import pytest

from tests.reference.data import (
    CLAIMS_RULE,
    EDIT_ROWS,
    LIMIT_EDITS,
    LINE_ACTIONS,
    POLICY,
    covered,
    edits,
    policy,
    read,
    version,
)

DOCUMENT_SECTIONS = {
    "I. Length of Authorization",
    "II. Dosing Limits",
    "III. Initial Approval Criteria",
    "III. Initial Approval Criteria; IV. Renewal Criteria",
    "V. Dosage/Administration",
    "VI. Billing Code/Availability Information",
    "Appendix 1 – Covered Diagnosis Codes",
    "Appendix 2 – Centers for Medicare and Medicaid Services (CMS)",
}


def test_the_document() -> None:
    assert policy()["id"] == POLICY.name == "prime-ic-0072"
    assert policy()["document"]["number"] == "IC-0072"
    assert policy()["document"]["last_review_date"] == date(2025, 9, 4)
    assert policy()["document"]["origin_date"] == date(2012, 1, 1)
    assert policy()["document"]["source"]


def test_the_version() -> None:
    assert version()["version"] == "2025-09-04"
    assert version()["status"] == "active"
    assert version()["start_date"] == policy()["document"]["last_review_date"]
    assert "end_date" not in version()
    assert version()["minimum_age"] == 18
    assert version()["authorization_months"] == 6


def test_the_limits() -> None:
    limits = {limit["edit"]: limit for limit in version()["limits"]}
    assert len(version()["limits"]) == 2
    assert {edit: (x["max_units"], x["window_days"]) for edit, x in limits.items()} == {
        "units-per-dose": (90, 1),
        "units-per-period": (90, 21),
    }
    for edit, limit in limits.items():
        assert limit["section"] == edits()[edit]["section"] == "II. Dosing Limits"


def test_the_dose() -> None:
    assert version()["dose"] == {
        "units_per_m2": 40,
        "max_bsa_m2": 2.2,
        "section": "V. Dosage/Administration",
    }


def test_the_partners() -> None:
    """Trastuzumab shows on medical claims; capecitabine does not, and the policy says why."""
    section = "III. Initial Approval Criteria"
    one, other = version()["partners"]
    reasons = {p["drug"]: p.pop("reason") for p in (dict(one), dict(other))}
    assert "medical claims" in reasons["trastuzumab"]
    assert "pharmacy benefit" in reasons["capecitabine"]
    assert {k: v for k, v in one.items() if k != "reason"} == {
        "regimen": "with_trastuzumab",
        "drug": "trastuzumab",
        "observable": True,
        "window_days": 21,
        "section": section,
    }
    assert {k: v for k, v in other.items() if k != "reason"} == {
        "regimen": "with_capecitabine",
        "drug": "capecitabine",
        "observable": False,
        "section": section,
    }


def test_the_tables_are_of_the_one_version_and_of_both_kinds_of_request() -> None:
    rows = read(POLICY / "criteria.csv")
    assert {(row["version"], row["request_type"]) for row in rows} == {
        ("2025-09-04", "initial"),
        ("2025-09-04", "renewal"),
    }
    assert {row["version"] for row in read(POLICY / "sentences.csv")} == {"2025-09-04"}


# What both trees must ask of every request, whatever its branch.
UNIVERSAL = [
    ("1", "fact", "cremophor_hypersensitivity", "is", "false"),
    ("2", "any", "", "", ""),
    ("2.a", "fact", "regimen", "is not", "with_capecitabine"),
    ("2.b", "term", "liver-within-limits", "", ""),
]


@pytest.mark.parametrize("request_type", ["initial", "renewal"])
def test_the_universal_criteria_are_asked_of_every_request(request_type: str) -> None:
    columns = ("place", "rule", "reads", "comparator", "value")
    rows = [row for row in read(POLICY / "criteria.csv") if row["request_type"] == request_type]
    found = [tuple(row[c] for c in columns) for row in rows]
    assert found[: len(UNIVERSAL)] == UNIVERSAL


def test_no_program_terms() -> None:
    assert "program_terms" not in version()
    assert "program-terms-govern" not in edits()


def test_edits_and_actions_in_order() -> None:
    found = [(edit, x["fail"], x["unknown"]) for edit, x in edits().items()]
    assert found == [(row[0], row[1], row[2]) for row in EDIT_ROWS]


@pytest.mark.parametrize("edit", [row[0] for row in EDIT_ROWS])
def test_each_edit_has_both_actions_and_a_section(edit: str) -> None:
    entry = edits()[edit]
    assert set(entry) == {"fail", "unknown", "section"}
    allowed = LINE_ACTIONS | {"cutback"} if edit in LIMIT_EDITS else LINE_ACTIONS
    assert entry["fail"] in allowed
    assert entry["unknown"] in LINE_ACTIONS
    assert entry["section"] in DOCUMENT_SECTIONS | {CLAIMS_RULE}


def test_edits_that_the_document_speaks_of_cite_it() -> None:
    sections = {edit: entry["section"] for edit, entry in edits().items()}
    assert sections["medicare-not-governed"].startswith("Appendix 2")
    assert sections["member-under-age"] == "III. Initial Approval Criteria"
    assert sections["diagnosis-not-covered"] == covered()[0]["section"]
    assert sections["ndc-mismatch"] == "VI. Billing Code/Availability Information"
    assert sections["authorization-expired"] == "I. Length of Authorization"
    assert sections["dose-exceeds-body-surface"] == "V. Dosage/Administration"
    assert sections["duplicate-line"] == CLAIMS_RULE
    assert set(sections.values()) == DOCUMENT_SECTIONS | {CLAIMS_RULE}
