"""Whether the units of a day are those of one dose for the patient's body surface."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, listed, sentence, units
from claims_edit.frames import beside, matched
from claims_edit.normalise import from_millionths, millionths
from claims_edit.vials import VIALS_OF, smallest_sum, vials_of

_DAY = ["member_id", "hcpcs_code", "claim_line_start_date"]
_MILLION = 10**6


def facts(lines: pl.DataFrame, context: Context, denied: pl.Series) -> pl.DataFrame:
    """Adds `dose_units`, all that is billed of the member's day, and the most that a dose comes to.

    Lines in `denied`, those that another line edit denies, are not counted. `dose_need` is the dose
    for the body surface, `dose_max_units` the smallest sum of whole vials not below it.
    """
    drug = lines.filter(pl.col("asked_as") == "drug")
    billed = (
        drug.filter(~pl.col("line").is_in(denied.implode()))
        .group_by(_DAY)
        .agg(dose_units=from_millionths(millionths(pl.col("service_unit_quantity")).sum()))
    )
    lines = beside(matched(lines, billed, _DAY), _doses(drug, context.ndc_products))
    return lines.with_columns(pl.col("dose_units").fill_null(0))


def _doses(lines: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """By line of which the body surface is documented, the dose and the vials that it takes."""
    counted = pl.min_horizontal("bsa_m2", pl.col("max_bsa_m2").cast(pl.Float64))
    need = (counted * _MILLION).round().cast(pl.Int128) * millionths(pl.col("units_per_m2"))
    asked = lines.filter(pl.col("bsa_m2").is_not_null(), pl.col("units_per_m2").is_not_null())
    needed = asked.select("line", *VIALS_OF, need=(need + _MILLION - 1) // _MILLION).join(
        vials_of(lines, products), on=VIALS_OF, how="left"
    )
    distinct = needed.select("need", "sizes").unique()
    most = [smallest_sum(need, sizes or []) for need, sizes in distinct.iter_rows()]
    return needed.join(
        distinct.with_columns(most=pl.Series(most, dtype=pl.Int128)),
        on=["need", "sizes"],
        nulls_equal=True,
    ).select(
        "line",
        dose_need=from_millionths(pl.col("need")),
        dose_max_units=from_millionths(pl.col("most")),
        dose_vial_sizes="vial_sizes",
    )


_MATCHED = pl.col("matched_authorization_number").is_not_null()

EDITS = (
    Edit(
        id="dose-exceeds-body-surface",
        title="The units of the day are those of one dose for the patient's body surface",
        kind="dose",
        reads_clinical_facts=True,
        fails=pl.when(~_MATCHED)
        .then(False)
        .otherwise(pl.col("dose_units") > pl.col("dose_max_units")),
        message=sentence(
            "{} units of {} on {} are more than one dose of {}: {} units per m² for {} m²{} are {}{}",
            units("dose_units"),
            "hcpcs_code",
            "claim_line_start_date",
            units("dose_max_units"),
            units("units_per_m2"),
            pl.col("bsa_m2").cast(pl.String).str.strip_suffix(".0"),
            pl.when(pl.col("bsa_m2") > pl.col("max_bsa_m2").cast(pl.Float64))
            .then(pl.format(" (of which {} count)", units("max_bsa_m2")))
            .otherwise(pl.lit("")),
            units("dose_need"),
            pl.when(pl.col("dose_vial_sizes").is_not_null())
            .then(pl.format(", in whole vials of {}", listed("dose_vial_sizes")))
            .otherwise(pl.lit("")),
        ),
        unknown_message=sentence(
            "cannot tell: the body surface area behind authorization {} is not documented",
            "matched_authorization_number",
        ),
        evidence=(
            "matched_authorization_number",
            "dose_units",
            "bsa_m2",
            "units_per_m2",
            "max_bsa_m2",
            "dose_need",
            "dose_max_units",
            "dose_vial_sizes",
        ),
        group_code="CO",
        carc="153",
    ),
)
