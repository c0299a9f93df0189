"""An authorization is determined as a claim line of its effective date would be judged."""

from __future__ import annotations

import json

import polars as pl
import pytest

from claims_edit.cases import Case, read_cases
from claims_edit.clinical_contracts import CLINICAL_FACTS
from tests.cli.support import Operator, authorization, claim
from tests.commands.requests import Desk, member
from tests.commands.support import BCBST, PRIME
from tests.support import Row, policy

CRITERIA = "coverage-criteria"
FACTS = [name for name in CLINICAL_FACTS.columns if name != "authorization_number"]


def requested(case: Case) -> tuple[str | None, Row | None]:
    """The kind of request of a case, and its facts; None where it has no row of them."""
    first = case.lines[0]
    kind = case.value(first, "authorization:request_type")
    if first["clinical:authorization_number"] == "none":
        return kind, None
    return kind, {name: case.value(first, f"clinical:{name}") for name in FACTS}


def every_request() -> list[tuple[str | None, Row | None]]:
    """What the example cases of all policies ask for, each combination once."""
    found = [requested(case) for name in (PRIME, BCBST) for case in read_cases(policy(name))]
    return list({json.dumps(each): each for each in found}.values())


@pytest.mark.parametrize("policy_id", [PRIME, BCBST])
def test_the_same_verdicts_and_words_as_of_a_run(operator: Operator, policy_id: str) -> None:
    requests = every_request()
    assert len(requests) > 200
    rows: list[Row] = [
        authorization(n, request_type=kind, effective_date="2025-10-01")
        for n, (kind, _) in enumerate(requests)
    ]
    facts = {n: given for n, (_, given) in enumerate(requests) if given is not None}
    desk = Desk(operator)
    desk.write(rows, facts)
    determined = desk.determined("--policy", policy_id).by_number()

    lines = [claim(n, claim_line_start_date="2025-10-01") for n in range(len(requests))]
    extract = operator.write_claims(lines)
    tables = operator.edited(extract, options=["--clinical", desk.clinical, "--policy", policy_id])
    findings = tables["findings"].filter(pl.col("edit_id") == CRITERIA)
    found = {
        int(row["claim_id"].rpartition("-")[2]): (row["verdict"], row["message"])
        for row in findings.iter_rows(named=True)
    }
    words = {"fail": "not_met", "unknown": "undocumented"}
    expected = {n: words[found[n][0]] if n in found else "met" for n in range(len(requests))}
    assert {n: row["criteria"] for n, row in determined.items()} == expected
    assert {n: row["why"] for n, row in determined.items() if row["why"]} == {
        n: message for n, (_, message) in found.items()
    }
    assert set(expected.values()) == {"met", "not_met", "undocumented"}


MEMBERS: list[Row] = [
    {},
    {"birth_date": "2007-10-01"},
    {"birth_date": "2007-10-02"},
    {"birth_date": None},
    {"payer_type": "medicaid", "state": "Tennessee"},
    {"payer_type": "medicare", "state": "Virginia"},
]
ENDS = ["2026-04-01", "2026-04-02", "2026-10-01", "2026-10-02", None]
# The edits that are about the authorization and its member alone.
ASKED = (
    "medicare-not-governed",
    "program-terms-govern",
    "member-under-age",
    "authorization-span-exceeds-policy",
    CRITERIA,
)


@pytest.mark.parametrize("policy_id", [PRIME, BCBST])
def test_the_same_of_ages_months_and_programs(operator: Operator, policy_id: str) -> None:
    pairs = [(changes, end) for changes in MEMBERS for end in ENDS]
    rows = [authorization(n, expiration_date=end) for n, (_, end) in enumerate(pairs)]
    desk = Desk(operator)
    desk.write(rows, {}, [member(n, **changes) for n, (changes, _) in enumerate(pairs)])
    determined = desk.determined("--policy", policy_id).by_number()

    of_members = dict.fromkeys(("birth_date", "member_state", "line_of_business", "gender"))
    lines = [claim(n, claim_line_start_date="2025-10-01", **of_members) for n in range(len(pairs))]
    given = ("--clinical", desk.clinical, "--members", desk.members, "--policy", policy_id)
    tables = operator.edited(operator.write_claims(lines), options=given)
    columns = ("edit_ids", "unknown_edit_ids")
    found = {
        int(row["claim_id"].rpartition("-")[2]): [
            [e for e in row[c] if e in ASKED] for c in columns
        ]
        for row in tables["lines"].iter_rows(named=True)
    }
    assert {n: [row[c] for c in columns] for n, row in determined.items()} == found
    assert {edit for row in found.values() for edits in row for edit in edits} >= {
        "medicare-not-governed",
        "authorization-span-exceeds-policy",
        "member-under-age" if policy_id == PRIME else "program-terms-govern",
    }
