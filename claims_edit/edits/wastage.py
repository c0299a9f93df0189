"""Whether discarded drug is billed as the modifiers JW (some) and JZ (none) say."""

from __future__ import annotations

import math

import polars as pl

from claims_edit.edits.edit import Context, Edit, listed, sentence, units
from claims_edit.normalise import from_millionths, millionths, number
from claims_edit.reference import in_force

_GROUP = ["claim_id", "claim_line_start_date", "hcpcs_code"]
_VIALS_OF = ["hcpcs_code", "claim_line_start_date"]


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds what the modifiers of all lines of a claim, date and HCPCS say together."""
    modifiers = pl.col("^hcpcs_modifier_.*$")
    jw = pl.any_horizontal(modifiers == "JW").fill_null(False)
    jz = pl.any_horizontal(modifiers == "JZ").fill_null(False)
    groups = (
        lines.filter(pl.col("asked_as") == "drug")
        .group_by(_GROUP)
        .agg(
            any_jw=jw.any(),
            every_jw=jw.all(),
            any_jz=jz.any(),
            group_millionths=millionths(pl.col("service_unit_quantity")).sum(),
        )
        .with_columns(group_units=from_millionths(pl.col("group_millionths")))
    )
    whole = _whole_vials(groups.filter("any_jz"), context.ndc_products)
    return lines.join(
        groups.join(whole, on=_GROUP, how="left"), on=_GROUP, how="left", maintain_order="left"
    )


def _whole_vials(groups: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Adds to each group whether its units are a sum of whole vials, and what vials there are."""
    vials = (
        groups.select(_VIALS_OF)
        .unique()
        .join(products, on="hcpcs_code")
        .filter(in_force(pl.col("claim_line_start_date"), pl.col("start_date"), pl.col("end_date")))
        .group_by(_VIALS_OF)
        .agg(
            sizes=millionths(pl.col("units_per_package")).unique().sort(),
            vial_sizes=number(pl.col("units_per_package").unique().sort()),
        )
    )
    sized = groups.join(vials, on=_VIALS_OF, how="left")
    answers = [
        is_sum_of(total, sizes or [])
        for total, sizes in sized.select("group_millionths", "sizes").iter_rows()
    ]
    return sized.select(*_GROUP, "vial_sizes", pl.Series("whole_vials", answers, dtype=pl.Boolean))


def is_sum_of(total: int, sizes: list[int]) -> bool:
    """Whether `total` is a sum of whole multiples of `sizes`; nothing but 0 is a sum of no sizes."""
    if not sizes:
        return total == 0
    unit = math.gcd(*sizes)
    if total % unit:
        return False
    total, sizes = total // unit, [s // unit for s in sizes]
    # Sizes without a common divisor reach every number from the square of the largest on.
    if total >= max(sizes) ** 2:
        return True
    reached = 1
    for size in sizes:
        for _ in range(total // size):
            reached |= reached << size
    return bool(reached >> total & 1)


_CONTRADICTION = (
    (pl.col("any_jw") & pl.col("any_jz"))
    | (pl.col("any_jz") & ~pl.col("whole_vials").fill_null(True))
    | pl.col("every_jw")
)

EDITS = (
    Edit(
        id="wastage-contradiction",
        title="The discarded-drug modifiers do not contradict each other or the units",
        fails=_CONTRADICTION,
        message=pl.when(pl.col("any_jw") & pl.col("any_jz"))
        .then(
            sentence(
                "claim {} on {} has both JW (some was discarded) and JZ (none was)",
                "claim_id",
                "claim_line_start_date",
            )
        )
        .when(pl.col("every_jw"))
        .then(
            sentence(
                "every line of claim {} on {} has JW: all {} units are billed as discarded, none as "
                "given",
                "claim_id",
                "claim_line_start_date",
                units("group_units"),
            )
        )
        .otherwise(
            sentence(
                "claim {} on {} has JZ (none was discarded), and its {} units are no sum of whole "
                "vials of {}",
                "claim_id",
                "claim_line_start_date",
                units("group_units"),
                listed("vial_sizes"),
            )
        ),
        evidence=("any_jw", "any_jz", "every_jw", "group_units", "vial_sizes"),
        group_code="CO",
        carc="4",
    ),
    Edit(
        id="wastage-modifier-missing",
        title="The claim says whether drug was discarded",
        fails=~pl.col("any_jw") & ~pl.col("any_jz"),
        message=sentence(
            "no line of claim {} on {} has JW or JZ", "claim_id", "claim_line_start_date"
        ),
        evidence=("any_jw", "any_jz"),
        group_code="CO",
        carc="16",
        rarc="N822",
    ),
)
