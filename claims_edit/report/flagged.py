"""The analysts' report: lines that are flag, partial or deny, with their reasons in words."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import FLAGGED_LINES
from claims_edit.edits.catalogue import EDITS
from claims_edit.tables import Order

SHOWN = ("flag", "partial", "deny")
_KEY = ["claim_id", "claim_line_number"]
HIGHEST_CHARGE_FIRST = Order({"charge_amount": True, "claim_id": False, "claim_line_number": False})


def flagged_lines(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The table `flagged_lines` from the tables `lines` and `findings`, highest charge first."""
    shown = lines.filter(pl.col("disposition").is_in(SHOWN))
    titles = {edit.id: edit.title for edit in EDITS.values()}
    flagged = pl.col("disposition") == "flag"
    return (
        shown.join(_primary(shown, findings), on=_KEY)
        .join(_all_reasons(findings), on=_KEY)
        .with_columns(
            charge_at_stake=pl.when(flagged)
            .then("charge_amount")
            .otherwise("denied_charge_amount"),
            primary_edit_title=pl.col("primary_edit_id").replace_strict(
                titles, return_dtype=pl.String
            ),
        )
        .select(list(FLAGGED_LINES.columns))
        .pipe(HIGHEST_CHARGE_FIRST.sort)
    )


def _primary(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    primary = lines.select(*_KEY, edit_id="primary_edit_id")
    return primary.join(findings, on=[*_KEY, "edit_id"]).select(
        *_KEY,
        primary_reason=_sentence(),
        primary_action="action",
        adjustment_codes=_codes(),
        policy_section="policy_section",
    )


def _all_reasons(findings: pl.DataFrame) -> pl.DataFrame:
    codes = pl.when(_codes().is_not_null()).then(pl.format(" [{}]", _codes())).otherwise(pl.lit(""))
    reason = pl.format("{}: {}{}", "action", _sentence(), codes)
    return findings.group_by(_KEY, maintain_order=True).agg(
        reason_count=pl.len().cast(pl.Int64), all_reasons=reason.str.join("\n")
    )


def _sentence() -> pl.Expr:
    """The message as a sentence of its own."""
    message = pl.col("message")
    return message.str.slice(0, 1).str.to_uppercase() + message.str.slice(1) + "."


def _codes() -> pl.Expr:
    """`CO-16, N846`; null where the edit has no adjustment code."""
    carc = pl.format("{}-{}", "group_code", "carc")
    return pl.when(pl.col("carc").is_not_null()).then(
        pl.concat_str([carc, "rarc"], separator=", ", ignore_nulls=True)
    )
