"""Examples worked out by hand: what was cut before, and may have more now.

Every claim is one line; at most 90 units may be given in 21 consecutive dates.
"""

from datetime import date
from decimal import Decimal

import pytest

from .examples import (
    START,
    WITHOUT_THE_DRUG,
    Nights,
    authorization,
    billed,
    replacing,
    voiding,
)
from .oracle import Night
from .reading import RawRow


def after_a_full_dose(*cut: RawRow) -> Nights:
    """C1 has 90 units on the first day, so that what follows within 20 days has none."""
    nights = Nights()
    nights.edit(billed("C1", 0), *cut)
    return nights


def units(night: Night) -> dict[str, tuple[int, int]]:
    """What the lines would be allowed: alone, in turn."""
    return {
        row["claim_id"]: (
            int(row["would_be_allowed_units"]),
            int(row["would_be_allowed_in_turn_units"]),
        )
        for row in night.reconsider
    }


def test_a_void_releases() -> None:
    nights = after_a_full_dose(billed("C2", 14))
    assert nights.edit(billed("V", 0) | voiding("C1")).reconsider == [
        {
            "claim_id": "C2",
            "claim_line_number": 1,
            "cut_by_run_id": "night-1",
            "member_id": "M1",
            "claim_line_start_date": date(2026, 1, 24),
            "hcpcs_code": "J9207",
            "billed_units": Decimal(90),
            "allowed_units": Decimal(0),
            "cut_units": Decimal(90),
            "charge_amount": Decimal(900),
            "denied_charge_amount": Decimal(900),
            "would_be_allowed_units": Decimal(90),
            "would_be_allowed_in_turn_units": Decimal(90),
            "released_claim_ids": ["C1"],
            "policy_version": "2025-09-04",
        }
    ]
    assert nights.edit(billed("V2", 0) | voiding("C1")).reconsider == []


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (billed("C3", 0, 60) | replacing("C1"), {"C2": (30, 30)}),
        (billed("C3", 0, 90) | replacing("C1"), {}),
        (billed("C1", 0, 75), {"C2": (15, 15)}),
        (billed("C1", -7, 90), {"C2": (90, 90)}),
        (billed("C1", -6, 90), {}),
        (billed("C1", 0) | voiding("C1"), {"C2": (90, 90)}),
        (billed("Z", 0) | replacing("C1") | WITHOUT_THE_DRUG, {"C2": (90, 90)}),
        (billed("Z", 0) | voiding("C1") | WITHOUT_THE_DRUG, {"C2": (90, 90)}),
        (billed("C3", 0) | voiding("C9"), {}),
        (billed("C2", 14) | voiding("C2"), {}),
    ],
)
def test_what_releases_how_much(version: RawRow, expected: dict[str, tuple[int, int]]) -> None:
    authorized = [authorization(effective_date="2025-12-01", expiration_date="2026-05-31")]
    nights = after_a_full_dose(billed("C2", 14))
    assert units(nights.edit(version, authorizations=authorized)) == expected


def test_other_claims_of_tonight_may_take_it_first() -> None:
    nights = after_a_full_dose(billed("C2", 14))
    night = nights.edit(billed("V", 0) | voiding("C1"), billed("C3", 15, 60))
    assert units(night) == {"C2": (30, 30)}


def test_lines_that_compete_have_it_alone_or_in_turn() -> None:
    nights = after_a_full_dose(billed("C4", 12, 60), billed("C2", 14), billed("C3", 33, 15))
    night = nights.edit(billed("V", 0) | voiding("C1"))
    assert units(night) == {"C2": (75, 30), "C4": (60, 60)}  # no window has C3's 15 and C4


def test_a_line_lessened_by_something_else_is_not_listed() -> None:
    nights = after_a_full_dose(billed("C2", 14, diagnosis_code_1="C77.3"))
    assert nights.edit(billed("V", 0) | voiding("C1")).reconsider == []


def test_a_line_taken_out_itself_is_not_listed() -> None:
    nights = after_a_full_dose(billed("C2", 14))
    night = nights.edit(billed("V", 0) | voiding("C1"), billed("W", 14) | voiding("C2"))
    assert night.reconsider == []


def test_an_authorization_gets_its_units_back() -> None:
    authorized = [authorization(approved_units=120)]
    nights = Nights()
    nights.edit(billed("C1", 0), billed("C2", 40), authorizations=authorized)
    night = nights.edit(billed("V", 0) | voiding("C1"), authorizations=authorized)
    assert units(night) == {"C2": (90, 90)}


def test_room_that_was_there_before_is_nobodys_release() -> None:
    nights = Nights()
    nights.edit(
        billed("C1", 0), billed("C2", 40), authorizations=[authorization(approved_units=120)]
    )
    larger = [authorization(approved_units=500)]
    assert nights.edit(billed("C5", 80), authorizations=larger).reconsider == []
    assert nights.edit(billed("V", 0) | voiding("C1"), authorizations=larger).reconsider == []


def test_lines_allowed_elsewhere_release_and_are_not_listed() -> None:
    row = {
        "claim_id": "E1",
        "claim_line_number": 1,
        "member_id": "M1",
        "claim_line_start_date": START,
        "hcpcs_code": "J9207",
        "allowed_units": Decimal(60),
        "billed_units": Decimal(90),
    }
    nights = Nights([row])
    nights.edit(billed("C1", 1, 90))
    night = nights.edit(billed("V", 0) | voiding("E1"))
    assert units(night) == {"C1": (90, 90)}
    assert night.reconsider[0]["released_claim_ids"] == ["E1"]


def test_every_release_lists_the_line_anew() -> None:
    """Two doses fill the window from both sides; each void gives back its part."""
    nights = Nights()
    nights.edit(billed("C1", 0, 45), billed("C2", 20, 45))
    nights.edit(billed("C3", 10, 90))
    assert units(nights.edit(billed("V1", 0) | voiding("C1"))) == {"C3": (45, 45)}
    last = nights.edit(billed("V2", 20) | voiding("C2"))
    assert units(last) == {"C3": (90, 90)}
    assert last.reconsider[0]["released_claim_ids"] == ["C2"]
