"""Which product the line bills, and whether its quantity is that of the billed units."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, known, sentence, units
from claims_edit.frames import matched
from claims_edit.normalise import from_millionths, millionths
from claims_edit.reference import in_force

_UNIT = "UN"
_GROUP = "ndc_group"
_PRODUCTS = 10**9  # of nine digits
_DATED = ["hcpcs_code", "claim_line_start_date", "ndc_11"]


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds the product of the HCPCS on the service date, and the sums of its claim, date and product."""
    products = context.ndc_products.with_columns(pl.col("product").str.replace("-", ""))
    dated = (
        lines.select(_DATED)
        .unique()
        .with_columns(product=pl.col("ndc_11").str.slice(0, 9))
        .join(products, on=["hcpcs_code", "product"])
        .filter(in_force(pl.col("claim_line_start_date"), pl.col("start_date"), pl.col("end_date")))
        .group_by(_DATED)
        .agg(pl.col("product", "units_per_package").first())
    )
    lines = matched(lines, dated, _DATED)
    lines = lines.with_columns(_group().alias(_GROUP))
    return matched(lines, _groups(lines), [_GROUP]).drop(_GROUP)


def _group() -> pl.Expr:
    """A number for each claim, date and product; null where there is no product."""
    return pl.col("claim_day").cast(pl.UInt64) * _PRODUCTS + pl.col("product").cast(pl.UInt64)


def _groups(lines: pl.DataFrame) -> pl.DataFrame:
    wasted = pl.any_horizontal(pl.col("^hcpcs_modifier_.*$") == "JW").fill_null(False)
    quantity = millionths(pl.col("ndc_quantity"))
    package = millionths(pl.col("units_per_package"))
    billed = millionths(pl.col("service_unit_quantity"))
    missing = pl.col("ndc_quantity").is_null() | pl.col("ndc_unit").is_null()
    drug = lines.lazy().filter(pl.col("asked_as") == "drug", pl.col(_GROUP).is_not_null())
    groups = drug.group_by(_GROUP).agg(
        ndc_group_lines=pl.len(),
        ndc_other_unit=known(pl.col("ndc_unit") != _UNIT).any(),
        ndc_missing_quantity=(~wasted & missing).any(),
        ndc_trillionths=(quantity * package).sum(),
        ndc_billed_millionths=billed.sum(),
    )
    return groups.collect()


def _in_units(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(
        ndc_units=from_millionths(pl.col("ndc_trillionths") // 10**6),
        ndc_billed_units=from_millionths(pl.col("ndc_billed_millionths")),
    )


_HAS_NDC, _IS_NDC = pl.col("ndc_code").is_not_null(), pl.col("ndc_11").is_not_null()
_OTHER_UNIT, _MISSING = pl.col("ndc_other_unit"), pl.col("ndc_missing_quantity")

_OTHER_CODE = (
    Edit(
        id="ndc-billed-under-other-code",
        title="The drug's NDC is billed under the drug's own HCPCS code",
        asked_of=("other-code",),
        fails=pl.lit(True),
        message=sentence(
            "NDC {} is a product of {}, and the line bills {}",
            "ndc_code",
            "drug_hcpcs_code",
            pl.col("hcpcs_code").fill_null("no HCPCS code"),
        ),
        evidence=("ndc_code", "ndc_11", "hcpcs_code", "drug_hcpcs_code"),
        group_code="CO",
        carc="16",
        rarc="N846",
    ),
)

EDITS = (
    *_OTHER_CODE,
    Edit(
        id="ndc-missing",
        title="The line has an NDC",
        fails=~_HAS_NDC,
        message=sentence("the line of {} has no NDC", "hcpcs_code"),
        evidence=("hcpcs_code", "ndc_code"),
        group_code="CO",
        carc="16",
        rarc="M119",
    ),
    Edit(
        id="ndc-invalid",
        title="The NDC is well formed",
        fails=_HAS_NDC & ~_IS_NDC,
        message=sentence(
            "{} is not an NDC: neither eleven digits, nor 4-4-2, 5-3-2, 5-4-1 or 5-4-2, nor ten "
            "digits that name one known product",
            "ndc_code",
        ),
        evidence=("ndc_code",),
        group_code="CO",
        carc="16",
        rarc="M119",
    ),
    Edit(
        id="ndc-mismatch",
        title="The NDC is a product of the HCPCS code",
        fails=_IS_NDC & pl.col("product").is_null(),
        message=sentence(
            "NDC {} ({}) is not a product of {} on {}",
            "ndc_code",
            "ndc_11",
            "hcpcs_code",
            "claim_line_start_date",
        ),
        evidence=("ndc_code", "ndc_11", "hcpcs_code", "claim_line_start_date"),
        group_code="CO",
        carc="16",
        rarc="N846",
    ),
    Edit(
        id="ndc-units-conflict",
        title="The NDC quantity is that of the billed units",
        fails=pl.when(pl.col("product").is_null())
        .then(False)
        .when(_OTHER_UNIT)
        .then(True)
        .when(~_MISSING)
        .then(pl.col("ndc_trillionths") != pl.col("ndc_billed_millionths") * 10**6),
        details=_in_units,
        message=pl.when(_OTHER_UNIT)
        .then(
            sentence(
                "the NDC quantity of a line of claim {} on {} is not in {}, the unit of packages "
                "(this line's unit is {})",
                "claim_id",
                "claim_line_start_date",
                pl.lit(_UNIT),
                pl.col("ndc_unit").fill_null("not given"),
            )
        )
        .otherwise(
            sentence(
                "the NDC quantities of claim {} on {} make {} units at {} a package, and {} units "
                "are billed",
                "claim_id",
                "claim_line_start_date",
                units("ndc_units"),
                units("units_per_package"),
                units("ndc_billed_units"),
            )
        ),
        unknown_message=sentence(
            "a line of claim {} on {} has no NDC quantity or unit, so that the {} billed units cannot "
            "be compared",
            "claim_id",
            "claim_line_start_date",
            units("ndc_billed_units"),
        ),
        evidence=(
            "product",
            "units_per_package",
            "ndc_quantity",
            "ndc_unit",
            "ndc_group_lines",
            "ndc_units",
            "ndc_billed_units",
        ),
        group_code="CO",
        carc="16",
        rarc="N815",
    ),
)
