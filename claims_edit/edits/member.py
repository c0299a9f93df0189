"""Who the member is."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, sentence

_SERVICE, _BIRTH = pl.col("claim_line_start_date"), pl.col("birth_date")
_BIRTHDAY_COME = (_SERVICE.dt.month() > _BIRTH.dt.month()) | (
    (_SERVICE.dt.month() == _BIRTH.dt.month()) & (_SERVICE.dt.day() >= _BIRTH.dt.day())
)

# One born on 29 February completes a year on 1 March of a common year: the comparison says so.
AGE = (_SERVICE.dt.year() - _BIRTH.dt.year() - pl.when(_BIRTHDAY_COME).then(0).otherwise(1)).alias(
    "age"
)


def facts(lines: pl.DataFrame, _: Context) -> pl.DataFrame:
    """Adds `age` in completed years on the service date."""
    return lines.with_columns(AGE)


EDITS = (
    Edit(
        id="member-under-age",
        title="The member has reached the policy's age",
        fails=pl.col("age") < pl.col("minimum_age"),
        message=sentence(
            "the member, born {}, was {} on {}; the policy covers from age {}",
            "birth_date",
            "age",
            "claim_line_start_date",
            "minimum_age",
        ),
        unknown_message=sentence(
            "the birth date is not given; the policy covers from age {}", "minimum_age"
        ),
        evidence=("birth_date", "age", "minimum_age"),
        group_code="CO",
        carc="6",
        rarc="N129",
    ),
)
