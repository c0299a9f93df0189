"""The example cases beside the policies hold, and one that is spoilt is found and named."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.cases import Case, Judged, judge, read_cases
from claims_edit.errors import UsageError
from claims_edit.policies import load_policy, policy_ids
from claims_edit.reference import load_reference
from tests.policies.sound import EXAMPLES, ORDINARY, made_wrong, sound
from tests.support import REFERENCE, policy, reference_data

# ---- of the policies that are shipped -------------------------------------------------------

ALL = [(name, case) for name in policy_ids(REFERENCE) for case in read_cases(policy(name))]


@cache
def judged(policy_id: str) -> dict[tuple[str, str], Judged]:
    found = judge(policy(policy_id), reference_data(), read_cases(policy(policy_id)))
    return {(j.case.name, j.case.version): j for j in found}


@pytest.mark.parametrize(
    ("policy_id", "case"), ALL, ids=[f"{name}@{case.version}: {case.name}" for name, case in ALL]
)
def test_the_case_holds(policy_id: str, case: Case) -> None:
    assert judged(policy_id)[case.name, case.version].differences == ()


def test_every_policy_has_cases_of_every_version() -> None:
    for name in policy_ids(REFERENCE):
        versions = {case.version for policy_id, case in ALL if policy_id == name}
        assert versions == {v.version for v in policy(name).versions}


def test_every_edit_that_is_not_off_is_found_by_some_case() -> None:
    """Where an edit is a rule of claims processing alone, its example tables show it."""
    for name in policy_ids(REFERENCE):
        found = {
            edit
            for policy_id, case in ALL
            if policy_id == name
            for line in case.lines
            for edit in (*line["fails"].split(), *line["unknown"].split())
        }
        document = {
            edit_id
            for version in policy(name).versions
            for edit_id, rule in version.edits.items()
            if rule.fail != "off" and not rule.section.startswith("not in the document")
        }
        assert document - found == set()


# ---- of a small folder ----------------------------------------------------------------------


def differences(folder: Path) -> list[str]:
    """What the cases of the small folder get otherwise than they say."""
    small = load_policy(folder, "some-drug")
    found = judge(small, load_reference(folder), read_cases(small))
    return [f"{j.case.name}: {difference}" for j in found for difference in j.differences]


def refused(folder: Path) -> str:
    with pytest.raises(UsageError) as error:
        differences(folder)
    message = str(error.value)
    assert "\n" not in message
    return message


def checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code of `policy check`, and both streams."""
    capsys.readouterr()
    options = ["--reference-data", str(folder), "--as-of", "2026-01-01"]
    code = outcome(["policy", "check", "some-drug", *options])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_cases_of_the_small_folder_hold(tmp_path: Path) -> None:
    assert differences(sound(tmp_path)) == []


SPOILT = [
    # in the table, written otherwise, what is found
    (
        "tired,first,either,spread and tired,,,,,,,,,,,,pay,10",
        "tired,first,either,spread and tired,,,,,,,,,,coverage-criteria,,pay,10",
        "tired: line 3: fails is none, and not coverage-criteria",
    ),
    (
        ",,coverage-criteria,flag,10",
        ",,,flag,10",
        "untold: line 4: unknown is coverage-criteria, and not none",
    ),
    (
        "either,spread and tired,,,,,,,,,,,,pay,10",
        "either,spread and tired,,,,,,,,,,,,flag,10",
        "tired: line 3: is pay, and not flag",
    ),
    (
        "either,spread and tired,,,,,,,,,,,,pay,10",
        "either,spread and tired,,,,,,,,,,,,pay,9.5",
        "tired: line 3: 10 units are allowed, and not 9.5",
    ),
    (
        "coverage-criteria dose-exceeds-body-surface units-per-dose,,partial",
        "coverage-criteria units-per-dose,,partial",
        "large: line 6: fails is coverage-criteria dose-exceeds-body-surface units-per-dose, and not "
        "coverage-criteria units-per-dose",
    ),
    (
        ",H0002,,,,,,,,,,out of scope",
        ",H0001,,,,,,,,,,out of scope",  # no code of the partner on that day
        "together: line 9: fails is combination-partner-missing, and not none",
    ),
    (
        ",H0002,,,,,,,,,,out of scope",
        ",H0002,,,,,,,,,,pay",
        "together: line 10: is out of scope, and not pay",
    ),
    ("2013-06-02", "2013-06-03", "twelve: line 12: is flag, and not pay"),
    # What the extracts' checks reject gets no verdict.
    ("small,,,7,", "small,,,seven,", "small: line 5: is rejected, and not pay"),
    ("small,,,7,", "small,,,seven,", "small: line 5: no units are allowed, and not 7"),
    ("renewal,stable", "renewed,stable", "again: its authorization or its facts cannot be read"),
    ("renewal,stable", "renewal,stabel", "again: its authorization or its facts cannot be read"),
]


@pytest.mark.parametrize(
    ("old", "new", "found"), SPOILT, ids=[f"{i}: {case[2]}" for i, case in enumerate(SPOILT)]
)
def test_a_case_that_is_spoilt_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, found: str
) -> None:
    folder = made_wrong(tmp_path, EXAMPLES, old, new)
    assert found in differences(folder)
    code, out, err = checked(folder, capsys)
    name, _, difference = found.partition(": ")
    assert code == 2
    problems = [line for line in out.splitlines() if line.startswith("  case ")]
    assert any(p.startswith(f"  case {name} (examples.csv, line ") for p in problems)
    assert any(p.endswith(f": {difference}") for p in problems)
    assert err.startswith("claims-edit: policy check: ")
    assert err.count("\n") == 1


def test_a_case_without_its_authorization_is_of_no_use_where_it_needs_one(tmp_path: Path) -> None:
    """Nothing is matched: criteria, dose and partner have nothing to judge."""
    folder = made_wrong(tmp_path, ORDINARY, "status,approved", "status,none")
    named = {difference.partition(":")[0] for difference in differences(folder)}
    assert named == {"untold", "large", "progression", "alone"}


def test_an_ordinary_value_that_is_spoilt_spoils_the_cases_that_take_it(tmp_path: Path) -> None:
    folder = made_wrong(tmp_path, ORDINARY, "diagnosis_code_1,A01.1", "diagnosis_code_1,B99")
    named = {difference.partition(":")[0] for difference in differences(folder)}
    rows = (folder / EXAMPLES).read_text(encoding="utf-8").splitlines()[2:]
    assert named == {row.partition(",")[0] for row in rows}


# ---- tables that cannot be read -------------------------------------------------------------

HEADER = "case,version,sentence,says"
UNREADABLE = [
    # file, old, new, where and what
    (EXAMPLES, "authorization:request_type", "authorization:kind", ": there is no column 'auth"),
    (EXAMPLES, "clinical:bsa_m2", "clinical:bsa", ": there is no column 'clinical:bsa'"),
    (EXAMPLES, "hcpcs_code", "hcpcs", ": there is no column 'hcpcs'"),
    (EXAMPLES, "fails", "fail", ": there is no column 'fail'"),
    (EXAMPLES, HEADER, "name,version,sentence,says", ": there is no column 'name'"),
    (EXAMPLES, HEADER, "member_id,version,sentence,says", ": the column case is missing"),
    (
        EXAMPLES,
        "tired,first",
        "tired,third",
        ": line 3: there is no version 'third'; there is: first, second",
    ),
    (EXAMPLES, "untold,first", "untold,first third", ": line 4: there is no version 'third'"),
    (EXAMPLES, "tired,first", "tired,", ": line 3: case and version must be written"),
    (EXAMPLES, "tired,first", ",first", ": line 3: case and version must be written"),
    (EXAMPLES, "pay,10\n", "pay\n", ": line 3: has other fields than the header"),
    (EXAMPLES, "pay,10\n", "pay,10,\n", ": line 3: has other fields than the header"),
    (EXAMPLES, "pay,10\n", "pay,many\n", ": line 3: allowed_units 'many' is not a number"),
    (EXAMPLES, "spread and tired", '"spread" and', ": cannot be read as a CSV table"),
    (
        ORDINARY,
        "as_of,2026-01-01\n",
        "",
        ": line 3: as_of must be written, here or in ordinary.csv",
    ),
    (ORDINARY, "as_of,2026-01-01", "as_of,soon", ": line 3: as_of 'soon' is not a date"),
    (ORDINARY, "column,value", "name,value", ": line 2: needs `column` and `value`"),
    (ORDINARY, "hcpcs_code,X0001", "hcpcs,X0001", ": line 6: needs `column` and `value`"),
    (ORDINARY, "hcpcs_code,X0001", "hcpcs_code", ": line 6: has other fields than the header"),
]


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    UNREADABLE,
    ids=[f"{i}: {case[3][2:]}" for i, case in enumerate(UNREADABLE)],
)
def test_a_table_of_cases_that_cannot_be_read(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    old: str,
    new: str,
    problem: str,
) -> None:
    folder = made_wrong(tmp_path, name, old, new)
    message = refused(folder)
    of_lines = EXAMPLES if "as_of" in problem else name
    assert message.startswith(f"cases: {folder / of_lines}{problem}")
    code, _, err = checked(folder, capsys)
    assert (code, err) == (2, f"claims-edit: {message}\n")


def test_cases_need_the_ordinary_line(tmp_path: Path) -> None:
    folder = sound(tmp_path)
    (folder / ORDINARY).unlink()
    assert refused(folder) == f"cases: {folder / ORDINARY}: cannot be read as a CSV table."


def test_a_table_in_other_letters_than_utf_8(tmp_path: Path) -> None:
    folder = sound(tmp_path)
    (folder / EXAMPLES).write_bytes(b"case,version\n\xff,first\n")
    assert refused(folder) == f"cases: {folder / EXAMPLES}: cannot be read as a CSV table."


def test_a_case_stands_in_one_table(tmp_path: Path) -> None:
    folder = sound(tmp_path)
    more = folder / EXAMPLES.replace("examples", "more")
    more.write_text("case,version,sentence\ntired,first,either\n", encoding="utf-8")
    message = f"cases: {more}: line 2: the case 'tired' is in another table, too; mend the table."
    assert refused(folder) == message


def test_a_cell_of_several_lines_and_a_mark_at_the_beginning_do_no_harm(tmp_path: Path) -> None:
    folder = made_wrong(tmp_path, EXAMPLES, "spread and tired", '"spread\nand tired"')
    text = (folder / EXAMPLES).read_text(encoding="utf-8").replace("flag,10", "pay,10")
    (folder / EXAMPLES).write_text(f"\ufeff{text}", encoding="utf-8")
    cases = read_cases(load_policy(folder, "some-drug"))
    assert cases[0].says == "spread\nand tired"
    assert differences(folder) == ["untold: line 5: is flag, and not pay"]


def test_a_policy_without_cases_is_judged_by_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sound(tmp_path)
    for name in (EXAMPLES, ORDINARY):
        (folder / name).unlink()
    assert read_cases(load_policy(folder, "some-drug")) == []
    code, out, _ = checked(folder, capsys)
    assert code == 2  # its sentences have no case
    assert out.startswith("some-drug: 0 cases, 4 problems\n")
