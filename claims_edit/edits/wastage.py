"""Whether discarded drug is billed as the modifiers JW (some) and JZ (none) say."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, listed, sentence, units
from claims_edit.frames import matched
from claims_edit.normalise import from_millionths, millionths
from claims_edit.vials import VIALS_OF, is_sum_of, vials_of

_GROUP = ["claim_day"]
_ASKED = [*VIALS_OF, "group_millionths"]


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds what the modifiers of all lines of a claim, date and HCPCS say together."""
    modifiers = pl.col("^hcpcs_modifier_.*$")
    jw = pl.any_horizontal(modifiers == "JW").fill_null(False)
    jz = pl.any_horizontal(modifiers == "JZ").fill_null(False)
    groups = (
        lines.lazy()
        .filter(pl.col("asked_as") == "drug")
        .group_by(_GROUP)
        .agg(
            pl.col(VIALS_OF).first(),
            any_jw=jw.any(),
            every_jw=jw.all(),
            any_jz=jz.any(),
            group_millionths=millionths(pl.col("service_unit_quantity")).sum(),
        )
        .collect()
    )
    whole = _whole_vials(groups.filter("any_jz"), context.ndc_products)
    groups = groups.join(whole, on=_ASKED, how="left").drop(VIALS_OF)
    return matched(lines, groups, _GROUP)


def _whole_vials(groups: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """By date and units of a group, whether they are a sum of whole vials, and what vials there are."""
    asked = groups.select(_ASKED).unique().join(vials_of(groups, products), on=VIALS_OF, how="left")
    sums = asked.select("group_millionths", "sizes").unique()
    answers = [is_sum_of(total, sizes or []) for total, sizes in sums.iter_rows()]
    return asked.join(
        sums.with_columns(whole_vials=pl.Series(answers, dtype=pl.Boolean)),
        on=["group_millionths", "sizes"],
        how="left",
        nulls_equal=True,
    ).select(*_ASKED, "vial_sizes", "whole_vials")


def _in_units(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(group_units=from_millionths(pl.col("group_millionths")))


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
        details=_in_units,
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
