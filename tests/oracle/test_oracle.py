"""Examples worked out by hand: what the oracle decides of a line."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from .authorizations import plus_months
from .edits import completed_years, is_sum_of_vials
from .examples import (
    REFERENCE_DATA,
    START,
    authorization,
    claim,
    day,
    dispositions,
    edit,
    outcome,
    verdicts,
)
from .limits import Used, room_under
from .quarantine import to_line
from .reading import RawRow, read_claim
from .reference import Limit, read_reference

# The whole of a line


def test_a_good_line_pays() -> None:
    night = edit([claim()])
    assert night.lines == [
        {
            "claim_id": "C1",
            "claim_line_number": 1,
            "member_id": "M1",
            "claim_line_start_date": START,
            "hcpcs_code": "J9207",
            "line_of_business": "commercial",
            "policy_id": "prime-ic-0072",
            "policy_version": "2025-09-04",
            "disposition": "pay",
            "billed_units": Decimal(90),
            "allowed_units": Decimal(90),
            "denied_units": Decimal(0),
            "charge_amount": Decimal(900),
            "denied_charge_amount": Decimal(0),
            "primary_edit_id": None,
            "edit_ids": [],
            "unknown_edit_ids": [],
            "matched_authorization_number": "A1",
            "authorization_draws": [("A1", Decimal(90))],
        }
    ]
    assert (night.findings, night.rejected_lines, night.out_of_scope) == ([], [], 0)


def test_a_finding_names_its_codes_version_and_section() -> None:
    (finding,) = edit([claim(birth_date="2010-01-01")]).findings
    assert finding == {
        "claim_id": "C1",
        "claim_line_number": 1,
        "edit_id": "member-under-age",
        "verdict": "fail",
        "action": "deny",
        "group_code": "CO",
        "carc": "6",
        "rarc": "N129",
        "policy_id": "prime-ic-0072",
        "policy_version": "2025-09-04",
        "policy_section": "III. Initial Approval Criteria",
    }


def test_a_line_carries_all_its_findings_and_a_denial_is_primary() -> None:
    (line,) = edit([claim(claim_line_end_date=day(1), birth_date="", ndc_code="")]).lines
    assert line["edit_ids"] == ["service-date-span", "ndc-missing"]
    assert line["unknown_edit_ids"] == ["member-under-age"]
    assert (line["disposition"], line["primary_edit_id"]) == ("deny", "ndc-missing")


def test_denied_charge_is_rounded_half_up() -> None:
    (line,) = edit([claim(service_unit_quantity=180, charge_amount="0.01")]).lines
    assert line["denied_charge_amount"] == Decimal("0.01")


# Governance


def test_medicare_lines_are_only_flagged() -> None:
    night = edit([claim(line_of_business="medicare", ndc_code="", service_unit_quantity="900")])
    assert verdicts(night) == {"medicare-not-governed:fail"}
    assert outcome(night) == {"C1": ("flag", Decimal(900))}
    assert night.lines[0]["policy_version"] == "2025-09-04"


@pytest.mark.parametrize(
    ("service", "reached"), [("2025-09-03", {"no-policy-in-force:fail"}), ("2025-09-04", set())]
)
def test_the_policy_begins(service: str, reached: set[str]) -> None:
    authorizations = [authorization(effective_date="2025-09-01", expiration_date="2026-03-01")]
    night = edit([claim(claim_line_start_date=service)], authorizations)
    assert verdicts(night) == reached


def test_the_drug_under_another_code() -> None:
    night = edit([claim(hcpcs_code="", diagnosis_code_1="", claim_frequency_code="7")])
    assert verdicts(night) == {"ndc-billed-under-other-code:fail", "original-claim-unknown:fail"}
    assert outcome(night) == {"C1": ("flag", Decimal(90))}


# Lifecycle


def version_of(claim_id: str, frequency: str, original: str, received: str = "") -> RawRow:
    return claim(
        claim_id=claim_id,
        claim_frequency_code=frequency,
        original_claim_id=original,
        received_date=received,
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [claim(), version_of("C2", "7", "C1")],
            {"C1": "superseded", "C2": "pay"},
            id="replaced",
        ),
        pytest.param(
            [claim(), version_of("C2", "8", "C1")], {"C1": "void", "C2": "void"}, id="void"
        ),
        pytest.param(
            [claim(), version_of("C2", "8", "C1"), version_of("C3", "8", "C2")],
            {"C1": "void", "C2": "void", "C3": "void"},
            id="a void of a void restores nothing",
        ),
        pytest.param(
            [claim(), version_of("C2", "8", "C1"), version_of("C3", "7", "C2")],
            {"C1": "superseded", "C2": "void", "C3": "pay"},
            id="a void that is replaced",
        ),
        pytest.param(
            [
                claim(),
                version_of("C2", "7", "C1", "2026-03-02"),
                version_of("C3", "7", "C1", "2026-03-01"),
                version_of("C4", "7", "C1"),
            ],
            {"C1": "superseded", "C2": "pay", "C3": "superseded", "C4": "superseded"},
            id="the last to arrive",
        ),
        pytest.param(
            [version_of("C2", "7", "C9"), version_of("C3", "7", "C9")],
            {"C2": "superseded", "C3": "flag"},
            id="two of one claim that is not here",
        ),
        pytest.param([version_of("C2", "8", "C9")], {"C2": "flag"}, id="void of the unknown"),
        pytest.param([version_of("C2", "8", "C2")], {"C2": "flag"}, id="void of itself"),
        pytest.param(
            [
                claim(),
                claim(claim_id="C2", member_id="M2", claim_frequency_code=8)
                | {"original_claim_id": "C1"},
            ],
            {"C1": "pay", "C2": "flag"},
            id="a stranger's claim",
        ),
        pytest.param(
            [claim(), version_of("C2", "7", "C1") | {"hcpcs_code": "96413", "ndc_code": ""}],
            {"C1": "superseded"},
            id="a replacement that drops the drug",
        ),
        pytest.param(
            [
                claim(),
                claim(
                    claim_id="C2",
                    claim_type="institutional",
                    bill_type_code="138",
                    original_claim_id="C1",
                ),
            ],
            {"C1": "void", "C2": "void"},
            id="the bill type voids",
        ),
    ],
)
def test_versions_of_a_claim(rows: list[RawRow], expected: dict[str, str]) -> None:
    for ordered in (rows, rows[::-1]):
        night = edit(ordered)
        assert dispositions(night) == expected
        allowed = {one: units for one, (_, units) in outcome(night).items() if units}
        assert allowed == {one: 90 for one, word in expected.items() if one in allowed}


def test_a_void_of_the_unknown_has_that_finding_alone() -> None:
    night = edit([version_of("C2", "8", "C9") | {"line_of_business": "medicare"}])
    assert verdicts(night) == {"original-claim-unknown:fail"}
    assert outcome(night) == {"C2": ("flag", Decimal(0))}
    assert night.lines[0]["denied_charge_amount"] == 900


# Single edits


@pytest.mark.parametrize(
    ("cells", "reached"),
    [
        ({"received_date": "2026-01-09"}, {"service-date-future:fail"}),
        ({"service_unit_quantity": "60.5"}, {"units-not-whole:fail", "ndc-units-conflict:fail"}),
        ({"birth_date": "2008-01-10"}, set()),
        ({"birth_date": "2008-01-11"}, {"member-under-age:fail"}),
        ({"birth_date": ""}, {"member-under-age:unknown"}),
        ({"diagnosis_code_1": ""}, {"diagnosis-missing:fail"}),
        ({"diagnosis_pointer_1": "2"},
         {"diagnosis-pointer-invalid:fail", "diagnosis-not-pointed:fail"}),
        ({"diagnosis_pointer_1": "2", "claim_type": "institutional"}, set()),
        ({"diagnosis_pointer_1": "2", "diagnosis_code_2": "C77.3"},
         {"diagnosis-not-pointed:fail"}),
        ({"diagnosis_code_1": "C50.A1"}, {"diagnosis-unlisted:fail"}),
        ({"diagnosis_code_1": "C50.A1", "diagnosis_code_25": "C50.01"},
         {"diagnosis-unlisted:fail"}),
        ({"diagnosis_code_1": "C50.01"}, {"diagnosis-invalid:fail"}),
        ({"diagnosis_code_1": "C50.01", "diagnosis_code_2": "C50.911"}, set()),
        ({"diagnosis_code_1": "C77.3"}, {"diagnosis-not-covered:fail"}),
        ({"diagnosis_code_1": "Z85.3"}, {"diagnosis-history-only:fail"}),
        ({"diagnosis_code_1": "Z85.3", "diagnosis_code_2": "C77.3"}, set()),
        ({"diagnosis_code_1": "Z85.3", "diagnosis_code_2": "C50.911"}, set()),
        ({"gender": "male"}, {"diagnosis-sex-conflict:fail"}),
        ({"gender": "unknown"}, set()),
        ({"gender": "male", "diagnosis_code_1": "C50.921"}, set()),
        ({"ndc_code": ""}, {"ndc-missing:fail"}),
        ({"ndc_code": "5024204062"}, {"ndc-invalid:fail"}),
        ({"ndc_code": "50242-040-62"}, {"ndc-mismatch:fail"}),
        ({"ndc_unit": "ML", "ndc_quantity": ""}, {"ndc-units-conflict:fail"}),
        ({"ndc_unit": "", "ndc_quantity": "9"}, {"ndc-units-conflict:unknown"}),
        ({"ndc_quantity": "6"}, {"ndc-units-conflict:fail"}),
        ({"ndc_quantity": "6", "ndc_code": "7002019101"}, set()),
        ({"hcpcs_modifier_4": "JZ"}, set()),
        ({"hcpcs_modifier_4": "JW"}, {"wastage-contradiction:fail"}),
        ({"hcpcs_modifier_4": "JZ", "hcpcs_modifier_1": "jw"}, {"wastage-contradiction:fail"}),
        ({"authorization_number": "a1"}, set()),
        ({"authorization_number": "A2"}, {"authorization-number-mismatch:fail"}),
    ],
)  # fmt: skip
def test_edits_of_one_line(cells: dict[str, str], reached: set[str]) -> None:
    assert verdicts(edit([claim(**cells)])) == reached


def test_the_list_of_inflammatory_codes_begins_in_october_2025() -> None:
    authorizations = [authorization(effective_date="2025-09-10", expiration_date="2026-03-01")]
    for service, reached in (("2025-09-30", "invalid"), ("2025-10-01", "unlisted")):
        row = claim(claim_line_start_date=service, diagnosis_code_1="C50.A0")
        assert verdicts(edit([row], authorizations)) == {f"diagnosis-{reached}:fail"}


def test_an_unclear_day_is_flagged_and_takes_no_part() -> None:
    header = {"claim_start_date": day(0), "claim_end_date": day(2)}
    rows = [claim(claim_line_start_date="", **header), claim(claim_id="C2")]
    night = edit(rows)
    assert verdicts(night) == {"service-date-span:fail", "service-date-unclear:fail"}
    assert outcome(night) == {"C1": ("flag", Decimal(90)), "C2": ("pay", Decimal(90))}
    assert night.lines[0]["authorization_draws"] == []


def test_discarded_drug_on_its_own_line() -> None:
    used = claim(service_unit_quantity=75, ndc_quantity=2)
    discarded = claim(claim_line_number=2, service_unit_quantity=15, hcpcs_modifier_1="JW")
    discarded |= {"ndc_quantity": "", "ndc_unit": ""}
    assert verdicts(edit([used, discarded])) == set()
    assert verdicts(edit([used | {"hcpcs_modifier_1": "JZ"}, discarded])) == {
        "wastage-contradiction:fail"
    }


def test_the_group_of_a_claim_shares_the_verdict() -> None:
    rows = [claim(service_unit_quantity=45, ndc_quantity=1), claim(claim_line_number=2)]
    rows[1] |= {"service_unit_quantity": "45", "ndc_quantity": "2"}
    night = edit(rows)
    assert [row["edit_ids"] for row in night.lines] == [["ndc-units-conflict"]] * 2


@pytest.mark.parametrize(
    ("total", "vials", "expected"),
    [
        ("90", ["15", "45"], True),
        ("50", ["15", "45"], False),
        ("999999999990", ["15", "45"], True),
        ("6.5", ["2.5", "4"], True),
        ("3", ["2.5", "4"], False),
        ("12", ["4", "2.5"], True),
        ("1", [], False),
    ],
)
def test_sums_of_vials(total: str, vials: list[str], expected: bool) -> None:
    assert is_sum_of_vials(Decimal(total), [Decimal(vial) for vial in vials]) == expected


def test_ages_and_months() -> None:
    leap = date(2008, 2, 29)
    assert [completed_years(leap, date(2026, *rest)) for rest in ((2, 28), (3, 1))] == [17, 18]
    assert plus_months(date(2025, 8, 31), 6) == date(2026, 2, 28)
    assert plus_months(date(2025, 12, 15), 12) == date(2026, 12, 15)


# Authorizations


@pytest.mark.parametrize(
    ("authorizations", "reached"),
    [
        ([], {"authorization-absent:fail"}),
        ([authorization(status="cancelled")], {"authorization-absent:fail"}),
        ([authorization(status="pending")], {"authorization-pending:fail"}),
        ([authorization(status="denied")], {"authorization-denied:fail"}),
        ([authorization(effective_date="2026-01-10", expiration_date="2026-01-10")], set()),
        ([authorization(expiration_date="2026-01-09")], {"authorization-expired:fail"}),
        ([authorization(effective_date="2026-01-11")], {"authorization-not-started:fail"}),
        ([authorization(status="open")], {"authorization-absent:unknown"}),
        ([authorization(status="open", member_id="M2")], {"authorization-absent:fail"}),
        ([authorization(expiration_date="2026-01-09")] * 2, {"authorization-expired:unknown"}),
        ([authorization(expiration_date="")], {"authorization-span-exceeds-policy:fail"}),
        ([authorization(expiration_date="2026-07-02")], {"authorization-span-exceeds-policy:fail"}),
        ([authorization(servicing_npi="1111111111")], set()),
        ([authorization(servicing_npi="2222222222")], {"authorization-provider-mismatch:fail"}),
    ],
)
def test_standing_of_authorizations(authorizations: list[RawRow], reached: set[str]) -> None:
    assert verdicts(edit([claim()], authorizations)) == reached


def test_units_are_drawn_in_matching_order() -> None:
    authorizations = [
        authorization(authorization_number="A1", approved_units=30),
        authorization(
            authorization_number="A2", expiration_date="2026-03-01", approved_units="40.5"
        ),
        authorization(authorization_number="A3", approved_units=10, expiration_date="2026-01-01"),
    ]
    (line,) = edit([claim()], authorizations).lines
    assert line["authorization_draws"] == [("A2", Decimal("40.5")), ("A1", Decimal(30))]
    assert (line["disposition"], line["allowed_units"]) == ("partial", Decimal("70.5"))
    assert (line["edit_ids"], line["denied_charge_amount"]) == (
        ["authorization-units-exceeded"],
        Decimal(195),
    )
    (line,) = edit([claim(authorization_number="A1")], authorizations).lines
    assert line["authorization_draws"] == [("A1", Decimal(30)), ("A2", Decimal("40.5"))]
    later = claim(claim_id="C2", claim_line_start_date=day(30))
    assert outcome(edit([claim(), later], authorizations))["C2"] == ("deny", Decimal(0))


# Duplicates and limits


def test_cut_units_do_not_count() -> None:
    rows = [claim(claim_id=f"C{n}", claim_line_start_date=day(n)) for n in (0, 14, 21)]
    assert outcome(edit(rows[::-1])) == {
        "C0": ("pay", Decimal(90)),
        "C14": ("deny", Decimal(0)),
        "C21": ("pay", Decimal(90)),
    }


@pytest.mark.parametrize(("offset", "allowed"), [(20, 30), (21, 60)])
def test_a_window_is_21_consecutive_dates(offset: int, allowed: int) -> None:
    rows = [
        claim(service_unit_quantity=60, ndc_code="70020191001", ndc_quantity=4),
        claim(service_unit_quantity=60, ndc_code="70020191001", ndc_quantity=4)
        | {"claim_id": "C2", "claim_line_start_date": day(offset)},
    ]
    assert outcome(edit(rows))["C2"][1] == allowed


def test_the_period_is_told_only_where_it_leaves_less_than_the_dose() -> None:
    first = claim(service_unit_quantity=135, ndc_quantity=3)
    second = claim(claim_id="C2", claim_line_start_date=day(1))
    night = edit([first, second])
    assert [row["edit_ids"] for row in night.lines] == [["units-per-dose"], ["units-per-period"]]
    assert outcome(night) == {"C1": ("partial", Decimal(90)), "C2": ("deny", Decimal(0))}


def test_windows_look_forward() -> None:
    reference = read_reference(REFERENCE_DATA, "prime-ic-0072")
    line = to_line(read_claim(claim(), [], reference))
    used = [
        Used("M1", "J9207", START + timedelta(days=offset), Decimal(units))
        for offset, units in ((-20, 30), (1, 20), (20, 45), (21, 90))
    ]
    room = room_under(Limit("units-per-period", Decimal(90), 21), line, used)
    assert room == 90 - (20 + 45)  # day 0 to 20; no window has day -20 and day 1


def test_an_exact_repeat_of_another_claim_is_denied() -> None:
    rows = [
        claim(claim_id="C1", hcpcs_modifier_1="59"),
        claim(claim_id="C2", hcpcs_modifier_3="59", ndc_code="70020-1911-1"),
        claim(claim_id="C3", hcpcs_modifier_1="59", rendering_npi=""),
    ]
    night = edit(rows)
    assert [row["edit_ids"] for row in night.lines] == [
        [],
        ["duplicate-line"],
        ["units-per-dose"],
    ]


def test_a_line_denied_by_a_line_edit_is_nobodys_original() -> None:
    rows = [
        claim(claim_id="C1", diagnosis_code_1="C77.3"),
        claim(claim_id="C2"),
        claim(claim_id="C3"),
    ]
    assert [row["edit_ids"] for row in edit(rows).lines] == [
        ["diagnosis-not-covered"],
        [],
        ["duplicate-line"],
    ]
