"""`policy check` finds what is wrong with a policy that can be read, each in its own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.policies import policy_ids
from tests.policies.folder import COVERED, PARTNERS, POLICY
from tests.policies.sound import found, made_wrong, of_policy, sound
from tests.support import REFERENCE

ADJUSTMENT = "codes/adjustment_codes.csv"
ICD10 = "codes/icd10cm.csv"


@pytest.mark.parametrize("policy_id", policy_ids(REFERENCE))
def test_the_policies_that_are_shipped_have_no_problem(
    policy_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(["policy", "check", policy_id]) == 0
    printed = capsys.readouterr()
    assert f"{policy_id}: " in printed.out
    assert " cases, 0 problems\n" in printed.out
    assert printed.err == ""


def test_the_small_folder_has_none(tmp_path: Path) -> None:
    assert found(sound(tmp_path)) == []


# ---- dates and codes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "end_date = 2025-06-30",
            "end_date = 2025-06-29",
            ["no version is in force between 2025-06-29 (first) and 2025-07-01 (second)"],
        ),
        (
            "start_date = 2025-07-01",
            "start_date = 2025-10-01",
            ["no version is in force between 2025-06-30 (first) and 2025-10-01 (second)"],
        ),
        # Of a draft, nobody expects that it follows.
        (
            'status = "active"\nstart_date = 2025-07-01',
            'status = "draft"\nstart_date = 2025-09-01',
            [],
        ),
    ],
)
def test_days_between_two_versions(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    assert of_policy(made_wrong(tmp_path, POLICY, old, new)) == expected


def test_a_gap_beside_a_draft_that_would_fill_it(tmp_path: Path) -> None:
    """A draft governs nothing."""
    folder = made_wrong(tmp_path, POLICY, "end_date = 2025-06-30", "end_date = 2025-05-31")
    text = (folder / POLICY).read_text(encoding="utf-8")
    draft = '\n[[versions]]\nversion = "between"\nstatus = "draft"\nstart_date = 2025-06-01\n'
    governance = text[text.index("no-policy-in-force") : text.index("\nmember-under-age")]
    medicare = next(x for x in text.splitlines() if x.startswith("medicare-not-governed"))
    draft += f"end_date = 2025-06-30\n\n[versions.edits]\n{governance}\n{medicare}\n"
    (folder / POLICY).write_text(text + draft, encoding="utf-8")
    expected = ["no version is in force between 2025-05-31 (first) and 2025-07-01 (second)"]
    assert of_policy(folder) == expected


@pytest.mark.parametrize("edit_id", ["medicare-not-governed", "no-policy-in-force"])
def test_an_edit_that_is_asked_all_the_same(tmp_path: Path, edit_id: str) -> None:
    folder = sound(tmp_path)
    lines = (folder / POLICY).read_text(encoding="utf-8").splitlines()
    without = [line for line in lines if not line.startswith(edit_id)]
    (folder / POLICY).write_text("\n".join(without), encoding="utf-8")
    said = f"does not list {edit_id}, which is always asked, with action flag"
    assert of_policy(folder) == [f"version {version}: {said}" for version in ("first", "second")]


@pytest.mark.parametrize(
    ("row", "edit_id", "code", "versions"),
    [
        ("carc,153,Not this dosage", "dose-exceeds-body-surface", "CARC 153", ["first"]),
        ("rarc,N129,Age", "member-under-age", "RARC N129", ["first", "second"]),
        (
            "carc,167,Diagnosis not covered",
            "diagnosis-not-covered",
            "CARC 167",
            ["first", "second"],
        ),
    ],
)
class TestAdjustmentCode:
    """A code that the edits of a version use."""

    def test_that_the_table_lacks(
        self, tmp_path: Path, row: str, edit_id: str, code: str, versions: list[str]
    ) -> None:
        folder = made_wrong(tmp_path, ADJUSTMENT, f"{row},,,made up\n", "")
        said = f"{edit_id}: {code} is not in adjustment_codes.csv"
        assert of_policy(folder) == [f"version {version}: {said}" for version in versions]

    @pytest.mark.parametrize(
        ("end", "ended_for"),
        [
            ("2025-06-29", ["first", "second"]),  # the day before the end of the first
            ("2025-06-30", ["second"]),
            ("2025-12-31", ["second"]),  # the day before the check
            ("2026-01-01", []),
        ],
    )
    def test_that_ends_while_the_version_is_in_force(
        self,
        tmp_path: Path,
        row: str,
        edit_id: str,
        code: str,
        versions: list[str],
        end: str,
        ended_for: list[str],
    ) -> None:
        folder = made_wrong(tmp_path, ADJUSTMENT, f"{row},,,", f"{row},,{end},")
        said = f"{edit_id}: {code} ended on {end}"
        expected = [f"version {v}: {said}" for v in ended_for if v in versions]
        assert of_policy(folder) == expected


def test_an_ended_code_that_follows_itself_is_in_order(tmp_path: Path) -> None:
    two = "carc,6,Not this age,,2024-12-31,made up\ncarc,6,No age,2025-01-01,,made up\n"
    folder = made_wrong(tmp_path, ADJUSTMENT, "carc,6,Not this age,,,made up\n", two)
    assert of_policy(folder) == []


def test_a_code_of_an_edit_that_is_off_may_have_ended(tmp_path: Path) -> None:
    folder = made_wrong(
        tmp_path, ADJUSTMENT, "carc,153,Not this dosage,,", "carc,153,No,,2020-01-01"
    )
    text = (folder / POLICY).read_text(encoding="utf-8")
    old = 'dose-exceeds-body-surface = { fail = "flag", unknown = "off"'
    (folder / POLICY).write_text(text.replace(old, old.replace("flag", "off")), encoding="utf-8")
    assert of_policy(folder) == []


# ---- rows that nothing reaches --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            ICD10,
            "A01.1,First",
            "A01.2,First",
            [
                "version first: A01.1 is no valid code while it is covered",
                "version second: A01.1 is no valid code while it is covered",
            ],
        ),
        (
            ICD10,
            "B01.2,Second,,2025-01-01,2025-12-31",
            "B01.2,Second,,2025-01-01,2025-06-30",  # it ends before the second version begins
            ["version second: B01.2 is no valid code while it is covered"],
        ),
        (
            COVERED,
            "second,B01.2,Second,,",
            "second,B01.2,Second,2026-01-01,",  # it was valid to the day before
            ["version second: B01.2 is no valid code while it is covered"],
        ),
        (
            COVERED,
            "second,B01.2,Second,,",
            "second,B01.2,Second,,2025-06-30",
            ["version second: B01.2 is covered only when the version is not in force"],
        ),
        (
            COVERED,
            "first,A01.1,First,,",
            "first,A01.1,First,2025-07-01,",
            ["version first: A01.1 is covered only when the version is not in force"],
        ),
        (COVERED, "second,B01.2,Second,,", "second,B01.2,Second,,2025-07-01", []),
        (COVERED, "second,B01.2,Second,,", "second,B01.2,Second,2025-12-31,", []),
    ],
)
def test_a_covered_code_that_no_line_can_have(
    tmp_path: Path, name: str, old: str, new: str, expected: list[str]
) -> None:
    told = of_policy(made_wrong(tmp_path, name, old, new))
    assert [problem.replace("covered_diagnoses.csv: ", "") for problem in told] == expected
    assert all("covered_diagnoses.csv: " in problem for problem in told)


def test_a_history_code_that_is_not_covered(tmp_path: Path) -> None:
    old = 'family_prefixes = ["A01"]'
    folder = made_wrong(tmp_path, POLICY, old, f'{old}\nhistory_codes = ["A01.1", "Z85.3"]')
    said = "diagnoses: the history code Z85.3 is not covered, and so never looked at"
    assert of_policy(folder) == [f"version first: {said}"]


PERIOD = """
[[versions.limits]]
edit = "units-per-period"
max_units = {}
window_days = {}

[versions.dose]
"""


@pytest.mark.parametrize(
    ("max_units", "window_days", "reached"),
    [(29, 3, True), (30, 3, False), (31, 3, False), (10, 2, True), (20, 2, False), (10, 1, True)],
)
def test_a_limit_that_the_other_one_keeps_from_being_reached(
    tmp_path: Path, max_units: int, window_days: int, reached: bool
) -> None:
    """10 units a day are 30 in three days."""
    folder = made_wrong(
        tmp_path, POLICY, "\n[versions.dose]\n", PERIOD.format(max_units, window_days)
    )
    old = 'units-per-dose = { fail = "cutback", unknown = "flag", section = "Dose" }\n'
    text = (folder / POLICY).read_text(encoding="utf-8")
    text = text.replace(old, old + old.replace("dose", "period"))
    (folder / POLICY).write_text(text, encoding="utf-8")
    codes = (folder / ADJUSTMENT).read_text(encoding="utf-8")
    (folder / ADJUSTMENT).write_text(f"{codes}rarc,N640,Units,,,made up\n", encoding="utf-8")
    said = (
        f"limits: units-per-period is never reached: {window_days} times the 10 units of "
        f"units-per-dose are no more than its {max_units}"
    )
    assert of_policy(folder) == ([] if reached else [f"version first: {said}"])


# ---- blocks without their edit --------------------------------------------------------------


def without(folder: Path, edit_id: str) -> Path:
    """The sound folder, its policy without an edit."""
    sound(folder)
    lines = (folder / POLICY).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(f"{edit_id} =")]
    (folder / POLICY).write_text("\n".join(kept), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("edit_id", "expected"),
    [
        (
            "program-terms-govern",
            ["version second: program_terms are written, and program-terms-govern is not asked"],
        ),
        (
            "dose-exceeds-body-surface",
            ["version first: dose is written, and dose-exceeds-body-surface is not asked"],
        ),
        (
            "combination-partner-missing",
            [
                "version first: partners are observable, and combination-partner-missing is not asked"
            ],
        ),
        (
            "coverage-criteria",
            [
                "version first: criteria.csv has rows, and coverage-criteria is not asked",
                "version first: sentences.csv: either is decided by coverage-criteria, which is not "
                "asked",
                "version first: sentences.csv: again is decided by coverage-criteria, which is not "
                "asked",
            ],
        ),
    ],
)
def test_what_is_written_for_an_edit_that_is_not_asked(
    tmp_path: Path, edit_id: str, expected: list[str]
) -> None:
    assert of_policy(without(tmp_path, edit_id)) == expected


def test_a_program_of_medicare(tmp_path: Path) -> None:
    """Medicare lines are asked nothing else."""
    folder = made_wrong(tmp_path, POLICY, '= "medicaid"', '= "medicare"')
    said = "program_terms: TennCare: Medicare lines are never asked"
    assert of_policy(folder) == [f"version second: {said}"]


def test_a_partner_without_codes(tmp_path: Path) -> None:
    folder = made_wrong(tmp_path, POLICY, 'drug = "helper"', 'drug = "herper"')
    said = "partners: herper has no code in partner_drugs.csv: every line would fail"
    assert of_policy(folder) == [f"version first: {said}"]


@pytest.mark.parametrize(
    ("start", "end", "in_force"),
    [
        ("", "2024-12-31", False),  # to the day before the version begins
        ("", "2025-01-01", True),
        ("2025-06-30", "", True),  # from its last day
        ("2025-07-01", "", False),
    ],
)
def test_a_partner_without_codes_while_the_version_is_in_force(
    tmp_path: Path, start: str, end: str, in_force: bool
) -> None:
    folder = sound(tmp_path)
    row = f"helper,H0001,{start},{end},made up\n"
    header = (folder / PARTNERS).read_text(encoding="utf-8").splitlines(keepends=True)[0]
    (folder / PARTNERS).write_text(header + row, encoding="utf-8")
    said = (
        "partners: helper has no code that is in force while the version is: every line would fail"
    )
    assert of_policy(folder) == ([] if in_force else [f"version first: {said}"])


def test_a_code_that_begins_after_the_version(tmp_path: Path) -> None:
    old = "carc,153,Not this dosage,,"
    folder = made_wrong(tmp_path, ADJUSTMENT, old, "carc,153,Not this dosage,2025-01-02,")
    said = (
        "dose-exceeds-body-surface: CARC 153 is not in force on 2025-01-01, when the version begins"
    )
    assert of_policy(folder) == [f"version first: {said}"]
    folder = made_wrong(tmp_path, ADJUSTMENT, old, "carc,153,Not this dosage,2025-01-01,")
    assert of_policy(folder) == []


def test_a_partner_that_does_not_show_needs_no_codes(tmp_path: Path) -> None:
    folder = sound(tmp_path)
    assert "tablets" not in (folder / PARTNERS).read_text(encoding="utf-8")
    assert of_policy(folder) == []
