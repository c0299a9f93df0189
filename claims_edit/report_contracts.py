"""Tables that are written beside runs: of comparisons and of determinations."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import (
    AUTHORIZATIONS,
    CLAIMS,
    DISPOSITIONS,
    LINES,
    LINES_OF_BUSINESS,
    MONEY,
    REJECTED_AUTHORIZATIONS,
    REJECTED_CLINICAL_FACTS,
    REJECTED_LINES,
    UNITS,
)
from claims_edit.pandera_alone import pa
from claims_edit.schemas import choice, column, date, integer, not_negative, schema, text

SIDES = ("baseline", "candidate")
_TEXTS = pl.List(pl.String)
_SUM_OF_UNITS, _SUM_OF_MONEY = pl.Decimal(38, 6), pl.Decimal(38, 2)


def _side(side: str) -> dict[str, pa.Column]:
    return {
        f"{side}_policy_version": text("the version that governs the line there"),
        f"{side}_disposition": choice(
            f"its outcome under the {side}", *DISPOSITIONS, nullable=False
        ),
        f"{side}_allowed_units": not_negative(UNITS, "units allowed there", nullable=False),
        f"{side}_denied_charge_amount": not_negative(MONEY, "charge denied there", nullable=False),
        f"{side}_edit_ids": column(_TEXTS, "edits failed there", nullable=False),
        f"{side}_unknown_edit_ids": column(_TEXTS, "edits that cannot tell there", nullable=False),
        f"{side}_reasons": text("every finding in words, one a line"),
    }


CHANGES = schema(
    "changes",
    {
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "member_id": CLAIMS.columns["member_id"],
        "claim_line_start_date": CLAIMS.columns["claim_line_start_date"],
        "hcpcs_code": CLAIMS.columns["hcpcs_code"],
        "line_of_business": choice("line of business", *LINES_OF_BUSINESS, nullable=False),
        "billed_units": LINES.columns["billed_units"],
        "charge_amount": CLAIMS.columns["charge_amount"],
        "changed": column(
            _TEXTS, "what differs: disposition, allowed_units, reasons", nullable=False
        ),
        **_side("baseline"),
        **_side("candidate"),
    },
)


def _counted() -> dict[str, pa.Column]:
    return {
        "lines": integer("lines", 0, nullable=False),
        "members": integer("members they are of", 0, nullable=False),
        "billed_units": not_negative(_SUM_OF_UNITS, "units as billed", nullable=False),
        "charge_amount": not_negative(_SUM_OF_MONEY, "charge as billed", nullable=False),
    }


BY_DISPOSITION = schema(
    "by_disposition",
    {
        "baseline_disposition": choice("from", *DISPOSITIONS, nullable=False),
        "candidate_disposition": choice("to", *DISPOSITIONS, nullable=False),
        **_counted(),
        **{
            f"{side}_{name}": not_negative(dtype, f"{words} under the {side}", nullable=False)
            for name, dtype, words in (
                ("allowed_units", _SUM_OF_UNITS, "units allowed"),
                ("denied_charge_amount", _SUM_OF_MONEY, "charge denied"),
            )
            for side in SIDES
        },
    },
)
BY_EDIT = schema(
    "by_edit",
    {
        "edit_id": text("the edit", nullable=False),
        "verdict": choice("what it found", "fail", "unknown", nullable=False),
        "found_under": choice("where it was found", *SIDES, "both", nullable=False),
        **_counted(),
    },
)
_REJECTED = (REJECTED_AUTHORIZATIONS, REJECTED_CLINICAL_FACTS)
COMPARISON_TABLES = {
    str(s.name): s for s in (CHANGES, BY_DISPOSITION, BY_EDIT, REJECTED_LINES, *_REJECTED)
}

DETERMINATIONS_OF = ("met", "not_met", "undocumented", "not_governed")
DETERMINATIONS = schema(
    "determinations",
    {
        **{
            c: AUTHORIZATIONS.columns[c]
            for c in (
                "authorization_number",
                "member_id",
                "hcpcs_code",
                "status",
                "request_type",
                "effective_date",
                "expiration_date",
                "approved_units",
            )
        },
        "policy_id": text("the policy it is judged by", nullable=False),
        "policy_version": text("its version in force on the effective date"),
        "determination": choice("all that was asked together", *DETERMINATIONS_OF, nullable=False),
        "criteria": choice(
            "the clinical criteria alone", *DETERMINATIONS_OF, "not_asked", nullable=False
        ),
        "edit_ids": column(_TEXTS, "edits failed, in order", nullable=False),
        "unknown_edit_ids": column(_TEXTS, "edits that cannot tell, in order", nullable=False),
        "why": text("every finding in words, one a line"),
        "nearest_branch": text("the way through the criteria that came nearest"),
        "missing_facts": column(_TEXTS, "clinical facts that are not documented", nullable=False),
        "ask_for": text("what to ask the provider for"),
        "latest_expiration_date": date("the last day that the policy's months allow"),
    },
)
DETERMINATION_TABLES = {str(s.name): s for s in (DETERMINATIONS, *_REJECTED)}
