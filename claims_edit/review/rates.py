"""How often analysts overrode each edit, which is how a policy author sees a bad one."""

from __future__ import annotations

import polars as pl

from claims_edit.decision_contracts import DOCUMENTS, OVERRIDE, UPHOLD


def override_rates(decisions: pl.DataFrame) -> pl.DataFrame:
    """One row a primary edit of the decisions that stand: how many lines were decided in which way,
    the `rate` of those overridden among those that were upheld or overridden (null where there is
    none), and the reasons of the overrides, most frequent first; highest rate first."""
    decision = pl.col("decision")
    many = {d: (decision == d).sum() for d in (UPHOLD, OVERRIDE, DOCUMENTS)}
    reasons = (
        pl.col("reason_code")
        .filter(decision == OVERRIDE)
        .value_counts(sort=True)
        .struct.field("reason_code")
    )
    final = pl.col(UPHOLD) + pl.col(OVERRIDE)
    return (
        decisions.group_by(edit_id="primary_edit_id")
        .agg(decided=pl.len(), **many, reasons=reasons)
        .with_columns(rate=pl.when(final > 0).then(pl.col(OVERRIDE) / final))
        .sort("rate", OVERRIDE, "edit_id", descending=[True, True, False], nulls_last=True)
    )
