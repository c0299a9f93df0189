"""Examples worked out by hand: clinical facts as they are read, and the edits that ask them."""

from decimal import Decimal

import pytest

from .clinical import ClinicalFacts, read_facts, sort_out_facts
from .clinical_edits import smallest_sum_of_vials, units_needed
from .examples import authorization, claim, day, documented, edit, partner, verdicts
from .reading import RawRow
from .reference import Dose

COVERAGE, DOSE = "coverage-criteria", "dose-exceeds-body-surface"
MISSING = "combination-partner-missing"


def clinical_verdicts(
    *claims: RawRow,
    clinical: list[RawRow] | None,
    authorizations: list[RawRow] | None = None,
    policy_id: str = "prime-ic-0072",
    version: str | None = None,
) -> set[str]:
    night = edit(
        list(claims) or [claim()],
        [authorization()] if authorizations is None else authorizations,
        clinical=clinical,
        policy_id=policy_id,
        version=version,
    )
    asked = (COVERAGE, DOSE, MISSING)
    return {one for one in verdicts(night) if one.partition(":")[0] in asked}


# Reading


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("disease_extent", "Recurrent_Unresectable", "recurrent_unresectable"),
        ("visceral_crisis", "TRUE", True),
        ("visceral_crisis", "n", False),
        ("visceral_crisis", "  ", None),
        ("her2_ihc", "3.0", 3),
        ("her2_ish_ratio", "+2.00", 2.0),
        ("er_percent", "100", 100.0),
        ("pr_percent", "-0", 0.0),
        ("pd_l1_cps", "123456789012345.5", 123456789012345.5),
        ("bsa_m2", "1.7", 1.7),
    ],
)
def test_facts_as_they_are_read(column: str, text: str, value: object) -> None:
    row = read_facts({"authorization_number": " a1 ", column: text})
    assert not row.failed
    assert row.values["authorization_number"] == "A1"
    assert row.values[column] == value
    assert sum(one is not None for one in row.values.values()) == 1 + (value is not None)


@pytest.mark.parametrize(
    ("column", "text", "check"),
    [
        ("authorization_number", " ", "not_null"),
        ("disease_extent", "stage IV", "known_value"),
        ("disease_response", "partial", "known_value"),
        ("taxane_failed", "maybe", "readable"),
        ("her2_ihc", "2.5", "readable"),
        ("her2_ihc", "3+", "readable"),
        ("her2_ihc", "4", "at_most_3"),
        ("her2_ihc", "-1", "at_least_0"),
        ("line_of_therapy", "0", "at_least_1"),
        ("her2_ish_ratio", "1e1", "readable"),
        ("her2_ish_ratio", "2,0", "readable"),
        ("her2_ish_ratio", ".5", "readable"),
        ("her2_ish_ratio", "nan", "readable"),
        ("her2_copy_number", "1234567890123456", "readable"),
        ("her2_copy_number", "-0.1", "not_below_0"),
        ("er_percent", "100.1", "at_most_100"),
        ("pr_percent", "-1", "not_below_0"),
        ("ast_xuln", "-1", "not_below_0"),
        ("bsa_m2", "0.0", "above_0"),
    ],
)
def test_facts_that_are_rejected(column: str, text: str, check: str) -> None:
    row = read_facts({"authorization_number": "A1", column: text})
    assert row.failed == {f"{column}:{check}"}


def test_repeated_facts() -> None:
    rows: list[RawRow] = [
        {"authorization_number": "A1", "bsa_m2": "1.80", "visceral_crisis": "yes"},
        {"authorization_number": "a1", "bsa_m2": "1.8", "visceral_crisis": "TRUE"},
        {"authorization_number": "A2", "bsa_m2": "1.8"},
        {"authorization_number": "A2", "bsa_m2": ""},
        {"authorization_number": "A3", "bsa_m2": "?"},
        {"authorization_number": "A3", "bsa_m2": "?"},
    ]
    good, bad = sort_out_facts([read_facts(row) for row in rows])
    assert good == {"A1": ClinicalFacts(bsa_m2=1.8, visceral_crisis=True)}
    assert [names for _, names in bad] == [
        {"duplicate_row"},
        {"conflicting_key"},
        {"conflicting_key"},
        {"bsa_m2:readable"},
        {"bsa_m2:readable", "duplicate_row"},
    ]


# The criteria


def test_criteria_are_asked_where_facts_are_given() -> None:
    with_partner = [claim(), partner()]
    assert clinical_verdicts(*with_partner, clinical=None) == set()
    assert clinical_verdicts(*with_partner, clinical=[documented()]) == set()
    assert clinical_verdicts(clinical=[]) == {f"{COVERAGE}:unknown"}
    assert clinical_verdicts(clinical=[documented(authorization_number="A2")]) == {
        f"{COVERAGE}:unknown"
    }
    assert clinical_verdicts(clinical=[documented(her2_ihc="9")]) == {f"{COVERAGE}:unknown"}
    assert clinical_verdicts(clinical=[], authorizations=[]) == set()


def test_rejected_facts_are_told_by_their_number() -> None:
    night = edit([claim()], clinical=[documented(her2_ihc=9), documented(authorization_number="")])
    assert night.rejected_clinical_facts == [
        ("A1", None, frozenset({"her2_ihc:at_most_3"})),
        (None, None, frozenset({"authorization_number:not_null"})),
    ]


@pytest.mark.parametrize("request_type", ["", "initial", "renewal"])
def test_the_kind_of_request_is_the_authorizations(request_type: str) -> None:
    """The facts meet the initial criteria, and say nothing of a response."""
    authorizations = [authorization(request_type=request_type)]
    found = clinical_verdicts(
        claim(), partner(), clinical=[documented()], authorizations=authorizations
    )
    assert found == ({f"{COVERAGE}:unknown"} if request_type == "renewal" else set())


def test_the_version_that_governs_is_the_one_that_is_asked() -> None:
    bcbst = "bcbst-ixabepilone"
    third_line = [documented(line_of_therapy=3)]
    prime = clinical_verdicts(claim(), partner(), clinical=third_line)
    current = clinical_verdicts(clinical=third_line, policy_id=bcbst)
    draft = clinical_verdicts(clinical=third_line, policy_id=bcbst, version="2026-draft")
    assert (prime, current, draft) == ({f"{COVERAGE}:fail"}, set(), {f"{COVERAGE}:fail"})


def test_a_draft_that_is_named_governs_every_date() -> None:
    night = edit(
        [claim(claim_line_start_date="2019-01-01", received_date="")],
        [authorization(effective_date="2019-01-01", expiration_date="2019-06-01")],
        policy_id="bcbst-ixabepilone",
        version="2026-draft",
    )
    assert [row["policy_version"] for row in night.lines] == ["2026-draft"]
    assert [row["disposition"] for row in night.lines] == ["pay"]


# The dose


@pytest.mark.parametrize(
    ("bsa", "most"),
    [
        (0.3, 15),
        (1.5, 60),
        (1.500001, 75),
        (1.5000004, 60),  # 6 decimals count
        (1.8, 75),
        (2.2, 90),
        (2.5, 90),
    ],
)
def test_the_dose_is_in_whole_vials(bsa: float, most: int) -> None:
    for units, expected in ((most, set()), (most + 15, {f"{DOSE}:fail"})):
        line = claim(service_unit_quantity=units)
        assert clinical_verdicts(line, partner(), clinical=[documented(bsa_m2=bsa)]) == expected


def test_sums_of_vials_that_do_not_divide_each_other() -> None:
    vials = {Decimal("2.5"), Decimal(4)}
    sums = {"0": "0", "0.1": "2.5", "3": "4", "6.6": "7.5", "8.000001": "9", "9.5": "10"}
    for need, smallest in sums.items():
        assert smallest_sum_of_vials(Decimal(need), vials) == Decimal(smallest)
    assert smallest_sum_of_vials(Decimal(73), set()) == 73
    assert units_needed(1.1249996, Dose(Decimal(40), Decimal("2.2"))) == Decimal("45")


def test_the_dose_is_of_all_lines_of_the_day_that_no_other_line_edit_denies() -> None:
    facts = [documented(bsa_m2="1.5"), documented(authorization_number="A2", bsa_m2="1.5")]
    lines = [
        claim(claim_id="C1", service_unit_quantity=45),
        claim(claim_id="C2", service_unit_quantity=30, rendering_npi="2222222222"),
        claim(claim_id="C3", service_unit_quantity=45, diagnosis_code_1=""),
        claim(claim_id="C4", service_unit_quantity=30, claim_line_start_date=day(1)),
        claim(claim_id="C5", service_unit_quantity=45, member_id="M2"),
        partner(),
        partner(claim_id="P2", member_id="M2"),
    ]
    authorizations = [
        authorization(),
        authorization(authorization_number="A2", member_id="M2"),
    ]

    def over(*rows: RawRow) -> set[str]:
        night = edit(list(rows), authorizations, clinical=facts)
        return {row["claim_id"] for row in night.findings if row["edit_id"] == DOSE}

    assert over(*lines) == {"C1", "C2", "C3"}  # 75, and a denied line is asked beside them
    assert over(lines[0], *lines[2:]) == set()  # 45 but for the denied line
    assert over(*lines[1:]) == set()
    replaced = claim(claim_id="C1", service_unit_quantity=90)
    instead = lines[1] | {"claim_frequency_code": "7", "original_claim_id": "C1"}
    assert over(replaced, instead, partner()) == set()


def test_a_day_that_is_not_clear_counts_for_the_dose_as_well() -> None:
    header: RawRow = {
        "claim_line_start_date": "",
        "claim_start_date": day(0),
        "claim_end_date": day(3),
    }
    lines = [claim(service_unit_quantity=45), claim(claim_id="C2", service_unit_quantity=30)]
    lines[1] |= header
    assert clinical_verdicts(*lines, partner(), clinical=[documented(bsa_m2="1.5")]) == {
        f"{DOSE}:fail"
    }


# The partner of a combination


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("apart", "there"), [(0, True), (20, True), (21, True), (22, False)])
def test_a_partner_stands_within_21_days(apart: int, direction: int, there: bool) -> None:
    found = clinical_verdicts(claim(), partner(direction * apart), clinical=[documented()])
    assert found == (set() if there else {f"{MISSING}:fail"})


@pytest.mark.parametrize(
    ("cells", "there"),
    [
        ({"hcpcs_code": " q5146 "}, True),
        ({"hcpcs_code": "Q5115"}, False),
        ({"hcpcs_code": "J8522"}, False),
        ({"member_id": "M2"}, False),
        ({"member_id": "", "patient_id": "M1"}, True),
        ({"member_id": ""}, False),
        ({"claim_id": ""}, False),
        ({"claim_line_start_date": "2026-01-32"}, False),
        ({"claim_line_start_date": "", "claim_start_date": "20260110"}, True),
        ({"service_unit_quantity": "many", "line_of_business": "?"}, True),
        ({"ndc_code": "70020-1911-01"}, True),
        ({"claim_frequency_code": "8"}, False),
        ({"claim_frequency_code": "7", "original_claim_id": "P9"}, True),
        ({"claim_type": "institutional", "bill_type_code": "138"}, False),
        ({"bill_type_code": "138"}, True),
    ],
)
def test_what_is_a_partner_line(cells: RawRow, there: bool) -> None:
    night = edit([claim(), partner() | cells], clinical=[documented()])
    assert (f"{MISSING}:fail" not in verdicts(night)) == there


def test_partner_lines_are_kept_as_they_are_read() -> None:
    rows = [claim(), partner(), partner(), partner(hcpcs_code="q5115")]
    rows.append(partner(claim_id="P2", claim_frequency_code="3", received_date="soon"))
    night = edit(rows, clinical=None)
    assert [one["claim_id"] for one in night.partner_lines] == ["P1", "P2"]
    assert night.partner_lines[1] == {
        "member_id": "M1",
        "claim_id": "P2",
        "claim_line_start_date": claim_day(),
        "hcpcs_code": "J9355",
        "claim_frequency_code": "1",
        "original_claim_id": None,
        "received_date": None,
    }
    assert night.out_of_scope == 4
    assert edit(rows, policy_id="bcbst-ixabepilone").partner_lines == []


def claim_day() -> object:
    return edit([claim()]).lines[0]["claim_line_start_date"]


@pytest.mark.parametrize("regimen", ["single_agent", "with_capecitabine", "other", ""])
def test_no_partner_is_looked_for_with_other_regimens(regimen: str) -> None:
    """What is not documented is unknown, and nobody is told."""
    found = clinical_verdicts(claim(), clinical=[documented(regimen=regimen)])
    assert not any(one.startswith(MISSING) for one in found)
