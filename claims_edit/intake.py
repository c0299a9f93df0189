"""One extract in: the rows in scope, read, completed from the members, and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from claims_edit import contracts, lifecycle
from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import AUTHORIZATIONS, CLAIMS, OTHER_VERSIONS, PARTNER_LINES
from claims_edit.extracts import Extract, on_their_own, open_extract
from claims_edit.members import Members, with_members
from claims_edit.normalise import as_text, read_as, with_ndc_11
from claims_edit.pandera_alone import pa
from claims_edit.quarantine import (
    CONFLICTING_CLAIM,
    REPLACEMENT_CYCLE,
    disagreeing,
    failing,
    no_failures,
    read_typed,
    rejected,
    repeated_keys,
    without,
)
from claims_edit.schemas import empty
from claims_edit.scope import Scope

# Of a scan of which such a share is kept, no copy is made.
_MANY = 0.1
_VERSION_COLUMNS = tuple(OTHER_VERSIONS.columns)
_CLAIM = ["member_id", "claim_id"]
# Where a raw row says that it replaces or voids a claim.
VERSION_CODES = ("claim_frequency_code", "bill_type_code")


@dataclass(frozen=True)
class Claims:
    """The in-scope rows of the claims extract, good and rejected, and what else it holds of them."""

    lines: pl.DataFrame
    other_versions: pl.DataFrame
    partner_lines: pl.DataFrame
    rejected: pl.DataFrame
    in_scope_rows: int

    @property
    def member_ids(self) -> pl.Series:
        """The members of whom anything is read."""
        return pl.concat([self.lines["member_id"], self.other_versions["member_id"]]).unique()


@dataclass(frozen=True)
class Authorizations:
    """The authorizations, good and rejected, and what the rejected ones can be read as."""

    rows: pl.DataFrame
    rejected: pl.DataFrame
    rejected_as: pl.DataFrame


@dataclass(frozen=True)
class ClinicalFacts:
    """The clinical facts behind authorizations, good and rejected."""

    rows: pl.DataFrame
    rejected: pl.DataFrame


def open_claims(paths: Sequence[str | Path], *, with_members: bool) -> Extract:
    """Open the claims extract; the members extract may supply the line of business."""
    return open_extract(
        "claims",
        paths,
        CLAIMS,
        sources=contracts.CLAIM_SOURCE_COLUMNS,
        fallbacks=contracts.CLAIM_FALLBACKS,
        filled=frozenset(contracts.FILLED_FROM_MEMBERS) if with_members else frozenset(),
        in_batches=True,
    )


def open_authorizations(path: str | Path) -> Extract:
    """Open the authorizations extract."""
    return open_extract(
        "authorizations",
        [path],
        AUTHORIZATIONS,
        sources=tuple(AUTHORIZATIONS.columns),
        fallbacks={},
    )


def open_clinical_facts(path: str | Path) -> Extract:
    """Open the extract of clinical facts."""
    return open_extract(
        "clinical",
        [path],
        CLINICAL_FACTS,
        sources=tuple(CLINICAL_FACTS.columns),
        fallbacks={},
    )


@dataclass(frozen=True)
class Found:
    """What a scan of the claims finds: the raw rows in scope; and of the others, read, the rows that
    replace or void a claim, and the partner lines."""

    raw: pl.DataFrame
    other_versions: pl.DataFrame
    partner_lines: pl.DataFrame


def find(extract: Extract, scope: Scope, rows: int | None = None) -> Iterator[Found]:
    """Look through the extract once, about so many of the rows that may matter at a time."""
    wanted = scope.of_raw(extract.columns)
    if extract.has("original_claim_id"):
        wanted = wanted | pl.col("original_claim_id").is_not_null()
    few = extract.share(wanted) < _MANY
    for batch in extract.batches(wanted, rows, few=few):
        held = scope.holds(batch)
        found = (
            batch if held.all() else batch.filter(held),
            _other_versions(batch.lazy().filter(~held), batch.schema),
            _partner_lines(scope.partners(batch)),
        )
        yield Found(*(map(on_their_own, found) if few else found))


def members_in(extract: Extract, scope: Scope) -> pl.DataFrame:
    """By `member_id`, about how many of its `rows` are in scope: those that a scan would look at."""
    wanted = scope.of_raw(extract.columns)
    member = member_of(pl.Schema(extract.columns))
    counts = extract.collect(
        lambda f: f.filter(wanted).group_by(member_id=member).agg(rows=pl.len())
    )
    return counts.drop_nulls("member_id")


def member_of(types: pl.Schema) -> pl.Expr:
    """The member of a raw row."""
    return pl.coalesce(as_text(c, types[c]) for c in ("member_id", *contracts.MEMBER_ID_FALLBACKS))


def together(found: Iterable[Found]) -> Found:
    """All that was found, as one."""
    parts = list(found)
    return Found(
        pl.concat(part.raw for part in parts),
        _in_order(pl.concat(part.other_versions for part in parts)),
        _in_order(pl.concat(part.partner_lines for part in parts)),
    )


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique().sort(rows.columns, nulls_last=True)


def read_claims(extract: Extract, members: Members | None, scope: Scope) -> Claims:
    """Read the rows in scope, those of partner drugs, and of the others those that replace or void a
    claim."""
    return claims_of(together(find(extract, scope)), members, scope)


def claims_of(found: Found, members: Members | None, scope: Scope) -> Claims:
    """Read and check what was found. Every claim in it must be whole, and so must every member's."""
    raw = found.raw.with_row_index("row")
    read = read_claim_rows(raw, members)
    failures = pl.concat([read.failures, between_rows(raw, read)])
    good = without(read.rows, failures)
    versions = _of_claims_not_rejected(found.other_versions, read.rows, good)
    circle = in_circle(good, versions)
    lines = without(good, circle)
    return Claims(
        with_ndc_11(lines, pl.col("ndc_code"), list(scope.all_products)).drop("row"),
        _of_claims_not_rejected(versions, good, lines),
        found.partner_lines,
        rejected(raw, pl.concat([failures, circle]), contracts.REJECTED_LINES, CLAIMS),
        raw.height,
    )


@dataclass(frozen=True)
class ClaimRows:
    """Claim rows read and checked one by one: typed, and as chosen before reading."""

    rows: pl.DataFrame
    failures: pl.DataFrame
    chosen: pl.DataFrame


def read_claim_rows(raw: pl.DataFrame, members: Members | None) -> ClaimRows:
    """Read raw claim rows (with `row`): fallbacks, members, types, and the checks of each row."""
    chosen = _with_fallbacks(raw)
    if members is not None:
        chosen = with_members(chosen, members)
    typed = read_typed(chosen.drop("service_date_unclear"), CLAIMS)
    rows = typed.rows.with_columns(
        claim_line_end_date=pl.when(_given(chosen, "claim_line_end_date"))
        .then("claim_line_end_date")
        .otherwise("claim_line_start_date"),
        claim_type=pl.col("claim_type").fill_null("professional"),
        claim_frequency_code=_frequency(
            pl.col("claim_frequency_code"), pl.col("claim_type"), pl.col("bill_type_code")
        ),
    )
    return ClaimRows(
        rows.with_columns(chosen["service_date_unclear"]),
        typed.failures,
        chosen,
    )


def between_rows(raw: pl.DataFrame, read: ClaimRows) -> pl.DataFrame:
    """The failures of rows that share a key, or that disagree within their claim."""
    rows = read.rows
    return pl.concat(
        [
            repeated_keys(raw, read.chosen, _readable_keys(rows), list(contracts.LINE_KEY)),
            disagreeing(
                rows,
                "claim_id",
                ["member_id", "claim_frequency_code", "original_claim_id"],
                CONFLICTING_CLAIM,
            ),
        ]
    )


def _given(chosen: pl.DataFrame, column: str) -> pl.Series:
    dated = chosen.schema[column] == pl.Date
    return chosen.select(
        (pl.col(column) if dated else as_text(column, chosen.schema[column])).is_not_null()
    ).to_series()


def _readable_keys(rows: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("claim_line_number")
    return rows.with_columns(pl.when(number >= 1).then(number))


def _frequency(code: pl.Expr, claim_type: pl.Expr, bill_type: pl.Expr) -> pl.Expr:
    """7 or 8 as billed; where nothing is, what the bill type's last character says; else 1."""
    institutional = claim_type.fill_null("") == "institutional"
    billed = code.fill_null(pl.when(institutional).then(bill_type.str.slice(-1)))
    return pl.when(billed.is_in(lifecycle.REPLACING)).then(billed).otherwise(pl.lit("1"))


def _with_fallbacks(raw: pl.DataFrame) -> pl.DataFrame:
    """`row` and the columns of the claims schema, each from where it is found."""

    def text(column: str) -> pl.Expr:
        return as_text(column, raw.schema[column])

    start, end = contracts.HEADER_DATES
    lines_dates = ("claim_line_start_date", "claim_line_end_date")
    dated = all(raw.schema[c] == pl.Date or _nothing(raw, c) for c in (*lines_dates, start, end))

    def day(column: str) -> pl.Expr:
        if not dated:
            return text(column)
        return read_as(column, raw.schema[column], CLAIMS.columns["claim_line_start_date"])

    own = day("claim_line_start_date").is_not_null()
    header_start = read_as(start, raw.schema[start], CLAIMS.columns["claim_line_start_date"])
    header_end = read_as(end, raw.schema[end], CLAIMS.columns["claim_line_end_date"])
    return raw.select(
        "row", *(pl.col(c) for c in CLAIMS.columns), *contracts.MEMBER_ID_FALLBACKS, start, end
    ).select(
        "row",
        *(
            c
            for c in CLAIMS.columns
            if c not in contracts.CLAIM_FALLBACKS and c != "claim_line_end_date"
        ),
        member_id=member_of(raw.schema),
        claim_line_start_date=pl.when(own).then(day("claim_line_start_date")).otherwise(day(start)),
        claim_line_end_date=pl.when(own).then(day("claim_line_end_date")).otherwise(day(end)),
        service_date_unclear=(~own & (header_end > header_start)).fill_null(False),
    )


def _nothing(raw: pl.DataFrame, column: str) -> bool:
    return raw[column].null_count() == raw.height


def read_authorizations(extract: Extract) -> Authorizations:
    """Read and check every authorization."""
    raw, typed, failures = _keyed_by_authorization(extract, AUTHORIZATIONS)
    bad = typed.join(failures, on="row", how="semi")
    return Authorizations(
        without(typed, failures).drop("row"),
        rejected(raw, failures, contracts.REJECTED_AUTHORIZATIONS, AUTHORIZATIONS),
        bad.select("member_id", "hcpcs_code").drop_nulls().unique(),
    )


def read_as_rejected(rejected: pl.DataFrame) -> pl.DataFrame:
    """The members and HCPCS codes that rows of `rejected_authorizations` can be read as."""
    columns = ("member_id", "hcpcs_code")
    read = (read_as(c, rejected.schema[c], AUTHORIZATIONS.columns[c]).alias(c) for c in columns)
    return rejected.select(read).drop_nulls().unique()


def no_clinical_facts() -> ClinicalFacts:
    """The facts where no extract of them was given."""
    return ClinicalFacts(empty(CLINICAL_FACTS), empty(contracts.REJECTED_CLINICAL_FACTS))


def read_clinical_facts(extract: Extract) -> ClinicalFacts:
    """Read and check the clinical facts of every authorization."""
    raw, typed, failures = _keyed_by_authorization(extract, CLINICAL_FACTS)
    return ClinicalFacts(
        without(typed, failures).drop("row"),
        rejected(raw, failures, contracts.REJECTED_CLINICAL_FACTS, CLINICAL_FACTS),
    )


def _keyed_by_authorization(
    extract: Extract, schema: pa.DataFrameSchema
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The raw rows of an extract of one row an authorization, the same typed, and their failures."""
    raw = extract.collect(lambda f: f).with_row_index("row")
    typed = read_typed(raw, schema)
    repeated = repeated_keys(raw, raw, typed.rows, ["authorization_number"])
    return raw, typed.rows, pl.concat([typed.failures, repeated])


def _partner_lines(raw: pl.DataFrame) -> pl.DataFrame:
    """What is kept of the raw rows under a partner's code; one of no readable member, claim or date
    is none."""
    chosen = _with_fallbacks(raw.with_row_index("row"))
    columns = [c for c in PARTNER_LINES.columns if c != "claim_frequency_code"]
    code, claim_type, bill_type = (
        read_as(c, chosen.schema[c], CLAIMS.columns[c])
        for c in ("claim_frequency_code", "claim_type", "bill_type_code")
    )
    return (
        chosen.select(
            *(read_as(c, chosen.schema[c], CLAIMS.columns[c]).alias(c) for c in columns),
            claim_frequency_code=_frequency(code, claim_type, bill_type),
        )
        .drop_nulls(["member_id", "claim_id", "claim_line_start_date"])
        .select(list(PARTNER_LINES.columns))
        .unique()
    )


def _of_claims_not_rejected(
    versions: pl.DataFrame, rows: pl.DataFrame, lines: pl.DataFrame
) -> pl.DataFrame:
    """`versions` without those of claims that bill the drug and of which every such row is rejected."""
    if versions.is_empty() or rows.height == lines.height:
        return versions
    rejected_claims = rows.join(lines, on=_CLAIM, how="anti")
    return versions.join(rejected_claims, on=_CLAIM, how="anti", maintain_order="left")


def _other_versions(raw: pl.LazyFrame, types: pl.Schema) -> pl.DataFrame:
    """What is kept of the raw rows that replace or void a claim."""
    code, claim_type, bill_type, received = (
        read_as(c, types[c], CLAIMS.columns[c])
        for c in ("claim_frequency_code", "claim_type", "bill_type_code", "received_date")
    )
    return (
        raw.filter(pl.col("original_claim_id").is_not_null())
        .select(
            member_id=member_of(types),
            claim_id=as_text("claim_id", types["claim_id"]),
            claim_frequency_code=_frequency(code, claim_type, bill_type),
            original_claim_id=as_text("original_claim_id", types["original_claim_id"]),
            received_date=received,
        )
        .filter(pl.col("claim_frequency_code").is_in(lifecycle.REPLACING))
        .drop_nulls(["member_id", "claim_id", "original_claim_id"])
        .select(_VERSION_COLUMNS)
        .collect()
    )


def in_circle(lines: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """The failures of the rows of claims that replace each other in a circle."""
    named = versions.select("member_id", claim_id="original_claim_id").unique()
    known = lines.join(named, on=_CLAIM, how="semi").select(
        "member_id", original_claim_id="claim_id"
    )
    naming = versions.join(known, on=["member_id", "original_claim_id"], how="semi")
    replacing = lines.filter(pl.col("claim_frequency_code").is_in(lifecycle.REPLACING))
    circle = lifecycle.in_circles(replacing.select(_VERSION_COLUMNS).unique(), naming)
    if not circle:
        return no_failures()
    keys = pl.DataFrame(circle, schema=_CLAIM, orient="row")
    return failing(lines.join(keys, on=_CLAIM, how="semi"), REPLACEMENT_CYCLE)
