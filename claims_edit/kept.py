"""What a run keeps of its inputs, so that any line can be explained from the run's own folder."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import LINE_KEY
from claims_edit.decision_contracts import DECIDED_LINES
from claims_edit.evaluate import Night
from claims_edit.run_contracts import KEPT_AUTHORIZATIONS, KEPT_CLINICAL_FACTS, KEPT_ELSEWHERE
from claims_edit.schemas import empty


def kept(night: Night, hcpcs_code: str) -> dict[str, pl.DataFrame]:
    """The tables of `run_contracts.KEPT`, of the members of whom any line was read, in their order.

    The authorizations are those of the drug; a column that the history file lacks is null.
    """
    members = pl.concat([night.lines["member_id"], night.other_versions["member_id"]]).unique()
    authorizations = night.authorizations.filter(
        pl.col("hcpcs_code") == hcpcs_code, pl.col("member_id").is_in(members.implode())
    ).sort("member_id", "authorization_number")
    facts = empty(KEPT_CLINICAL_FACTS)
    if night.clinical_facts is not None:
        facts = authorizations.select("authorization_number").join(
            night.clinical_facts, on="authorization_number", maintain_order="left"
        )
    elsewhere = pl.concat([empty(KEPT_ELSEWHERE), _known(night.past.elsewhere)], how="diagonal")
    return {
        str(KEPT_AUTHORIZATIONS.name): authorizations,
        str(KEPT_CLINICAL_FACTS.name): facts,
        str(KEPT_ELSEWHERE.name): elsewhere.sort("member_id", *LINE_KEY),
        str(DECIDED_LINES.name): night.past.decided_lines.sort("member_id", *LINE_KEY, "run_id"),
    }


def _known(elsewhere: pl.DataFrame) -> pl.DataFrame:
    """Lines allowed elsewhere without what was made of them."""
    return elsewhere.select(c for c in KEPT_ELSEWHERE.columns if c in elsewhere.columns)
