"""Raw rows in, edited lines out: the whole engine over a small extract, files and all."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from claims_edit import intake
from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import AUTHORIZATIONS, CLAIMS, MEMBERS, REJECTED_CLINICAL_FACTS
from claims_edit.evaluate import Night, evaluate
from claims_edit.members import Members, open_members
from claims_edit.policies import Policy, as_governing, load_policy
from claims_edit.reference import ReferenceData, load_reference, shipped_folder
from claims_edit.schemas import empty
from claims_edit.scope import scope_of

Row = dict[str, str | None]

PROJECT = Path(__file__).parent.parent
REFERENCE = shipped_folder()
IXABEPILONE = "prime-ic-0072"


@dataclass(frozen=True)
class Edited:
    """What the engine makes of an extract."""

    lines: pl.DataFrame
    findings: pl.DataFrame
    rejected_lines: pl.DataFrame
    rejected_authorizations: pl.DataFrame
    rejected_clinical_facts: pl.DataFrame
    partner_lines: pl.DataFrame
    rows: int
    in_scope_rows: int

    def line(self, claim_id: str, number: int = 1) -> dict[str, object]:
        """One edited line."""
        key = (pl.col("claim_id") == claim_id) & (pl.col("claim_line_number") == number)
        return self.lines.row(by_predicate=key, named=True)


@cache
def reference_data(folder: Path = REFERENCE) -> ReferenceData:
    return load_reference(folder)


@cache
def policy(policy_id: str = IXABEPILONE, folder: Path = REFERENCE) -> Policy:
    return load_policy(folder, policy_id)


def write_csv(path: Path, rows: Sequence[Row], columns: Sequence[str] = ()) -> Path:
    """Write rows as CSV; the columns are those of all rows, or `columns` where there is no row."""
    names = list(dict.fromkeys(c for row in rows for c in row)) or list(columns)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows({c: v or "" for c, v in row.items()} for row in rows)
    return path


def edit_files(
    claims: Sequence[Path],
    authorizations: Path,
    members: Path | None = None,
    clinical: Path | None = None,
    *,
    as_of: date,
    policy_id: str = IXABEPILONE,
    reference_folder: Path = REFERENCE,
    version: str | None = None,
) -> Edited:
    """Edit an extract of files, under the active versions of a policy or as if one governed alone."""
    reference = reference_data(reference_folder)
    drug = policy(policy_id, reference_folder)
    if version is not None:
        drug = as_governing(drug, version)
    extract = intake.open_claims(claims, with_members=members is not None)
    enrolled = None
    if members is not None:
        enrolled = Members(open_members(members), reference["states"])
    read = intake.read_claims(extract, enrolled, scope_of(reference, drug))
    authorized = intake.read_authorizations(intake.open_authorizations(authorizations))
    facts = None
    if clinical is not None:
        facts = intake.read_clinical_facts(intake.open_clinical_facts(clinical))
    night = Night(
        read.lines,
        read.other_versions,
        authorized.rows,
        authorized.rejected_as,
        read.partner_lines,
        None if facts is None else facts.rows,
    )
    outcome = evaluate(night, drug, reference, as_of)
    return Edited(
        outcome.lines,
        outcome.findings,
        read.rejected,
        authorized.rejected,
        empty(REJECTED_CLINICAL_FACTS) if facts is None else facts.rejected,
        read.partner_lines,
        sum(extract.row_counts()),
        read.in_scope_rows,
    )


def edit_rows(
    claims: Sequence[Row],
    authorizations: Sequence[Row],
    members: Sequence[Row] | None = None,
    clinical: Sequence[Row] | None = None,
    *,
    as_of: date,
    policy_id: str = IXABEPILONE,
    reference_folder: Path = REFERENCE,
    version: str | None = None,
) -> Edited:
    """Edit an extract of raw text rows, through CSV files."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        return edit_files(
            [write_csv(base / "claims.csv", claims, list(CLAIMS.columns))],
            write_csv(base / "authorizations.csv", authorizations, list(AUTHORIZATIONS.columns)),
            None
            if members is None
            else write_csv(base / "members.csv", members, list(MEMBERS.columns)),
            None
            if clinical is None
            else write_csv(base / "clinical.csv", clinical, list(CLINICAL_FACTS.columns)),
            as_of=as_of,
            policy_id=policy_id,
            reference_folder=reference_folder,
            version=version,
        )
