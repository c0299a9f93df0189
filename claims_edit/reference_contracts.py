"""Every table of the reference data: the only lists of its columns."""

from __future__ import annotations

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.pandera_alone import pa
from claims_edit.schemas import (
    check,
    choice,
    code,
    column,
    date,
    positive,
    row_check,
    schema,
    state,
    text,
)


def _dated(columns: dict[str, pa.Column]) -> dict[str, pa.Column]:
    return {
        **columns,
        "start_date": date("in force from; null is always so far"),
        "end_date": date("in force to; null is still in force"),
        "source": text("where the row comes from", nullable=False),
    }


_DATES_IN_ORDER = row_check("end_date:not_before_start", pl.col("end_date") >= pl.col("start_date"))


def _dated_schema(name: str, columns: dict[str, pa.Column]) -> pa.DataFrameSchema:
    return schema(name, _dated(columns), _DATES_IN_ORDER)


def _icd10_code() -> pa.Column:
    dotted = check("dotted", lambda c: c.str.contains(r"^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$"))
    return column(pl.String, "ICD-10-CM code", dotted, nullable=False, case="icd10")


ICD10CM = _dated_schema(
    "icd10cm",
    {
        "code": _icd10_code(),
        "description": text("what it means", nullable=False),
        "sex": choice("the sex it names", "female", "male"),
    },
)
HCPCS = _dated_schema(
    "hcpcs",
    {
        "code": code("HCPCS code", nullable=False),
        "description": text("what it means", nullable=False),
    },
)
NDC_PRODUCTS = _dated_schema(
    "ndc_products",
    {
        "product": code(
            "the first nine of the eleven digits",
            check("labeler-product", lambda c: c.str.contains(r"^[0-9]{5}-[0-9]{4}$")),
            nullable=False,
        ),
        "hcpcs_code": code("the HCPCS code it is billed under", nullable=False),
        "description": text("what it is", nullable=False),
        "units_per_package": positive(UNITS, "billable units of one package", nullable=False),
    },
)
ADJUSTMENT_CODES = _dated_schema(
    "adjustment_codes",
    {
        "type": choice("list", "group", "carc", "rarc", nullable=False),
        "code": code("the code", nullable=False),
        "description": text("its official words", nullable=False),
    },
)
MAC_JURISDICTIONS = _dated_schema(
    "mac_jurisdictions",
    {
        "jurisdiction": text("jurisdiction of the contractor", nullable=False),
        "state": state("state or territory"),
        "contractor": text("Medicare administrative contractor", nullable=False),
        "note": text("what the table adds"),
    },
)
STATES = schema(
    "states",
    {
        "code": state("two letters"),
        "name": text("a name it goes by", nullable=False),
        "source": text("where the row comes from", nullable=False),
    },
)
PARTNER_DRUGS = _dated_schema(
    "partner_drugs",
    {
        "drug": text("the drug that a regimen adds", nullable=False),
        "hcpcs_code": code("a code it is billed under", nullable=False),
    },
)
_OUTLINE = {
    "place": text("the outline number of the row: 3, 3.A, 3.A.1", nullable=False),
    "rule": choice("what it is", "all", "any", "fact", "term", nullable=False),
    "reads": text("the clinical fact or the term that is read"),
    "comparator": choice(
        "how the fact is compared", "is", "is not", "at least", "at most", "below", "above"
    ),
    "value": text("what the fact is compared with"),
    "title": text("what is required, in words", nullable=False),
    "if_not_met": text("what is said where it is not so"),
}
TERMS = schema(
    "terms",
    {
        "term": text("the term that the rows define", nullable=False),
        **_OUTLINE,
        "section": text("where in the document", nullable=False),
        "source": text("where the row comes from", nullable=False),
    },
)
CRITERIA = schema(
    "criteria",
    {
        "version": text("the policy version that asks it", nullable=False),
        "request_type": choice("kind of request", "initial", "renewal", nullable=False),
        **_OUTLINE,
        "sentence": text("the sentence of the document it stands for", nullable=False),
    },
)
SENTENCES = schema(
    "sentences",
    {
        "version": text("the policy version whose text it is", nullable=False),
        "sentence": text("its name", nullable=False),
        "section": text("the heading it stands under", nullable=False),
        "text": text("its words", nullable=False),
        "decided_by": text("the edits and criteria that decide it"),
        "undecided_because": text("why no data decides it"),
    },
    row_check(
        "decided_by:either_it_or_a_reason",
        pl.col("decided_by").is_null() != pl.col("undecided_because").is_null(),
    ),
)
COVERED_DIAGNOSES = schema(
    "covered_diagnoses",
    {
        "version": text("the policy version that lists it", nullable=False),
        "code": _icd10_code(),
        "description": text("what it means", nullable=False),
        "start_date": date("covered from; null is always so far"),
        "end_date": date("covered to; null is still covered"),
        "section": text("where in the document", nullable=False),
        "source": text("where the row comes from", nullable=False),
    },
    _DATES_IN_ORDER,
)
