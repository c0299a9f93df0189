"""The quarantine says of every row what pandera itself says of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import AUTHORIZATIONS, CLAIMS
from claims_edit.pandera_alone import errors, pa
from claims_edit.quarantine import read_typed
from claims_edit.schemas import polars_type, rules_of

Cell = Any
Verdicts = dict[int, set[str]]

# What a sound row holds; the rest of its columns are null.
SOUND: dict[str, dict[str, Cell]] = {
    "claims": {
        "claim_id": "C1",
        "claim_line_number": 1,
        "member_id": "M1",
        "line_of_business": "commercial",
        "claim_line_start_date": date(2026, 1, 10),
        "service_unit_quantity": Decimal(1),
        "charge_amount": Decimal(0),
    },
    "authorizations": {
        "authorization_number": "A1",
        "member_id": "M1",
        "hcpcs_code": "X0001",
        "status": "approved",
        "effective_date": date(2026, 1, 10),
    },
    "clinical": {"authorization_number": "A1"},
}
# Values around which a check turns, by the column's type; those of texts also by what is checked.
VALUES: dict[pl.DataType | type[pl.DataType], list[Cell]] = {
    pl.Date(): [date(2026, 1, 9), date(2026, 1, 10), date(2026, 1, 11)],
    pl.Int64(): [-1, 0, 1, 2, 25, 26, 10**17],
    pl.Decimal(18, 6): [Decimal(-1), Decimal("-0.000001"), Decimal(0), Decimal("0.000001")],
    pl.Decimal(18, 2): [Decimal("-0.01"), Decimal(0), Decimal("0.01")],
    pl.Float64(): [-1.0, -0.0, 0.0, 1e-9, 100.0, 100.00001, float("nan"), float("inf")],
    pl.Boolean(): [True, False],
}
TEXTS = ["commercial", "female", "institutional", "approved", "renewal", "TN", "tn", "T1", "TNN"]
TEXTS += ["x", "", "  ", " Female ", "é", "8"]


def of_schema(schema: pa.DataFrameSchema, rows: list[dict[str, Cell]]) -> pl.DataFrame:
    """Rows in the schema's own types, numbered; a row says where it is not sound."""
    types = {name: polars_type(column) for name, column in schema.columns.items()}
    full = [dict.fromkeys(types) | SOUND[schema.name] | row for row in rows]
    frame = pl.DataFrame(full, schema=types, orient="row")
    return frame.with_row_index("row")


def by_quarantine(chosen: pl.DataFrame, schema: pa.DataFrameSchema) -> Verdicts:
    found: Verdicts = defaultdict(set)
    for row, check in read_typed(chosen, schema).failures.iter_rows():
        found[row].add(check)
    return dict(found)


def by_pandera(chosen: pl.DataFrame, schema: pa.DataFrameSchema) -> Verdicts:
    """The rows as the quarantine types them, in pandera's words put into those of the quarantine."""
    rows = read_typed(chosen, schema).rows.drop("row")
    found: Verdicts = defaultdict(set)
    try:
        schema.validate(rows, lazy=True)
    except errors.SchemaErrors as broken:
        cases = broken.failure_cases.select("index", "schema_context", "column", "check")
        for row, context, column, check in cases.iter_rows():
            name = check if context == "DataFrameSchema" else f"{column}:{check}"
            found[row].add(name.replace(":not_nullable", ":not_null"))
    return dict(found)


@st.composite
def typed_rows(draw: st.DrawFn, schema: pa.DataFrameSchema) -> list[dict[str, Cell]]:
    """Rows in which some columns hold something else than a sound row does."""
    checked = sorted({name for rule in rules_of(schema) for name in rule.passes.meta.root_names()})
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        changed = draw(st.sets(st.sampled_from(checked), max_size=5))
        row = {}
        for name in sorted(changed):
            values = VALUES.get(polars_type(schema.columns[name]), TEXTS)
            row[name] = draw(st.sampled_from([None, *values]))
        rows.append(row)
    return rows


SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(typed_rows(CLAIMS))
def test_generated_claims_fail_what_pandera_says(rows: list[dict[str, Cell]]) -> None:
    chosen = of_schema(CLAIMS, rows)
    assert by_quarantine(chosen, CLAIMS) == by_pandera(chosen, CLAIMS)


@SLOW
@given(typed_rows(AUTHORIZATIONS))
def test_generated_authorizations_fail_what_pandera_says(rows: list[dict[str, Cell]]) -> None:
    chosen = of_schema(AUTHORIZATIONS, rows)
    assert by_quarantine(chosen, AUTHORIZATIONS) == by_pandera(chosen, AUTHORIZATIONS)


@SLOW
@given(typed_rows(CLINICAL_FACTS))
def test_generated_clinical_facts_fail_what_pandera_says(rows: list[dict[str, Cell]]) -> None:
    chosen = of_schema(CLINICAL_FACTS, rows)
    unreadable = {
        row: {check for check in checks if check.endswith(":readable")}
        for row, checks in by_quarantine(chosen, CLINICAL_FACTS).items()
    }
    said = by_pandera(chosen, CLINICAL_FACTS)
    for row, checks in unreadable.items():
        if checks:
            said[row] = said.get(row, set()) | checks
    assert by_quarantine(chosen, CLINICAL_FACTS) == said


BROKEN_CLAIMS: list[tuple[dict[str, Cell], set[str]]] = [
    ({}, set()),
    ({"claim_id": None}, {"claim_id:not_null"}),
    ({"claim_id": " "}, {"claim_id:not_null"}),
    ({"claim_line_number": None}, {"claim_line_number:not_null"}),
    ({"claim_line_number": 0}, {"claim_line_number:at_least_1"}),
    ({"claim_type": "dental"}, {"claim_type:known_value"}),
    ({"claim_type": "Institutional"}, set()),
    ({"member_id": None}, {"member_id:not_null"}),
    ({"birth_date": date(2026, 1, 10)}, set()),
    ({"birth_date": date(2026, 1, 11)}, {"birth_date:not_after_service"}),
    ({"gender": "f"}, {"gender:known_value"}),
    ({"gender": None}, set()),
    ({"line_of_business": None}, {"line_of_business:not_null"}),
    ({"line_of_business": "dual"}, {"line_of_business:known_value"}),
    ({"member_state": "tn"}, set()),
    ({"member_state": "TENN"}, {"member_state:two_letters"}),
    ({"claim_line_start_date": None}, {"claim_line_start_date:not_null"}),
    (
        {"claim_line_start_date": None, "birth_date": date(2026, 1, 11)},
        {"claim_line_start_date:not_null"},
    ),
    ({"claim_line_end_date": date(2026, 1, 10)}, set()),
    ({"claim_line_end_date": date(2026, 1, 9)}, {"claim_line_end_date:not_before_start"}),
    ({"service_unit_quantity": None}, {"service_unit_quantity:not_null"}),
    ({"service_unit_quantity": Decimal(0)}, {"service_unit_quantity:above_0"}),
    ({"service_unit_quantity": Decimal("0.000001")}, set()),
    ({"charge_amount": None}, {"charge_amount:not_null"}),
    ({"charge_amount": Decimal("-0.01")}, {"charge_amount:not_below_0"}),
    ({"ndc_quantity": Decimal(0)}, set()),
    ({"ndc_quantity": Decimal(-1)}, {"ndc_quantity:not_below_0"}),
    ({"ndc_unit": "bottle"}, set()),
    ({"diagnosis_pointer_4": 0}, {"diagnosis_pointer_4:at_least_1"}),
    ({"diagnosis_pointer_1": 25}, set()),
    ({"diagnosis_pointer_1": 26}, {"diagnosis_pointer_1:at_most_25"}),
    (
        {
            "claim_id": None,
            "gender": "f",
            "charge_amount": Decimal(-1),
            "birth_date": date(2027, 1, 1),
            "claim_line_end_date": date(2025, 1, 1),
        },
        {
            "claim_id:not_null",
            "gender:known_value",
            "charge_amount:not_below_0",
            "birth_date:not_after_service",
            "claim_line_end_date:not_before_start",
        },
    ),
]

BROKEN_AUTHORIZATIONS: list[tuple[dict[str, Cell], set[str]]] = [
    ({}, set()),
    ({"authorization_number": None}, {"authorization_number:not_null"}),
    ({"member_id": None}, {"member_id:not_null"}),
    ({"hcpcs_code": " "}, {"hcpcs_code:not_null"}),
    ({"status": None}, {"status:not_null"}),
    ({"status": "APPROVED"}, set()),
    ({"status": "void"}, {"status:known_value"}),
    ({"effective_date": None}, {"effective_date:not_null"}),
    ({"expiration_date": date(2026, 1, 10)}, set()),
    ({"expiration_date": date(2026, 1, 9)}, {"expiration_date:not_before_effective"}),
    ({"approved_units": Decimal(0)}, set()),
    ({"approved_units": Decimal(-1)}, {"approved_units:not_below_0"}),
    ({"request_type": "extension"}, {"request_type:known_value"}),
]


BROKEN_FACTS: list[tuple[dict[str, Cell], set[str]]] = [
    ({}, set()),
    ({"authorization_number": " "}, {"authorization_number:not_null"}),
    ({"authorization_number": "a1"}, set()),
    ({"disease_extent": "Metastatic"}, set()),
    ({"disease_extent": "stage IV"}, {"disease_extent:known_value"}),
    ({"regimen": "alone"}, {"regimen:known_value"}),
    ({"anthracycline_setting": "neoadjuvant"}, {"anthracycline_setting:known_value"}),
    ({"taxane_setting": "neoadjuvant"}, {"taxane_setting:known_value"}),
    ({"disease_response": "mixed"}, {"disease_response:known_value"}),
    ({"her2_ihc": 0}, set()),
    ({"her2_ihc": 3}, set()),
    ({"her2_ihc": 4}, {"her2_ihc:at_most_3"}),
    ({"her2_ihc": -1}, {"her2_ihc:at_least_0"}),
    ({"line_of_therapy": 1}, set()),
    ({"line_of_therapy": 0}, {"line_of_therapy:at_least_1"}),
    ({"er_percent": 0.0, "pr_percent": 100.0}, set()),
    ({"er_percent": 100.01}, {"er_percent:at_most_100"}),
    ({"er_percent": -0.01}, {"er_percent:not_below_0"}),
    ({"pr_percent": 100.01}, {"pr_percent:at_most_100"}),
    ({"pr_percent": -0.01}, {"pr_percent:not_below_0"}),
    ({"her2_ish_ratio": 0.0, "her2_copy_number": 0.0, "pd_l1_cps": 0.0}, set()),
    ({"ast_xuln": 0.0, "alt_xuln": 0.0, "bilirubin_xuln": 0.0}, set()),
    *(
        ({name: -0.01}, {f"{name}:not_below_0"})
        for name in (
            "her2_ish_ratio",
            "her2_copy_number",
            "pd_l1_cps",
            "anthracycline_months_to_progression",
            "taxane_months_to_progression",
            "ast_xuln",
            "alt_xuln",
            "bilirubin_xuln",
        )
    ),
    ({"bsa_m2": 1e-9}, set()),
    ({"bsa_m2": 0.0}, {"bsa_m2:above_0"}),
    (
        {"her2_ihc": 9, "bsa_m2": -1.0, "regimen": "x"},
        {"her2_ihc:at_most_3", "bsa_m2:above_0", "regimen:known_value"},
    ),
]


@pytest.mark.parametrize(
    ("schema", "table"),
    [
        (CLAIMS, BROKEN_CLAIMS),
        (AUTHORIZATIONS, BROKEN_AUTHORIZATIONS),
        (CLINICAL_FACTS, BROKEN_FACTS),
    ],
)
def test_rows_worked_out_by_hand(
    schema: pa.DataFrameSchema, table: list[tuple[dict[str, Cell], set[str]]]
) -> None:
    chosen = of_schema(schema, [row for row, _ in table])
    expected = {row: checks for row, (_, checks) in enumerate(table) if checks}
    assert by_quarantine(chosen, schema) == expected
    assert by_pandera(chosen, schema) == expected


def test_every_check_of_the_schemas_is_broken_by_a_row_of_the_tables() -> None:
    tables = BROKEN_CLAIMS + BROKEN_AUTHORIZATIONS + BROKEN_FACTS
    broken = set().union(*(checks for _, checks in tables))
    pointers = {
        f"diagnosis_pointer_{i}:at_{end}" for i in range(1, 5) for end in ("least_1", "most_25")
    }
    schemas = (CLAIMS, AUTHORIZATIONS, CLINICAL_FACTS)
    names = {rule.name for schema in schemas for rule in rules_of(schema)}
    assert names - broken - pointers == set()


@pytest.mark.parametrize("number", range(len(BROKEN_CLAIMS)))
def test_a_row_by_itself_has_the_verdict_that_it_has_among_others(number: int) -> None:
    row, checks = BROKEN_CLAIMS[number]
    chosen = of_schema(CLAIMS, [row])
    assert by_pandera(chosen, CLAIMS).get(0, set()) == checks
    assert by_quarantine(chosen, CLAIMS).get(0, set()) == checks


def test_an_integer_that_cannot_be_read_is_told() -> None:
    chosen = of_schema(CLAIMS, [{"diagnosis_pointer_1": 2**63 - 1}])
    assert set(by_quarantine(chosen, CLAIMS)) == {0}


def test_an_empty_category_is_null() -> None:
    chosen = of_schema(CLAIMS, [{}]).with_columns(
        birth_date=pl.Series([""], dtype=pl.Categorical),
        diagnosis_pointer_1=pl.Series([" "], dtype=pl.Enum([" "])),
    )
    assert by_quarantine(chosen, CLAIMS) == {}
