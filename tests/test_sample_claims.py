"""The sample extract against the outcome that was worked out for it by hand."""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.contracts import DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from tests.support import PROJECT, Edited, edit_files, policy

SAMPLE = PROJECT / "sample_claims"

# Verdicts that no line can have under the policy, and why.
NOT_REACHABLE = {
    ("procedure-not-effective", "fail"),  # the code was in force long before the policy was
}
# The edits that can be unknown; all others always tell.
CAN_BE_UNKNOWN = (
    "member-under-age",
    "diagnosis-sex-conflict",
    "ndc-units-conflict",
    "authorization-absent",
    "authorization-expired",
    "authorization-not-started",
    "authorization-provider-mismatch",
    "coverage-criteria",
    "dose-exceeds-body-surface",
    "combination-partner-missing",
)
REJECTED = {
    ("C-0100", "1"): ["charge_amount:not_below_0", "service_unit_quantity:not_null"],
    ("C-0101", "1"): ["claim_line_start_date:readable"],
    ("C-0102", "1"): ["duplicate_row"],
    ("C-0103", "1"): ["conflicting_key"],
    ("C-0104", "1"): ["conflicting_claim"],
    ("C-0104", "2"): ["conflicting_claim"],
    ("C-0106", "1"): ["replacement_cycle"],
    ("C-0107", "1"): ["replacement_cycle"],
}


def configured() -> dict[str, Any]:
    """The options of run.toml."""
    return tomllib.loads((SAMPLE / "run.toml").read_text(encoding="utf-8"))


@cache
def edited() -> Edited:
    options = configured()
    return edit_files(
        [SAMPLE / path for path in options["claims"]],
        SAMPLE / options["authorizations"],
        SAMPLE / options["members"],
        SAMPLE / options["clinical"],
        as_of=date.fromisoformat(options["as_of"]),
    )


def expected() -> list[dict[str, str]]:
    with (SAMPLE / "expected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_expected(line: dict[str, Any]) -> dict[str, str]:
    """An edited line as a row of expected.csv."""
    return {
        "claim_id": line["claim_id"],
        "claim_line_number": str(line["claim_line_number"]),
        "disposition": line["disposition"],
        "allowed_units": f"{line['allowed_units']:f}".rstrip("0").rstrip("."),
        "denied_charge_amount": f"{line['denied_charge_amount']:.2f}",
        "edit_ids": " ".join(line["edit_ids"]),
        "unknown_edit_ids": " ".join(line["unknown_edit_ids"]),
    }


def test_every_line_has_the_outcome_worked_out_by_hand() -> None:
    assert [as_expected(line) for line in edited().lines.iter_rows(named=True)] == expected()


def test_every_row_is_out_of_scope_or_rejected_or_edited() -> None:
    run = edited()
    assert (run.rows, run.in_scope_rows) == (114, 109)
    assert (run.lines.height, run.rejected_lines.height) == (100, 9)


def test_every_rejected_row_names_its_checks() -> None:
    rows = edited().rejected_lines.iter_rows(named=True)
    found = {(row["claim_id"], row["claim_line_number"]): row["failed_checks"] for row in rows}
    assert found == REJECTED


def test_every_rejected_authorization_names_its_checks() -> None:
    rows = edited().rejected_authorizations.iter_rows(named=True)
    found = sorted((row["authorization_number"], *row["failed_checks"]) for row in rows)
    assert found == [
        ("A-0052", "conflicting_key"),
        ("A-0052", "conflicting_key"),
        ("A-0057R", "status:known_value"),
        ("A-0059X", "expiration_date:not_before_effective"),
    ]


def test_every_rejected_row_of_clinical_facts_names_its_checks() -> None:
    rows = edited().rejected_clinical_facts.iter_rows(named=True)
    found = sorted((row["authorization_number"], *row["failed_checks"]) for row in rows)
    assert found == [
        ("A-0124", "her2_ihc:at_most_3"),
        ("A-0131", "conflicting_key"),
        ("A-0131", "conflicting_key"),
    ]


def test_the_line_of_the_partner_drug_is_kept() -> None:
    kept = edited().partner_lines.select("claim_id", "member_id", "hcpcs_code")
    assert kept.rows() == [("C-0128", "M-0127", "J9355")]


def test_without_clinical_facts_the_edits_that_read_them_are_not_asked() -> None:
    options = configured()
    without = edit_files(
        [SAMPLE / path for path in options["claims"]],
        SAMPLE / options["authorizations"],
        SAMPLE / options["members"],
        as_of=date.fromisoformat(options["as_of"]),
    )
    asked = {edit.id for edit in EDITS.values() if edit.reads_clinical_facts}
    assert asked == set(CAN_BE_UNKNOWN[-3:])
    told = edited().findings
    assert without.findings.equals(told.filter(~pl.col("edit_id").is_in(asked)))
    assert set(told["edit_id"]) >= asked


def test_every_verdict_that_the_policy_tells_of_is_reached() -> None:
    (version,) = policy().active_versions
    rules = version.edits
    told = {(edit, "fail") for edit, rule in rules.items() if rule.fail != "off"}
    told |= {(edit, "unknown") for edit in CAN_BE_UNKNOWN if rules[edit].unknown != "off"}
    reached = set(edited().findings.select("edit_id", "verdict").iter_rows())
    assert reached == told - NOT_REACHABLE


def test_every_disposition_is_reached() -> None:
    assert set(edited().lines["disposition"]) == set(DISPOSITIONS)


def test_units_are_drawn_from_the_authorizations_in_the_order_in_which_they_expire() -> None:
    lines = edited().lines.filter(pl.col("claim_id").is_in(["C-0074", "C-0075"]))
    drawn = [
        {draw["authorization_number"]: int(draw["units"]) for draw in draws}
        for draws in lines["authorization_draws"].to_list()
    ]
    assert drawn == [{"A-0074A": 60, "A-0074B": 30}, {"A-0074B": 30}]


def test_the_readme_tells_of_every_claim() -> None:
    table = (SAMPLE / "README.md").read_text(encoding="utf-8")
    claims = {row["claim_id"] for row in expected()} | {claim for claim, _ in REJECTED}
    assert [claim for claim in sorted(claims) if claim not in table] == []


def test_the_run_takes_every_file_of_the_folder() -> None:
    files = {path.name for path in (SAMPLE / "claims").iterdir()}
    assert {"".join(Path(name).suffixes) for name in files} == {".csv", ".csv.gz", ".parquet"}
