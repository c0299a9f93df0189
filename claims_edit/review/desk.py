"""What analysts have before them: the queue, what was decided of it, and what they can do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.errors import UserError
from claims_edit.masking import NO_MASKING, NoMasking
from claims_edit.review import queue
from claims_edit.review.database import Database, Line, Row, Seen, line_of
from claims_edit.review.export import export
from claims_edit.review.queue import KEY, Queue, Signature
from claims_edit.review.stories import Tell, telling
from claims_edit.review.words import Decision

_NUMBERS = ("claim_line_number", "event_id", "version")


class GoneError(Exception):
    """A line that a page names is not in the queue any more: its run was published anew."""


@dataclass(frozen=True)
class Sight:
    """The queue at one moment.

    `lines` has the columns of the queue as they may be shown, and where each line stands: `version`,
    `decision`, `reason_code`, `note`, `decided_by`, `decided_at`, `assignee`, and `changed` where a
    decision was of the line as it was before its run was published anew, and so does not stand.
    """

    queue: Queue
    lines: pl.DataFrame
    last_event: int
    warning: str | None = None

    def row(self, ref: str) -> Row:
        """A line as it may be shown. Raises GoneError where it is not there."""
        found = self.lines.filter(pl.col("ref") == ref)
        if found.is_empty():
            raise GoneError(ref)
        return found.row(0, named=True)

    def still(self, decisions: pl.DataFrame) -> pl.DataFrame:
        """Those of the decisions kept whose line is still what was decided on."""
        keys = self.queue.keys.filter(self.lines["decision"].is_not_null())
        return decisions.join(keys, on=KEY, how="semi", maintain_order="left")

    def line(self, ref: str) -> Line:
        """A line as it is kept. Raises GoneError where it is not there."""
        return self.kept([ref])[ref]

    def kept(self, refs: Sequence[str]) -> dict[str, Line]:
        """Lines as they are kept, by what a page calls them. Raises GoneError where one is not there."""
        rows = self.queue.keys.filter(pl.col("ref").is_in(refs)).iter_rows(named=True)
        found = {row["ref"]: line_of(row) for row in rows}
        for ref in refs:
            if ref not in found:
                raise GoneError(ref)
        return found


@dataclass
class Desk:
    """The queue of an output folder and its database; safe for several threads."""

    out: Path
    database: Database
    masking: NoMasking = NO_MASKING
    today: Callable[[], date] = date.today

    def __post_init__(self) -> None:
        self.tell: Tell = telling(self.masking)
        self._lock = threading.Lock()
        self._signature: Signature = queue.signature(self.out) if self.out.is_dir() else ()
        self._states = _states(self.database, 0)
        self._sight = self._joined(queue.load(self.out, self.masking), None)

    def look(self) -> Sight:
        """The queue as it is now: read again where a run was published, joined again where somebody
        did something. Where it cannot be read, it is as it was, with a warning."""
        with self._lock:
            sight = self._sight
            stamps = self._stamps()
            if stamps != self._signature:
                self._signature = stamps
                try:
                    self._sight = self._joined(queue.load(self.out, self.masking), None)
                except (UserError, OSError) as error:
                    self._sight = self._joined(sight.queue, _not_read(error))
            elif self.database.last_event() != sight.last_event:
                self._sight = self._joined(sight.queue, sight.warning)
            return self._sight

    def _stamps(self) -> Signature:
        try:
            return queue.signature(self.out)
        except OSError:  # a run is just being replaced: it is looked at again next time
            return self._signature

    def _joined(self, lines: Queue, warning: str | None) -> Sight:
        """The queue with where each line stands."""
        news = _states(self.database, _last_event(self._states))
        self._states = pl.concat([self._states.join(news, on=KEY, how="anti"), news])
        by_key = lines.keys.select(
            *KEY, "member_id", "disposition", "billed_units", "allowed_units"
        ).join(self._states, on=KEY, how="left", maintain_order="left")
        standing = pl.col("standing").is_not_null()
        same = (
            (pl.col("disposition") == pl.col("decided_disposition"))
            & (pl.col("member_id") == pl.col("decided_member_id"))
            & (pl.col("billed_units") == pl.col("decided_billed_units").cast(UNITS))
            & (pl.col("allowed_units") == pl.col("decided_allowed_units").cast(UNITS))
        )
        stands = standing & same
        states = by_key.select(
            "assignee",
            version=pl.col("version").fill_null(0),
            decision=pl.when(stands).then("standing"),
            reason_code=pl.when(stands).then("standing_reason_code"),
            note=pl.when(stands).then("standing_note"),
            decided_by=pl.when(stands).then("decided_by"),
            decided_at=pl.when(stands).then("decided_at"),
            changed=standing & ~same,
        )
        last = _last_event(self._states)
        return Sight(lines, pl.concat([lines.shown, states], how="horizontal"), last, warning)

    # ---- what is done -----------------------------------------------------------------------

    def decide(self, marks: Sequence[str], decision: Decision, who: str) -> int:
        """Decide lines alike, each as it was seen; the number of what was done.

        Raises ConflictError where somebody was faster, GoneError where a line is not there any more; a
        UsageError says that it was kept, and not exported.
        """
        batch = self.database.decide(self._seen(marks), decision, who)
        export(self.out, self.database)
        return batch

    def assign(self, marks: Sequence[str], assignee: str | None, who: str) -> int:
        """Assign lines; the rest as `decide`."""
        return self.database.assign(self._seen(marks), assignee, who)

    def undo(self, marks: Sequence[str], who: str) -> int | None:
        """Undo what was done last to lines; null where it is nothing; the rest as `decide`."""
        batch = self.database.undo(self._seen(marks), who)
        export(self.out, self.database)
        return batch

    def undo_batch(self, batch: int, who: str) -> int | None:
        """Undo what is left of what was done in one go; raises OvertakenError; the rest as `undo`."""
        undone = self.database.undo_batch(batch, who)
        export(self.out, self.database)
        return undone

    def _seen(self, marks: Sequence[str]) -> list[Seen]:
        """Lines with the versions that a page showed: `ref.version`, as pages name them."""
        versions: dict[str, int] = {}
        for mark in marks:
            ref, _, version = mark.rpartition(".")
            if not (version.isascii() and version.isdecimal()):
                raise GoneError(mark)
            versions[ref] = int(version)
        lines = self.look().kept(list(versions))
        return [Seen(lines[ref], version) for ref, version in versions.items()]


def _states(database: Database, after: int) -> pl.DataFrame:
    """Where lines stand to which something was done after an event."""
    names, rows = database.states(after)
    types = {name: pl.Int64 if name in _NUMBERS else pl.String for name in names}
    return pl.DataFrame(rows, schema=types, orient="row")


def _last_event(states: pl.DataFrame) -> int:
    return int(states.select(pl.col("event_id").max().fill_null(0)).item())


def _not_read(error: UserError | OSError) -> str:
    said = str(error) if isinstance(error, UserError) else f"{error.filename}: {error.strerror}"
    return f"The runs have changed and cannot be read; what you see is as it was. {said}"
