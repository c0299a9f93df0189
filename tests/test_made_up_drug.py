"""A drug is a folder of data and a few rows: one that does not exist, added without a line of code.

What a policy author does is done here in a copy of the reference data: rows are added to the code
tables, a policy folder is written, and `claims-edit run` is told of both. Every outcome was worked out
by hand from the policy below.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from tests.support import IXABEPILONE, REFERENCE, Row, write_csv

POLICY_ID = "acme-inventumab"

# The rows that the tables lack: the drug's code with its last day, its two vials, the billable codes of
# its diagnoses (L40.4 is younger than the policy's list, which lacks it), a drug that is given with
# it, and a term of its criteria.
NEW_ROWS = {
    "codes/hcpcs.csv": """\
J7788,"Injection, inventumab, 1 mg",2025-01-01,2026-06-30,made up
J5555,"Injection, inventidine, 1 mg",2025-01-01,,made up
""",
    "codes/partner_drugs.csv": """\
inventidine,J5555,2025-01-01,,made up
""",
    "criteria/terms.csv": """\
severe,1,fact,pr_percent,at least,30,at least 30 % of the skin,less than 30 % of the skin,Criteria,made up
""",
    "codes/ndc_products.csv": """\
00123-4567,J7788,Inventumab 10 mg vial,10,,,made up
00123-4568,J7788,Inventumab 25 mg vial,25,,,made up
""",
    "codes/icd10cm.csv": """\
L40.0,Plaques,,,,made up
L40.1,Pustules,,,,made up
L40.4,Drops,,2026-02-01,,made up
M05.10,Joints,,,,made up
O99.71,Skin in pregnancy,female,,,made up
Z87.2,History of skin,,,,made up
""",
}

COVERED = """\
version,code,description,start_date,end_date,section,source
2025,L40.0,Plaques,,,List A,made up
2025,L40.1,Pustules,,,List A,made up
2025,O99.71,Skin in pregnancy,,,List A,made up
2025,Z87.2,History of skin,,,List A,made up
"""

CRITERIA = """\
version,request_type,place,rule,reads,comparator,value,title,if_not_met,sentence
2025,initial,1,fact,line_of_therapy,at least,2,second line or later,it is the first line,lines
2025,initial,2,any,,,,alone or severe,,severe
2025,initial,2.a,fact,regimen,is,single_agent,alone,it is not given alone,severe
2025,initial,2.b,term,severe,,,severe,it is not severe,severe
2025,renewal,1,fact,disease_response,is not,progression,no progression,it got worse,again
"""

POLICY = """\
id = "acme-inventumab"
title = "Inventumab"
payer = "Acme"
hcpcs_code = "J7788"

[document]
number = "IV-7"
title = "Inventumab"
last_review_date = 2025-01-01
origin_date = 2025-01-01
source = "made up"

[[versions]]
version = "2025"
status = "active"
start_date = 2025-01-01
minimum_age = 6
authorization_months = 3

[versions.diagnoses]
family_prefixes = ["L40"]
history_codes = ["Z87.2"]
active_disease_prefixes = ["L40"]

[[versions.limits]]
edit = "units-per-dose"
max_units = 60
window_days = 1
section = "Dose"

[[versions.limits]]
edit = "units-per-period"
max_units = 60
window_days = 14
section = "Dose"

[[versions.program_terms]]
line_of_business = "medicaid"
state = "OH"
program = "MadeUpCare"

[versions.dose]
units_per_m2 = 20
max_bsa_m2 = 2.5

[[versions.partners]]
regimen = "other"
drug = "inventidine"
observable = true
window_days = 7
reason = "made up"

[versions.edits]
medicare-not-governed = { fail = "flag", unknown = "flag", section = "Scope" }
no-policy-in-force = { fail = "flag", unknown = "flag", section = "Scope" }
ndc-billed-under-other-code = { fail = "flag", unknown = "flag", section = "Billing" }
program-terms-govern = { fail = "flag", unknown = "flag", section = "Scope" }
procedure-not-effective = { fail = "deny", unknown = "flag", section = "Billing" }
duplicate-line = { fail = "deny", unknown = "flag", section = "Billing" }
member-under-age = { fail = "deny", unknown = "flag", section = "Criteria" }
diagnosis-missing = { fail = "deny", unknown = "flag", section = "List A" }
diagnosis-unlisted = { fail = "flag", unknown = "flag", section = "List A" }
diagnosis-invalid = { fail = "deny", unknown = "flag", section = "List A" }
diagnosis-not-covered = { fail = "deny", unknown = "flag", section = "List A" }
diagnosis-history-only = { fail = "flag", unknown = "flag", section = "List A" }
diagnosis-sex-conflict = { fail = "flag", unknown = "off", section = "List A" }
ndc-missing = { fail = "deny", unknown = "flag", section = "Billing" }
ndc-invalid = { fail = "deny", unknown = "flag", section = "Billing" }
ndc-mismatch = { fail = "deny", unknown = "flag", section = "Billing" }
ndc-units-conflict = { fail = "flag", unknown = "flag", section = "Billing" }
wastage-contradiction = { fail = "flag", unknown = "flag", section = "Billing" }
authorization-absent = { fail = "deny", unknown = "flag", section = "Length" }
authorization-expired = { fail = "deny", unknown = "flag", section = "Length" }
authorization-span-exceeds-policy = { fail = "flag", unknown = "flag", section = "Length" }
coverage-criteria = { fail = "deny", unknown = "flag", section = "Criteria" }
dose-exceeds-body-surface = { fail = "flag", unknown = "off", section = "Dose" }
combination-partner-missing = { fail = "flag", unknown = "off", section = "Criteria" }
units-per-dose = { fail = "cutback", unknown = "flag", section = "Dose" }
units-per-period = { fail = "cutback", unknown = "flag", section = "Dose" }
authorization-units-exceeded = { fail = "cutback", unknown = "flag", section = "Length" }
"""


class Example(NamedTuple):
    """A line, what it differs in from a sound one, and what becomes of it."""

    claim_id: str
    cells: dict[str, str]
    disposition: str
    allowed: int
    edits: str = ""


def on(day: str, units: int = 60, **cells: str) -> dict[str, str]:
    return {"claim_line_start_date": day, "service_unit_quantity": str(units)} | cells


def jz(units: int) -> dict[str, str]:
    """Units of which, as JZ says, nothing was thrown away."""
    return on("2026-01-10", units, hcpcs_modifier_1="JZ")


DAY = "2026-01-10"
MALE, MEDICAID = {"gender": "male"}, {"line_of_business": "medicaid"}
EXAMPLES = [
    Example("sound", {}, "pay", 60),
    # 60 units in any 14 consecutive days: on the 14th day after a full dose, counted from 0, there is
    # room again. One member's doses on days 0, 13, 14 and 15: what was denied does not count.
    Example("w-00", on("2026-01-05", member_id="W"), "pay", 60),
    Example("w-13", on("2026-01-18", member_id="W"), "deny", 0, "units-per-period"),
    Example("w-14", on("2026-01-19", member_id="W"), "pay", 60),
    Example("w-15", on("2026-01-20", 10, member_id="W"), "deny", 0, "units-per-period"),
    # Doses of 40 on days 0, 13 and 15.
    Example("x-00", on("2026-01-05", 40, member_id="X"), "pay", 40),
    Example("x-13", on("2026-01-18", 40, member_id="X"), "partial", 20, "units-per-period"),
    Example("x-15", on("2026-01-20", 40, member_id="X"), "pay", 40),
    # 60 units on one day.
    Example("dose-60", on(DAY, 60), "pay", 60),
    Example("dose-70", on(DAY, 70), "partial", 60, "units-per-dose"),
    Example("y-1", on(DAY, 40, member_id="Y"), "pay", 40),
    Example("y-2", on(DAY, 30, member_id="Y"), "partial", 20, "units-per-dose"),
    Example("y-3", on(DAY, 40, member_id="Y"), "deny", 0, "duplicate-line"),
    # Whole vials of 10 and 25, as many of each as one likes.
    *(Example(f"jz-{n:02}", jz(n), "pay", n) for n in (10, 20, 25, 30, 35, 45, 50, 60)),
    *(Example(f"jz-{n:02}", jz(n), "flag", n, "wastage-contradiction") for n in (5, 15, 26)),
    # The diagnoses: a valid code of the family that the list lacks, one that is not valid (yet), one
    # of another family, none at all, a history with and without the disease, one of the other sex.
    Example("dx-new", on("2026-02-01", diagnosis_code_1="L40.4"), "flag", 60, "diagnosis-unlisted"),
    Example("dx-early", on("2026-01-31", diagnosis_code_1="L40.4"), "deny", 0, "diagnosis-invalid"),
    Example("dx-invalid", {"diagnosis_code_1": "l40"}, "deny", 0, "diagnosis-invalid"),
    Example("dx-other", {"diagnosis_code_1": "M0510"}, "deny", 0, "diagnosis-not-covered"),
    Example("dx-breast", {"diagnosis_code_1": "C50.911"}, "deny", 0, "diagnosis-not-covered"),
    Example("dx-none", {"diagnosis_code_1": ""}, "deny", 0, "diagnosis-missing"),
    Example("dx-history", {"diagnosis_code_1": "Z87.2"}, "flag", 60, "diagnosis-history-only"),
    Example("dx-disease", {"diagnosis_code_1": "Z87.2", "diagnosis_code_2": "L40.9"}, "pay", 60),
    Example("dx-female", {"diagnosis_code_1": "O99.71"}, "pay", 60),
    Example("dx-male", MALE | {"diagnosis_code_1": "O99.71"}, "flag", 60, "diagnosis-sex-conflict"),
    # The products, in every notation, and what their packages make.
    Example("ndc-4-4-2", {"ndc_code": "0123-4567-01"}, "pay", 60),
    Example("ndc-10-digits", {"ndc_code": "0123456701"}, "pay", 60),
    Example("ndc-qualified", {"ndc_code": "n400123456701"}, "pay", 60),
    Example("ndc-25", on(DAY, 50, ndc_code="00123-4568-01", ndc_quantity="2"), "pay", 50),
    Example("ndc-units", {"ndc_quantity": "5"}, "flag", 60, "ndc-units-conflict"),
    Example("ndc-other", {"ndc_code": "70020-1910-01"}, "deny", 0, "ndc-mismatch"),
    Example("ndc-broken", {"ndc_code": "123-456"}, "deny", 0, "ndc-invalid"),
    Example("ndc-none", {"ndc_code": ""}, "deny", 0, "ndc-missing"),
    Example("other-code", {"hcpcs_code": "96413"}, "flag", 60, "ndc-billed-under-other-code"),
    # The procedure code ends, the policy begins.
    Example("hcpcs-last", on("2026-06-30"), "pay", 60),
    Example("hcpcs-ended", on("2026-07-01"), "deny", 0, "procedure-not-effective"),
    Example("policy-first", on("2025-01-01"), "pay", 60),
    Example("policy-before", on("2024-12-31"), "flag", 60, "no-policy-in-force"),
    # A program's own terms, for one line of business in one state.
    Example("program", MEDICAID | {"member_state": "OH"}, "flag", 60, "program-terms-govern"),
    Example("program-state", MEDICAID | {"member_state": "IN"}, "pay", 60),
    Example("program-line", {"line_of_business": "commercial", "member_state": "OH"}, "pay", 60),
    Example("medicare", {"line_of_business": "medicare"}, "flag", 60, "medicare-not-governed"),
    # Six years old.
    Example("age-6", {"birth_date": "2020-01-10"}, "pay", 60),
    Example("age-5", {"birth_date": "2020-01-11"}, "deny", 0, "member-under-age"),
    # Authorizations of three months, from the last day of a month to the last day of another.
    Example("span-april", on("2026-02-01"), "pay", 60),
    Example("span-may", on("2026-02-01"), "flag", 60, "authorization-span-exceeds-policy"),
    Example("span-february", on("2026-02-01"), "pay", 60),
    Example("span-march", on("2026-02-01"), "flag", 60, "authorization-span-exceeds-policy"),
    Example("span-open", on("2026-02-01"), "flag", 60, "authorization-span-exceeds-policy"),
    Example("auth-ended", on("2026-02-01"), "deny", 0, "authorization-expired"),
    Example("auth-none", {}, "deny", 0, "authorization-absent"),
    Example("auth-100-a", on("2026-01-05", member_id="Z"), "pay", 60),
    Example("auth-100-b", on("2026-01-19", member_id="Z"), "partial", 40, "authorization-units-exceeded"),
    # The criteria: a deny under this policy. The dose: 20 units for a square metre of at most 2.5, in
    # vials of 10 and 25: 38 need 40, of 2.2 m² 44 need 45, and of 2.7 m² 50 are 50.
    Example("criteria-first", {}, "deny", 0, "coverage-criteria"),
    Example("criteria-mild", {}, "deny", 0, "coverage-criteria"),
    Example("criteria-severe", {}, "pay", 60),
    Example("criteria-again", {}, "pay", 60),
    Example("criteria-worse", {}, "deny", 0, "coverage-criteria"),
    Example("dose-1.9-40", on(DAY, 40), "pay", 40),
    Example("dose-1.9-45", on(DAY, 45), "flag", 45, "dose-exceeds-body-surface"),
    Example("dose-2.2-45", on(DAY, 45), "pay", 45),
    Example("dose-2.2-50", on(DAY, 50), "flag", 50, "dose-exceeds-body-surface"),
    Example("dose-2.7-50", on(DAY, 50), "pay", 50),
    Example("dose-2.7-60", on(DAY, 60), "flag", 60, "dose-exceeds-body-surface"),
    # The drug that is given with it, seven days away and eight.
    Example("partner-7", {}, "pay", 60),
    Example("partner-8", {}, "flag", 60, "combination-partner-missing"),
    Example("partner-none", {}, "flag", 60, "combination-partner-missing"),
]  # fmt: skip

# The clinical facts, where they are not those of a member who meets the criteria and of whom no body
# surface is documented.
SEVERE = {"regimen": "other", "pr_percent": "30"}
FACTS = {
    "criteria-first": {"line_of_therapy": "1"},
    "criteria-mild": {"regimen": "with_capecitabine", "pr_percent": "29.9"},
    "criteria-severe": {"regimen": "with_capecitabine", "pr_percent": "30"},
    "criteria-again": {"line_of_therapy": "1", "disease_response": "stable"},
    "criteria-worse": {"disease_response": "progression"},
    **{f"dose-{m2}-{n}": {"bsa_m2": m2} for m2 in ("1.9", "2.2", "2.7") for n in (40, 45, 50, 60)},
    **dict.fromkeys(("partner-7", "partner-8", "partner-none"), SEVERE),
}  # fmt: skip
RENEWALS = ("criteria-again", "criteria-worse")
PARTNER_LINES: list[Row] = [
    {"claim_id": "with-7", "member_id": "partner-7", "claim_line_start_date": "2026-01-17"},
    {"claim_id": "with-8", "member_id": "partner-8", "claim_line_start_date": "2026-01-02"},
]

# From and to (inclusive), and approved units, by member; others have one that covers the line's date.
AUTHORIZATIONS = {
    "span-april": ("2026-01-31", "2026-04-30", ""),
    "span-may": ("2026-01-31", "2026-05-01", ""),
    "span-february": ("2025-11-30", "2026-02-28", ""),
    "span-march": ("2025-11-30", "2026-03-01", ""),
    "span-open": ("2026-01-31", "", ""),
    "auth-ended": ("2025-11-01", "2026-01-31", ""),
    "Z": ("2026-01-01", "2026-03-31", "100"),
}
IXEMPRA_LINES = [
    {"claim_id": "ixempra-1", "hcpcs_code": "J9207", "ndc_code": "70020-1910-01"},
    {"claim_id": "ixempra-2", "hcpcs_code": "", "ndc_code": "70020191101"},
]


def line(claim_id: str, cells: dict[str, str]) -> Row:
    sound: Row = {
        "claim_id": claim_id,
        "claim_line_number": "1",
        "member_id": claim_id,
        "birth_date": "1970-05-05",
        "gender": "female",
        "line_of_business": "commercial",
        "member_state": "GA",
        "claim_line_start_date": DAY,
        "hcpcs_code": "J7788",
        "hcpcs_modifier_1": "",
        "service_unit_quantity": "60",
        "charge_amount": "600.00",
        "ndc_code": "00123-4567-01",
        "ndc_unit": "UN",
        "diagnosis_code_1": "L40.0",
        "diagnosis_code_2": "",
    }
    row = sound | cells
    vials = int(row["service_unit_quantity"] or 0) / 10
    return {"ndc_quantity": f"{vials:g}"} | row


def authorization(member: str, day: str) -> Row:
    start, end, units = AUTHORIZATIONS.get(member, (day, day, ""))
    return {
        "authorization_number": f"A-{member}",
        "member_id": member,
        "hcpcs_code": "J7788",
        "status": "approved",
        "effective_date": start,
        "expiration_date": end,
        "approved_units": units,
        "request_type": "renewal" if member in RENEWALS else "",
    }


def facts(authorized: Row) -> Row:
    of_member = FACTS.get(authorized["member_id"] or "", {})
    usual: Row = {"line_of_therapy": "2", "regimen": "single_agent", "bsa_m2": ""}
    none: Row = dict.fromkeys(("pr_percent", "disease_response"))
    number: Row = {"authorization_number": authorized["authorization_number"]}
    return number | usual | none | of_member


def partner_line(cells: Row) -> Row:
    return line(cells["claim_id"] or "", {}) | {"hcpcs_code": "J5555", "ndc_code": ""} | cells


def authorizations(lines: list[Row]) -> list[Row]:
    """One a member: as written above, or from the member's first service date to the last."""
    days: dict[str, list[str]] = {}
    for row in lines:
        days.setdefault(row["member_id"] or "", []).append(row["claim_line_start_date"] or "")
    rows = []
    for member, dates in days.items():
        row = authorization(member, min(dates))
        if member not in AUTHORIZATIONS:
            row["expiration_date"] = max(dates)
        if member != "auth-none":
            rows.append(row)
    return rows


@pytest.fixture(scope="module")
def reference_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped reference data with the drug added as a policy author would add it."""
    folder = tmp_path_factory.mktemp("reference") / "data"
    shutil.copytree(REFERENCE, folder)
    for name, rows in NEW_ROWS.items():
        with (folder / name).open("a", encoding="utf-8") as table:
            table.write(rows)
    policy = folder / "policies" / POLICY_ID
    policy.mkdir()
    (policy / "policy.toml").write_text(POLICY, encoding="utf-8")
    (policy / "covered_diagnoses.csv").write_text(COVERED, encoding="utf-8")
    (policy / "criteria.csv").write_text(CRITERIA, encoding="utf-8")
    return folder


def run(folder: Path, reference_folder: Path, policy_id: str) -> Path:
    """The run folder of all lines under one policy, by way of the command line."""
    lines = [line(example.claim_id, example.cells) for example in EXAMPLES]
    ixempra = [line(cells["claim_id"], cells) for cells in IXEMPRA_LINES]
    partners = [partner_line(cells) for cells in PARTNER_LINES]
    claims = write_csv(folder / "claims.csv", lines + ixempra + partners)
    authorized = authorizations(lines)
    approved = write_csv(folder / "authorizations.csv", authorized)
    clinical = write_csv(folder / "clinical.csv", [facts(row) for row in authorized])
    options = {
        "--claims": claims,
        "--authorizations": approved,
        "--clinical": clinical,
        "--out": folder / "runs",
        "--reference-data": reference_folder,
        "--policy": policy_id,
        "--as-of": "2026-12-31",
        "--run-id": "night",
    }
    arguments = [str(text) for option in options.items() for text in option]
    assert outcome(["run", *arguments]) == 0
    return folder / "runs" / "run_id=night"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, reference_folder: Path) -> Path:
    return run(tmp_path_factory.mktemp("night"), reference_folder, POLICY_ID)


@pytest.fixture(scope="module")
def edited(published: Path) -> dict[str, dict[str, Any]]:
    lines = pl.read_parquet(published / "lines.parquet")
    return {row["claim_id"]: row for row in lines.iter_rows(named=True)}


@pytest.mark.parametrize("example", EXAMPLES, ids=[e.claim_id for e in EXAMPLES])
def test_every_outcome_is_the_one_worked_out(
    edited: dict[str, dict[str, Any]], example: Example
) -> None:
    row = edited[example.claim_id]
    assert (row["disposition"], row["allowed_units"]) == (example.disposition, example.allowed)
    assert row["edit_ids"] == example.edits.split()
    assert row["unknown_edit_ids"] == []
    assert row["policy_id"] == POLICY_ID


def test_the_other_drugs_lines_are_out_of_scope(
    published: Path, edited: dict[str, dict[str, Any]]
) -> None:
    assert set(edited) == {example.claim_id for example in EXAMPLES}
    assert _rows(published) == (len(EXAMPLES) + 4, 4, 0, len(EXAMPLES))


def test_under_the_default_policy_only_the_other_drugs_lines_are_in_scope(
    tmp_path: Path, reference_folder: Path
) -> None:
    """And the one that bills the other drug's NDC under the made-up code."""
    published = run(tmp_path, reference_folder, IXABEPILONE)
    lines = pl.read_parquet(published / "lines.parquet")
    assert lines["claim_id"].to_list() == ["ixempra-1", "ixempra-2", "ndc-other"]
    assert _rows(published) == (len(EXAMPLES) + 4, len(EXAMPLES) + 1, 0, 3)
    assert pl.read_parquet(published / "partner_lines.parquet").is_empty()


def test_the_lines_of_the_drug_that_is_given_with_it_are_kept(published: Path) -> None:
    kept = pl.read_parquet(published / "partner_lines.parquet")
    assert kept.select("claim_id", "hcpcs_code").rows() == [
        ("with-7", "J5555"),
        ("with-8", "J5555"),
    ]


def test_the_findings_name_the_policy_and_its_sections(published: Path) -> None:
    findings = pl.read_parquet(published / "findings.parquet")
    sections = dict(findings.select("edit_id", "policy_section").iter_rows())
    assert sections["units-per-period"] == "Dose"
    assert sections["diagnosis-not-covered"] == "List A"
    assert set(findings["policy_version"].drop_nulls()) == {"2025"}
    (message,) = findings.filter(pl.col("claim_id") == "w-13")["message"]
    assert message == (
        "60 units on 2026-01-18 would make 120 in the 14 days from 2026-01-05; "
        "the limit is 60; 0 allowed"
    )


def test_the_messages_are_of_the_policys_own_words_and_numbers(published: Path) -> None:
    findings = pl.read_parquet(published / "findings.parquet")
    messages = dict(findings.select("claim_id", "message").iter_rows())
    assert messages["criteria-first"] == (
        "authorization A-CRITERIA-FIRST does not meet the criteria of initial approval, and fails "
        "because it is the first line (line_of_therapy 1)"
    )
    assert messages["dose-2.7-60"] == (
        "60 units of J7788 on 2026-01-10 are more than one dose of 50: 20 units per m² for 2.7 m² "
        "(of which 2.5 count) are 50, in whole vials of 10 and 25"
    )
    assert messages["partner-8"] == (
        "authorization A-PARTNER-8 is for a regimen with inventidine, and no claim line of it (J5555) "
        "stands within 7 days of 2026-01-10; the nearest, of 2026-01-02, is 8 days away"
    )


def test_draws_name_the_authorization(edited: dict[str, dict[str, Any]]) -> None:
    assert edited["auth-100-b"]["matched_authorization_number"] == "A-Z"
    ((number, units),) = (d.values() for d in edited["auth-100-b"]["authorization_draws"])
    assert (number, units) == ("A-Z", 40)


def _rows(published: Path) -> tuple[int, int, int, int]:
    rows = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["rows"]
    return rows["read"], rows["out_of_scope"], rows["rejected"], rows["edited"]
