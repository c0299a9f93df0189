"""The sequential part: how many units each line is allowed under windows and authorizations.

Denied and cut units never count, so a line's room depends on what the lines before it were allowed,
tonight and in history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.edits.catalogue import LIMITS
from claims_edit.ledger import Authorization, Ledger, Room, VersionLimits
from claims_edit.normalise import from_millionths, millionths

AUTHORIZATION_UNITS = "authorization-units-exceeded"
_EPOCH = date(1970, 1, 1)


@dataclass
class _Decided:
    """What is found line by line."""

    allowed: list[tuple[int, int]] = field(default_factory=list)
    draws: list[tuple[int, str, int]] = field(default_factory=list)
    exceeded: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))


def allowed_units(
    lines: pl.DataFrame, limits: dict[str, VersionLimits], ledgers: dict[str, Ledger]
) -> LimitResults:
    """What each line is allowed, and by how much it is above each limit.

    `lines` are those that take part: `line` (their order), `member_id`, `policy_version`,
    `claim_line_start_date`, `service_unit_quantity`, and `covering`, the approved authorizations
    that cover the date in matching order, with `approved` millionths or null for no limit.
    `ledgers` has what history allowed to a member; they are written on.
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
    for member, of_member in groupby(rows, key=itemgetter(1)):
        _allow(of_member, limits, ledgers.get(member, Ledger()), decided)
    return _results(decided)


def _allow(
    rows: Iterable[tuple[Any, ...]],
    limits: dict[str, VersionLimits],
    ledger: Ledger,
    decided: _Decided,
) -> None:
    """Allow one member's lines in their order."""
    for line, _, version, day, billed, covering in rows:
        authorizations = authorizations_of(covering)
        decision = ledger.decide(day, billed, authorizations, limits[version])
        for room in decision.exceeded:
            decided.exceeded[room.limit.edit_id].append(_exceeded_row(room, line, billed))
        left = decision.authorized
        if left is not None and billed > left:
            numbers = ", ".join(number for number, _ in authorizations)
            approved = sum(units or 0 for _, units in authorizations)
            decided.exceeded[AUTHORIZATION_UNITS].append((line, numbers, approved, max(left, 0)))
        if decision.allowed:
            ledger.allow(day, decision.allowed)
            draws = ledger.draw(decision.allowed, authorizations)
            decided.draws.extend((line, *draw) for draw in draws)
        decided.allowed.append((line, decision.allowed))


def authorizations_of(covering: list[dict[str, Any]] | None) -> list[Authorization]:
    """The approved authorizations that cover a line, in matching order."""
    return [(a["authorization_number"], a["approved"]) for a in covering or []]


def _exceeded_row(room: Room, line: int, billed: int) -> tuple[Any, ...]:
    """The line's row of `_WINDOW_COLUMNS`."""
    start, limit = _EPOCH + timedelta(days=room.start), room.limit
    used, left = room.used, max(room.left, 0)
    return line, limit.max_millionths, limit.window_days, start, used, used + billed, left


def ledgers_of(allowed: pl.DataFrame) -> dict[str, Ledger]:
    """By member, what lines that stand were allowed and drew.

    `allowed`: `member_id`, `claim_line_start_date`, `allowed_units`, `authorization_draws`.
    """
    ledgers: dict[str, Ledger] = defaultdict(Ledger)
    by_day = (
        allowed.filter(pl.col("allowed_units") > 0)
        .group_by("member_id", day=pl.col("claim_line_start_date").cast(pl.Int32))
        .agg(units=millionths(pl.col("allowed_units")).sum())
    )
    for member, day, units in by_day.iter_rows():
        ledgers[member].allow(day, units)
    drawn = (
        allowed.select("member_id", "authorization_draws")
        .explode("authorization_draws", empty_as_null=False, keep_nulls=False)
        .unnest("authorization_draws")
        .group_by("member_id", "authorization_number")
        .agg(units=millionths(pl.col("units")).sum())
    )
    for member, number, units in drawn.iter_rows():
        ledgers[member].drawn[number] += units
    return dict(ledgers)


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
