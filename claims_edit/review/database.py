"""`review.sqlite` of an output folder: every decision, by whom and when, kept before it is acknowledged.

Events are only ever added. Whoever decides names the version of the line that they saw: of two people
who decide one line at once, the second is told of the first, and nothing of theirs is kept.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claims_edit.review import schema
from claims_edit.review.store import Store
from claims_edit.review.words import ASSIGNED, DECIDED, UNDONE, Decision

NAME = "review.sqlite"
_NO_BATCH = 1 << 62  # above every number of an event
Row = dict[str, Any]
Values = tuple[Any, ...]
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Line:
    """A line of a run as it was when something was done to it."""

    run_id: str
    claim_id: str
    claim_line_number: int
    member_id: str
    disposition: str
    billed_units: str
    allowed_units: str
    edit_ids: str
    primary_edit_id: str | None

    @property
    def key(self) -> Key:
        """What tells it from every other line."""
        return self.run_id, self.claim_id, self.claim_line_number


@dataclass(frozen=True)
class Seen:
    """A line, and the version of its state that somebody saw: 0 where nothing was done to it yet."""

    line: Line
    version: int


class ConflictError(Exception):
    """Somebody was faster. `found` has where those lines stand now, of a line without anything null."""

    def __init__(self, found: dict[Key, Row | None]) -> None:
        super().__init__(f"{len(found)} lines were changed meanwhile")
        self.found = found


class OvertakenError(ConflictError):
    """Lines of a batch that is to be undone were changed again since, and stand on what `by` did."""

    def __init__(self, batch: int, found: dict[Key, Row | None], by: set[str]) -> None:
        super().__init__(found)
        self.batch, self.by = batch, by


def now() -> datetime:
    """The time of an event."""
    return datetime.now(UTC)


class Database(Store):
    """The decisions of an output folder. One connection, for one thread at a time."""

    def __init__(self, out: Path, clock: Callable[[], datetime] = now) -> None:
        """Open it, made where there is none; raises as `Store` does."""
        super().__init__(out / NAME)
        self._clock = clock

    # ---- what is done -----------------------------------------------------------------------

    def decide(self, seen: Sequence[Seen], decision: Decision, who: str) -> int:
        """Decide lines alike; the number of what was done. Raises ConflictError, and keeps nothing."""
        return self._add(seen, who, lambda state, event_id: _decided(decision, state, event_id))

    def assign(self, seen: Sequence[Seen], assignee: str | None, who: str) -> int:
        """Assign lines to somebody, or to nobody; the rest as `decide`."""
        return self._add(seen, who, lambda state, event_id: _assigned(assignee, state, event_id))

    def undo(self, seen: Sequence[Seen], who: str) -> int | None:
        """Bring lines back to where they stood before what was done last to them; null where that is
        nothing of any of them. The rest as `decide`."""
        return self._add(seen, who, lambda state, _: self._undone(state)) or None

    def undo_batch(self, batch: int, who: str) -> int | None:
        """Undo what was done in one go, where it was not taken back yet; null where nothing is left.

        Raises OvertakenError, and keeps nothing, where such a line was changed again since.
        """
        with self.held() as connection:
            rows = connection.execute(schema.LEFT_OF, (batch,)).fetchall()
            left = {_kept(row): row["event_id"] for row in rows}
            states = {line.key: self._state(line.key) or {} for line in left}
            behind: dict[Key, Row | None] = {
                line.key: states[line.key]
                for line, event_id in left.items()
                if states[line.key]["after_id"] != event_id
            }
            if behind:
                by = {self._event(states[key]["after_id"])["who"] for key in behind}
                raise OvertakenError(batch, behind, by)
            return self.undo([Seen(line, states[line.key]["version"]) for line in left], who)

    def restore(self, decisions: Iterable[tuple[Line, Decision, str, datetime]]) -> int:
        """Take decisions as they stood, each with who made it and when, into a database without events;
        how many they are. Of one that has events nothing is changed."""
        with self.held() as connection:
            if _last_event(connection):
                return 0
            event_id = 0
            for event_id, (line, decision, who, at) in enumerate(decisions, 1):
                kept = {"event_id": event_id, "batch": event_id, "version": 1, "who": who}
                decided = _decided(decision, None, event_id)
                _insert(connection, {**asdict(line), **kept, "at": _text_of(at), **decided})
            return event_id

    def _add(
        self, seen: Sequence[Seen], who: str, change: Callable[[Row | None, int], Row | None]
    ) -> int:
        """Add an event a line, in one transaction: what `change` makes of its state; 0 where of none."""
        with self.held() as connection:
            states = {s.line.key: self._state(s.line.key) for s in seen}
            behind = {
                s.line.key: states[s.line.key]
                for s in seen
                if s.version != _version(states[s.line.key])
            }
            if behind:
                raise ConflictError(behind)
            first = _last_event(connection) + 1
            at, event_id = _text_of(self._clock()), first
            for line in {s.line.key: s.line for s in seen}.values():
                changed = change(states[line.key], event_id)
                if changed is not None:
                    _insert(connection, {
                        **asdict(line),
                        "event_id": event_id,
                        "batch": first,
                        "version": _version(states[line.key]) + 1,
                        "who": who,
                        "at": at,
                        **changed,
                    })  # fmt: skip
                    event_id += 1
            return first if event_id > first else 0

    def _undone(self, state: Row | None) -> Row | None:
        """The event that takes back what a line stands on; null where it stands as the run left it."""
        if state is None or state["after_id"] is None:
            return None
        undone = self._event(state["after_id"])
        back = None if undone["before_id"] is None else self._event(undone["before_id"])
        return {
            "what": UNDONE,
            "undoes_id": undone["event_id"],
            "assignee": back and back["assignee"],
            "decision_id": back and back["decision_id"],
            "after_id": undone["before_id"],
            "before_id": state["after_id"],
        }

    def _event(self, event_id: int) -> Row:
        query = "select * from events where event_id = ?"
        return dict(self.connection.execute(query, (event_id,)).fetchone())

    def _state(self, key: Key) -> Row | None:
        row = self.connection.execute(schema.STATE_OF, key).fetchone()
        return None if row is None else dict(row)

    # ---- what stands ------------------------------------------------------------------------

    def last_event(self) -> int:
        """The number of the last event, 0 before any."""
        with self.told():
            return _last_event(self.connection)

    def states(self, after: int) -> tuple[list[str], list[Values]]:
        """Where every line stands to which something was done after an event: names and values."""
        return self._table(schema.STATES_AFTER, after)

    def standing(self) -> tuple[list[str], list[Values]]:
        """The decisions that stand: names and values."""
        return self._table(schema.STANDING)

    def history(self, key: Key) -> list[Row]:
        """All that was done to a line, the last first."""
        return self._rows(schema.HISTORY_OF, *key)

    def latest(self, many: int, behind: int = 0) -> list[Row]:
        """What was done last, to whichever line, behind so many events."""
        return self._rows(schema.LATEST, many, behind)

    def batch(self, batch: int) -> list[Row]:
        """What was done in one go."""
        return self._rows("select * from events where batch = ? order by event_id", batch)

    def last_of(self, who: str, before: int = _NO_BATCH) -> int | None:
        """The last thing, before a batch, that somebody did and that still stands on some line."""
        with self.told():
            found: int | None
            found = self.connection.execute(schema.LAST_OF, (who, before)).fetchone()[0]
            return found

    def _table(self, query: str, *values: Any) -> tuple[list[str], list[Values]]:
        with self.told():
            cursor = self.connection.cursor()
            cursor.row_factory = None
            rows = cursor.execute(query, values).fetchall()
            return [column[0] for column in cursor.description], rows

    def _rows(self, query: str, *values: Any) -> list[Row]:
        with self.told():
            return [dict(row) for row in self.connection.execute(query, values)]


def _decided(decision: Decision, state: Row | None, event_id: int) -> Row:
    return {
        **asdict(decision),
        "what": DECIDED,
        "assignee": state and state["assignee"],
        "decision_id": event_id,
        "after_id": event_id,
        "before_id": state and state["after_id"],
    }


def _assigned(assignee: str | None, state: Row | None, event_id: int) -> Row:
    return {
        "what": ASSIGNED,
        "assignee": assignee,
        "decision_id": state and state["decision_id"],
        "after_id": event_id,
        "before_id": state and state["after_id"],
    }


def _version(state: Row | None) -> int:
    return 0 if state is None else int(state["version"])


def _kept(row: sqlite3.Row) -> Line:
    return Line(**{name: row[name] for name in Line.__dataclass_fields__})


def _insert(connection: sqlite3.Connection, event: Row) -> None:
    names, marks = ", ".join(event), ", ".join("?" for _ in event)
    connection.execute(f"insert into events ({names}) values ({marks})", tuple(event.values()))


def _last_event(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select coalesce(max(event_id), 0) from events").fetchone()[0])


def _text_of(at: datetime) -> str:
    """A time to the millisecond, as it is kept."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_of(row: Row) -> Line:
    """A line of a table, as it is kept: amounts and lists are texts."""
    values = {name: row[name] for name in Line.__dataclass_fields__}
    amounts = {name: str(row[name]) for name in ("billed_units", "allowed_units")}
    return Line(**values | amounts | {"edit_ids": json.dumps(list(row["edit_ids"]))})
