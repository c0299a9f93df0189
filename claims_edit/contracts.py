"""Every table that is read or written, as pandera schemas: the only lists of columns.

A column's `metadata` says how its text is read: `case` is `as_is`, `upper`, `lower`, or `icd10`
(upper-cased, and written with the dot). Checks carry the name that a rejected row is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandera.polars as pa
import polars as pl

UNITS = pl.Decimal(18, 6)
MONEY = pl.Decimal(18, 2)
DIAGNOSES = 25
POINTERS = 4
MODIFIERS = 4

DIAGNOSIS_COLUMNS = tuple(f"diagnosis_code_{i}" for i in range(1, DIAGNOSES + 1))
POINTER_COLUMNS = tuple(f"diagnosis_pointer_{i}" for i in range(1, POINTERS + 1))
MODIFIER_COLUMNS = tuple(f"hcpcs_modifier_{i}" for i in range(1, MODIFIERS + 1))

LINE_KEY = ("claim_id", "claim_line_number")


def _check(name: str, rule: Callable[[pl.Expr], pl.Expr]) -> pa.Check:
    """A check of one column; null passes, since whether null is allowed is the column's to say."""
    return pa.Check(lambda data: data.lazyframe.select(rule(pl.col(data.key))), name=name)


def _row_check(name: str, rule: pl.Expr) -> pa.Check:
    """A check of several columns of one row; it passes where one of them is null."""
    return pa.Check(lambda data: data.lazyframe.select(rule), name=name)


def _column(
    dtype: Any,
    description: str,
    *checks: pa.Check,
    nullable: bool = True,
    case: str = "as_is",
) -> pa.Column:
    return pa.Column(
        dtype,
        list(checks),
        nullable=nullable,
        required=True,
        description=description,
        metadata={"case": case},
    )


def _text(description: str, *, nullable: bool = True, case: str = "as_is") -> pa.Column:
    return _column(pl.String, description, nullable=nullable, case=case)


def _code(description: str, *checks: pa.Check, nullable: bool = True) -> pa.Column:
    return _column(pl.String, description, *checks, nullable=nullable, case="upper")


def _choice(description: str, *values: str, nullable: bool = True) -> pa.Column:
    check = _check("known_value", lambda c: c.is_in(values))
    return _column(
        pl.String, f"{description}: {', '.join(values)}", check, nullable=nullable, case="lower"
    )


def _state(description: str) -> pa.Column:
    return _code(description, _check("two_letters", lambda c: c.str.contains(r"^[A-Z]{2}$")))


def _date(description: str, *, nullable: bool = True) -> pa.Column:
    return _column(pl.Date, description, nullable=nullable)


def _integer(
    description: str, low: int, high: int | None = None, *, nullable: bool = True
) -> pa.Column:
    checks = [_check(f"at_least_{low}", lambda c: c >= low)]
    if high is not None:
        checks.append(_check(f"at_most_{high}", lambda c: c <= high))
    return _column(pl.Int64, description, *checks, nullable=nullable)


def _positive(dtype: Any, description: str, *, nullable: bool = True) -> pa.Column:
    return _column(dtype, description, _check("above_0", lambda c: c > 0), nullable=nullable)


def _not_negative(dtype: Any, description: str, *, nullable: bool = True) -> pa.Column:
    return _column(dtype, description, _check("not_below_0", lambda c: c >= 0), nullable=nullable)


def _schema(name: str, columns: dict[str, pa.Column], *checks: pa.Check) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, checks=list(checks), name=name, strict=True, ordered=True)


# ---- tables read ----------------------------------------------------------------------------

LINES_OF_BUSINESS = ("commercial", "marketplace", "medicaid", "medicare")
GENDERS = ("female", "male", "unknown")

CLAIMS = _schema(
    "claims",
    {
        "claim_id": _text("the claim", nullable=False),
        "claim_line_number": _integer("the line of the claim", 1, nullable=False),
        "claim_type": _choice(
            "claim form; null reads as professional", "professional", "institutional"
        ),
        "member_id": _text("the member", nullable=False),
        "birth_date": _date("birth date"),
        "gender": _choice("gender", *GENDERS),
        "line_of_business": _choice("line of business", *LINES_OF_BUSINESS, nullable=False),
        "member_state": _state("state of the member, two letters"),
        "claim_line_start_date": _date("the service date", nullable=False),
        "claim_line_end_date": _date("last date of the line"),
        "received_date": _date("date of receipt"),
        "hcpcs_code": _code("procedure code"),
        **{c: _code("procedure modifier") for c in MODIFIER_COLUMNS},
        "service_unit_quantity": _positive(UNITS, "billed units", nullable=False),
        "charge_amount": _not_negative(MONEY, "billed charge", nullable=False),
        "ndc_code": _code("National Drug Code, any notation"),
        "ndc_quantity": _not_negative(UNITS, "quantity of the NDC, in its unit"),
        "ndc_unit": _code("unit of the NDC quantity (UN, ML, GR, ME, F2)"),
        **{c: _column(pl.String, "ICD-10-CM code", case="icd10") for c in DIAGNOSIS_COLUMNS},
        **{c: _integer("diagnosis pointed to", 1, DIAGNOSES) for c in POINTER_COLUMNS},
        "authorization_number": _code("authorization, as billed"),
        "rendering_npi": _text("NPI of the rendering provider"),
        "billing_npi": _text("NPI of the billing provider"),
        "place_of_service_code": _text("place of service"),
        "bill_type_code": _code("type of bill"),
        "claim_frequency_code": _code("7 replaces, 8 voids, anything else is 1"),
        "original_claim_id": _text("the claim that a 7 or 8 means"),
    },
    _row_check(
        "birth_date:not_after_service",
        pl.col("birth_date") <= pl.col("claim_line_start_date"),
    ),
    _row_check(
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

MEMBERS = _schema(
    "members",
    {
        "member_id": _text("the member", nullable=False),
        "birth_date": _date("birth date"),
        "gender": _choice("gender", *GENDERS),
        "state": _text("state, two letters or its name"),
        "payer_type": _choice("line of business", *LINES_OF_BUSINESS),
        "enrollment_start_date": _date("first day of enrollment"),
        "enrollment_end_date": _date("last day of enrollment"),
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

AUTHORIZATIONS = _schema(
    "authorizations",
    {
        "authorization_number": _code("the authorization", nullable=False),
        "member_id": _text("the member", nullable=False),
        "hcpcs_code": _code("procedure code", nullable=False),
        "status": _choice("status", "approved", "denied", "pending", "cancelled", nullable=False),
        "effective_date": _date("first day", nullable=False),
        "expiration_date": _date("last day; null is open-ended"),
        "approved_units": _not_negative(UNITS, "approved units; null is no unit limit"),
        "request_type": _choice("kind of request", "initial", "renewal"),
        "servicing_npi": _text("the only provider it is meant for"),
    },
    _row_check(
        "expiration_date:not_before_effective",
        pl.col("expiration_date") >= pl.col("effective_date"),
    ),
)

# ---- reference data -------------------------------------------------------------------------


def _dated(columns: dict[str, pa.Column]) -> dict[str, pa.Column]:
    return {
        **columns,
        "start_date": _date("in force from; null is always so far"),
        "end_date": _date("in force to; null is still in force"),
        "source": _text("where the row comes from", nullable=False),
    }


_DATES_IN_ORDER = _row_check(
    "end_date:not_before_start", pl.col("end_date") >= pl.col("start_date")
)


def _dated_schema(name: str, columns: dict[str, pa.Column]) -> pa.DataFrameSchema:
    return _schema(name, _dated(columns), _DATES_IN_ORDER)


def _icd10_code() -> pa.Column:
    dotted = _check("dotted", lambda c: c.str.contains(r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$"))
    return _column(pl.String, "ICD-10-CM code", dotted, nullable=False, case="icd10")


ICD10CM = _dated_schema(
    "icd10cm",
    {
        "code": _icd10_code(),
        "description": _text("what it means", nullable=False),
        "sex": _choice("the sex it names", "female", "male"),
    },
)
HCPCS = _dated_schema(
    "hcpcs",
    {
        "code": _code("HCPCS code", nullable=False),
        "description": _text("what it means", nullable=False),
    },
)
NDC_PRODUCTS = _dated_schema(
    "ndc_products",
    {
        "product": _code(
            "the first nine of the eleven digits",
            _check("labeler-product", lambda c: c.str.contains(r"^[0-9]{5}-[0-9]{4}$")),
            nullable=False,
        ),
        "hcpcs_code": _code("the HCPCS code it is billed under", nullable=False),
        "description": _text("what it is", nullable=False),
        "units_per_package": _positive(UNITS, "billable units of one package", nullable=False),
    },
)
ADJUSTMENT_CODES = _dated_schema(
    "adjustment_codes",
    {
        "type": _choice("list", "group", "carc", "rarc", nullable=False),
        "code": _code("the code", nullable=False),
        "description": _text("its official words", nullable=False),
    },
)
MAC_JURISDICTIONS = _dated_schema(
    "mac_jurisdictions",
    {
        "jurisdiction": _text("jurisdiction of the contractor", nullable=False),
        "state": _state("state or territory"),
        "contractor": _text("Medicare administrative contractor", nullable=False),
        "note": _text("what the table adds"),
    },
)
STATES = _schema(
    "states",
    {
        "code": _state("two letters"),
        "name": _text("a name it goes by", nullable=False),
        "source": _text("where the row comes from", nullable=False),
    },
)
COVERED_DIAGNOSES = _schema(
    "covered_diagnoses",
    {
        "version": _text("the policy version that lists it", nullable=False),
        "code": _icd10_code(),
        "description": _text("what it means", nullable=False),
        "start_date": _date("covered from; null is always so far"),
        "end_date": _date("covered to; null is still covered"),
        "section": _text("where in the document", nullable=False),
        "source": _text("where the row comes from", nullable=False),
    },
    _DATES_IN_ORDER,
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
    "policy_id": _text("the policy of the run", nullable=False),
    "policy_version": _text("its version in force on the service date"),
    "disposition": _choice("the one outcome of the line", *DISPOSITIONS, nullable=False),
    "billed_units": _positive(UNITS, "units as billed", nullable=False),
    "allowed_units": _not_negative(UNITS, "units allowed", nullable=False),
    "denied_units": _not_negative(UNITS, "billed less allowed", nullable=False),
    "charge_amount": CLAIMS.columns["charge_amount"],
    "denied_charge_amount": _not_negative(MONEY, "charge of the denied units", nullable=False),
    "primary_edit_id": _text("the finding that decided"),
    "edit_ids": _column(pl.List(pl.String), "edits failed, in order", nullable=False),
    "unknown_edit_ids": _column(pl.List(pl.String), "edits that cannot tell", nullable=False),
    "matched_authorization_number": _text("the approved authorization it was judged by"),
    "authorization_draws": _column(DRAWS, "units drawn from each authorization", nullable=False),
}
# What later nights and an analyst need of the line beside its outcome.
_LINES_FACTS = {
    "governed": _column(pl.Boolean, "edited under a policy version in force", nullable=False),
    "takes_part_in_limits": _column(
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
    "ndc_11": _text("the NDC in eleven digits, where it is one"),
    "diagnosis_codes": _column(
        pl.List(pl.String), "diagnoses of the row, in order", nullable=False
    ),
    "considered_diagnosis_codes": _column(
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
LINES = _schema("lines", _LINES_COLUMNS | _LINES_FACTS)

FINDINGS = _schema(
    "findings",
    {
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "edit_id": _text("the edit", nullable=False),
        "verdict": _choice("what it found", *VERDICTS, nullable=False),
        "action": _choice("what the policy does", "deny", "cutback", "flag", nullable=False),
        "group_code": _text("adjustment group code"),
        "carc": _text("claim adjustment reason code"),
        "rarc": _text("remittance advice remark code"),
        "message": _text("a sentence with the line's own values", nullable=False),
        "policy_id": _text("the policy of the run", nullable=False),
        "policy_version": _text("its version"),
        "policy_section": _text("where in the document"),
        "evidence": _text("the values judged, as JSON", nullable=False),
    },
)

FLAGGED_LINES = _schema(
    "flagged_lines",
    {
        "claim_id": CLAIMS.columns["claim_id"],
        "claim_line_number": CLAIMS.columns["claim_line_number"],
        "disposition": _LINES_COLUMNS["disposition"],
        "charge_amount": CLAIMS.columns["charge_amount"],
        "charge_at_stake": _not_negative(
            MONEY, "the denied charge of a cut or denied line, the whole charge of a flagged one"
        ),
        "primary_reason": _text("the primary finding in words", nullable=False),
        "primary_edit_id": _text("the primary finding's edit", nullable=False),
        "primary_edit_title": _text("what that edit asks", nullable=False),
        "primary_action": _text("what the policy does with it", nullable=False),
        "adjustment_codes": _text("group, CARC and RARC of the primary finding"),
        "policy_section": _text("where in the document the primary finding stands"),
        "reason_count": _integer("how many findings the line has", 1, nullable=False),
        "all_reasons": _text("every finding in words, one a line", nullable=False),
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
    return _schema(
        name,
        {
            "failed_checks": _column(
                pl.List(pl.String), "every check that the row failed", nullable=False
            ),
            "reasons": _text("the same in words", nullable=False),
            **{c: _text("as it came") for c in columns},
        },
    )


REJECTED_LINES = _rejected("rejected_lines", CLAIM_SOURCE_COLUMNS)
REJECTED_AUTHORIZATIONS = _rejected("rejected_authorizations", tuple(AUTHORIZATIONS.columns))

RUN_TABLES = {
    schema.name: schema
    for schema in (LINES, FINDINGS, FLAGGED_LINES, REJECTED_LINES, REJECTED_AUTHORIZATIONS)
}


# ---- reading the schemas --------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One check of a schema as an expression: true passes, null passes, false fails."""

    name: str
    passes: pl.Expr


class _ExpressionOf:
    """Stands in for the frame of a check, and hands back the expression it would select."""

    def select(self, expression: pl.Expr) -> pl.Expr:
        return expression


@dataclass(frozen=True)
class _CheckInput:
    key: str
    lazyframe: _ExpressionOf


def rules_of(schema: pa.DataFrameSchema) -> list[Rule]:
    """The checks of `schema` as expressions over its typed columns, in the order of its columns."""

    def rule(prefix: str, key: str, check: Any) -> Rule:
        passes = check._check_fn(_CheckInput(key, _ExpressionOf()), **check._check_kwargs)
        return Rule(f"{prefix}{check.name}", passes)

    rules: list[Rule] = []
    for name, column in schema.columns.items():
        if not column.nullable:
            rules.append(Rule(f"{name}:not_null", pl.col(name).is_not_null()))
        rules.extend(rule(f"{name}:", name, check) for check in column.checks)
    rules.extend(rule("", "*", check) for check in schema.checks)
    return rules


def polars_type(column: pa.Column) -> pl.DataType:
    """The polars type that a schema's column declares."""
    dtype: pl.DataType = column.dtype.type
    return dtype


def empty(schema: pa.DataFrameSchema) -> pl.DataFrame:
    """A frame of `schema` without rows."""
    return pl.DataFrame(schema={name: polars_type(c) for name, c in schema.columns.items()})


def validated(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` in the schema's column order; raises pandera's SchemaError where it breaks it."""
    result: pl.DataFrame = schema.validate(frame.select(list(schema.columns)))
    return result
