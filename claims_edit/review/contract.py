"""The table `decisions`, as the next run reads it."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.review.words import DECISIONS as WORDS
from claims_edit.schemas import choice, column, integer, not_negative, positive, schema, text

DECISIONS = schema(
    "decisions",
    {
        "run_id": text("the run that the line is of", nullable=False),
        "claim_id": text("the claim", nullable=False),
        "claim_line_number": integer("the line of the claim", 1, nullable=False),
        "member_id": text("the member", nullable=False),
        "decision": choice("what was decided", *WORDS, nullable=False),
        "reason_code": text("why; of an override always there"),
        "note": text("why, in words"),
        "decided_by": text("who decided", nullable=False),
        "decided_at": column(pl.Datetime("ms", "UTC"), "when", nullable=False),
        "disposition": text("the line's disposition then", nullable=False),
        "billed_units": positive(UNITS, "units as billed", nullable=False),
        "allowed_units": not_negative(UNITS, "units that the run allowed", nullable=False),
        "edit_ids": column(pl.List(pl.String), "edits failed", nullable=False),
        "primary_edit_id": text("the finding that decided"),
    },
)
