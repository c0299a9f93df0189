"""The same service billed again on another claim."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import MODIFIER_COLUMNS
from claims_edit.edits.edit import Edit, sentence, units

_SAME = (
    "member_id",
    "claim_line_start_date",
    "hcpcs_code",
    "modifier_set",
    "ndc_compared",
    "service_unit_quantity",
    "rendering_npi",
)
_EARLIER = ("duplicate_of_claim_id", "duplicate_of_line_number")


def facts(lines: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """Adds the earlier line of another claim that a line repeats; null where there is none.

    `candidates` names the `line`s that take part, and `denied`, those a line edit denies: they are
    judged, and nothing is a duplicate of them. Lines are numbered in their order, so that one pass
    finds it: a line repeats the first sound line of its likes, unless that is of its own claim;
    then the first sound line of the next claim, if that came before it.
    """
    likes = _likes(lines, candidates)
    sound = likes.filter(~pl.col("denied")).sort("line")
    earliest = [
        pl.col("line").first(),
        pl.col("claim_id").first(),
        pl.col("claim_line_number").first(),
    ]
    first = sound.group_by(_SAME).agg(e.name.prefix("first_") for e in earliest)
    second = (
        sound.join(first, on=_SAME, nulls_equal=True)
        .filter(pl.col("claim_id") != pl.col("first_claim_id"))
        .sort("line")
        .group_by(_SAME)
        .agg(e.name.prefix("second_") for e in earliest)
    )
    own = pl.col("claim_id") == pl.col("first_claim_id")
    repeats_first = ~own & (pl.col("first_line") < pl.col("line"))
    repeats_second = own & (pl.col("second_line") < pl.col("line"))

    def earlier(column: str) -> pl.Expr:
        first_one, second_one = pl.col(f"first_{column}"), pl.col(f"second_{column}")
        return pl.when(repeats_first).then(first_one).when(repeats_second).then(second_one)

    repeated = (
        likes.join(first, on=_SAME, how="left", nulls_equal=True)
        .join(second, on=_SAME, how="left", nulls_equal=True)
        .select(
            "line",
            earlier("claim_id").alias(_EARLIER[0]),
            earlier("claim_line_number").alias(_EARLIER[1]),
        )
        .drop_nulls()
    )
    return lines.join(repeated, on="line", how="left", maintain_order="left")


def _likes(lines: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """The lines that take part, with all that makes one like another."""
    return (
        lines.join(candidates, on="line")
        .with_columns(
            modifier_set=pl.concat_list(MODIFIER_COLUMNS)
            .list.drop_nulls()
            .list.unique()
            .list.sort()
            .list.join(" "),
            ndc_compared=pl.coalesce("ndc_11", "ndc_code"),
        )
        .select("line", "claim_id", "claim_line_number", "denied", *_SAME)
    )


EDITS = (
    Edit(
        id="duplicate-line",
        title="The service was not billed before on another claim",
        kind="duplicate",
        fails=pl.col(_EARLIER[0]).is_not_null(),
        message=sentence(
            "{} units of {} on {} repeat claim {} line {}: the same member, date, code, modifiers, "
            "NDC, units and rendering provider",
            units("service_unit_quantity"),
            "hcpcs_code",
            "claim_line_start_date",
            *_EARLIER,
        ),
        evidence=(*_EARLIER, "claim_line_start_date", "service_unit_quantity", "rendering_npi"),
        group_code="OA",
        carc="18",
    ),
)
