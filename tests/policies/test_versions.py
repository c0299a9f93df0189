"""A line is governed by the version in force on its service date, to the day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.policies.folder import COVERED, CRITERIA, POLICY, TABLES, written
from tests.support import Row, edit_rows

CHILD = "2012-02-01"  # 13 years old in 2025: too young for the first version, not for the second
INFANT = "2024-01-01"


def claim(day: str, claim_id: str = "C1", **cells: str) -> Row:
    row: Row = {
        "claim_id": claim_id,
        "claim_line_number": "1",
        "member_id": claim_id,
        "birth_date": CHILD,
        "line_of_business": "commercial",
        "claim_line_start_date": day,
        "hcpcs_code": "X0001",
        "service_unit_quantity": "10",
        "charge_amount": "100",
        "diagnosis_code_1": "A01.1",
    }
    return row | cells


def authorization(member: str) -> Row:
    """A year long: longer than the first version grants, and the second does not ask."""
    return {
        "authorization_number": f"A-{member}",
        "member_id": member,
        "hcpcs_code": "X0001",
        "status": "approved",
        "effective_date": "2024-12-01",
        "expiration_date": "2025-12-31",
    }


def edit(folder: Path, *rows: Row) -> dict[str, dict[str, Any]]:
    edited = edit_rows(
        rows,
        [authorization(m) for m in sorted({row["member_id"] or "" for row in rows})],
        as_of=date(2026, 1, 1),
        policy_id="some-drug",
        reference_folder=folder,
    )
    return {row["claim_id"]: row for row in edited.lines.iter_rows(named=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("back-to-back"))


SPAN = "authorization-span-exceeds-policy"


@pytest.mark.parametrize(
    ("day", "version", "disposition", "edits"),
    [
        ("2024-12-31", None, "flag", ["no-policy-in-force"]),
        ("2025-01-01", "first", "deny", ["member-under-age", SPAN]),
        ("2025-06-30", "first", "deny", ["member-under-age", SPAN]),
        ("2025-07-01", "second", "pay", []),
        ("2025-12-31", "second", "pay", []),
    ],
)
def test_the_last_day_of_one_version_and_the_first_of_the_next(
    folder: Path, day: str, version: str | None, disposition: str, edits: list[str]
) -> None:
    line = edit(folder, claim(day))["C1"]
    assert (line["policy_version"], line["disposition"]) == (version, disposition)
    assert line["edit_ids"] == edits


def test_each_version_does_what_it_says_with_the_same_fail_and_unknown(folder: Path) -> None:
    lines = edit(
        folder,
        claim("2025-06-30", "first", birth_date=INFANT),
        claim("2025-07-01", "second", birth_date=INFANT),
        claim("2025-06-30", "first-unknown", birth_date=""),
        claim("2025-07-01", "second-unknown", birth_date=""),
    )
    assert {name: row["disposition"] for name, row in lines.items()} == {
        "first": "deny",  # deny
        "second": "flag",  # flag
        "first-unknown": "flag",  # flag
        "second-unknown": "pay",  # off
    }
    assert lines["first-unknown"]["unknown_edit_ids"] == ["member-under-age"]
    assert lines["second-unknown"]["unknown_edit_ids"] == []


def test_each_version_covers_its_own_diagnoses(folder: Path) -> None:
    lines = edit(
        folder,
        claim("2025-06-30", "first", birth_date="1970-01-01", diagnosis_code_1="B01.2"),
        claim("2025-07-01", "second", diagnosis_code_1="B01.2"),
    )
    assert "diagnosis-not-covered" in lines["first"]["edit_ids"]
    assert lines["second"]["disposition"] == "pay"


def test_a_limit_is_asked_by_the_version_that_lists_it(folder: Path) -> None:
    adult = {"birth_date": "1970-01-01", "service_unit_quantity": "15"}
    lines = edit(
        folder, claim("2025-06-30", "first", **adult), claim("2025-07-01", "second", **adult)
    )
    assert (lines["first"]["disposition"], lines["first"]["allowed_units"]) == ("partial", 10)
    assert (lines["second"]["disposition"], lines["second"]["allowed_units"]) == ("pay", 15)


def test_a_programs_terms_are_those_of_the_version(folder: Path) -> None:
    """The second version names a program, and does not ask."""
    cells = {"line_of_business": "medicaid", "member_state": "TN"}
    assert edit(folder, claim("2025-07-01", **cells))["C1"]["disposition"] == "pay"


def test_a_gap_between_versions_is_governed_by_none(tmp_path: Path) -> None:
    folder = written(tmp_path)
    gap = TABLES[POLICY].replace("end_date = 2025-06-30", "end_date = 2025-05-31")
    (folder / POLICY).write_text(gap, encoding="utf-8")
    days = ("2025-05-31", "2025-06-01", "2025-06-30", "2025-07-01")
    lines = edit(folder, *(claim(day, day) for day in days))
    versions = ["first", None, None, "second"]
    assert [lines[day]["policy_version"] for day in days] == versions


def test_a_draft_stands_beside_the_version_that_governs(tmp_path: Path) -> None:
    folder = written(tmp_path)
    text = TABLES[POLICY].replace('"second"', '"next"').replace("2025-07-01", "2025-01-01")
    draft = "[[versions]]".join(["", text.split("[[versions]]")[2]])
    draft = draft.replace('"active"', '"draft"')
    (folder / POLICY).write_text(TABLES[POLICY] + draft, encoding="utf-8")
    rows = TABLES[COVERED] + "next,A01.1,First,,,List,made up\n"
    (folder / COVERED).write_text(rows, encoding="utf-8")
    lines = edit(folder, claim("2025-06-30", "first"), claim("2025-07-01", "second"))
    assert [lines[v]["policy_version"] for v in ("first", "second")] == ["first", "second"]


def test_a_code_leaves_the_list_while_the_version_stays(tmp_path: Path) -> None:
    folder = written(tmp_path)
    rows = TABLES[COVERED].replace(
        "second,A01.1,First,,", "second,A01.1,First,2025-08-01,2025-09-30"
    )
    (folder / COVERED).write_text(rows, encoding="utf-8")
    days = {"2025-07-31": "deny", "2025-08-01": "pay", "2025-09-30": "pay", "2025-10-01": "deny"}
    lines = edit(folder, *(claim(day, day) for day in days))
    assert {day: lines[day]["disposition"] for day in days} == days


# ---- with clinical facts --------------------------------------------------------------------

SECOND = """
[versions.dose]
units_per_m2 = 6
max_bsa_m2 = 1

[[versions.partners]]
regimen = "with_capecitabine"
drug = "helper"
observable = true
window_days = 2
reason = "billed like the drug"

[versions.edits]
coverage-criteria = { fail = "flag", unknown = "flag", section = "Criteria" }
dose-exceeds-body-surface = { fail = "deny", unknown = "flag", section = "Dose" }
combination-partner-missing = { fail = "flag", unknown = "flag", section = "Partners" }
"""
OTHER_CRITERIA = """\
second,initial,1,fact,visceral_crisis,is,true,crisis,there is no crisis,crisis
second,renewal,1,fact,unacceptable_toxicity,is,false,no toxicity,there is toxicity,toxicity
"""


@pytest.fixture
def clinical_folder(tmp_path: Path) -> Path:
    """The folder with clinical edits in its second version, too."""
    folder = written(tmp_path)
    one, _, other = TABLES[POLICY].rpartition("\n[versions.edits]\n")
    (folder / POLICY).write_text(one + SECOND + other, encoding="utf-8")
    (folder / CRITERIA).write_text(TABLES[CRITERIA] + OTHER_CRITERIA, encoding="utf-8")
    return folder


CLINICAL_EDITS = ("coverage-criteria", "dose-exceeds-body-surface", "combination-partner-missing")


@pytest.mark.parametrize(
    ("facts", "first", "second"),
    [
        # Small enough for the first version; its dose is 4 times 1.4, and 7.5 in vials of 2.5.
        ({"bsa_m2": "1.4", "visceral_crisis": "false"}, ["dose"], ["coverage", "dose"]),
        # 4 times 2.5 at most, and 6 times 1 at most.
        (
            {"bsa_m2": "3", "disease_extent": "early", "visceral_crisis": "true"},
            ["coverage"],
            ["dose"],
        ),
        # The partner of the first version, and of the second.
        (
            {"bsa_m2": "3", "regimen": "with_trastuzumab", "disease_extent": "early"},
            ["coverage", "combination"],
            ["dose"],
        ),
        (
            {"bsa_m2": "3", "regimen": "with_capecitabine", "disease_extent": "early"},
            ["coverage"],
            ["dose", "combination"],
        ),
    ],
)
def test_each_version_has_its_own_criteria_dose_and_partners(
    clinical_folder: Path, facts: Row, first: list[str], second: list[str]
) -> None:
    days = ("2025-06-30", "2025-07-01")
    edited = edit_rows(
        [claim(day, day, birth_date="1970-01-01") for day in days],
        [authorization(day) for day in days],
        clinical=[{"authorization_number": f"A-{day}", **facts} for day in days],
        as_of=date(2026, 1, 1),
        policy_id="some-drug",
        reference_folder=clinical_folder,
    )
    found = [
        [edit.partition("-")[0] for edit in line["edit_ids"] if edit in CLINICAL_EDITS]
        for line in edited.lines.sort("claim_id").iter_rows(named=True)
    ]
    assert found == [first, second]
