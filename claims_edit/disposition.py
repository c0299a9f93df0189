"""From findings to the one outcome of a line."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import MONEY, UNITS
from claims_edit.edits.catalogue import ORDER
from claims_edit.frames import beside
from claims_edit.normalise import millionths

_SEVERITY = {"deny": 0, "cutback": 1, "flag": 2}


def denied_lines(findings: pl.DataFrame) -> pl.Series:
    """The lines that a finding denies."""
    return findings.filter(pl.col("action") == "deny")["line"].unique()


def in_order(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings by line, in the order of the catalogue."""
    order = pl.col("edit_id").replace_strict(ORDER, return_dtype=pl.UInt16)
    return findings.sort("line", order)


def disposed(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Adds the outcome: `disposition`, primary edit, edit ids, denied units and charge.

    `lines` have `asked_as`, `taken_out`, billed `service_unit_quantity` and `allowed_units`;
    `findings` are those of all of them, in order.
    """
    severity = pl.col("action").replace_strict(_SEVERITY, return_dtype=pl.UInt8)
    failed = pl.col("verdict") == "fail"
    reasons = findings.group_by("line", maintain_order=True).agg(
        primary_edit_id=pl.col("edit_id").sort_by(severity, maintain_order=True).first(),
        edit_ids=pl.col("edit_id").filter(failed),
        unknown_edit_ids=pl.col("edit_id").filter(~failed),
        denies=(pl.col("action") == "deny").any(),
    )
    empty = pl.lit([], dtype=pl.List(pl.String))
    lines = (
        beside(lines, reasons)
        .with_columns(pl.col("edit_ids", "unknown_edit_ids").fill_null(empty))
        .with_columns(_disposition().alias("disposition"))
    )
    return _with_denied_charge(lines)


def _disposition() -> pl.Expr:
    billed, allowed = pl.col("service_unit_quantity"), pl.col("allowed_units")
    found = pl.col("primary_edit_id").is_not_null()
    return (
        pl.when((pl.col("asked_as") == "void").fill_null(False))
        .then(pl.when(found).then(pl.lit("flag")).otherwise(pl.lit("void")))
        .when(pl.col("taken_out").is_not_null())
        .then(pl.col("taken_out"))
        .when(pl.col("denies").fill_null(False) | (allowed == 0))
        .then(pl.lit("deny"))
        .when(allowed < billed)
        .then(pl.lit("partial"))
        .when(found)
        .then(pl.lit("flag"))
        .otherwise(pl.lit("pay"))
    )


def _with_denied_charge(lines: pl.DataFrame) -> pl.DataFrame:
    """Adds `denied_units` and `denied_charge_amount`, rounded half up to cents.

    Only a line that is cut in part needs arithmetic, and there it is of whole numbers.
    """
    billed, allowed, charge = (
        pl.col(c) for c in ("service_unit_quantity", "allowed_units", "charge_amount")
    )
    cut = (
        lines.lazy()
        .filter((allowed > 0) & (allowed < billed))
        .select(
            "line",
            charge=charge.to_physical().cast(pl.Int128),
            billed=millionths(billed),
            allowed=millionths(allowed),
        )
        .collect()
    )
    denied = 2 * pl.col("charge") * (pl.col("billed") - pl.col("allowed")) + pl.col("billed")
    cents = (denied // (2 * pl.col("billed"))).cast(pl.Decimal(38, 2))
    return beside(lines, cut.select("line", denied_part=(cents / 100).cast(MONEY))).with_columns(
        denied_units=(billed - allowed).cast(UNITS),
        denied_charge_amount=pl.when(allowed == 0)
        .then(charge)
        .otherwise(pl.col("denied_part").fill_null(pl.lit(0, dtype=MONEY))),
    )
