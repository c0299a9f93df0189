"""What runs on the workers: finding rows, sorting them into parts, and editing a part whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl
import pyarrow as pa

from claims_edit import intake
from claims_edit.engines.spark.frames import Row, batches, packed, rows_of, together, unpacked
from claims_edit.engines.spark.scan import Group
from claims_edit.errors import FaultError, InputError, UsageError, UserError
from claims_edit.evaluate import Night, evaluate
from claims_edit.extracts import Extract, of_held
from claims_edit.history import Memory
from claims_edit.kept import kept
from claims_edit.members import Members
from claims_edit.normalise import as_text
from claims_edit.parts import ONE_RANGE, Ranges
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.report.flagged import flagged_lines
from claims_edit.scope import Scope

# Kinds of rows of Spark. What is refused goes to the driver as a row, since Spark tries again what fails.
CLAIMS, VERSIONS, PARTNERS, MEMBERS = "claims", "other versions", "partner lines", "members"
AUTHORIZATIONS, REJECTED_AS, FACTS = "authorizations", "rejected as", "clinical facts"
ELSEWHERE, DECISIONS = "elsewhere", "decisions"
COUNTED, REFUSED = "counted", "refused"
# Rows found that a worker keeps before it hands them on.
_KEPT = 50_000
_PART = "part of the run"
CLAIM = {"member_id": pl.String, "claim_id": pl.String}
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
        return of_held(self.name, rows.select(*self.columns), self.present)

    def no_rows(self) -> pl.DataFrame:
        """The columns without a row."""
        return pl.DataFrame(schema=self.columns)

    def text(self, column: str) -> pl.Expr:
        """A column as text."""
        return as_text(column, self.columns[column])

    @property
    def member(self) -> pl.Expr:
        """The member of a row."""
        return intake.member_of(pl.Schema(self.columns))


def refusing(function: Callable[[Iterable[pa.RecordBatch]], Iterator[Row]]) -> Function:
    """The function, its rows as batches, and a UserError of it as the last of them."""

    def guarded(received: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches(function(received))
        except UserError as error:
            said = pl.DataFrame({"error": [type(error).__name__], "message": [str(error)]})
            yield from batches(packed(0, REFUSED, said))

    return guarded


def raised(frame: pl.DataFrame) -> UserError:
    """The error that a worker refused its work with."""
    kind, message = frame.row(0)
    return _ERRORS.get(kind, FaultError)(message)


# ---- finding --------------------------------------------------------------------------------


def finding(claims: Shape, scope: Scope) -> Callable[[Group], Function]:
    """What a scan of the claims finds."""

    def found(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        found = intake.together(intake.find(claims.of(rows), scope))
        return {
            CLAIMS: found.raw,
            VERSIONS: found.other_versions,
            PARTNERS: found.partner_lines,
        }

    return lambda group: refusing(lambda received: _gathered(group, received, found))


def taking_members(group: Group) -> Function:
    """All rows of the members extract."""
    return refusing(lambda received: _gathered(group, received, lambda rows: {MEMBERS: rows}))


def _gathered(
    group: Group,
    received: Iterable[pa.RecordBatch],
    kept: Callable[[pl.DataFrame], dict[str, pl.DataFrame]],
) -> Iterator[Row]:
    """What is kept of a task's rows, in few pieces; and the rows of text that its files have."""
    counts: dict[str, int] = {}
    waiting: dict[str, list[pl.DataFrame]] = {}
    for rows, file in group.frames(received):
        if file:
            counts[file] = counts.get(file, 0) + rows.height
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
_KEYS = pa.schema([("claim_id", pa.string()), ("member_id", pa.string()), ("rows", pa.int64())])


def keys(claims: Shape) -> Function:
    """Claim, member and number of the rows in scope that were found."""
    claim, member = claims.text("claim_id"), claims.member

    def function(received: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, kind, _, frame in rows_of(received):
            if kind == CLAIMS:
                counted = (
                    unpacked(frame)
                    .select(claim_id=claim, member_id=member)
                    .group_by("claim_id", "member_id")
                    .agg(rows=pl.len().cast(pl.Int64))
                )
                table = counted.to_arrow(compat_level=pl.CompatLevel.oldest())
                yield from table.cast(_KEYS).to_batches()

    return function


# ---- sorting into parts ---------------------------------------------------------------------


@dataclass(frozen=True)
class Parts:
    """Ranges of members, each a part; and a last part of the `split` claims.

    `split` has the claims whose rows in scope name several members, with each of these members: they
    are rejected whole, and so can be nobody's versions.
    """

    ranges: Ranges = ONE_RANGE
    split: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CLAIM))

    @property
    def last(self) -> int:
        """The part of the split claims."""
        return self.ranges.many

    def packed(self, kind: str, rows: pl.DataFrame, members: pl.Series) -> Iterator[Row]:
        """Rows by the part of their `members`, each part on its own."""
        numbered = rows.with_columns(self.ranges.of(members).alias(_PART))
        for (part,), frame in numbered.partition_by(_PART, as_dict=True).items():
            yield from packed(int(part), kind, frame.drop(_PART))


def sorting(claims: Shape, members: Shape | None, parts: Parts) -> Function:
    """What was found, by the part that it is of."""

    def function(received: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        for _, kind, _, frame in rows_of(received):
            rows = unpacked(frame)
            if kind == CLAIMS:
                of_several = claims.text("claim_id").is_in(parts.split["claim_id"].implode())
                several = rows.select(of_several.fill_null(False)).to_series()
                yield from packed(parts.last, kind, rows.filter(several))
                rows = rows.filter(~several)
                yield from parts.packed(kind, rows, rows.select(claims.member).to_series())
            elif kind in (VERSIONS, PARTNERS):
                if kind == VERSIONS:
                    rows = rows.join(parts.split, on=list(CLAIM), how="anti")
                yield from parts.packed(kind, rows, rows["member_id"])
            elif kind == MEMBERS and members is not None:
                yield from parts.packed(kind, rows, rows.select(members.member).to_series())
                of_split = members.member.is_in(parts.split["member_id"].implode())
                yield from packed(parts.last, kind, rows.filter(of_split))

    return refusing(function)


# ---- editing --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """All that a worker needs to edit a part, beside its rows: sent to each worker once.

    `nothing` has a frame without rows of every kind that a part may lack.
    """

    policy: Policy
    reference: ReferenceData
    scope: Scope
    as_of: date
    claims: Shape
    members: Shape | None
    memory: Memory
    nothing: dict[str, pl.DataFrame]


def editing(job: Callable[[], Job]) -> Function:
    """The tables of the parts whose rows a task has: all rows of a part are in one task."""

    def function(received: Iterable[pa.RecordBatch]) -> Iterator[Row]:
        frames: dict[int, dict[str, list[pl.DataFrame]]] = {}
        for part, kind, many, frame in rows_of(received):
            if kind == REFUSED:
                yield part, kind, many, frame
                return
            frames.setdefault(part, {}).setdefault(kind, []).append(unpacked(frame))
        for part in sorted(frames):
            kinds = frames.pop(part)
            if not kinds.keys().isdisjoint((CLAIMS, VERSIONS, PARTNERS)):
                rows = {kind: together(pieces) for kind, pieces in kinds.items()}
                for name, table in _edited(job(), job().nothing | rows).items():
                    yield from packed(part, name, table)

    return refusing(function)


def _edited(job: Job, rows: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables of a part, and how many rows of it are in scope."""
    members = None
    if job.members is not None:
        members = Members(job.members.of(rows[MEMBERS]), job.reference["states"])
    found = intake.Found(rows[CLAIMS], rows[VERSIONS], rows[PARTNERS])
    claims = intake.claims_of(intake.together([found]), members, job.scope)
    _require_sight(job.memory)
    night = Night(
        lines=claims.lines,
        other_versions=claims.other_versions,
        authorizations=rows[AUTHORIZATIONS],
        rejected_authorizations=rows[REJECTED_AS],
        partner_lines=claims.partner_lines,
        clinical_facts=rows.get(FACTS),
        past=replace(job.memory, elsewhere=rows[ELSEWHERE], decisions=rows[DECISIONS]).of(
            claims.member_ids
        ),
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
        **kept(night, job.policy.hcpcs_code),
        COUNTED: pl.DataFrame({"in_scope_rows": [claims.in_scope_rows]}),
    }


def _require_sight(memory: Memory) -> None:
    """Raises InputError where this machine does not see the earlier runs."""
    for run in memory.runs:
        if not run.folder.is_dir():
            raise InputError(
                f"history: {run.folder}: a worker of the cluster does not see it; every machine must see "
                "the earlier runs under the same path, such as on a shared mount. Nothing was published."
            )
