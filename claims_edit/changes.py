"""What differs between two outcomes of one night."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import LINE_KEY
from claims_edit.edits.catalogue import ORDER
from claims_edit.evaluate import Outcome
from claims_edit.report_contracts import BY_DISPOSITION, BY_EDIT, CHANGES, SIDES
from claims_edit.schemas import polars_type

_KEY = list(LINE_KEY)
_OF_SIDE = (
    "policy_version",
    "disposition",
    "allowed_units",
    "denied_charge_amount",
    "edit_ids",
    "unknown_edit_ids",
    "reasons",
)
_COUNTED = {
    "lines": pl.len().cast(pl.Int64),
    "members": pl.col("member_id").n_unique().cast(pl.Int64),
    "billed_units": pl.col("billed_units").sum().cast(pl.Decimal(38, 6)),
    "charge_amount": pl.col("charge_amount").sum().cast(pl.Decimal(38, 2)),
}


def both_sides(baseline: Outcome, candidate: Outcome) -> pl.DataFrame:
    """Every line once, with what both outcomes say of it, and what `changed`."""
    left, right = (
        _side(outcome, side) for outcome, side in zip((baseline, candidate), SIDES, strict=True)
    )
    of_side = [f"candidate_{c}" for c in _OF_SIDE]
    lines = left.join(right.select(*_KEY, *of_side), on=_KEY, maintain_order="left")
    differs = [
        pl.when(pl.col(f"baseline_{c}").ne_missing(pl.col(f"candidate_{c}"))).then(pl.lit(c))
        for c in ("disposition", "allowed_units", "reasons")
    ]
    return lines.with_columns(changed=pl.concat_list(differs).list.drop_nulls())


def _side(outcome: Outcome, side: str) -> pl.DataFrame:
    said = pl.format(
        "{} ({}, {}): {}", pl.col("edit_id"), pl.col("verdict"), pl.col("action"), pl.col("message")
    )
    reasons = outcome.findings.group_by(_KEY, maintain_order=True).agg(reasons=said.str.join("\n"))
    lines = outcome.lines.join(reasons, on=_KEY, how="left", maintain_order="left")
    return lines.rename({c: f"{side}_{c}" for c in _OF_SIDE})


def changes(lines: pl.DataFrame) -> pl.DataFrame:
    """The table `changes`: the lines of `both_sides` that differ, highest charge first."""
    return (
        lines.filter(pl.col("changed").list.len() > 0)
        .sort("charge_amount", *_KEY, descending=[True, False, False])
        .select(list(CHANGES.columns))
    )


def by_disposition(lines: pl.DataFrame) -> pl.DataFrame:
    """The table `by_disposition` of all lines, changed or not."""
    sums = {
        c: pl.col(c).sum().cast(polars_type(column))
        for c, column in BY_DISPOSITION.columns.items()
        if c.startswith(SIDES) and not c.endswith("disposition")
    }
    keys = [f"{side}_disposition" for side in SIDES]
    return (
        lines.group_by(keys).agg(**_COUNTED, **sums).sort(keys).select(list(BY_DISPOSITION.columns))
    )


def by_edit(lines: pl.DataFrame) -> pl.DataFrame:
    """The table `by_edit`: for each edit and verdict, the lines on which one side or both found it."""
    counted = ("member_id", "billed_units", "charge_amount")
    found = [
        lines.select(*_KEY, *counted, edit_id=f"{side}_{ids}")
        .explode("edit_id", empty_as_null=False, keep_nulls=False)
        .with_columns(verdict=pl.lit(verdict), side=pl.lit(side))
        for side in SIDES
        for ids, verdict in (("edit_ids", "fail"), ("unknown_edit_ids", "unknown"))
    ]
    under = pl.when(pl.len() > 1).then(pl.lit("both")).otherwise(pl.col("side").first())
    each = pl.concat(found).group_by(*_KEY, *counted, "edit_id", "verdict").agg(found_under=under)
    order = pl.col("edit_id").replace_strict(ORDER, return_dtype=pl.UInt16)
    return (
        each.group_by("edit_id", "verdict", "found_under")
        .agg(**_COUNTED)
        .sort(order, "verdict", "found_under")
        .select(list(BY_EDIT.columns))
    )
