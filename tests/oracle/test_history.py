"""Examples worked out by hand: nights that see the nights before them.

Every claim is one line; at most 90 units may be given in 21 consecutive dates.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from .examples import (
    START,
    WITHOUT_THE_DRUG,
    Nights,
    authorization,
    billed,
    dispositions,
    outcome,
    replacing,
    verdicts,
    voiding,
)
from .oracle import Night
from .reading import RawRow


def allowed(night: Night) -> dict[str, int]:
    return {claim_id: int(units) for claim_id, (_, units) in outcome(night).items()}


def left_on_the_next_day(nights: Nights) -> int:
    """What a claim of 90 units a day after the first may still have."""
    return allowed(nights.edit(billed("PROBE", 1)))["PROBE"]


# Late claims


def test_a_late_claim_is_cut_because_of_a_later_date() -> None:
    nights = Nights()
    assert allowed(nights.edit(billed("C15", 15, 60))) == {"C15": 60}
    assert outcome(nights.edit(billed("C5", 5, 60))) == {"C5": ("partial", Decimal(30))}
    late = nights.edit(billed("C26", 26, 90), billed("C36", 36, 90))
    assert allowed(late) == {"C26": 30, "C36": 60}  # 15 to 35 is full, then 26 to 46


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("apart", "expected"), [(20, 0), (21, 90), (22, 90)])
def test_the_window_looks_both_ways(apart: int, direction: int, expected: int) -> None:
    nights = Nights()
    nights.edit(billed("C1", 60))
    assert allowed(nights.edit(billed("C2", 60 + direction * apart))) == {"C2": expected}


def test_another_members_units_are_nobody_elses() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    authorized = [authorization(member_id="M2")]
    night = nights.edit(billed("C2", 0, member_id="M2"), authorizations=authorized)
    assert dispositions(night) == {"C2": "pay"}


def test_lines_that_are_not_governed_use_nothing_up() -> None:
    nights = Nights()
    assert allowed(nights.edit(billed("C1", 0, line_of_business="medicare"))) == {"C1": 90}
    assert left_on_the_next_day(nights) == 90


# Versions


def test_of_two_corrections_of_one_original_the_last_to_arrive_counts() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    late = "2026-06-30"
    second = nights.edit(billed("C2", 0, 60, received_date=late) | replacing("C1"))
    assert outcome(second) == {"C2": ("pay", Decimal(60))}
    assert dispositions(nights.edit(billed("C3", 0, 45) | replacing("C1"))) == {"C3": "pay"}
    assert left_on_the_next_day(nights) == 45


def test_a_void_before_its_original() -> None:
    nights = Nights()
    assert dispositions(nights.edit(billed("V", 0) | voiding("C1"))) == {"V": "flag"}
    assert outcome(nights.edit(billed("C1", 0))) == {"C1": ("void", Decimal(0))}
    assert left_on_the_next_day(nights) == 90


def test_a_replacement_without_the_drug_before_its_original() -> None:
    nights = Nights()
    assert nights.edit(billed("Z", 0) | replacing("C1") | WITHOUT_THE_DRUG).lines == []
    assert outcome(nights.edit(billed("C1", 0))) == {"C1": ("superseded", Decimal(0))}


def test_a_void_that_names_a_claim_already_replaced() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    nights.edit(billed("C2", 0) | replacing("C1"))
    night = nights.edit(billed("V", 0) | voiding("C1"))
    assert (dispositions(night), verdicts(night)) == ({"V": "void"}, set())
    assert left_on_the_next_day(nights) == 90


def test_a_void_of_a_void_restores_nothing_and_its_replacement_does() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    nights.edit(billed("V", 0) | voiding("C1"))
    nights.edit(billed("W", 0) | voiding("V"))
    assert left_on_the_next_day(nights) == 90
    replaced = nights.edit(billed("C2", 30) | replacing("W"))
    assert outcome(replaced) == {"C2": ("pay", Decimal(90))}


def test_an_original_sent_again_after_its_replacement_stays_replaced() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    nights.edit(billed("C2", 0, 60) | replacing("C1"))
    assert outcome(nights.edit(billed("C1", 0))) == {"C1": ("superseded", Decimal(0))}
    assert left_on_the_next_day(nights) == 30


@pytest.mark.parametrize("version", [replacing("C1"), voiding("C1")])
def test_a_version_without_the_drug_releases_its_units(version: RawRow) -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    assert nights.edit(billed("Z", 0) | version | WITHOUT_THE_DRUG).lines == []
    assert left_on_the_next_day(nights) == 90


def test_a_claim_sent_again_takes_its_own_lines_out() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    assert outcome(nights.edit(billed("C1", 0))) == {"C1": ("pay", Decimal(90))}
    assert outcome(nights.edit(billed("C1", 0, 60))) == {"C1": ("pay", Decimal(60))}
    assert left_on_the_next_day(nights) == 30


def test_a_naming_holds_also_when_the_claim_is_sent_again_without_it() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    nights.edit(billed("C2", 0, 60) | replacing("C1"))
    nights.edit(billed("C2", 0, 45))
    assert left_on_the_next_day(nights) == 45


@pytest.mark.parametrize(
    ("version", "without_the_drug", "left"),
    [
        (replacing("C1"), False, 30),
        (voiding("C1"), False, 90),
        (replacing("C1"), True, 90),
        (voiding("C1"), True, 90),
    ],
)
def test_a_claim_that_names_itself(version: RawRow, without_the_drug: bool, left: int) -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    row = billed("C1", 0, 60) | version | (WITHOUT_THE_DRUG if without_the_drug else {})
    assert verdicts(nights.edit(row)) == set()
    assert left_on_the_next_day(nights) == left


def test_nobody_knows_its_own_id_before_history_does() -> None:
    nights = Nights()
    assert verdicts(nights.edit(billed("C1", 0) | replacing("C1"))) == {
        "original-claim-unknown:fail"
    }
    assert verdicts(nights.edit(billed("C1", 0) | replacing("C1"))) == set()
    assert verdicts(nights.edit(billed("C1", 0, member_id="M2") | voiding("C1"))) == {
        "original-claim-unknown:fail"
    }


def test_of_a_circle_over_nights_the_last_to_arrive_counts() -> None:
    nights = Nights()
    assert dispositions(nights.edit(billed("C1", 0) | replacing("C2"))) == {"C1": "flag"}
    second = nights.edit(billed("C2", 0, 60) | replacing("C1"))
    assert outcome(second) == {"C2": ("pay", Decimal(60))}
    assert outcome(nights.edit(billed("C1", 0, 45))) == {"C1": ("pay", Decimal(45))}
    assert left_on_the_next_day(nights) == 45


def test_rejected_rows_leave_nothing() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    rejected = billed("C2", 0, gender="?") | voiding("C1")
    beside_it = billed("C2", 0, claim_line_number=2) | voiding("C1") | WITHOUT_THE_DRUG
    assert nights.edit(rejected, beside_it).lines == []
    assert left_on_the_next_day(nights) == 0
    assert verdicts(nights.edit(billed("C3", 0) | voiding("C2"))) == {"original-claim-unknown:fail"}


# Authorizations


TWO_AUTHORIZATIONS = [
    authorization(approved_units=120),
    authorization(
        authorization_number="A2",
        effective_date="2026-02-01",
        expiration_date="2026-08-01",
        approved_units=50,
    ),
]


def draws(night: Night) -> dict[str, list[tuple[str, int]]]:
    return {
        row["claim_id"]: [(number, int(units)) for number, units in row["authorization_draws"]]
        for row in night.lines
    }


def test_draws_over_nights_run_over_into_the_renewal() -> None:
    nights = Nights()
    first = nights.edit(billed("C1", 0), authorizations=TWO_AUTHORIZATIONS)
    assert draws(first) == {"C1": [("A1", 90)]}
    second = nights.edit(billed("C2", 30), authorizations=TWO_AUTHORIZATIONS)
    assert draws(second) == {"C2": [("A1", 30), ("A2", 50)]}
    assert verdicts(second) == {"authorization-units-exceeded:fail"}
    nights.edit(billed("V", 0) | voiding("C1"))
    third = nights.edit(billed("C3", 60), authorizations=TWO_AUTHORIZATIONS)
    assert draws(third) == {"C3": [("A1", 90)]}


def test_more_may_be_drawn_than_is_approved_by_now() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0), authorizations=TWO_AUTHORIZATIONS)
    fewer = [TWO_AUTHORIZATIONS[0] | {"approved_units": "60"}, TWO_AUTHORIZATIONS[1]]
    night = nights.edit(billed("C2", 30), authorizations=fewer)
    assert draws(night) == {"C2": [("A2", 20)]}


def test_draws_are_the_members_own() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0), authorizations=TWO_AUTHORIZATIONS)
    moved = [authorization(approved_units=120, member_id="M2")]
    night = nights.edit(billed("C2", 0, member_id="M2"), authorizations=moved)
    assert draws(night) == {"C2": [("A1", 90)]}


# Duplicates


def test_a_line_of_an_earlier_night_is_repeated() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0, received_date="2026-06-30"))
    night = nights.edit(billed("C0", 0, received_date="2026-02-01"))
    assert (dispositions(night), verdicts(night)) == ({"C0": "deny"}, {"duplicate-line:fail"})


def test_a_line_that_was_denied_or_cut_to_nothing_is_nobodys_original() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0, diagnosis_code_1="C77.3"))
    assert verdicts(nights.edit(billed("C2", 0))) == set()
    assert verdicts(nights.edit(billed("C3", 14))) == {"units-per-period:fail"}
    assert verdicts(nights.edit(billed("C4", 14))) == {"units-per-period:fail"}


def test_a_line_taken_out_is_nobodys_original() -> None:
    nights = Nights()
    nights.edit(billed("C1", 0))
    nights.edit(billed("V", 0) | voiding("C1"))
    assert dispositions(nights.edit(billed("C2", 0))) == {"C2": "pay"}


# Lines allowed elsewhere


def elsewhere(**cells: Any) -> dict[str, Any]:
    row = {
        "claim_id": "E1",
        "claim_line_number": 1,
        "member_id": "M1",
        "claim_line_start_date": START,
        "hcpcs_code": "J9207",
        "allowed_units": Decimal(30),
    }
    return row | cells


@pytest.mark.parametrize(
    ("cells", "repeated"),
    [
        ({}, True),
        ({"billed_units": Decimal(90)}, True),
        ({"billed_units": Decimal(60)}, False),
        ({"billed_units": None}, False),
        ({"ndc_code": "70020-1910-1"}, True),
        ({"ndc_code": "70020-1911-1"}, False),
        ({"ndc_code": None}, False),
        ({"rendering_npi": "1111111111"}, True),
        ({"rendering_npi": None}, False),
        ({"hcpcs_modifier_3": None}, True),
        ({"hcpcs_modifier_2": "JZ"}, False),
        ({"hcpcs_code": "96413"}, False),
        ({"claim_line_start_date": date(2026, 1, 11)}, False),
        ({"member_id": "M2"}, False),
        ({"allowed_units": Decimal(0)}, False),
    ],
)
def test_a_column_that_is_not_there_is_not_compared(cells: dict[str, Any], repeated: bool) -> None:
    night = Nights([elsewhere(**cells)]).edit(billed("C1", 0))
    assert ("duplicate-line:fail" in verdicts(night)) == repeated


def test_lines_allowed_elsewhere_use_limits_and_authorizations_up() -> None:
    other_code = elsewhere(
        claim_id="E2", hcpcs_code="96413", authorization_draws=[("A2", Decimal(50))]
    )
    nights = Nights([elsewhere(authorization_draws=[("A1", Decimal(40))]), other_code])
    assert left_on_the_next_day(nights) == 60
    night = nights.edit(billed("C1", 60), authorizations=TWO_AUTHORIZATIONS)
    assert draws(night) == {"C1": [("A1", 20)]}  # 40 there and 60 the day after the first


def test_lines_allowed_elsewhere_are_known_and_can_be_replaced() -> None:
    nights = Nights([elsewhere(allowed_units=Decimal(90))])
    night = nights.edit(billed("C1", 0, 60) | replacing("E1"))
    assert outcome(night) == {"C1": ("pay", Decimal(60))}
    assert left_on_the_next_day(nights) == 30
    again = Nights([elsewhere(allowed_units=Decimal(90))])
    assert dispositions(again.edit(billed("E1", 0, 60) | replacing("E1"))) == {"E1": "pay"}
