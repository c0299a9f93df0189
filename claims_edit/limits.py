"""The sequential part: how many units each line is allowed under windows and authorizations.

Denied and cut units never count, so a line's room depends on what the lines before it were allowed.
Units are whole millionths throughout: sums are exact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.edits.catalogue import LIMITS
from claims_edit.normalise import from_millionths, millionths

AUTHORIZATION_UNITS = "authorization-units-exceeded"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class WindowLimit:
    """At most `max_millionths` in any `window_days` consecutive dates, and what exceeding it does."""

    edit_id: str
    max_millionths: int
    window_days: int
    action: str


@dataclass(frozen=True)
class VersionLimits:
    """The limits that one policy version asks; `authorization_action` is null where it asks none."""

    windows: tuple[WindowLimit, ...]
    authorization_action: str | None


@dataclass(frozen=True)
class _Room:
    """What a limit leaves: `used` units in the fullest window that holds the date, from `start`."""

    limit: WindowLimit
    used: int
    start: int

    @property
    def room(self) -> int:
        return self.limit.max_millionths - self.used

    def row(self, line: int, billed: int) -> tuple[Any, ...]:
        """The line's row of `_WINDOW_COLUMNS`."""
        start = _EPOCH + timedelta(days=self.start)
        limit, would_make = self.limit, self.used + billed
        maximum, days = limit.max_millionths, limit.window_days
        return line, maximum, days, start, self.used, would_make, max(self.room, 0)


@dataclass
class _Member:
    """Units allowed to one member so far, by date, and drawn from each authorization."""

    days: list[int] = field(default_factory=list)
    units: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def allow(self, day: int, units: int) -> None:
        if day not in self.units:
            insort(self.days, day)
        self.units[day] += units

    def room(self, limit: WindowLimit, day: int) -> _Room:
        """The fullest window of consecutive dates that holds `day`; of equals the latest to start.

        A window can be moved on to the next date with units, or to `day`, and lose nothing.
        """
        width = limit.window_days
        near = self.days[
            bisect_left(self.days, day - width + 1) : bisect_right(self.days, day + width - 1)
        ]
        fullest = _Room(limit, 0, day)
        last, inside = 0, 0
        starts = [d for d in near if d < day] + [day]
        for start in starts:
            while last < len(near) and near[last] < start + width:
                inside += self.units[near[last]]
                last += 1
            if inside >= fullest.used:
                fullest = _Room(limit, inside, start)
            inside -= self.units.get(start, 0)
        return fullest


@dataclass
class _Decided:
    """What is found line by line."""

    allowed: list[tuple[int, int]] = field(default_factory=list)
    draws: list[tuple[int, str, int]] = field(default_factory=list)
    exceeded: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))


def allowed_units(lines: pl.DataFrame, limits: dict[str, VersionLimits]) -> LimitResults:
    """What each line is allowed, and by how much it is above each limit.

    `lines` are those that take part: `line` (their order), `member_id`, `policy_version`,
    `claim_line_start_date`, `service_unit_quantity`, and `covering`, the approved authorizations
    that cover the date in matching order, with `approved` millionths or null for no limit.
    """
    rows = (
        lines.sort("member_id", "line")
        .select(
            "line",
            "member_id",
            "policy_version",
            day=pl.col("claim_line_start_date").cast(pl.Int32),
            billed=millionths(pl.col("service_unit_quantity")),
            covering="covering",
        )
        .iter_rows()
    )
    decided = _Decided()
    for _, of_member in groupby(rows, key=itemgetter(1)):
        _allow(of_member, limits, decided)
    return _results(decided)


def _allow(
    rows: Iterable[tuple[Any, ...]], limits: dict[str, VersionLimits], decided: _Decided
) -> None:
    """Allow one member's lines in their order."""
    member = _Member()
    drawn: dict[str, int] = defaultdict(int)
    for line, _, version, day, billed, covering in rows:
        asked = limits[version]
        authorizations = [(a["authorization_number"], a["approved"]) for a in covering or []]
        rooms = [member.room(limit, day) for limit in asked.windows]
        bounds = [(r.limit.action, r.room) for r in rooms]
        left = _left(authorizations, drawn) if asked.authorization_action else None
        if left is not None:
            bounds.append((asked.authorization_action or "", left))
        allowed = _smallest(billed, bounds)
        for room in _raised(rooms, billed):
            decided.exceeded[room.limit.edit_id].append(room.row(line, billed))
        if left is not None and billed > left:
            numbers = ", ".join(number for number, _ in authorizations)
            approved = sum(units or 0 for _, units in authorizations)
            decided.exceeded[AUTHORIZATION_UNITS].append((line, numbers, approved, max(left, 0)))
        if allowed:
            member.allow(day, allowed)
            decided.draws.extend((line, *draw) for draw in _draw(allowed, authorizations, drawn))
        decided.allowed.append((line, allowed))


def _left(authorizations: list[tuple[str, int | None]], drawn: dict[str, int]) -> int | None:
    """Units left under the authorizations together; null where one has no unit limit or none is."""
    left = 0
    for number, approved in authorizations:
        if approved is None:
            return None
        left += approved - drawn[number]
    return left if authorizations else None


def _smallest(billed: int, bounds: list[tuple[str, int]]) -> int:
    allowed = billed
    for action, room in bounds:
        if billed > room and action == "deny":
            return 0
        if action == "cutback":
            allowed = min(allowed, max(room, 0))
    return allowed


def _raised(rooms: list[_Room], billed: int) -> Iterator[_Room]:
    """The limits that are exceeded, without a longer one that leaves no less than a shorter one."""
    for room in rooms:
        shorter = (
            other.room
            for other in rooms
            if other.limit.window_days < room.limit.window_days
            and other.limit.action == room.limit.action
        )
        if billed > room.room and all(room.room < other for other in shorter):
            yield room


def _draw(
    units: int, authorizations: list[tuple[str, int | None]], drawn: dict[str, int]
) -> list[tuple[str, int]]:
    """Draw allowed units from the authorizations in matching order."""
    draws = []
    for number, approved in authorizations:
        part = units if approved is None else min(units, max(approved - drawn[number], 0))
        if part:
            drawn[number] += part
            units -= part
            draws.append((number, part))
    return draws


# ---- results as frames ----------------------------------------------------------------------

_WINDOW_COLUMNS: dict[str, Any] = {
    "line": pl.UInt32,
    "max_units": pl.Int128,
    "window_days": pl.Int64,
    "window_start": pl.Date,
    "units_before": pl.Int128,
    "would_make": pl.Int128,
    "room": pl.Int128,
}
_AUTHORIZATION_COLUMNS: dict[str, Any] = {
    "line": pl.UInt32,
    "numbers": pl.String,
    "approved_units": pl.Int128,
    "room": pl.Int128,
}
_OF_UNITS = ("max_units", "units_before", "would_make", "approved_units", "room")
_EXCEEDED = dict.fromkeys(LIMITS, _WINDOW_COLUMNS) | {AUTHORIZATION_UNITS: _AUTHORIZATION_COLUMNS}


@dataclass(frozen=True)
class LimitResults:
    """`allowed`: `line`, `allowed_units`, `authorization_draws`; `exceeded`: per edit, its lines."""

    allowed: pl.DataFrame
    exceeded: dict[str, pl.DataFrame]

    def joined(self, lines: pl.DataFrame) -> pl.DataFrame:
        """`lines` with the columns that the limit edits read, named after the edit."""
        for edit_id, rows in self.exceeded.items():
            names = {c: f"{edit_id}:{c}" for c in rows.columns if c != "line"}
            lines = lines.join(rows.rename(names), on="line", how="left", maintain_order="left")
            lines = lines.with_columns(pl.col(f"{edit_id}:exceeded").fill_null(False))
        return lines


def _results(decided: _Decided) -> LimitResults:
    allowed = _frame(decided.allowed, {"line": pl.UInt32, "allowed_units": pl.Int128})
    draws = _frame(
        decided.draws, {"line": pl.UInt32, "authorization_number": pl.String, "units": pl.Int128}
    )
    drawn = (
        draws.with_columns(_units("units").cast(UNITS))
        .group_by("line", maintain_order=True)
        .agg(authorization_draws=pl.struct("authorization_number", "units"))
    )
    return LimitResults(
        allowed.with_columns(_units("allowed_units").cast(UNITS)).join(
            drawn, on="line", how="left"
        ),
        {edit_id: _exceeded(decided.exceeded[edit_id], c) for edit_id, c in _EXCEEDED.items()},
    )


def _exceeded(rows: list[tuple[Any, ...]], columns: dict[str, Any]) -> pl.DataFrame:
    return _frame(rows, columns).with_columns(
        *(_units(c) for c in columns if c in _OF_UNITS), exceeded=pl.lit(True)
    )


def _frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _units(column: str) -> pl.Expr:
    """Whole millionths as a decimal."""
    return from_millionths(pl.col(column)).alias(column)
