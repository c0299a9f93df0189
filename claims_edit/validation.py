"""`validate`: every row of an extract checked, in scope or not, batch by batch; nothing is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from claims_edit import contracts, intake
from claims_edit.contracts import CLAIMS, MEMBERS, OTHER_VERSIONS
from claims_edit.extracts import Extract
from claims_edit.intake import between_rows, in_circle, read_claim_rows
from claims_edit.members import Members, open_members
from claims_edit.normalise import as_text, read_as
from claims_edit.quarantine import no_failures, read_typed, without
from claims_edit.reference import load_reference
from claims_edit.schemas import empty
from claims_edit.settings import ValidateSettings

_BATCH = 200_000


@dataclass(frozen=True)
class Checked:
    """What was found in one extract: rows, rows that fail a check, and rows that fail each check."""

    name: str
    rows: int
    bad_rows: int
    checks: dict[str, int]


def validate(settings: ValidateSettings) -> list[Checked]:
    """Check every row of the extracts. Raises InputError for what would stop a run as well."""
    members = authorizations = None
    if settings.members is not None:
        members = open_members(settings.members)
    claims = intake.open_claims(settings.claims, with_members=members is not None)
    if settings.authorizations is not None:
        authorizations = intake.open_authorizations(settings.authorizations)
    clinical = None
    if settings.clinical is not None:
        clinical = intake.open_clinical_facts(settings.clinical)
    enrolled = None
    if members is not None:
        states = load_reference(settings.reference_data)["states"]
        enrolled = Members(members, states)
    checked = [_claims(claims, enrolled)]
    if authorizations is not None:
        rejected = intake.read_authorizations(authorizations).rejected
        checked.append(_rejected(authorizations, rejected))
    if clinical is not None:
        checked.append(_rejected(clinical, intake.read_clinical_facts(clinical).rejected))
    if members is not None:
        checked.append(_members(members))
    return checked


def _claims(extract: Extract, members: Members | None) -> Checked:
    rows, failures = 0, no_failures()
    for batch in _batches(extract):
        rows += batch.height
        failures = pl.concat([failures, read_claim_rows(batch, members).failures])
    related = _related_rows(extract)
    read = read_claim_rows(related, members)
    between = pl.concat([failures, between_rows(related, read)])
    circle = in_circle(without(read.rows, between), empty(OTHER_VERSIONS))
    return _checked(extract, rows, pl.concat([between, circle]))


def _batches(extract: Extract) -> Iterator[pl.DataFrame]:
    """The rows of an extract with their number, a batch at a time."""
    first = 0
    for batch in extract.batches(rows=_BATCH):
        yield batch.with_row_index("row", offset=first)
        first += batch.height


def _related_rows(extract: Extract) -> pl.DataFrame:
    """The rows, numbered alike, of claims of which a key occurs twice, or whose lines disagree, or
    that replace another: those that are checked against each other."""

    def text(column: str) -> pl.Expr:
        return as_text(column, extract.columns[column])

    claim = ("member_id", *contracts.MEMBER_ID_FALLBACKS, "original_claim_id")
    frequency = ("claim_type", "claim_frequency_code", "bill_type_code")
    says = pl.struct(*(text(c).alias(c) for c in (*claim, *frequency)))
    number = "claim_line_number"
    key = read_as(number, extract.columns[number], CLAIMS.columns[number])

    def query(frame: pl.LazyFrame) -> pl.LazyFrame:
        claims = (
            frame.group_by(_claim=text("claim_id"))
            .agg(
                lines=pl.len(),
                keys=key.n_unique(),
                kinds=says.n_unique(),
                replaces=text("original_claim_id").is_not_null().any(),
            )
            .filter((pl.col("lines") > pl.col("keys")) | (pl.col("kinds") > 1) | pl.col("replaces"))
        )
        numbered = frame.with_row_index("row").with_columns(_claim=text("claim_id"))
        return numbered.join(claims.select("_claim"), on="_claim", how="semi").drop("_claim")

    return extract.collect(query)


def _rejected(extract: Extract, rejected: pl.DataFrame) -> Checked:
    checks = Counter(rejected["failed_checks"].explode().drop_nulls())
    return Checked(extract.name, sum(extract.row_counts()), rejected.height, _in_order(checks))


def _members(extract: Extract) -> Checked:
    rows, failures = 0, no_failures()
    fallbacks = contracts.MEMBER_ID_FALLBACKS
    for batch in _batches(extract):
        rows += batch.height
        chosen = batch.with_columns(
            member_id=pl.coalesce(as_text(c, batch.schema[c]) for c in ("member_id", *fallbacks))
        ).drop(fallbacks)
        failures = pl.concat([failures, read_typed(chosen, MEMBERS).failures])
    return _checked(extract, rows, failures)


def _checked(extract: Extract, rows: int, failures: pl.DataFrame) -> Checked:
    failures = failures.unique()
    return Checked(
        extract.name, rows, failures["row"].n_unique(), _in_order(Counter(failures["check"]))
    )


def _in_order(checks: Counter[str]) -> dict[str, int]:
    items: Iterable[tuple[str, int]] = sorted(checks.items(), key=lambda item: (-item[1], item[0]))
    return dict(items)
