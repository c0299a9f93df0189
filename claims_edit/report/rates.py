"""How often analysts overrode each edit, which is how a policy author sees a bad one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from claims_edit.decision_contracts import DOCUMENTS, OVERRIDE, UPHOLD

_MOST = 3


def override_rates(decisions: pl.DataFrame) -> pl.DataFrame:
    """One row a primary edit of the decisions that stand (`edit_id`, null of lines without one).

    It has how many lines were `decided`, and in which way (`uphold`, `override`, `documents`), the `rate`
    of those overridden among those upheld or overridden (null where there is none), and the `reasons`
    given most often for overrides, as `data-error-payer 3, other 1`. The highest rate is first.
    """
    decision = pl.col("decision")
    overridden = decision == OVERRIDE
    final = pl.col(UPHOLD) + pl.col(OVERRIDE)
    counted = decisions.group_by(edit_id="primary_edit_id").agg(
        *((decision == made).sum().alias(made) for made in (UPHOLD, OVERRIDE, DOCUMENTS)),
        decided=pl.len(),
        codes=pl.col("reason_code").filter(overridden).drop_nulls(),
    )
    reasons = [_most_common(codes) for codes in counted["codes"]]
    by = ["rate", OVERRIDE, "decided", "edit_id"]
    return (
        counted.with_columns(
            rate=pl.when(final > 0).then(pl.col(OVERRIDE) / final),
            reasons=pl.Series(reasons, dtype=pl.String),
        )
        .sort(by, descending=[True, True, True, False], nulls_last=True)
        .select("edit_id", "decided", UPHOLD, OVERRIDE, DOCUMENTS, "rate", "reasons")
    )


def _most_common(codes: Sequence[str]) -> str:
    return ", ".join(f"{code} {many}" for code, many in Counter(sorted(codes)).most_common(_MOST))
