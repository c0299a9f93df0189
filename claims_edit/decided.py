"""What a line of history counts for once a person has decided on it."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import DRAWS, LINE_KEY, UNITS
from claims_edit.decision_contracts import DECIDED_LINES, FLAG, OVERRIDE, UPHOLD

_LINE = ("run_id", *LINE_KEY)
# A decision binds while these are what they were when it was made.
SEEN = (*_LINE, "member_id", "disposition", "billed_units", "allowed_units")
# What of a line of `lines` it takes to tell what it counts for.
LINE_COLUMNS = (
    *SEEN[1:],
    "hcpcs_code",
    "claim_frequency_code",
    "governed",
    "service_date_unclear",
    "takes_part_in_limits",
    "matched_authorization_number",
    "authorization_draws",
)
_VOID = "8"


def seen_so(decisions: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The decisions whose line is still what was decided on; both have the columns `SEEN`."""
    return decisions.join(lines, on=SEEN, how="semi", maintain_order="left")


def binding(decisions: pl.DataFrame, lines: pl.DataFrame, hcpcs_code: str) -> pl.DataFrame:
    """The table `decided_lines`: the decisions whose line is still what was decided on, each with what
    the line counts for.

    `decisions` are of the contract's columns; `lines` have `LINE_COLUMNS` and `run_id`; `hcpcs_code` is
    the drug's.
    """
    void = (pl.col("claim_frequency_code") == _VOID).fill_null(False)
    allowed_whole = (pl.col("decision") == OVERRIDE) & ~void
    denied = (pl.col("decision") == UPHOLD) & (pl.col("disposition") == FLAG)
    limited = (
        pl.col("governed")
        & (pl.col("hcpcs_code") == hcpcs_code).fill_null(False)
        & ~pl.col("service_date_unclear").fill_null(False)
    )
    counted = pl.when(allowed_whole).then("billed_units").when(denied).then(pl.lit(0, UNITS))
    found = decisions.join(lines, on=SEEN, maintain_order="left").with_columns(
        counted_units=counted.otherwise("allowed_units"),
        takes_part_in_limits=pl.col("takes_part_in_limits") | (allowed_whole & limited),
    )
    nothing = pl.lit([], DRAWS)
    drawn = pl.when(denied).then(nothing).otherwise("authorization_draws")
    return found.with_columns(
        authorization_draws=drawn.list.concat(
            pl.when(_draws_more()).then(_added()).otherwise(nothing)
        )
    ).select(list(DECIDED_LINES.columns))


def _draws_more() -> pl.Expr:
    """Whether units are drawn for what a decision adds: from the authorization the line was judged by."""
    return (
        (pl.col("counted_units") > pl.col("allowed_units"))
        & pl.col("takes_part_in_limits")
        & pl.col("matched_authorization_number").is_not_null()
    )


def _added() -> pl.Expr:
    """What a decision adds, as a draw."""
    units = (pl.col("counted_units") - pl.col("allowed_units")).cast(UNITS)
    draw = pl.struct(
        pl.col("matched_authorization_number").alias("authorization_number"), units.alias("units")
    )
    return pl.concat_list(draw)


def decided(lines: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Lines of earlier runs (`PAST_COLUMNS`, with `run_id`) as they count once they were decided on.

    `decisions` has rows of the table `decided_lines`. Adds `settled`: the line stays as it is, and is
    never reconsidered.
    """
    if decisions.is_empty():
        return lines.with_columns(settled=pl.lit(False))
    of_lines = decisions.select(
        *_LINE,
        counted_units="counted_units",
        counted_draws="authorization_draws",
        counts_in_limits="takes_part_in_limits",
        settled=pl.col("decision") == UPHOLD,
    )
    return (
        lines.join(of_lines, on=_LINE, how="left", maintain_order="left")
        .with_columns(
            allowed_units=pl.coalesce("counted_units", "allowed_units"),
            authorization_draws=pl.coalesce("counted_draws", "authorization_draws"),
            takes_part_in_limits=pl.coalesce("counts_in_limits", "takes_part_in_limits"),
            settled=pl.col("settled").fill_null(False),
        )
        .drop("counted_units", "counted_draws", "counts_in_limits")
    )
