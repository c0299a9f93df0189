"""Every table of a run, read or written: the only lists of columns."""

from __future__ import annotations

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.pandera_alone import pa
from claims_edit.schemas import (
    check,
    choice,
    code,
    column,
    date,
    integer,
    not_negative,
    positive,
    row_check,
    schema,
    state,
    text,
)

UNITS = pl.Decimal(18, 6)
MONEY = pl.Decimal(18, 2)
DIAGNOSES = 25
POINTERS = 4
MODIFIERS = 4

DIAGNOSIS_COLUMNS = tuple(f"diagnosis_code_{i}" for i in range(1, DIAGNOSES + 1))
POINTER_COLUMNS = tuple(f"diagnosis_pointer_{i}" for i in range(1, POINTERS + 1))
MODIFIER_COLUMNS = tuple(f"hcpcs_modifier_{i}" for i in range(1, MODIFIERS + 1))

LINE_KEY = ("claim_id", "claim_line_number")


# ---- tables read ----------------------------------------------------------------------------

LINES_OF_BUSINESS = ("commercial", "marketplace", "medicaid", "medicare")
GENDERS = ("female", "male", "unknown")

CLAIMS = schema(
    "claims",
    {
        "claim_id": text("the claim", nullable=False),
        "claim_line_number": integer("the line of the claim", 1, nullable=False),
        "claim_type": choice(
            "claim form; null reads as professional", "professional", "institutional"
        ),
        "member_id": text("the member", nullable=False),
        "birth_date": date("birth date"),
        "gender": choice("gender", *GENDERS),
        "line_of_business": choice("line of business", *LINES_OF_BUSINESS, nullable=False),
        "member_state": state("state of the member, two letters"),
        "claim_line_start_date": date("the service date", nullable=False),
        "claim_line_end_date": date("last date of the line"),
        "received_date": date("date of receipt"),
        "hcpcs_code": code("procedure code"),
        **{c: code("procedure modifier") for c in MODIFIER_COLUMNS},
        "service_unit_quantity": positive(UNITS, "billed units", nullable=False),
        "charge_amount": not_negative(MONEY, "billed charge", nullable=False),
        "ndc_code": code("National Drug Code, any notation"),
        "ndc_quantity": not_negative(UNITS, "quantity of the NDC, in its unit"),
        "ndc_unit": code("unit of the NDC quantity (UN, ML, GR, ME, F2)"),
        **{c: column(pl.String, "ICD-10-CM code", case="icd10") for c in DIAGNOSIS_COLUMNS},
        **{c: integer("diagnosis pointed to", 1, DIAGNOSES) for c in POINTER_COLUMNS},
        "authorization_number": code("authorization, as billed"),
        "rendering_npi": text("NPI of the rendering provider"),
        "billing_npi": text("NPI of the billing provider"),
        "place_of_service_code": text("place of service"),
        "bill_type_code": code("type of bill"),
        "claim_frequency_code": code("7 replaces, 8 voids, anything else is 1"),
        "original_claim_id": text("the claim that a 7 or 8 means"),
    },
    row_check(
        "birth_date:not_after_service",
        pl.col("birth_date") <= pl.col("claim_line_start_date"),
    ),
    row_check(
        "claim_line_end_date:not_before_start",
        pl.col("claim_line_end_date") >= pl.col("claim_line_start_date"),
    ),
)

# Columns of the Tuva layout that stand in for a contract column that is null or absent, in order.
MEMBER_ID_FALLBACKS = ("person_id", "patient_id")
HEADER_DATES = ("claim_start_date", "claim_end_date")
CLAIM_FALLBACKS: dict[str, tuple[str, ...]] = {
    "member_id": MEMBER_ID_FALLBACKS,
    "claim_line_start_date": ("claim_start_date",),
}
CLAIM_SOURCE_COLUMNS = (*CLAIMS.columns, *MEMBER_ID_FALLBACKS, *HEADER_DATES)

MEMBERS = schema(
    "members",
    {
        "member_id": text("the member", nullable=False),
        "birth_date": date("birth date"),
        "gender": choice("gender", *GENDERS),
        "state": text("state, two letters or its name"),
        "payer_type": choice("line of business", *LINES_OF_BUSINESS),
        "enrollment_start_date": date("first day of enrollment"),
        "enrollment_end_date": date("last day of enrollment"),
    },
)
MEMBER_FALLBACKS: dict[str, tuple[str, ...]] = {"member_id": MEMBER_ID_FALLBACKS}
MEMBER_SOURCE_COLUMNS = (*MEMBERS.columns, *MEMBER_ID_FALLBACKS)

# A claim's column that is null, and the members' column that fills it.
FILLED_FROM_MEMBERS = {
    "birth_date": "birth_date",
    "gender": "gender",
    "member_state": "state",
    "line_of_business": "payer_type",
}

AUTHORIZATIONS = schema(
    "authorizations",
    {
        "authorization_number": code("the authorization", nullable=False),
        "member_id": text("the member", nullable=False),
        "hcpcs_code": code("procedure code", nullable=False),
        "status": choice("status", "approved", "denied", "pending", "cancelled", nullable=False),
        "effective_date": date("first day", nullable=False),
        "expiration_date": date("last day; null is open-ended"),
        "approved_units": not_negative(UNITS, "approved units; null is no unit limit"),
        "request_type": choice("kind of request", "initial", "renewal"),
        "servicing_npi": text("the only provider it is meant for"),
    },
    row_check(
        "expiration_date:not_before_effective",
        pl.col("expiration_date") >= pl.col("effective_date"),
    ),
)

# ---- tables written -------------------------------------------------------------------------

DISPOSITIONS = ("pay", "flag", "partial", "deny", "void", "superseded")
ACTIONS = ("deny", "cutback", "flag", "off")
VERDICTS = ("fail", "unknown")
DRAWS = pl.List(pl.Struct({"authorization_number": pl.String, "units": UNITS}))

_LINES_COLUMNS = {
    "claim_id": CLAIMS.columns["claim_id"],
    "claim_line_number": CLAIMS.columns["claim_line_number"],
    "member_id": CLAIMS.columns["member_id"],
    "claim_line_start_date": CLAIMS.columns["claim_line_start_date"],
    "hcpcs_code": CLAIMS.columns["hcpcs_code"],
    "line_of_business": CLAIMS.columns["line_of_business"],
    "policy_id": text("the policy of the run", nullable=False),
    "policy_version": text("its version in force on the service date"),
    "disposition": choice("the one outcome of the line", *DISPOSITIONS, nullable=False),
    "billed_units": positive(UNITS, "units as billed", nullable=False),
    "allowed_units": not_negative(UNITS, "units allowed", nullable=False),
    "denied_units": not_negative(UNITS, "billed less allowed", nullable=False),
    "charge_amount": CLAIMS.columns["charge_amount"],
    "denied_charge_amount": not_negative(MONEY, "charge of the denied units", nullable=False),
    "primary_edit_id": text("the finding that decided"),
    "edit_ids": column(pl.List(pl.String), "edits failed, in order", nullable=False),
    "unknown_edit_ids": column(pl.List(pl.String), "edits that cannot tell", nullable=False),
    "matched_authorization_number": text("the approved authorization it was judged by"),
    "authorization_draws": column(DRAWS, "units drawn from each authorization", nullable=False),
}
# What later nights and an analyst need of the line beside its outcome.
_LINES_FACTS = {
    "governed": column(pl.Boolean, "edited under a policy version in force", nullable=False),
    "takes_part_in_limits": column(
        pl.Boolean, "its allowed units count in windows and duplicates", nullable=False
    ),
    **{
        c: CLAIMS.columns[c]
        for c in (
            "claim_type",
            "birth_date",
            "gender",
            "member_state",
            "claim_line_end_date",
            "received_date",
            *MODIFIER_COLUMNS,
            "ndc_code",
            "ndc_quantity",
            "ndc_unit",
        )
    },
    "ndc_11": text("the NDC in eleven digits, where it is one"),
    "diagnosis_codes": column(pl.List(pl.String), "diagnoses of the row, in order", nullable=False),
    "considered_diagnosis_codes": column(
        pl.List(pl.String), "diagnoses that the line points to", nullable=False
    ),
    **{
        c: CLAIMS.columns[c]
        for c in (
            "authorization_number",
            "rendering_npi",
            "billing_npi",
            "place_of_service_code",
            "bill_type_code",
            "claim_frequency_code",
            "original_claim_id",
        )
    },
}
# What it takes, beside these, to edit the line again.
LINES_KEPT = {
    "service_date_unclear": column(
        pl.Boolean, "the line has no date of its own, and its claim's header spans several days"
    ),
    "diagnosis_positions": integer(
        "the positions of the row that hold its diagnoses, a bit each, the first the lowest", 0
    ),
    **{c: CLAIMS.columns[c] for c in POINTER_COLUMNS},
}
LINES = schema("lines", _LINES_COLUMNS | _LINES_FACTS | LINES_KEPT)

FINDINGS = schema(
    "findings",
    {
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "edit_id": text("the edit", nullable=False),
        "verdict": choice("what it found", *VERDICTS, nullable=False),
        "action": choice("what the policy does", "deny", "cutback", "flag", nullable=False),
        "group_code": text("adjustment group code"),
        "carc": text("claim adjustment reason code"),
        "rarc": text("remittance advice remark code"),
        "message": text("a sentence with the line's own values", nullable=False),
        "policy_id": text("the policy of the run", nullable=False),
        "policy_version": text("its version"),
        "policy_section": text("where in the document"),
        "evidence": text("the values judged, as JSON", nullable=False),
    },
)

FLAGGED_LINES = schema(
    "flagged_lines",
    {
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "disposition": _LINES_COLUMNS["disposition"],
        "charge_amount": CLAIMS.columns["charge_amount"],
        "charge_at_stake": not_negative(
            MONEY, "the denied charge of a cut or denied line, the whole charge of a flagged one"
        ),
        "primary_reason": text("the primary finding in words", nullable=False),
        "primary_edit_id": text("the primary finding's edit", nullable=False),
        "primary_edit_title": text("what that edit asks", nullable=False),
        "primary_action": text("what the policy does with it", nullable=False),
        "adjustment_codes": text("group, CARC and RARC of the primary finding"),
        "policy_section": text("where in the document the primary finding stands"),
        "reason_count": integer("how many findings the line has", 1, nullable=False),
        "all_reasons": text("every finding in words, one a line", nullable=False),
        **{
            name: column
            for name, column in (_LINES_COLUMNS | _LINES_FACTS).items()
            if name
            not in (
                "claim_id",
                "claim_line_number",
                "disposition",
                "charge_amount",
                "primary_edit_id",
            )
        },
    },
)


def _rejected(name: str, columns: tuple[str, ...]) -> pa.DataFrameSchema:
    return schema(
        name,
        {
            "failed_checks": column(
                pl.List(pl.String), "every check that the row failed", nullable=False
            ),
            "reasons": text("the same in words", nullable=False),
            **{c: text("as it came") for c in columns},
        },
    )


REJECTED_LINES = _rejected("rejected_lines", CLAIM_SOURCE_COLUMNS)
REJECTED_AUTHORIZATIONS = _rejected("rejected_authorizations", tuple(AUTHORIZATIONS.columns))
REJECTED_CLINICAL_FACTS = _rejected("rejected_clinical_facts", tuple(CLINICAL_FACTS.columns))

# What later runs read of a line.
PAST_COLUMNS = (
    *LINE_KEY,
    "member_id",
    "claim_line_start_date",
    "received_date",
    "hcpcs_code",
    "claim_frequency_code",
    "original_claim_id",
    "takes_part_in_limits",
    "billed_units",
    "allowed_units",
    "denied_units",
    "charge_amount",
    "denied_charge_amount",
    "authorization_number",
    "authorization_draws",
    *MODIFIER_COLUMNS,
    "ndc_code",
    "ndc_11",
    "rendering_npi",
)

# Rows out of scope that replace or void a claim: of the drug or not, this night's or another's.
OTHER_VERSIONS = schema(
    "other_versions",
    {
        "member_id": CLAIMS.columns["member_id"],
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_frequency_code": choice("what it does", "7", "8", nullable=False),
        "original_claim_id": text("the claim that it replaces or voids", nullable=False),
        "received_date": CLAIMS.columns["received_date"],
    },
)

# Lines under the code of a partner drug that shows on medical claims, in scope or not.
PARTNER_LINES = schema(
    "partner_lines",
    {
        "member_id": CLAIMS.columns["member_id"],
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_start_date": CLAIMS.columns["claim_line_start_date"],
        "hcpcs_code": code("the partner's procedure code", nullable=False),
        "claim_frequency_code": choice("what it does", "1", "7", "8", nullable=False),
        "original_claim_id": CLAIMS.columns["original_claim_id"],
        "received_date": CLAIMS.columns["received_date"],
    },
)


def _complete_draws(draws: pl.Expr) -> pl.Expr:
    number, units = (pl.element().struct.field(f) for f in ("authorization_number", "units"))
    return draws.list.eval(number.is_not_null() & (units >= 0).fill_null(False)).list.all()


# Lines that another system allowed, given as history.
ALLOWED_ELSEWHERE = schema(
    "history",
    {
        "claim_id": text("the claim", nullable=False),
        "claim_line_number": integer("the line of the claim", 1, nullable=False),
        "member_id": text("the member", nullable=False),
        "claim_line_start_date": date("the service date", nullable=False),
        "hcpcs_code": code("procedure code", nullable=False),
        "allowed_units": not_negative(UNITS, "units allowed", nullable=False),
        "billed_units": positive(UNITS, "units as billed"),
        **{c: code("procedure modifier") for c in MODIFIER_COLUMNS},
        "ndc_code": code("National Drug Code, any notation"),
        "rendering_npi": text("NPI of the rendering provider"),
        "authorization_draws": column(
            DRAWS, "units drawn from each authorization", check("complete", _complete_draws)
        ),
    },
)
