"""What runs on the workers: finding rows, sorting them into parts, and editing a part whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa

from claims_edit import intake
from claims_edit.engines.spark.frames import batches, packed, rows_of, together, unpacked
from claims_edit.engines.spark.scan import Group
from claims_edit.errors import FaultError, InputError, UsageError, UserError
from claims_edit.evaluate import Night, evaluate
from claims_edit.extracts import Extract, SourceFile
from claims_edit.history import History, of_members
from claims_edit.members import Members
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.report.flagged import flagged_lines
from claims_edit.scope import Scope

# Kinds of rows of Spark. What is refused goes to the driver as a row, since Spark tries again what fails.
CLAIMS, VERSIONS, PARTNERS, MEMBERS = "claims", "other versions", "partner lines", "members"
AUTHORIZATIONS, REJECTED_AS, FACTS = "authorizations", "rejected as", "clinical facts"
ELSEWHERE = "elsewhere"
COUNTED, REFUSED = "counted", "refused"
# Rows found that a worker keeps before it hands them on.
_KEPT = 50_000
_ERRORS = {kind.__name__: kind for kind in (InputError, UsageError, FaultError)}

Function = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Shape:
    """An extract without its rows: the types of its columns, and which of them any file has."""

    name: str
    columns: dict[str, pl.DataType]
    present: dict[str, pl.DataType]

    def of(self, rows: pl.DataFrame) -> Extract:
        """Rows of it as an extract of their own."""
        frame = rows.select(*self.columns).lazy()
        file = SourceFile(Path(self.name), frame, self.present, "", (-1, -1))
        return Extract(self.name, (file,), frame, self.columns)

    def no_rows(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.columns)


def refusing(function: Callable[[Iterable[pa.RecordBatch]], Iterator[object]]) -> Function:
    """The function, its rows as batches, and a UserError of it as the last of them."""

    def guarded(received: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches(function(received))  # type: ignore[arg-type]
        except UserError as error:
            said = pl.DataFrame({"error": [type(error).__name__], "message": [str(error)]})
            yield from batches(packed(-1, REFUSED, said))

    return guarded


def raised(frame: pl.DataFrame) -> UserError:
    """The error that a worker refused its work with."""
    kind, message = frame.row(0)
    return _ERRORS.get(kind, FaultError)(message)


# ---- finding --------------------------------------------------------------------------------


def finding(scope: Scope) -> Callable[[Group], Function]:
    """Of the rows of claims: those that may be in scope, and those that may replace a claim."""

    def of_group(group: Group) -> Function:
        in_scope = scope.of_raw(group.columns)
        replacing = intake.may_be_version(group.columns)
        narrow = [c for c in intake.VERSION_SOURCE_COLUMNS if c in group.columns]

        def kept(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
            rows = rows.with_columns(_in_scope=in_scope)
            others = rows.filter(~pl.col("_in_scope") & replacing)
            return {
                CLAIMS: rows.filter("_in_scope").drop("_in_scope"),
                VERSIONS: others.select(narrow),
            }

        return refusing(lambda received: _gathered(group, received, kept))

    return of_group


def taking_members(group: Group) -> Function:
    """All rows of the members extract."""
    return refusing(lambda received: _gathered(group, received, lambda rows: {MEMBERS: rows}))


def _gathered(
    group: Group,
    received: Iterable[pa.RecordBatch],
    kept: Callable[[pl.DataFrame], dict[str, pl.DataFrame]],
) -> Iterator[object]:
    """What is kept of a task's rows, in few pieces; and the rows of text that its files have."""
    counts: dict[str, int] = {}
    waiting: dict[str, list[pl.DataFrame]] = {}
    for rows, count, file in group.frames(received):
        if file:
            counts[file] = counts.get(file, 0) + count
        for kind, frame in kept(rows).items():
            pieces = waiting.setdefault(kind, [])
            pieces.append(frame)
            if sum(piece.height for piece in pieces) >= _KEPT:
                yield from packed(0, kind, together(waiting.pop(kind)))
    for kind, pieces in waiting.items():
        yield from packed(0, kind, together(pieces))
    counted = {"file": list(counts), "rows": list(counts.values())}
    schema = {"file": pl.String, "rows": pl.Int64}
    yield from packed(0, COUNTED, pl.DataFrame(counted, schema))


# ---- what of several members meets ----------------------------------------------------------

KEYS_SCHEMA = "claim_id string, member_id string, rows long"


def keys(claims: Shape, scope: Scope) -> Function:
    """Claim, member and number of rows in scope, of rows that were found."""

    def function(received: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, kind, _, frame in rows_of(received):
            if kind == CLAIMS:
                found, _ = scope.split(unpacked(frame))
                counted = (
                    found.select(
                        claim_id=intake.claim_text(claims.columns),
                        member_id=intake.member_text(claims.columns),
                    )
                    .group_by("claim_id", "member_id")
                    .agg(rows=pl.len().cast(pl.Int64))
                )
                table = counted.to_arrow(compat_level=pl.CompatLevel.oldest())
                yield from table.cast(
                    pa.schema(
                        [
                            ("claim_id", pa.string()),
                            ("member_id", pa.string()),
                            ("rows", pa.int64()),
                        ]
                    )
                ).to_batches()

    return function


# ---- sorting into parts ---------------------------------------------------------------------


@dataclass(frozen=True)
class Parts:
    """Ranges of member ids, by where each but the first begins; and a part of the `split` claims.

    `split` has the claims whose rows in scope name several members, with each of these members: they
    are rejected whole, and so can be nobody's versions.
    """

    begins: tuple[str, ...]
    split: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"claim_id": pl.String, "member_id": pl.String})
    )

    @property
    def last(self) -> int:
        """The part of the split claims."""
        return len(self.begins) + 1

    def numbered(self, rows: pl.DataFrame, member: pl.Expr) -> pl.DataFrame:
        """Rows with `part`, the range that their member is in."""
        begins = pl.Series(self.begins, dtype=pl.String)
        members = rows.select(member.fill_null("")).to_series()
        return rows.with_columns(
            part=begins.search_sorted(members, side="right").cast(pl.Int32)
            if self.begins
            else pl.lit(0, pl.Int32)
        )

    def packed(self, kind: str, rows: pl.DataFrame) -> Iterator[object]:
        """Rows that have a `part`, each part on its own."""
        for (part,), frame in rows.partition_by("part", as_dict=True).items():
            yield from packed(int(part), kind, frame.drop("part"))


def sorting(claims: Shape, members: Shape | None, parts: Parts, scope: Scope) -> Function:
    """Rows that were found, by the part that they are of."""

    def function(received: Iterable[pa.RecordBatch]) -> Iterator[object]:
        for _, kind, _, frame in rows_of(received):
            rows = unpacked(frame)
            if kind == CLAIMS:
                yield from _sorted_claims(rows, claims, parts, scope)
            elif kind == VERSIONS:
                member = intake.member_text(claims.columns)
                yield from parts.packed(kind, parts.numbered(rows, member))
            elif kind == MEMBERS and members is not None:
                member = intake.member_text(members.columns)
                yield from parts.packed(kind, parts.numbered(rows, member))
                of_split = rows.filter(member.is_in(parts.split["member_id"].implode()))
                yield from packed(parts.last, kind, of_split)

    return refusing(function)


def _sorted_claims(
    rows: pl.DataFrame, claims: Shape, parts: Parts, scope: Scope
) -> Iterator[object]:
    """By member; but the rows in scope of claims of several members go together into the last part.

    Where these are under the code of a partner drug, their own members' parts have them as such.
    """
    member, claim = intake.member_text(claims.columns), intake.claim_text(claims.columns)
    numbered = parts.numbered(rows, member)
    if parts.split.height:
        inside, outside = scope.split(numbered)
        of_several = claim.is_in(parts.split["claim_id"].implode()).fill_null(False)
        several = inside.filter(of_several)
        numbered = pl.concat([inside.filter(~of_several), outside])
        yield from packed(parts.last, CLAIMS, several.drop("part"))
        yield from parts.packed(PARTNERS, scope.partners(several))
    yield from parts.packed(CLAIMS, numbered)


# ---- editing --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """All that a worker needs to edit a part, beside its rows: sent to each worker once."""

    policy: Policy
    reference: ReferenceData
    scope: Scope
    as_of: date
    claims: Shape
    members: Shape | None
    facts: bool
    history: History
    parts: Parts
    empty: dict[str, pl.DataFrame]


def editing(job: Callable[[], Job]) -> Function:
    """The tables of the parts whose rows a task has: all rows of a part are in one task."""

    def function(received: Iterable[pa.RecordBatch]) -> Iterator[object]:
        frames: dict[int, dict[str, list[pl.DataFrame]]] = {}
        for part, kind, _, frame in rows_of(received):
            frames.setdefault(part, {}).setdefault(kind, []).append(unpacked(frame))
        for part in sorted(frames):
            of_part = frames.pop(part)
            if not of_part.keys().isdisjoint((CLAIMS, VERSIONS, PARTNERS)):
                whole = {kind: together(pieces) for kind, pieces in of_part.items()}
                tables = _edited(job(), part, whole)
                for name, table in tables.items():
                    yield from packed(part, name, table)

    return refusing(function)


def _edited(job: Job, part: int, rows: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables of a part, and how many rows of it are in scope."""
    claims = _claims(job, part, rows)
    past = job.history.read(claims.member_ids, job.scope)
    elsewhere = rows.get(ELSEWHERE, job.empty[ELSEWHERE])
    night = Night(
        lines=claims.lines,
        other_versions=claims.other_versions,
        authorizations=rows.get(AUTHORIZATIONS, job.empty[AUTHORIZATIONS]),
        rejected_authorizations=rows.get(REJECTED_AS, job.empty[REJECTED_AS]),
        partner_lines=claims.partner_lines,
        clinical_facts=rows.get(FACTS, job.empty[FACTS]) if job.facts else None,
        past=replace(past, elsewhere=of_members(elsewhere, claims.member_ids)),
    )
    outcome = evaluate(night, job.policy, job.reference, job.as_of)
    return {
        "lines": outcome.lines,
        "findings": outcome.findings,
        "flagged_lines": flagged_lines(outcome.lines, outcome.findings),
        "reconsider": outcome.reconsider,
        "other_versions": claims.other_versions,
        "partner_lines": claims.partner_lines,
        "rejected_lines": claims.rejected,
        COUNTED: pl.DataFrame({"in_scope_rows": [claims.in_scope_rows]}),
    }


def _claims(job: Job, part: int, rows: dict[str, pl.DataFrame]) -> intake.Claims:
    """The claims of a part, its partner lines those of its own members."""
    nothing = job.claims.no_rows()
    found = rows.get(CLAIMS, nothing)
    members = None
    if job.members is not None:
        enrolled = rows.get(MEMBERS, job.members.no_rows())
        members = Members(job.members.of(enrolled), job.reference["states"])
    read = intake.read_claims(
        job.claims.of(pl.concat([nothing, found, *_some(rows, VERSIONS)], how="diagonal")),
        members,
        job.scope,
        job.parts.split,
    )
    partners = nothing if part == job.parts.last else job.scope.partners(found)
    partners = pl.concat([partners, *_some(rows, PARTNERS)])
    return replace(read, partner_lines=intake.partner_lines(partners))


def _some(rows: dict[str, pl.DataFrame], kind: str) -> list[pl.DataFrame]:
    return [rows[kind]] if kind in rows else []
