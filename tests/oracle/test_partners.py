"""Examples worked out by hand: partner lines of the nights before, and which of them stand."""

import pytest

from .examples import (
    Nights,
    billed,
    documented,
    outcome,
    partner,
    replacing,
    verdicts,
    voiding,
)
from .oracle import Night
from .reading import RawRow

WITHOUT_A_PARTNER: RawRow = {"hcpcs_code": "96413"}


def is_there(nights: Nights) -> bool:
    """Whether a line of the first day has its partner."""
    return has_partner(nights.edit(billed("PROBE", 0), clinical=[documented()]))


def has_partner(night: Night) -> bool:
    return "combination-partner-missing:fail" not in verdicts(night)


@pytest.mark.parametrize(
    ("later", "there"),
    [
        pytest.param([], True, id="kept"),
        pytest.param([partner(claim_id="V") | voiding("P1")], False, id="void"),
        pytest.param([partner(40, claim_id="R") | replacing("P1")], False, id="replaced"),
        pytest.param([partner(7, claim_id="R") | replacing("P1")], True, id="replaced by another"),
        pytest.param([partner(40)], False, id="sent again of another day"),
        pytest.param([partner(7)], True, id="sent again of a day as near"),
        pytest.param([partner() | WITHOUT_A_PARTNER], True, id="sent again with no partner's code"),
        pytest.param(
            [partner() | WITHOUT_A_PARTNER | replacing("P1")], False, id="no longer with its code"
        ),
        pytest.param(
            [partner(claim_id="R") | WITHOUT_A_PARTNER | replacing("P1")],
            False,
            id="replaced by a claim without it",
        ),
        pytest.param([billed("R", 40) | replacing("P1")], False, id="replaced by the drug"),
        pytest.param([billed("P1", 40)], False, id="sent again as a claim of the drug"),
        pytest.param(
            [partner(claim_id="V", member_id="M2") | voiding("P1")],
            True,
            id="another member's void",
        ),
    ],
)
def test_what_later_nights_do_to_a_partner_line(later: list[RawRow], there: bool) -> None:
    nights = Nights()
    nights.edit(partner())
    if later:
        nights.edit(*later)
    assert is_there(nights) == there


def test_a_void_may_come_before_what_it_voids() -> None:
    nights = Nights()
    nights.edit(partner(40, claim_id="V") | voiding("P1"))
    nights.edit(partner())
    assert not is_there(nights)


def test_a_partner_line_that_replaces_a_claim_of_the_drug_changes_nothing_there() -> None:
    """It does as a version out of scope, which it would be under any code."""
    nights = Nights()
    nights.edit(billed("C1", 40, 60))
    night = nights.edit(partner(claim_id="P2") | replacing("P1"), partner(claim_id="P1"))
    assert night.lines == []
    assert {
        name: word for name, (word, _) in outcome(nights.edit(billed("C2", 41, 30))).items()
    } == {"C2": "pay"}
    nights.edit(partner(claim_id="P3") | replacing("C1"))
    assert outcome(nights.edit(billed("C4", 42, 60)))["C4"][0] == "pay"


def test_of_two_versions_of_a_claim_that_nobody_has_seen_the_last_counts() -> None:
    nights = Nights()
    nights.edit(partner() | replacing("C9"))
    assert is_there(nights)
    nights.edit(partner(claim_id="V") | voiding("C9"))
    assert not is_there(nights)


def test_nights_without_facts_keep_partner_lines_too() -> None:
    nights = Nights()
    nights.edit(partner(), clinical=None)
    nights.edit(billed("C1", 60), clinical=[])
    assert is_there(nights)
