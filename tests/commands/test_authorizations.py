"""`authorizations`: what is met, what is not, what is not documented, and what to ask for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.cli.support import MARK, Operator, authorization, keeps_members_secret
from tests.commands.requests import LIVER, MET, RENEWAL, WITH_CAPECITABINE, Desk, member
from tests.commands.support import BCBST
from tests.policies.sound import sound
from tests.support import Row

CRITERIA = "coverage-criteria"
SPAN = "authorization-span-exceeds-policy"
AGE = "member-under-age"


@pytest.fixture
def desk(operator: Operator) -> Desk:
    return Desk(operator)


# ---- the criteria ---------------------------------------------------------------------------


def test_what_is_met_says_nothing_more(desk: Desk) -> None:
    found = desk.determine({0: MET})[0]
    assert found == {
        "authorization_number": f"{MARK}-AUTH-0",
        "member_id": f"{MARK}-MEMBER-0",
        "hcpcs_code": "J9207",
        "status": "approved",
        "request_type": None,
        "effective_date": date(2025, 10, 1),
        "expiration_date": date(2026, 3, 31),
        "approved_units": None,
        "policy_id": "prime-ic-0072",
        "policy_version": "2025-09-04",
        "determination": "met",
        "criteria": "met",
        "edit_ids": [],
        "unknown_edit_ids": [],
        "why": None,
        "nearest_branch": None,
        "missing_facts": [],
        "ask_for": None,
        "latest_expiration_date": date(2026, 4, 1),
    }


SINGLE = (
    "by HER2 status > recurrent unresectable or metastatic > HER2 negative, single agent > "
    "hormone-receptor positive"
)
CAPECITABINE = (
    "after an anthracycline and a taxane > failed or resistant to both > with capecitabine"
)


@pytest.mark.parametrize(
    ("facts", "branch", "because"),
    [
        (
            MET
            | {"line_of_therapy": "2", "t_dxd_candidate": "true", "capecitabine_failed": "false"},
            f"{SINGLE} > second line",
            "the patient is a candidate for fam-trastuzumab deruxtecan (t_dxd_candidate true)",
        ),
        (
            MET | {"cremophor_hypersensitivity": "true"},
            f"{SINGLE} > third line or later",
            "the patient has had a severe hypersensitivity to Cremophor EL or a derivative "
            "(cremophor_hypersensitivity true)",
        ),
        (
            WITH_CAPECITABINE | LIVER | {"bilirubin_xuln": "1.1"},
            CAPECITABINE,
            "the drug is given with capecitabine (regimen with_capecitabine); AST, ALT or "
            "bilirubin is above its limit (ast_xuln 2.5, alt_xuln 2.5, bilirubin_xuln 1.1)",
        ),
    ],
    ids=["T-DXd", "Cremophor", "bilirubin"],
)
def test_not_met_names_the_branch_that_came_nearest_and_why(
    desk: Desk, facts: Row, branch: str, because: str
) -> None:
    found = desk.determine({0: facts})[0]
    assert (found["determination"], found["criteria"]) == ("not_met", "not_met")
    assert found["edit_ids"] == [CRITERIA]
    assert found["nearest_branch"] == branch
    assert found["why"] == (
        f"authorization {MARK}-AUTH-0 does not meet the criteria of initial approval; nearest is "
        f"{branch}, and fails because {because}"
    )
    assert (found["missing_facts"], found["ask_for"]) == ([], None)


@pytest.mark.parametrize(
    ("facts", "branch", "missing", "words"),
    [
        (
            MET | {"line_of_therapy": "2", "capecitabine_failed": "false"},
            f"{SINGLE} > second line",
            ["t_dxd_candidate"],
            ["candidacy for fam-trastuzumab deruxtecan"],
        ),
        (
            MET
            | {"disease_extent": None, "capecitabine_failed": "false"}
            | {"no_response_to_preoperative_therapy": "false"},
            f"{SINGLE} > third line or later",
            ["disease_extent"],
            ["extent of the disease"],
        ),
        (
            MET | {"her2_ihc": "2", "capecitabine_failed": "false"},
            f"{SINGLE} > third line or later",
            ["her2_ish_ratio", "her2_copy_number"],
            ["HER2/CEP17 ratio (dual-probe ISH)", "average HER2 copy number (dual-probe ISH)"],
        ),
        (
            WITH_CAPECITABINE | LIVER | {"bilirubin_xuln": None},
            CAPECITABINE,
            ["bilirubin_xuln"],
            ["bilirubin in multiples of the upper limit of normal"],
        ),
        (
            WITH_CAPECITABINE,
            CAPECITABINE,
            ["ast_xuln", "alt_xuln", "bilirubin_xuln"],
            [
                f"{name} in multiples of the upper limit of normal"
                for name in ("AST", "ALT", "bilirubin")
            ],
        ),
    ],
    ids=["candidate", "extent", "HER2", "bilirubin", "liver"],
)
def test_undocumented_names_the_facts_and_asks_for_them(
    desk: Desk, facts: Row, branch: str, missing: list[str], words: list[str]
) -> None:
    found = desk.determine({0: facts})[0]
    assert (found["determination"], found["criteria"]) == ("undocumented", "undocumented")
    assert (found["edit_ids"], found["unknown_edit_ids"]) == ([], [CRITERIA])
    assert found["nearest_branch"] == branch
    assert found["missing_facts"] == missing
    assert found["ask_for"] == "; ".join(words)
    listed = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    are = "is" if len(words) == 1 else "are"
    assert found["why"].endswith(f"; nearest is {branch}: {listed} {are} not documented")


def test_what_to_ask_for_is_all_that_any_way_to_meet_the_criteria_lacks(desk: Desk) -> None:
    """The branch that came nearest lacks one fact; in the other, two more are open."""
    found = desk.determine({0: MET | {"line_of_therapy": "2", "anthracycline_failed": "true"}})[0]
    assert found["determination"] == "undocumented"
    assert found["nearest_branch"] == f"{SINGLE} > second line"
    assert found["missing_facts"] == ["t_dxd_candidate"]
    asked = found["ask_for"].split("; ")
    assert asked[0] == "candidacy for fam-trastuzumab deruxtecan"
    assert {"failure of taxane therapy", "failure of capecitabine"} <= set(asked)
    assert "failure of anthracycline therapy" not in asked
    assert "extent of the disease" not in asked


def test_results_that_contradict_each_other(desk: Desk) -> None:
    """IHC 3+, and in-situ hybridization of group 5."""
    both = {"her2_ihc": "3", "her2_ish_ratio": "1.5", "her2_copy_number": "3"}
    found = desk.determine({0: MET | both | {"capecitabine_failed": "false"}})[0]
    assert found["determination"] == "undocumented"
    assert found["missing_facts"] == []
    assert found["ask_for"] == "a result that settles: HER2 negative"
    assert "the results for HER2 negative contradict each other" in found["why"]


def test_no_facts_of_an_authorization(desk: Desk) -> None:
    desk.write([authorization(0), authorization(1)], {1: MET})
    found = desk.determined()
    assert found.verdicts() == {0: "undocumented", 1: "met"}
    assert found[0]["unknown_edit_ids"] == [CRITERIA]
    assert found[0]["ask_for"] == "the clinical facts of the request"
    assert found[0]["nearest_branch"] is None
    assert "has no readable facts" in found[0]["why"]


def test_facts_of_nothing_at_all_are_facts(desk: Desk) -> None:
    found = desk.determine({0: {}})[0]
    assert found["determination"] == "undocumented"
    assert {"regimen", "disease_extent", "cremophor_hypersensitivity"} <= set(
        found["missing_facts"]
    )
    assert found["ask_for"] != "the clinical facts of the request"


def test_without_a_clinical_extract_the_criteria_are_not_asked(desk: Desk) -> None:
    found = desk.determine(None)[0]
    assert (found["determination"], found["criteria"]) == ("undocumented", "undocumented")
    assert (found["edit_ids"], found["unknown_edit_ids"]) == ([], [])
    assert found["why"] == "no clinical extract was given, so the criteria cannot be told"
    assert found["ask_for"] == "the clinical facts of the request"


def test_what_is_not_met_without_facts_is_not_met(desk: Desk) -> None:
    found = desk.determine(None, expiration_date=None)[0]
    assert (found["determination"], found["criteria"]) == ("not_met", "undocumented")
    assert found["edit_ids"] == [SPAN]


@pytest.mark.parametrize(
    ("request_type", "facts", "verdict"),
    [
        ("renewal", RENEWAL, "met"),
        ("renewal", RENEWAL | {"line_of_therapy": "1", "germline_brca_mutation": "true"}, "met"),
        ("renewal", RENEWAL | {"disease_response": "progression"}, "not_met"),
        ("renewal", RENEWAL | {"unacceptable_toxicity": None}, "undocumented"),
        ("renewal", MET, "undocumented"),
        ("Renewal", RENEWAL | {"unacceptable_toxicity": "true"}, "not_met"),
        ("initial", MET, "met"),
        ("initial", MET | {"disease_response": "progression"}, "met"),
        (None, MET | {"unacceptable_toxicity": "true"}, "met"),
        (None, RENEWAL | {"disease_extent": "early"}, "not_met"),
        ("renewal", RENEWAL | {"disease_extent": "early"}, "met"),
    ],
)
def test_a_renewal_is_asked_other_criteria_and_a_request_of_no_kind_is_initial(
    desk: Desk, request_type: str | None, facts: Row, verdict: str
) -> None:
    found = desk.determine({0: facts}, request_type=request_type)[0]
    assert found["determination"] == verdict
    if verdict != "met":
        kind = "renewal" if (request_type or "").lower() == "renewal" else "initial"
        assert f"the criteria of {kind} approval" in found["why"]


@pytest.mark.parametrize("status", ["approved", "denied", "pending", "cancelled"])
def test_every_status_is_determined(desk: Desk, status: str) -> None:
    """Those that are pending are what the desk is there for."""
    found = desk.determine({0: MET, 1: MET | {"cremophor_hypersensitivity": "true"}}, status=status)
    assert found.verdicts() == {0: "met", 1: "not_met"}
    assert found[0]["status"] == status


@pytest.mark.parametrize("clinical", [False, True])
def test_a_version_without_criteria_asks_for_nothing(
    desk: Desk, tmp_path: Path, clinical: bool
) -> None:
    """The first version has criteria, and the second has none: neither does it name months."""
    days = {0: "2025-06-30", 1: "2025-07-01"}
    rows = [
        authorization(n, hcpcs_code="X0001", effective_date=day, expiration_date="2025-12-01")
        for n, day in days.items()
    ]
    small: Row = {"bsa_m2": "1.4"}
    desk.write(rows, dict.fromkeys(days, small) if clinical else None)
    reference = ("--policy", "some-drug", "--reference-data", sound(tmp_path / "reference"))
    found = desk.determined(*reference)
    assert found.verdicts() == {0: "met" if clinical else "undocumented", 1: "met"}
    assert found[1]["criteria"] == "not_asked"
    assert found[1]["policy_version"] == "second"
    assert (found[1]["ask_for"], found[1]["latest_expiration_date"]) == (None, None)


# ---- its own dates and months ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("effective", "last_day", "day_after"),
    [
        ("2025-10-01", "2026-04-01", "2026-04-02"),
        ("2026-08-31", "2027-02-28", "2027-03-01"),
        ("2027-08-31", "2028-02-29", "2028-03-01"),
        ("2025-12-31", "2026-06-30", "2026-07-01"),
        ("2026-02-28", "2026-08-28", "2026-08-29"),
    ],
)
def test_the_last_day_that_the_months_allow(
    desk: Desk, effective: str, last_day: str, day_after: str
) -> None:
    dates = {0: last_day, 1: day_after, 2: None, 3: effective}
    rows = [
        authorization(n, effective_date=effective, expiration_date=to) for n, to in dates.items()
    ]
    desk.write(rows, dict.fromkeys(dates, MET))
    found = desk.determined()
    assert found.verdicts() == {0: "met", 1: "not_met", 2: "not_met", 3: "met"}
    for number in dates:
        assert found[number]["latest_expiration_date"] == date.fromisoformat(last_day)
        assert found[number]["criteria"] == "met"
    assert found[1]["edit_ids"] == found[2]["edit_ids"] == [SPAN]
    assert found[1]["why"] == (
        f"authorization {MARK}-AUTH-1 starts on {effective} and ends on {day_after}; the policy "
        f"grants 6 months, to {last_day}"
    )
    assert f"starts on {effective} and has no end" in found[2]["why"]


def test_the_months_are_the_policy_s(desk: Desk) -> None:
    dates = {0: "2025-02-28", 1: "2025-03-01"}
    rows = [
        authorization(n, effective_date="2024-02-29", expiration_date=to) for n, to in dates.items()
    ]
    desk.write(rows, dict.fromkeys(dates, MET))
    found = desk.determined("--policy", BCBST)
    assert found.verdicts() == {0: "met", 1: "not_met"}
    assert found[0]["policy_version"] == "current"
    assert "the policy grants 12 months, to 2025-02-28" in found[1]["why"]


def test_all_reasons_are_said_one_a_line(desk: Desk) -> None:
    facts = MET | {"cremophor_hypersensitivity": "true"}
    child = member(birth_date="2015-01-01")
    found = desk.determine({0: facts}, members=[child], expiration_date=None)[0]
    assert found["edit_ids"] == [AGE, SPAN, CRITERIA]
    assert [line.partition(" ")[0] for line in found["why"].splitlines()] == [
        "the",
        "authorization",
        "authorization",
    ]


# ---- in sum ----------------------------------------------------------------------------------


def test_what_is_printed_counts_and_names_nobody(desk: Desk) -> None:
    facts = {0: MET, 1: MET | {"disease_extent": None}, 2: MET, 3: {}}
    desk.write([authorization(n) for n in (0, 1, 2, 4)], facts, [member(2, payer_type="medicare")])
    said = desk.determined().said
    lines = said.out.splitlines()
    assert lines[0] == "Determinations 2026-02-28, policy prime-ic-0072"
    assert lines[2:4] == [
        "Authorizations read 4: of other drugs 0, rejected 0, determined 4",
        "Clinical facts read 4: rejected 0",
    ]
    counts = {line.split()[0]: int(line.split()[1]) for line in lines[7:9]}
    assert counts == {"not_governed": 1, "undocumented": 3}
    keeps_members_secret(said)
    assert MARK not in said.out
