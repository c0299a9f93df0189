"""`authorizations` with a members extract: age, Medicare, programs and dates that do not govern."""

from __future__ import annotations

import pytest

from tests.cli.support import MARK, Operator, authorization
from tests.commands.requests import MET, Desk, member
from tests.commands.support import BCBST

CRITERIA = "coverage-criteria"
AGE = "member-under-age"


@pytest.fixture
def desk(operator: Operator) -> Desk:
    return Desk(operator)


@pytest.mark.parametrize(
    ("birth_date", "effective", "verdict"),
    [
        ("2008-01-15", "2026-01-15", "met"),  # on the eighteenth birthday
        ("2008-01-16", "2026-01-15", "not_met"),  # the day before it
        ("2008-01-15", "2026-01-14", "not_met"),
        ("2008-02-29", "2026-03-01", "met"),
        ("2008-02-29", "2026-02-28", "not_met"),
        (None, "2026-01-15", "undocumented"),
        ("soon", "2026-01-15", "undocumented"),
    ],
)
def test_age_on_the_effective_date(
    desk: Desk, birth_date: str | None, effective: str, verdict: str
) -> None:
    found = desk.determine(
        {0: MET},
        members=[member(birth_date=birth_date)],
        effective_date=effective,
        expiration_date="2026-06-30",
    )[0]
    assert (found["determination"], found["criteria"]) == (verdict, "met")
    assert found["edit_ids"] == ([AGE] if verdict == "not_met" else [])
    assert found["unknown_edit_ids"] == ([AGE] if verdict == "undocumented" else [])
    asked = "the member's birth date" if verdict == "undocumented" else None
    assert found["ask_for"] == asked


def test_a_member_that_the_extract_lacks(desk: Desk) -> None:
    found = desk.determine({0: MET | {"disease_extent": None}}, members=[member(1)])[0]
    assert found["unknown_edit_ids"] == [AGE, CRITERIA]
    assert found["ask_for"].startswith("the member's birth date; ")


def test_without_members_nobody_s_age_is_asked(desk: Desk) -> None:
    assert desk.determine({0: MET})[0]["unknown_edit_ids"] == []


def test_of_several_rows_of_a_member_the_one_that_covers_the_date(desk: Desk) -> None:
    before = member(payer_type="medicare", enrollment_end_date="2025-09-30")
    since = member(enrollment_start_date="2025-10-01")
    desk.write(
        [authorization(0), authorization(1, member_id=f"{MARK}-MEMBER-0")],
        {0: MET, 1: MET},
        [before],
    )
    assert desk.determined("--run-id", "one").verdicts() == {0: "not_governed", 1: "not_governed"}
    desk.write([authorization(0)], {0: MET}, [before, since])
    assert desk.determined("--run-id", "two").verdicts() == {0: "met"}


# ---- what the policy does not govern --------------------------------------------------------


def test_medicare_is_not_governed(desk: Desk) -> None:
    rows = [member(0, payer_type="Medicare", state="Tennessee", birth_date=None), member(1)]
    found = desk.determine({0: MET, 1: MET}, members=rows)
    assert found.verdicts() == {0: "not_governed", 1: "met"}
    assert found[0]["criteria"] == "not_governed"
    assert (found[0]["edit_ids"], found[0]["unknown_edit_ids"]) == (["medicare-not-governed"], [])
    assert "MAC jurisdiction J (10)" in found[0]["why"]
    assert found[0]["ask_for"] is None


@pytest.mark.parametrize(
    ("payer_type", "state", "verdict"),
    [
        ("medicaid", "TN", "not_governed"),
        ("medicaid", "Tennessee", "not_governed"),
        ("medicaid", "GA", "met"),
        ("commercial", "TN", "met"),
        ("medicaid", None, "met"),
    ],
)
def test_tenncare_s_own_terms_govern(
    desk: Desk, payer_type: str, state: str | None, verdict: str
) -> None:
    rows = [member(payer_type=payer_type, state=state)]
    found = desk.determine({0: MET}, "--policy", BCBST, members=rows)[0]
    assert found["determination"] == verdict
    if verdict == "not_governed":
        assert found["edit_ids"] == ["program-terms-govern"]
        assert "TennCare" in found["why"]
    # The other policy names no such program.
    assert desk.determine({0: MET}, "--run-id", "prime", members=rows)[0]["determination"] == "met"


@pytest.mark.parametrize(
    ("effective", "verdict", "version"),
    [("2025-09-03", "not_governed", None), ("2025-09-04", "met", "2025-09-04")],
)
def test_no_version_in_force_on_the_effective_date(
    desk: Desk, effective: str, verdict: str, version: str | None
) -> None:
    found = desk.determine({0: MET}, effective_date=effective, expiration_date="2025-12-31")[0]
    assert (found["determination"], found["policy_version"]) == (verdict, version)
    if version is None:
        assert found["edit_ids"] == ["no-policy-in-force"]
        assert found["why"] == (
            "no active version of policy prime-ic-0072 is in force on 2025-09-03"
        )
        assert found["latest_expiration_date"] is None
        assert found["ask_for"] is None
