"""Lines under the codes of partner drugs: which rows are kept, and what of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit import intake
from claims_edit.contracts import PARTNER_LINES
from claims_edit.intake import Claims
from claims_edit.schemas import polars_type
from claims_edit.scope import scope_of
from tests.reading.rows import DRUG, claim
from tests.support import Row, policy, reference_data, write_csv

WITH_PARTNERS = replace(DRUG, partner_codes=("J0001", "Q0002"))


def partner(**cells: str | None) -> Row:
    """A sound line of a partner drug."""
    return claim(hcpcs_code="J0001", ndc_code=None) | cells


def read(folder: Path, *rows: Row) -> Claims:
    path = write_csv(folder / "claims.csv", rows)
    return intake.read_claims(intake.open_claims([path], with_members=False), None, WITH_PARTNERS)


def kept(folder: Path, *rows: Row) -> list[dict[str, Any]]:
    lines = read(folder, *rows).partner_lines
    assert lines.columns == list(PARTNER_LINES.columns)
    types = {name: polars_type(column) for name, column in PARTNER_LINES.columns.items()}
    assert dict(lines.schema) == types
    return lines.to_dicts()


def test_what_is_kept_of_a_line(tmp_path: Path) -> None:
    row = partner(
        claim_frequency_code="7", original_claim_id="C0", received_date="20260115", claim_id=" C1 "
    )
    assert kept(tmp_path, row) == [
        {
            "member_id": "M1",
            "claim_id": "C1",
            "claim_line_start_date": date(2026, 1, 10),
            "hcpcs_code": "J0001",
            "claim_frequency_code": "7",
            "original_claim_id": "C0",
            "received_date": date(2026, 1, 15),
        }
    ]


CODES = [
    ("J0001", True),
    ("j0001", True),
    (" J0001\t", True),
    ("q0002", True),
    ("J0002", False),
    ("J00011", False),
    ("J 0001", False),
    ("X0001", False),
    ("", False),
]


def test_which_codes(tmp_path: Path) -> None:
    rows = [partner(claim_id=f"C{i}", hcpcs_code=code) for i, (code, _) in enumerate(CODES)]
    expected = [f"C{i}" for i, (_, is_partner) in enumerate(CODES) if is_partner]
    assert [row["claim_id"] for row in kept(tmp_path, *rows)] == expected


def test_they_are_out_of_scope(tmp_path: Path) -> None:
    found = read(tmp_path, claim(claim_id="C0"), partner(claim_id="C1"))
    assert found.lines["claim_id"].to_list() == ["C0"]
    assert found.in_scope_rows == 1
    assert found.rejected.is_empty()


def test_one_with_the_ndc_of_the_drug_is_in_scope_and_kept(tmp_path: Path) -> None:
    found = read(tmp_path, partner(ndc_code="01234-0056-01"))
    assert found.lines["claim_id"].to_list() == found.partner_lines["claim_id"].to_list() == ["C1"]


def test_one_in_scope_that_is_rejected_is_kept_all_the_same(tmp_path: Path) -> None:
    found = read(tmp_path, partner(ndc_code="01234-0056-01", charge_amount="-1"))
    assert (found.lines.height, found.rejected.height, found.partner_lines.height) == (0, 1, 1)


def test_without_partner_codes_none_is_kept(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "claims.csv", [claim(), partner()])
    found = intake.read_claims(intake.open_claims([path], with_members=False), None, DRUG)
    assert found.partner_lines.is_empty()


def test_nothing_else_of_the_row_is_checked(tmp_path: Path) -> None:
    row = partner(
        claim_line_number="many",
        birth_date="soon",
        gender="f",
        line_of_business="lottery",
        service_unit_quantity="-1",
        charge_amount="a lot",
        received_date="yesterday",
        claim_line_end_date="2020-01-01",
    )
    (line,) = kept(tmp_path, row)
    assert line["received_date"] is None


@pytest.mark.parametrize(
    "cells",
    [
        {"member_id": None},
        {"member_id": "  "},
        {"claim_id": None},
        {"claim_line_start_date": None},
        {"claim_line_start_date": "2026-02-30"},
    ],
)
def test_a_line_of_no_readable_member_claim_or_date_is_none(
    tmp_path: Path, cells: dict[str, str | None]
) -> None:
    assert kept(tmp_path, partner(), partner(claim_id="C2") | cells) == kept(tmp_path, partner())


def test_lines_of_one_claim_and_day_are_kept_once_and_in_order(tmp_path: Path) -> None:
    rows = [
        partner(claim_id="C2"),
        partner(claim_id="C1", claim_line_number="2"),
        partner(claim_id="C1", claim_line_number="1"),
        partner(claim_id="C1", claim_line_number="3", claim_line_start_date="2026-01-09"),
        partner(claim_id="C1", member_id="M0"),
    ]
    columns = ("member_id", "claim_id", "claim_line_start_date")
    found = [tuple(str(row[c]) for c in columns) for row in kept(tmp_path, *rows)]
    assert found == [
        ("M0", "C1", "2026-01-10"),
        ("M1", "C1", "2026-01-09"),
        ("M1", "C1", "2026-01-10"),
        ("M1", "C2", "2026-01-10"),
    ]
    assert kept(tmp_path, *reversed(rows)) == kept(tmp_path, *rows)


FALLBACKS: list[tuple[Row, dict[str, Any]]] = [
    ({"member_id": None, "person_id": "P1"}, {"member_id": "P1"}),
    ({"member_id": None, "patient_id": "P2"}, {"member_id": "P2"}),
    ({"person_id": "P1"}, {"member_id": "M1"}),
    (
        {"claim_line_start_date": None, "claim_start_date": "2026-01-05"},
        {"claim_line_start_date": date(2026, 1, 5)},
    ),
    (
        {
            "claim_line_start_date": None,
            "claim_start_date": "2026-01-05",
            "claim_end_date": "2026-01-09",
        },
        {"claim_line_start_date": date(2026, 1, 5)},
    ),
    ({"claim_start_date": "2026-01-05"}, {"claim_line_start_date": date(2026, 1, 10)}),
    ({"claim_frequency_code": "8"}, {"claim_frequency_code": "8"}),
    ({"claim_frequency_code": "2"}, {"claim_frequency_code": "1"}),
    ({"claim_type": "institutional", "bill_type_code": "138"}, {"claim_frequency_code": "8"}),
    ({"claim_type": "Institutional", "bill_type_code": "0137"}, {"claim_frequency_code": "7"}),
    ({"claim_type": "professional", "bill_type_code": "138"}, {"claim_frequency_code": "1"}),
    (
        {"claim_type": "institutional", "bill_type_code": "138", "claim_frequency_code": "1"},
        {"claim_frequency_code": "1"},
    ),
]


@pytest.mark.parametrize(("cells", "read_as"), FALLBACKS)
def test_the_fallbacks_are_those_of_claims(
    tmp_path: Path, cells: Row, read_as: dict[str, Any]
) -> None:
    (line,) = kept(tmp_path, partner() | cells)
    assert {column: line[column] for column in read_as} == read_as


def test_columns_that_a_file_lacks_are_null(tmp_path: Path) -> None:
    columns = (
        *("claim_id", "claim_line_number", "member_id", "line_of_business"),
        *("claim_line_start_date", "hcpcs_code", "service_unit_quantity", "charge_amount"),
    )
    row: Row = {column: partner()[column] for column in columns}
    assert [line["original_claim_id"] for line in kept(tmp_path, row)] == [None]


def test_values_of_a_parquet_file_need_not_be_text(tmp_path: Path) -> None:
    typed = pl.DataFrame([partner()]).with_columns(
        pl.col("claim_line_start_date").str.to_datetime("%Y-%m-%d"),
        pl.col("hcpcs_code").cast(pl.Categorical),
        claim_id=pl.lit(123.0),
        claim_frequency_code=pl.lit(8),
    )
    path = tmp_path / "claims.parquet"
    typed.write_parquet(path)
    extract = intake.open_claims([path], with_members=False)
    (line,) = intake.read_claims(extract, None, WITH_PARTNERS).partner_lines.to_dicts()
    assert (line["claim_id"], line["claim_frequency_code"]) == ("123", "8")
    assert line["claim_line_start_date"] == date(2026, 1, 10)


def test_the_scope_of_a_policy_has_the_codes_of_its_observable_partners() -> None:
    scope = scope_of(reference_data(), policy())
    partners = reference_data()["partner_drugs"]
    trastuzumab = partners.filter(pl.col("drug") == "trastuzumab")["hcpcs_code"].sort()
    assert scope.partner_codes == tuple(trastuzumab)
    assert "Q5115" not in scope.partner_codes  # rituximab
    assert scope_of(reference_data(), policy("bcbst-ixabepilone")).partner_codes == ()
    both = scope_of(reference_data(), policy(), policy("bcbst-ixabepilone"))
    assert both.partner_codes == scope.partner_codes
