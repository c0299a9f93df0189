"""The inputs of a run or a comparison: opened, read, and put together as one night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from claims_edit import intake
from claims_edit.errors import InputError
from claims_edit.evaluate import Night
from claims_edit.extracts import Extract
from claims_edit.history import History
from claims_edit.manifest import input_files
from claims_edit.members import Members, open_members
from claims_edit.parts import Ranges
from claims_edit.past import Past
from claims_edit.reference import ReferenceData
from claims_edit.scope import Scope
from claims_edit.settings import NightSettings
from claims_edit.steps import Stopwatch

_NEVER_STOPS_BELOW = 10


@dataclass(frozen=True)
class Inputs:
    """The extracts of a night and its history, opened and not yet read."""

    claims: Extract
    authorizations: Extract
    members: Extract | None
    clinical: Extract | None
    history: History

    @property
    def all(self) -> tuple[Extract, ...]:
        """Every extract that was given."""
        optional = (self.members, self.clinical, self.history.elsewhere)
        return (self.claims, self.authorizations, *(e for e in optional if e is not None))

    def files(self) -> list[dict[str, Any]]:
        """What the manifest says of every file. Raises InputError where one is no longer what it was
        when it was opened."""
        self._require_unchanged()
        files = [entry for extract in self.all for entry in input_files(extract)]
        self._require_unchanged()
        return files + self.history.decisions.files

    def _require_unchanged(self) -> None:
        self.history.require_unchanged()
        for extract in self.all:
            extract.require_unchanged()


@dataclass(frozen=True)
class Read:
    """A night as it was read, and what of it was rejected."""

    night: Night
    in_scope_rows: int
    rejected: dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Requested:
    """The authorizations and the clinical facts behind them, of all members or some; what of their
    extracts was rejected."""

    authorizations: pl.DataFrame
    rejected_authorizations: pl.DataFrame
    clinical_facts: pl.DataFrame | None
    rejected: dict[str, pl.DataFrame]

    def split(self, ranges: Ranges) -> Iterator[Requested]:
        """Those of each range of members."""
        of_ranges = zip(
            ranges.split(self.authorizations),
            ranges.split(self.rejected_authorizations),
            strict=True,
        )
        for authorizations, rejected in of_ranges:
            facts = self.clinical_facts
            if facts is not None and ranges.many > 1:
                facts = facts.join(authorizations, on="authorization_number", how="semi")
            yield Requested(authorizations, rejected, facts, self.rejected)


def open_inputs(settings: NightSettings, history: History) -> Inputs:
    """Open the extracts. Raises InputError for one that is not there or cannot be read."""
    members, clinical = settings.members, settings.clinical
    return Inputs(
        intake.open_claims(settings.claims, with_members=members is not None),
        intake.open_authorizations(settings.authorizations),
        None if members is None else open_members(members),
        None if clinical is None else intake.open_clinical_facts(clinical),
        history,
    )


def read_requests(inputs: Inputs, watch: Stopwatch) -> Requested:
    """Read the authorizations and the clinical facts, whole: each of their bad rows must be told of."""
    with watch.step("authorizations"):
        authorizations = intake.read_authorizations(inputs.authorizations)
    with watch.step("clinical facts"):
        facts = intake.no_clinical_facts()
        if inputs.clinical is not None:
            facts = intake.read_clinical_facts(inputs.clinical)
    return Requested(
        authorizations.rows,
        authorizations.rejected_as,
        None if inputs.clinical is None else facts.rows,
        {
            "rejected_authorizations": authorizations.rejected,
            "rejected_clinical_facts": facts.rejected,
        },
    )


def night_of(claims: intake.Claims, requests: Requested, past: Past) -> Night:
    """What was read, of all members or of some, as a night."""
    return Night(
        lines=claims.lines,
        other_versions=claims.other_versions,
        authorizations=requests.authorizations,
        rejected_authorizations=requests.rejected_authorizations,
        partner_lines=claims.partner_lines,
        clinical_facts=requests.clinical_facts,
        past=past,
    )


def read_night(
    inputs: Inputs,
    reference: ReferenceData,
    scope: Scope,
    max_reject_rate: float,
    watch: Stopwatch,
) -> Read:
    """Read the extracts, once, whole. Raises InputError where too many rows in scope are rejected."""
    with watch.step("claims"):
        members = None
        if inputs.members is not None:
            members = Members(inputs.members, reference["states"])
        claims = intake.read_claims(inputs.claims, members, scope)
        require_few_rejects(claims.rejected, claims.in_scope_rows, max_reject_rate)
    requests = read_requests(inputs, watch)
    with watch.step("history"):
        past = inputs.history.memory(scope).of(claims.member_ids)
    night = night_of(claims, requests, past)
    rejected = {"rejected_lines": claims.rejected, **requests.rejected}
    return Read(night, claims.in_scope_rows, rejected)


def require_few_rejects(rejected: pl.DataFrame, rows: int, limit: float) -> None:
    """Raises InputError where more of so many rows in scope were rejected than the limit allows."""
    rejects = rejected.height
    if rejects < _NEVER_STOPS_BELOW or rejects <= Decimal(str(limit)) * rows:
        return
    counts = (
        rejected["failed_checks"]
        .explode()
        .value_counts(sort=True)
        .sort(["count", "failed_checks"], descending=[True, False])
    )
    worst = ", ".join(f"{check} ({count})" for check, count in counts.head(5).iter_rows())
    raise InputError(
        f"claims: {rejects} of {rows} in-scope rows were rejected, above --max-reject-rate {limit:g}; "
        f"nothing was published. Failed checks: {worst}. Mend the extract; to see the rows, run with "
        "--max-reject-rate 1 into another --out and open rejected_lines.parquet."
    )
