"""What the claim says of itself: its original, its procedure, its dates, its units."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, known, sentence, units
from claims_edit.frames import matched
from claims_edit.normalise import millionths
from claims_edit.reference import in_force


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds `hcpcs_in_force` (the HCPCS is valid on the service date), `as_of`, and `claim_day`, a number
    for each claim, service date and HCPCS."""
    effective = (
        lines.select("hcpcs_code", "claim_line_start_date")
        .unique()
        .join(context.hcpcs, left_on="hcpcs_code", right_on="code")
        .filter(in_force(pl.col("claim_line_start_date"), pl.col("start_date"), pl.col("end_date")))
        .select("hcpcs_code", "claim_line_start_date", hcpcs_in_force=pl.lit(True))
        .unique()
    )
    return matched(lines, effective, ["hcpcs_code", "claim_line_start_date"]).with_columns(
        _claim_days(lines),
        pl.col("hcpcs_in_force").fill_null(False),
        as_of=pl.lit(context.as_of),
    )


def _claim_days(lines: pl.DataFrame) -> pl.Series:
    """Lines of a claim and day mostly stand together, so that its runs are numbered, and looked at again
    only where there are several."""
    of = ["claim_id", "claim_line_start_date", "hcpcs_code"]
    begins = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in of)
    runs = lines.select("line", *of, begins=begins | (pl.col("line") == pl.col("line").first()))
    runs = runs.with_columns(claim_day=pl.col("begins").cum_sum().cast(pl.UInt32))
    numbers = runs["claim_day"]
    firsts = runs.filter("begins")
    if firsts.select(of).is_duplicated().any():
        same = firsts.select("claim_day", first=pl.col("claim_day").min().over(of))
        numbers = numbers.replace_strict(same["claim_day"], same["first"])
    return numbers.alias("claim_day")


_REPLACES = pl.col("claim_frequency_code").is_in(["7", "8"])
_DOES = (
    pl.when(pl.col("claim_frequency_code") == "8")
    .then(pl.lit("voids"))
    .otherwise(pl.lit("replaces"))
)

EDITS = (
    Edit(
        id="original-claim-unknown",
        title="The claim that this one replaces or voids is known",
        asked_of=("void", "other-code", "drug"),
        fails=_REPLACES & ~pl.col("original_known"),
        message=pl.when(pl.col("original_claim_id").is_null())
        .then(sentence("claim {} {} a claim that it does not name", "claim_id", _DOES))
        .when(pl.col("original_claim_id") == pl.col("claim_id"))
        .then(
            sentence(
                "claim {} {} an earlier version of itself, of which no line was edited in an earlier run",
                "claim_id",
                _DOES,
            )
        )
        .otherwise(
            sentence(
                "claim {} {} claim {}, of which no line of the member was edited in this extract or in "
                "an earlier run",
                "claim_id",
                _DOES,
                "original_claim_id",
            )
        ),
        evidence=("claim_frequency_code", "original_claim_id"),
        group_code="CO",
        carc="16",
        rarc="M47",
    ),
    Edit(
        id="procedure-not-effective",
        title="The HCPCS code is in force on the service date",
        fails=~pl.col("hcpcs_in_force"),
        message=sentence("{} was not in force on {}", "hcpcs_code", "claim_line_start_date"),
        evidence=("hcpcs_code", "claim_line_start_date"),
        group_code="CO",
        carc="181",
    ),
    Edit(
        id="service-date-future",
        title="The service date is not after the claim's receipt or the run's as-of date",
        fails=known(pl.col("claim_line_start_date") > pl.col("received_date"))
        | (pl.col("claim_line_start_date") > pl.col("as_of")),
        message=pl.when(known(pl.col("claim_line_start_date") > pl.col("received_date")))
        .then(
            sentence(
                "the service date {} is after the claim was received on {}",
                "claim_line_start_date",
                "received_date",
            )
        )
        .otherwise(
            sentence(
                "the service date {} is after the run's as-of date {}",
                "claim_line_start_date",
                "as_of",
            )
        ),
        evidence=("claim_line_start_date", "received_date", "as_of"),
        group_code="CO",
        carc="110",
    ),
    Edit(
        id="service-date-span",
        title="The line is of a single day",
        fails=pl.col("claim_line_end_date") > pl.col("claim_line_start_date"),
        message=sentence(
            "the line runs from {} to {}; a dose has one date",
            "claim_line_start_date",
            "claim_line_end_date",
        ),
        evidence=("claim_line_start_date", "claim_line_end_date"),
        group_code="CO",
        carc="16",
        rarc="M52",
    ),
    Edit(
        id="service-date-unclear",
        title="The day of the dose is known",
        fails=pl.col("service_date_unclear"),
        message=sentence(
            "the line has no date of its own and its claim runs from {} to {}; the day of the dose "
            "is not known, so duplicates and limits were not looked at",
            "claim_line_start_date",
            "claim_line_end_date",
        ),
        evidence=("claim_line_start_date", "claim_line_end_date"),
        group_code="CO",
        carc="16",
        rarc="M52",
    ),
    Edit(
        id="units-not-whole",
        title="The billed units are a whole number",
        fails=millionths(pl.col("service_unit_quantity")) % 1_000_000 != 0,
        message=sentence(
            "{} units were billed; units are whole numbers", units("service_unit_quantity")
        ),
        evidence=("service_unit_quantity",),
        group_code="CO",
        carc="16",
        rarc="M53",
    ),
)
