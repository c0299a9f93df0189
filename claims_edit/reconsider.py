"""Lines that an earlier run cut for want of units which tonight released: what they would be allowed."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.frames import beside
from claims_edit.ledger import Authorization, Ledger, VersionLimits
from claims_edit.normalise import from_millionths, millionths, number
from claims_edit.past import Past
from claims_edit.run_contracts import RECONSIDER

_ORDER = ("member_id", "claim_line_start_date", "received_date", "claim_id", "claim_line_number")
_FOUND = {"line": pl.UInt32, "alone": pl.Int128, "in_turn": pl.Int128}


def cut_lines(before: Past, now: Past) -> pl.DataFrame:
    """The lines that stand and that limits cut, of members of whom units were released tonight; but for
    those that are settled.

    `before` is what stood before tonight, `now` what stands. Adds `line`, their order within a
    member, and `released_claim_ids`.
    """
    released = pl.concat(
        was.join(stands, on=["claim_id", "claim_line_number", "run"], how="anti")
        .filter(pl.col("allowed_units") > 0)
        .select("member_id", "claim_id")
        for was, stands in ((before.lines, now.lines), (before.elsewhere, now.elsewhere))
    )
    by_member = released.group_by("member_id").agg(
        released_claim_ids=pl.col("claim_id").unique().sort()
    )
    return (
        now.lines.filter(
            "takes_part_in_limits",
            ~pl.col("settled"),
            pl.col("allowed_units") < pl.col("billed_units"),
        )
        .join(by_member, on="member_id")
        .sort(*_ORDER, nulls_last=True)
        .with_row_index("line")
    )


def reconsidered(
    cut: pl.DataFrame,
    covering: pl.DataFrame,
    before: pl.DataFrame,
    now: pl.DataFrame,
    limits: dict[str, VersionLimits],
) -> pl.DataFrame:
    """The table `reconsider`: the lines of `cut` that tonight's releases leave more room for.

    `cut` has tonight's `policy_version`; `covering` the authorizations that cover each, as
    `limits.allowed_units` reads them; `before` and `now` (`past.ALLOWED`) are the
    units allowed and drawn before tonight and now, those of the lines themselves included.
    """
    authorizations = covering.group_by("line", maintain_order=True).agg(
        covering=pl.struct("authorization_number", "approved")
    )
    rows = beside(cut, authorizations).select(
        "line",
        "member_id",
        "policy_version",
        day=pl.col("claim_line_start_date").cast(pl.Int32),
        billed=millionths(pl.col("billed_units")),
        allowed=millionths(pl.col("allowed_units")),
        draws="authorization_draws",
        covering="covering",
    )
    ledgers_before, ledgers_now = _ledgers_of(before), _ledgers_of(now)
    found: list[tuple[int, int, int]] = []
    for member, of_member in groupby(rows.iter_rows(named=True), key=itemgetter("member_id")):
        was, stands = ledgers_before.get(member, Ledger()), ledgers_now.get(member, Ledger())
        lines = [_Cut(row, limits[row["policy_version"]]) for row in of_member]
        alone = [(line, line.would_be_allowed(stands)) for line in lines]
        listed = [
            (line, units)
            for line, units in alone
            if units > line.allowed and units > line.would_be_allowed(was)
        ]
        found.extend((line.line, units, line.reopened(stands)) for line, units in listed)
    return _table(cut, found)


def _ledgers_of(allowed: pl.DataFrame) -> dict[str, Ledger]:
    """By member, what lines that stand were allowed and drew (`past.ALLOWED`)."""
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
    for member, authorization, units in drawn.iter_rows():
        ledgers[member].drawn[authorization] += units
    return dict(ledgers)


class _Cut:
    """One line that was cut, and the limits that it stands under tonight."""

    def __init__(self, row: dict[str, Any], limits: VersionLimits) -> None:
        self.line: int = row["line"]
        self.allowed: int = row["allowed"]
        self._day, self._billed = row["day"], row["billed"]
        self._draws = [(d["authorization_number"], _millionths(d["units"])) for d in row["draws"]]
        self._authorizations: list[Authorization] = [
            (a["authorization_number"], a["approved"]) for a in row["covering"] or ()
        ]
        self._limits = limits

    def would_be_allowed(self, ledger: Ledger) -> int:
        """What the limits would allow it, all others as they stand; the ledger stays as it is."""
        self._enter(ledger, -1)
        units = ledger.would_allow(self._day, self._billed, self._authorizations, self._limits)
        self._enter(ledger, 1)
        return units

    def reopened(self, ledger: Ledger) -> int:
        """The same, never less than it was allowed; and the ledger is as if it were allowed that."""
        units = max(self.would_be_allowed(ledger), self.allowed)
        if units > self.allowed:
            self._enter(ledger, -1)
            ledger.allow(self._day, units)
            ledger.draw(units, self._authorizations)
        return units

    def _enter(self, ledger: Ledger, sign: int) -> None:
        ledger.allow(self._day, sign * self.allowed)
        for authorization, units in self._draws:
            ledger.drawn[authorization] += sign * units


def _millionths(units: Any) -> int:
    return int(units.scaleb(6))


def _table(cut: pl.DataFrame, found: list[tuple[int, int, int]]) -> pl.DataFrame:
    would = pl.DataFrame(found, schema=_FOUND, orient="row").select(
        "line",
        would_be_allowed_units=from_millionths(pl.col("alone")).cast(UNITS),
        would_be_allowed_in_turn_units=from_millionths(pl.col("in_turn")).cast(UNITS),
    )
    reason = pl.format(
        "run {} cut {} of {} units; tonight claim{} {} released units, and the limits would allow {}",
        "run_id",
        number(pl.col("cut_units")),
        number(pl.col("billed_units")),
        pl.when(pl.col("released_claim_ids").list.len() > 1)
        .then(pl.lit("s"))
        .otherwise(pl.lit("")),
        pl.col("released_claim_ids").list.join(", "),
        number(pl.col("would_be_allowed_units")),
    )
    return (
        cut.join(would, on="line")
        .with_columns(cut_units="denied_units", cut_by_run_id="run_id")
        .with_columns(reason=reason)
        .sort("member_id", "claim_id", "claim_line_number", "run")
        .select(list(RECONSIDER.columns))
    )
