"""What people decided of lines of published runs: the file of decisions, and what of it a run applied."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import CLAIMS, LINES, UNITS
from claims_edit.schemas import choice, column, moment, not_negative, row_check, schema, text

# The file beside the runs that it is about.
DECISIONS_FILE = "decisions.parquet"
UPHOLD, OVERRIDE, DOCUMENTS = DECISIONS_OF = ("uphold", "override", "documents")
# The dispositions of a line that is decided on.
FLAG = "flag"
DECIDED_ON = (FLAG, "partial", "deny")

# One row a line of a run: the decision that stands. One that was undone has none.
DECISIONS = schema(
    "decisions",
    {
        "run_id": text("the run that the line is of", nullable=False),
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "member_id": CLAIMS.columns["member_id"],
        "decision": choice("what was decided", *DECISIONS_OF, nullable=False),
        "reason_code": text("why, as a code; an override has one"),
        "note": text("why, in words"),
        "decided_by": text("who decided", nullable=False),
        "decided_at": moment("when", nullable=False),
        "disposition": choice("its outcome, as it was seen", *DECIDED_ON, nullable=False),
        "billed_units": LINES.columns["billed_units"],
        "allowed_units": not_negative(UNITS, "units allowed, as it was seen", nullable=False),
        "edit_ids": column(pl.List(pl.String), "edits failed, as it was seen", nullable=False),
        "primary_edit_id": text("the finding that decided, as it was seen"),
    },
    row_check(
        "decision:override_has_reason_code",
        (pl.col("decision") != OVERRIDE) | pl.col("reason_code").is_not_null(),
    ),
    row_check("allowed_units:not_above_billed", pl.col("allowed_units") <= pl.col("billed_units")),
)

# The decisions that a run applied, of the members of its night: what the line counts for in it.
DECIDED_LINES = schema(
    "decided_lines",
    {
        **DECISIONS.columns,
        "counted_units": not_negative(
            UNITS, "units it is allowed from then on, as history", nullable=False
        ),
        "takes_part_in_limits": LINES.columns["takes_part_in_limits"],
        "authorization_draws": LINES.columns["authorization_draws"],
    },
)
