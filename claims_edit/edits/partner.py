"""Whether a regimen of several drugs leaves traces of its partner on the member's claims."""

from __future__ import annotations

from typing import Literal

import polars as pl

from claims_edit.edits.edit import Context, Edit, sentence
from claims_edit.frames import beside, matched
from claims_edit.reference import in_force

_BEFORE_AND_AFTER: tuple[Literal["backward", "forward"], ...] = ("backward", "forward")


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds the partner drug of the matched authorization's regimen that should show on medical claims,
    its codes, and the line of it that stands nearest."""
    codes = context.partner_drugs.group_by("drug").agg(
        partner_codes=pl.col("hcpcs_code").unique().sort()
    )
    terms = context.partner_terms.join(codes, on="drug", how="left").rename(
        {"drug": "partner_drug", "window_days": "partner_window_days"}
    )
    lines = matched(lines, terms, ["policy_version", "regimen"])
    return beside(lines, _nearest(lines, context))


def _nearest(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """By line with a partner drug, the partner's line that stands nearest, of a code in force; of two
    as near the earlier, of two of a day the smaller code."""
    day, partner_day = pl.col("claim_line_start_date"), pl.col("partner_date")
    of_drug = ["member_id", "partner_drug"]
    partners = (
        context.partner_lines.select(
            "member_id", partner_date="claim_line_start_date", partner_code="hcpcs_code"
        )
        .join(context.partner_drugs, left_on="partner_code", right_on="hcpcs_code")
        .filter(in_force(partner_day, pl.col("start_date"), pl.col("end_date")))
        .group_by("member_id", "partner_date", partner_drug="drug")
        .agg(pl.col("partner_code").min())
        .sort("partner_date")
    )
    asked = (
        lines.filter(pl.col("partner_drug").is_not_null())
        .select("line", "member_id", day, "partner_drug")
        .sort(day)
    )
    found = [
        asked.join_asof(
            partners,
            left_on=day,
            right_on=partner_day,
            by=of_drug,
            strategy=strategy,
            check_sortedness=False,
        ).drop_nulls("partner_date")
        for strategy in _BEFORE_AND_AFTER
    ]
    return (
        pl.concat(found)
        .with_columns(partner_days_apart=(partner_day - day).dt.total_days().abs())
        .sort("line", "partner_days_apart", "partner_date")
        .unique("line", keep="first", maintain_order=True)
        .select("line", "partner_date", "partner_code", "partner_days_apart")
    )


_MATCHED = pl.col("matched_authorization_number").is_not_null()
_NEAR = pl.col("partner_days_apart") <= pl.col("partner_window_days")

EDITS = (
    Edit(
        id="combination-partner-missing",
        title="The partner drug of the regimen stands on the member's claims",
        reads_clinical_facts=True,
        fails=pl.when(~_MATCHED)
        .then(False)
        .when(pl.col("regimen").is_not_null())
        .then(pl.col("partner_drug").is_not_null() & ~_NEAR.fill_null(False)),
        message=sentence(
            "authorization {} is for a regimen with {}, and no claim line of it ({}) stands within {} "
            "days of {}{}",
            "matched_authorization_number",
            "partner_drug",
            pl.col("partner_codes").list.join(", "),
            "partner_window_days",
            "claim_line_start_date",
            pl.when(pl.col("partner_date").is_not_null())
            .then(
                pl.format(
                    "; the nearest, of {}, is {} days away",
                    pl.col("partner_date"),
                    pl.col("partner_days_apart"),
                )
            )
            .otherwise(pl.lit("")),
        ),
        unknown_message=sentence(
            "cannot tell: the regimen of authorization {} is not documented",
            "matched_authorization_number",
        ),
        evidence=(
            "matched_authorization_number",
            "regimen",
            "partner_drug",
            "partner_codes",
            "partner_window_days",
            "partner_date",
            "partner_code",
            "partner_days_apart",
        ),
        group_code="CO",
        carc="16",
        rarc="N54",
    ),
)
