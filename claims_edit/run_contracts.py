"""The tables of a run folder, beside those of its lines and findings: what may be reconsidered, and what
is kept; and the list of all of them."""

from __future__ import annotations

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import (
    ALLOWED_ELSEWHERE,
    AUTHORIZATIONS,
    CLAIMS,
    FINDINGS,
    FLAGGED_LINES,
    LINES,
    LINES_KEPT,
    OTHER_VERSIONS,
    PARTNER_LINES,
    REJECTED_AUTHORIZATIONS,
    REJECTED_CLINICAL_FACTS,
    REJECTED_LINES,
    UNITS,
)
from claims_edit.decision_contracts import DECIDED_LINES
from claims_edit.schemas import column, not_negative, positive, schema, text

RECONSIDER = schema(
    "reconsider",
    {
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "cut_by_run_id": text("the run that cut it", nullable=False),
        "member_id": CLAIMS.columns["member_id"],
        "claim_line_start_date": CLAIMS.columns["claim_line_start_date"],
        "hcpcs_code": CLAIMS.columns["hcpcs_code"],
        "billed_units": LINES.columns["billed_units"],
        "allowed_units": not_negative(UNITS, "units that run allowed", nullable=False),
        "cut_units": positive(UNITS, "units that run cut", nullable=False),
        "charge_amount": CLAIMS.columns["charge_amount"],
        "denied_charge_amount": LINES.columns["denied_charge_amount"],
        "would_be_allowed_units": positive(
            UNITS, "units the limits would allow today, all else as it stands", nullable=False
        ),
        "would_be_allowed_in_turn_units": not_negative(
            UNITS, "the same, once the lines of the member before it are reopened", nullable=False
        ),
        "released_claim_ids": column(
            pl.List(pl.String), "claims of the member whose units were released", nullable=False
        ),
        "policy_version": text("the version whose limits it is judged by", nullable=False),
        "reason": text("the same in words", nullable=False),
    },
)

# What a run keeps of its inputs, so that it can be explained without them: of the members of whom it
# read any line, their authorizations of the drug, the facts behind these, what was allowed elsewhere,
# and the decisions on their lines of earlier runs.
KEPT_AUTHORIZATIONS = schema("authorizations", dict(AUTHORIZATIONS.columns))
KEPT_CLINICAL_FACTS = schema("clinical_facts", dict(CLINICAL_FACTS.columns))
KEPT_ELSEWHERE = schema("allowed_elsewhere", dict(ALLOWED_ELSEWHERE.columns))
KEPT = (KEPT_AUTHORIZATIONS, KEPT_CLINICAL_FACTS, KEPT_ELSEWHERE, DECIDED_LINES)

# Tables and columns that the first runs did not write; of these there is nothing to read or to check.
KEPT_TABLES = tuple(str(schema.name) for schema in KEPT)
YOUNGER_TABLES = ("partner_lines", "rejected_clinical_facts", *KEPT_TABLES)
YOUNGER_COLUMNS = {"lines": tuple(LINES_KEPT)}
RUN_TABLES = {
    schema.name: schema
    for schema in (
        LINES,
        FINDINGS,
        FLAGGED_LINES,
        RECONSIDER,
        OTHER_VERSIONS,
        PARTNER_LINES,
        REJECTED_LINES,
        REJECTED_AUTHORIZATIONS,
        REJECTED_CLINICAL_FACTS,
        *KEPT,
    )
}
