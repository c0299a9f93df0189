"""The same service billed again on another claim."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import MODIFIER_COLUMNS
from claims_edit.edits.edit import Edit, sentence, units
from claims_edit.frames import beside

_SAME = (
    "member_id",
    "claim_line_start_date",
    "hcpcs_code",
    "modifier_set",
    "ndc_compared",
    "billed_units",
    "rendering_npi",
)
_MEMBER_DAY = ["member_id", "claim_line_start_date"]
_READ = (
    *("line", "claim_id", "claim_line_number", *_MEMBER_DAY, "hcpcs_code", *MODIFIER_COLUMNS),
    *("ndc_code", "ndc_11", "service_unit_quantity", "rendering_npi"),
)
_EARLIER = ("duplicate_of_claim_id", "duplicate_of_line_number", "duplicate_of_source")
_OF = ("claim_id", "claim_line_number", "source")


def facts(
    lines: pl.DataFrame, candidates: pl.DataFrame, past: pl.DataFrame, elsewhere: pl.DataFrame
) -> pl.DataFrame:
    """Adds the earlier line of another claim that a line repeats; null where there is none.

    `candidates` names the `line`s that take part, and `denied`, those a line edit denies: they are
    judged, and nothing is a duplicate of them. `past` and `elsewhere` are the lines of history
    that stand: those that were allowed any units are earlier than all of tonight's, the first of
    them all is named. A column that `elsewhere` lacks is not compared by.
    """
    judged = lines.select(c for c in _READ if c in lines.columns).join(
        candidates, on="line", maintain_order="left"
    )
    found = [
        _in_history(judged, _allowed(elsewhere, pl.lit("the history file"))),
        _in_history(
            judged, _allowed(past.filter("takes_part_in_limits"), pl.format("run {}", "run_id"))
        ),
        _in_this_extract(_likes(judged.filter(_of_several_claims()))),
    ]
    return beside(lines, pl.concat(found).unique("line", keep="first", maintain_order=True))


def _of_several_claims() -> pl.Expr:
    """Whether several claims bill the member's day, of lines in order; most days have one, and no line
    that repeats another."""
    same_day = pl.all_horizontal(pl.col(c) == pl.col(c).shift(1) for c in _MEMBER_DAY)
    day = (~same_day).fill_null(True).cum_sum()
    another = same_day & (pl.col("claim_id") != pl.col("claim_id").shift(1))
    return day.is_in(day.filter(another).implode())


def _allowed(past: pl.DataFrame, source: pl.Expr) -> pl.DataFrame:
    return past.filter(pl.col("allowed_units") > 0).with_columns(source=source)


def _in_history(judged: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """The lines that repeat one of history, and the first that they repeat."""
    judged = _likes(judged.join(past, on=_MEMBER_DAY, how="semi"))
    likes = _likes(past.join(judged, on=_MEMBER_DAY, how="semi"))
    same = [c for c in _SAME if c in likes.columns]
    order = [c for c in ("run", "received_date", *_OF) if c in likes.columns]
    first = likes.sort(order, nulls_last=True).unique(same, keep="first", maintain_order=True)
    first = first.select(*same, *(pl.col(c).alias(f"first_{c}") for c in _OF))
    return judged.join(first, on=same, nulls_equal=True).select(
        "line", *(pl.col(f"first_{c}").alias(e) for c, e in zip(_OF, _EARLIER, strict=True))
    )


def _in_this_extract(judged: pl.DataFrame) -> pl.DataFrame:
    """The lines that repeat an earlier one of the extract, and the first that they repeat.

    Lines are numbered in their order, so that one pass finds it: a line repeats the first sound line
    of its likes, unless that is of its own claim; then the first sound line of the next claim, if
    that came before it.
    """
    sound = judged.filter(~pl.col("denied")).sort("line")
    earliest = [pl.col(c).first() for c in ("line", "claim_id", "claim_line_number")]
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

    return (
        judged.join(first, on=_SAME, how="left", nulls_equal=True)
        .join(second, on=_SAME, how="left", nulls_equal=True)
        .select(
            "line",
            earlier("claim_id").alias(_EARLIER[0]),
            earlier("claim_line_number").alias(_EARLIER[1]),
            pl.lit(None, pl.String).alias(_EARLIER[2]),
        )
        .filter(pl.col(_EARLIER[0]).is_not_null())
    )


def _likes(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with all that makes one like another, as far as they have it."""
    if "service_unit_quantity" in lines.columns:
        lines = lines.with_columns(billed_units="service_unit_quantity")
    modifiers = [c for c in MODIFIER_COLUMNS if c in lines.columns]
    if modifiers:
        set_of = pl.concat_list(modifiers).list.drop_nulls().list.unique().list.sort()
        lines = lines.with_columns(modifier_set=set_of.list.join(" "))
    if "ndc_code" in lines.columns:
        lines = lines.with_columns(ndc_compared=pl.coalesce("ndc_11", "ndc_code"))
    kept = ("line", "denied", "run", "received_date", *_OF, *_SAME)
    return lines.select(c for c in kept if c in lines.columns)


EDITS = (
    Edit(
        id="duplicate-line",
        title="The service was not billed before on another claim",
        kind="duplicate",
        fails=pl.col(_EARLIER[0]).is_not_null(),
        message=sentence(
            "{} units of {} on {} repeat claim {} line {}{}: the same member, date, code, modifiers, "
            "NDC, units and rendering provider",
            units("service_unit_quantity"),
            "hcpcs_code",
            "claim_line_start_date",
            *_EARLIER[:2],
            pl.when(pl.col(_EARLIER[2]).is_not_null())
            .then(pl.format(" of {}", _EARLIER[2]))
            .otherwise(pl.lit("")),
        ),
        evidence=(*_EARLIER, "claim_line_start_date", "service_unit_quantity", "rendering_npi"),
        group_code="OA",
        carc="18",
    ),
)
