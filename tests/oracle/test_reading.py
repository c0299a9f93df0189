"""Examples worked out by hand: how the oracle reads rows, and which it rejects."""

from datetime import date
from decimal import Decimal

import pytest

from .examples import (
    REFERENCE_DATA,
    claim,
    day,
    dispositions,
    edit,
    rejections,
    verdicts,
)
from .reading import RawRow, ndc_digits, read_date, read_decimal, read_integer
from .reference import read_reference


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02", date(2026, 1, 2)),
        ("20260102", date(2026, 1, 2)),
        ("2026-1-2", None),
        ("2026-02-29", None),
        ("0000-01-01", None),
        ("2026-01-02 00:00", None),
    ],
)
def test_dates(text: str, value: date | None) -> None:
    read = read_date(text)
    assert (read if isinstance(read, date) else None) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90", "90"),
        ("+90.50", "90.5"),
        ("999999999999.999999", "999999999999.999999"),
        ("1.1000000", "1.1"),
        ("1000000000000", None),
        ("1.1234567", None),
        ("1e2", None),
        ("1,000", None),
        (".5", None),
        ("5.", None),
    ],
)
def test_units(text: str, value: str | None) -> None:
    read = read_decimal(text, 12, 6)
    assert (read if isinstance(read, Decimal) else None) == (value and Decimal(value))


def test_integers_may_have_a_point() -> None:
    assert (read_integer("3"), read_integer("3.0")) == (3, 3)
    assert not isinstance(read_integer("3.5"), int)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0015-1910-12", "00015191012"),
        ("50242-040-62", "50242004062"),
        ("70020-1910-1", "70020191001"),
        ("70020-1910-01", "70020191001"),
        ("N470020191001", "70020191001"),
        ("7002019101", "70020191001"),
        ("5024204062", None),
        ("70020-191-1", None),
        ("700201910011", None),
        ("IXEMPRA", None),
        (None, None),
    ],
)
def test_ndc_notations(text: str | None, digits: str | None) -> None:
    assert ndc_digits(text, read_reference(REFERENCE_DATA, "prime-ic-0072")) == digits


def test_case_blanks_and_dots_change_nothing() -> None:
    noisy = claim(
        hcpcs_code=" j9207 ",
        diagnosis_code_1="c50911",
        gender=" FEMALE",
        line_of_business="Commercial",
        ndc_unit="un",
        service_unit_quantity="90.0",
        claim_line_start_date="20260110",
    )
    assert edit([noisy]).lines == edit([claim()]).lines


def test_the_header_and_the_members_complete_a_line() -> None:
    row = claim(
        member_id="",
        person_id="M1",
        birth_date="",
        gender="",
        line_of_business="",
        claim_line_start_date="",
        claim_start_date=day(0),
    )
    members: list[RawRow] = [
        {"patient_id": "M1", "payer_type": "Medicare", "enrollment_end_date": "2025-12-31"},
        {
            "person_id": "M1",
            "birth_date": "1970-05-05",
            "gender": "female",
            "payer_type": "commercial",
            "enrollment_start_date": "2026-01-01",
        },
    ]
    assert edit([row], members=members).lines == edit([claim()]).lines
    assert edit([row], members=members[::-1]).lines == edit([claim()]).lines
    assert rejections(edit([row])) == [("C1", ["line_of_business"])]


# Quarantine


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ({"claim_line_number": "0"}, ["claim_line_number"]),
        ({"member_id": " "}, ["member_id"]),
        ({"birth_date": "2026-01-11"}, ["birth_date"]),
        ({"claim_line_end_date": "2026-01-09"}, ["claim_line_end_date"]),
        ({"service_unit_quantity": "0", "gender": "f"}, ["gender", "service_unit_quantity"]),
        ({"charge_amount": "1.001"}, ["charge_amount"]),
        ({"diagnosis_pointer_1": "26"}, ["diagnosis_pointer_1"]),
        ({"member_state": "Georgia"}, ["member_state"]),
        ({"claim_line_start_date": ""}, ["claim_line_start_date"]),
        ({"ndc_quantity": "-1"}, ["ndc_quantity"]),
    ],
)
def test_bad_cells(cells: dict[str, str], names: list[str]) -> None:
    night = edit([claim(**cells)])
    assert (rejections(night), night.lines) == ([("C1", names)], [])


def test_rows_out_of_scope_are_not_checked() -> None:
    night = edit([claim(hcpcs_code="96413", ndc_code="", service_unit_quantity="x")])
    assert (night.out_of_scope, night.lines, night.rejected_lines) == (1, [], [])


def test_equal_rows_are_edited_once() -> None:
    night = edit([claim(), claim(claim_line_start_date="20260110", service_unit_quantity="90.0")])
    assert rejections(night) == [("C1", ["duplicate_row"])]
    assert dispositions(night) == {"C1": "pay"}


def test_rows_of_one_key_that_differ_are_all_rejected() -> None:
    night = edit([claim(), claim(charge_amount="1")])
    assert rejections(night) == [("C1", ["conflicting_key"])] * 2


def test_lines_of_one_claim_agree_on_its_header() -> None:
    night = edit([claim(), claim(claim_line_number=2, original_claim_id="C0", gender="x")])
    assert rejections(night) == [
        ("C1", ["conflicting_claim"]),
        ("C1", ["conflicting_claim", "gender"]),
    ]


def test_claims_that_replace_each_other_in_a_circle() -> None:
    rows = [
        claim(claim_id="C1", claim_frequency_code=7, original_claim_id="C2"),
        claim(claim_id="C2", claim_frequency_code=7, original_claim_id="C1"),
        claim(claim_id="C3", claim_frequency_code=7, original_claim_id="C1"),
    ]
    night = edit(rows)
    assert rejections(night) == [("C1", ["replacement_cycle"]), ("C2", ["replacement_cycle"])]
    assert verdicts(night) == {"original-claim-unknown:fail"}


def test_a_circle_through_a_row_without_the_drug() -> None:
    rows = [
        claim(claim_id="C1", claim_frequency_code=7, original_claim_id="C2"),
        claim(
            claim_id="C2",
            claim_frequency_code=7,
            original_claim_id="C1",
            hcpcs_code="96413",
            ndc_code="",
        ),
    ]
    assert rejections(edit(rows)) == [("C1", ["replacement_cycle"])]
