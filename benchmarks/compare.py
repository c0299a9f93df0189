"""Whether a rival found the same, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

KEY = ["claim_id", "claim_line_number"]
LISTS = ["edit_ids", "unknown_edit_ids"]
WINDOWS = ("units-per-dose", "units-per-period")
LIMITS = (*WINDOWS, "authorization-units-exceeded")


@dataclass(frozen=True)
class Compared:
    """How many lines were compared, and how many of them differ or are missing on one side."""

    lines: int
    differing: pl.DataFrame

    def __str__(self) -> str:
        return f"{self.lines:,} lines compared, {self.differing.height:,} differ"


def compared(run: Path, table: Path, *, limits: bool = False) -> Compared:
    """The lists of failed and unknown edits of every line that the run edited.

    A rival has no quarantine: keys of which the run rejected a row are left out. One that has no limits
    is compared without their edits.
    """
    rejected = pl.read_parquet(run / "rejected_lines.parquet").select(
        "claim_id", pl.col("claim_line_number").cast(pl.Int64, strict=False)
    )
    ours = _lists(pl.scan_parquet(run / "lines.parquet"), () if limits else LIMITS)
    theirs = _lists(pl.scan_parquet(table), ())
    left_out = rejected.unique().lazy()
    ours, theirs = (side.join(left_out, on=KEY, how="anti") for side in (ours, theirs))
    both = ours.join(theirs, on=KEY, how="full", suffix="_rival").collect()
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_rival")) for c in LISTS)
    return Compared(both.height, both.filter(differs))


def limits_compared(run: Path, table: Path) -> Compared:
    """What the two windows leave to each line; SQL keeps no account of authorizations.

    Members are left out of whom a row was rejected, or of whom an authorization cut a line.
    """
    lines = pl.scan_parquet(run / "lines.parquet").filter("takes_part_in_limits")
    cut = lines.filter(pl.col("edit_ids").list.contains(LIMITS[-1])).select("member_id")
    rejected = pl.scan_parquet(run / "rejected_lines.parquet").select(
        pl.col("member_id").str.strip_chars()
    )
    left_out = pl.concat([cut, rejected]).drop_nulls().unique()
    ours = lines.join(left_out, on="member_id", how="anti").select(
        *KEY, "allowed_units", pl.col("edit_ids").list.filter(pl.element().is_in(WINDOWS))
    )
    theirs = pl.scan_parquet(table).with_columns(pl.col("claim_line_number").cast(pl.Int64))
    both = ours.join(theirs, on=KEY, how="left", suffix="_rival").collect()
    differs = pl.any_horizontal(
        pl.col("allowed_units").ne_missing(pl.col("allowed_units_rival").cast(pl.Decimal(18, 6))),
        pl.col("edit_ids").ne_missing(pl.col("edit_ids_rival")),
    )
    return Compared(both.height, both.filter(differs))


def same_lines(run: Path, table: Path) -> Compared:
    """Whether the table holds the rows that the run has in scope, edited or rejected, and no others."""
    number = pl.col("claim_line_number").cast(pl.Int64, strict=False)
    found = (
        pl.scan_parquet(run / name).select("claim_id", number)
        for name in ("lines.parquet", "rejected_lines.parquet")
    )
    ours = pl.concat(found).with_columns(here=pl.lit(True))
    theirs = pl.scan_parquet(table).select(
        pl.col("claim_id").str.strip_chars(), number, there=pl.lit(True)
    )
    both = ours.join(theirs, on=KEY, how="full", coalesce=True).collect()
    return Compared(both.height, both.filter(pl.any_horizontal(pl.col("here", "there").is_null())))


def _lists(lines: pl.LazyFrame, without: tuple[str, ...]) -> pl.LazyFrame:
    """The lists of each line as texts, which are joined and compared in less memory."""
    lists = (pl.col(c).cast(pl.List(pl.String)) for c in LISTS)
    if without:
        lists = (c.list.filter(~pl.element().is_in(without)) for c in lists)
    texts = (c.list.join(" ") for c in lists)
    return lines.select(pl.col("claim_id"), pl.col("claim_line_number").cast(pl.Int64), *texts)
