"""Every mistake in reference data and policies is one message: the file, the place, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.errors import UsageError
from claims_edit.policies import load_policy, policy_ids, require_governing
from claims_edit.reference import load_reference
from tests.policies.folder import COVERED, POLICY, TABLES, spoiled, written
from tests.support import write_csv

CODE_TABLES = [name for name in TABLES if name.startswith("codes/")]


def refused(folder: Path) -> str:
    """The message that loading the folder ends with."""
    with pytest.raises(UsageError) as error:
        load_reference(folder)
        require_governing(load_policy(folder, "some-drug"))
    message = str(error.value)
    assert error.value.exit_code == 2
    assert "\n" not in message
    return message


# ---- tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CODE_TABLES)
def test_a_table_that_is_not_there(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path)
    (folder / name).unlink()
    message = refused(folder)
    assert str(folder / name) in message
    assert message.endswith("cannot be read as a CSV table; check --reference-data.")


@pytest.mark.parametrize("name", [*CODE_TABLES, COVERED])
def test_a_column_that_is_missing(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path)
    columns = TABLES[name].splitlines()[0].split(",")
    for column in columns:
        (folder / name).write_text(TABLES[name].replace(column, "other", 1), encoding="utf-8")
        message = f"{folder / name}: the column {column} is missing; add it."
        assert refused(folder) == f"reference data: {message}"


@pytest.mark.parametrize("name", [*CODE_TABLES, COVERED])
def test_a_row_without_a_source(tmp_path: Path, name: str) -> None:
    folder = spoiled(tmp_path, name, "made up", "")
    place = f"{folder / name}: line 2: breaks the rule source:not_null; mend the table."
    assert refused(folder) == f"reference data: {place}"


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        (
            "codes/icd10cm.csv",
            "2025-01-01",
            "2025-13-01",
            "line 3: start_date cannot be read as Date",
        ),
        (
            "codes/icd10cm.csv",
            "2025-12-31",
            "31.12.2025",
            "line 3: end_date cannot be read as Date",
        ),
        (
            "codes/icd10cm.csv",
            "2025-12-31",
            "2024-12-31",
            "line 3: breaks the rule end_date:not_before_start",
        ),
        ("codes/icd10cm.csv", "female", "women", "line 2: breaks the rule sex:known_value"),
        ("codes/icd10cm.csv", "A01.1,", "01A.1,", "line 2: breaks the rule code:dotted"),
        ("codes/icd10cm.csv", "B01.2,", ",", "line 3: breaks the rule code:not_null"),
        ("codes/hcpcs.csv", "2020-01-01", "2020", "line 2: start_date cannot be read as Date"),
        (
            "codes/ndc_products.csv",
            "01234-0056",
            "1234-0056",
            "line 2: breaks the rule product:labeler-product",
        ),
        (
            "codes/ndc_products.csv",
            "01234-0056",
            "012340056",
            "line 2: breaks the rule product:labeler-product",
        ),
        (
            "codes/ndc_products.csv",
            "2.5",
            "many",
            "line 2: units_per_package cannot be read as Decimal",
        ),
        ("codes/ndc_products.csv", "2.5", "0", "line 2: breaks the rule units_per_package:above_0"),
        ("codes/ndc_products.csv", "2.5", "", "line 2: breaks the rule units_per_package:not_null"),
        ("codes/adjustment_codes.csv", "carc", "crac", "line 2: breaks the rule type:known_value"),
        (
            "codes/mac_jurisdictions.csv",
            "TN",
            "Tennessee",
            "line 2: breaks the rule state:two_letters",
        ),
        (COVERED, "first,A01.1", ",A01.1", "line 2: breaks the rule version:not_null"),
        (COVERED, "B01.2", "B0", "line 4: breaks the rule code:dotted"),
        (COVERED, "Second,,", "Second,soon,", "line 4: start_date cannot be read as Date"),
    ],
)
def test_a_row_that_is_wrong(tmp_path: Path, name: str, old: str, new: str, place: str) -> None:
    folder = spoiled(tmp_path, name, old, new)
    message = refused(folder)
    assert message.startswith(f"reference data: {folder / name}: {place}")
    assert message.endswith("; mend the table.")


@pytest.mark.parametrize("content", [b"", b'code,"desc\n"x', b"code,name,source\n\xff,x,y\n"])
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path)
    (folder / "codes/states.csv").write_bytes(content)
    assert str(folder / "codes/states.csv") in refused(folder)


# ---- policies -------------------------------------------------------------------------------

MISTAKES = [
    # old, new, where, what
    (
        'id = "some-drug"',
        'id = "other-drug"',
        "the file",
        "id is 'other-drug', and the folder is 'some-drug'",
    ),
    ('id = "some-drug"\n', "", "the file", "id must be written"),
    ('title = "Some drug"', "title = 1", "the file", "title must be written, as a text"),
    ('hcpcs_code = "x0001"\n', "", "the file", "hcpcs_code must be written"),
    ('[document]\nnumber = "SD-1"', "", "the file", "document must be written"),
    ('number = "SD-1"', "", "the file, document", "number must be written"),
    ('version = "first"', "", "the file, versions 1", "version must be written"),
    (
        'status = "active"',
        'status = "live"',
        "the file, versions 1",
        "status is 'live'; it must be one of active, draft",
    ),
    ('status = "active"\n', "", "the file, versions 1", "status must be written"),
    (
        "start_date = 2025-01-01",
        'start_date = "2025-01-01"',
        "the file, versions 1",
        "start_date must be written, as a date",
    ),
    (
        "start_date = 2025-01-01",
        "start_date = 2025-01-01T00:00:00",
        "the file, versions 1",
        "start_date must be written, as a date",
    ),
    (
        "minimum_age = 18",
        'minimum_age = "18"',
        "the file, versions 1",
        "minimum_age must be written, as a whole number",
    ),
    ("minimum_age = 18\n", "", "the file, versions 1", "member-under-age needs minimum_age"),
    (
        "authorization_months = 6\n",
        "",
        "the file, versions 1",
        "authorization-span-exceeds-policy needs authorization_months",
    ),
    (
        'family_prefixes = ["A01"]',
        'family_prefixes = "A01"',
        "the file, versions 1, diagnoses",
        "family_prefixes must be written, as a list",
    ),
    # Edits and their actions.
    (
        "member-under-age =",
        "member-too-young =",
        "the file, versions 1, edits",
        "there is no edit 'member-too-young'",
    ),
    (
        'fail = "deny"',
        'fail = "reject"',
        "the file, versions 1, edits, member-under-age",
        "fail is 'reject'; it must be one of deny, flag, off",
    ),
    (
        'fail = "deny"',
        'fail = "cutback"',
        "the file, versions 1, edits, member-under-age",
        "fail is 'cutback'",
    ),
    (
        'fail = "deny", unknown = "flag"',
        'fail = "deny"',
        "the file, versions 1, edits, member-under-age",
        "unknown must be written",
    ),
    (
        'fail = "deny", unknown',
        "unknown",
        "the file, versions 1, edits, member-under-age",
        "fail must be written",
    ),
    (
        ', section = "Age"',
        "",
        "the file, versions 1, edits, member-under-age",
        "section must be written",
    ),
    (
        '{ fail = "deny", unknown = "flag", section = "Age" }',
        '"deny"',
        "the file, versions 1, edits",
        "member-under-age must be written, as a table",
    ),
    (
        '{ fail = "flag", unknown = "flag", section = "Scope" }',
        '{ fail = "deny", unknown = "flag", section = "Scope" }',
        "the file, versions 1, edits, no-policy-in-force",
        "fail is 'deny'; it must be one of flag",
    ),
    # Limits.
    (
        'edit = "units-per-dose"',
        'edit = "units-per-week"',
        "the file, versions 1, limits 1",
        "edit is 'units-per-week'",
    ),
    (
        'edit = "units-per-dose"',
        'edit = "units-per-period"',
        "the file, versions 1",
        "units-per-dose must be listed once under limits",
    ),
    (
        "max_units = 10",
        "max_units = 10.5",
        "the file, versions 1, limits 1",
        "max_units must be written, as a whole number",
    ),
    ("max_units = 10", "max_units = -1", "the file, versions 1, limits 1", "max_units must not"),
    (
        "window_days = 1\n",
        "",
        "the file, versions 1, limits 1",
        "max_units (0 or more) and window_days (1 or more)",
    ),
    (
        "window_days = 1\n",
        "window_days = 0\n",
        "the file, versions 1, limits 1",
        "max_units (0 or more) and window_days (1 or more)",
    ),
    (
        'units-per-dose = { fail = "cutback", unknown = "flag", section = "Dose" }',
        "",
        "the file, versions 1",
        "units-per-dose must be listed once under limits when it is asked, and not otherwise",
    ),
    # Programs.
    (
        'line_of_business = "medicaid"',
        'line_of_business = "medicade"',
        "the file, versions 2, program_terms 1",
        "line_of_business is 'medicade'",
    ),
    ('state = "TN"\n', "", "the file, versions 2, program_terms 1", "state must be written"),
    # Versions of the same day.
    (
        "end_date = 2025-06-30",
        "end_date = 2025-07-01",
        "the file",
        "versions first and second are both in force on 2025-07-01",
    ),
    (
        "end_date = 2025-06-30\n",
        "",
        "the file",
        "versions first and second are both in force on 2025-07-01",
    ),
    (
        "start_date = 2025-07-01",
        "start_date = 2024-01-01",
        "the file",
        "versions first and second are both in force on 2025-01-01",
    ),
    (
        "start_date = 2025-07-01\n",
        "",
        "the file",
        "versions first and second are both in force on 2025-01-01",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    MISTAKES,
    ids=[f"{i}: {m[3]}" for i, m in enumerate(MISTAKES)],
)
def test_a_mistake_in_a_policy(
    tmp_path: Path, old: str, new: str, place: str, problem: str
) -> None:
    folder = spoiled(tmp_path, POLICY, old, new)
    message = refused(folder)
    assert message.startswith(f"policy: {folder / POLICY}: {place}: {problem}")
    assert message.endswith("; mend the policy.")


@pytest.mark.parametrize("content", [b"id = some-drug", b'id = "a"\nid = "b"', b"\xff\xfe"])
def test_what_is_no_toml(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path)
    (folder / POLICY).write_bytes(content)
    assert refused(folder).startswith(f"policy: {folder / POLICY}: cannot be read as TOML: ")


def test_a_limit_written_twice(tmp_path: Path) -> None:
    twice = '[[versions.limits]]\nedit = "units-per-dose"\nmax_units = 5\nwindow_days = 1\n'
    folder = spoiled(tmp_path, POLICY, "[versions.edits]", f"{twice}\n[versions.edits]")
    assert "units-per-dose must be listed once under limits" in refused(folder)


@pytest.mark.parametrize("old", ["first,A01.1,First,,,List,made up\n", ""])
def test_a_version_that_covers_nothing(tmp_path: Path, old: str) -> None:
    folder = spoiled(tmp_path, COVERED, old, "")
    if not old:
        (folder / COVERED).unlink()
    assert refused(folder) == (
        f"policy: {folder / POLICY}: the file, versions 1: diagnosis-not-covered needs rows of version "
        "first in covered_diagnoses.csv; mend the policy."
    )


def test_a_draft_never_governs(tmp_path: Path) -> None:
    folder = written(tmp_path)
    drafts = TABLES[POLICY].replace('"active"', '"draft"')
    (folder / POLICY).write_text(drafts, encoding="utf-8")
    policy = load_policy(folder, "some-drug")
    assert policy.active_versions == ()
    message = "--policy: some-drug has draft versions only; a draft never governs a run."
    with pytest.raises(UsageError, match=f"^{message}$"):
        require_governing(policy)


def test_a_policy_that_does_not_exist(tmp_path: Path) -> None:
    folder = written(tmp_path)
    with pytest.raises(UsageError, match=r"'some-durg' in .*; there is: some-drug\.$"):
        load_policy(folder, "some-durg")
    with pytest.raises(UsageError, match=r"there is: none\.$"):
        load_policy(tmp_path / "nowhere", "some-drug")


@pytest.mark.parametrize("policy_id", ["", ".", "..", "../some-drug", "some-drug/", "Some-Drug"])
def test_a_policy_is_named_and_not_a_path(tmp_path: Path, policy_id: str) -> None:
    with pytest.raises(UsageError, match="there is no policy"):
        load_policy(written(tmp_path), policy_id)


def test_a_folder_without_a_policy_file_is_no_policy(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "policies" / "notes").mkdir()
    assert policy_ids(folder) == ["some-drug"]


NDC_ROW = "01234-0056,X0001,A vial,2.5,,,made up\n"
OVERLOOKED = [
    (POLICY, "end_date = 2025-06-30", "end_date = 2024-06-30", "end_date"),
    (POLICY, 'hcpcs_code = "x0001"', 'hcpcs_code = " "', "hcpcs_code"),
    (POLICY, "minimum_age = 18", "minimum_age = -1", "minimum_age"),
    (POLICY, "authorization_months = 6", "authorization_months = -6", "authorization_months"),
    (POLICY, 'state = "TN"', 'state = "Tennessee"', "state"),
    (POLICY, '["A01"]', "[1]", "family_prefixes"),
    (POLICY, "minimum_age = 12", "minimum_age = 12\nlimits = [1]", "limits"),
    ("codes/ndc_products.csv", NDC_ROW, NDC_ROW + NDC_ROW.replace("2.5", "5"), "line 3"),
    ("codes/states.csv", "TN,", "TN,Tennessee,made up\nKY,", "line 3"),
]


@pytest.mark.parametrize(("name", "old", "new", "told"), OVERLOOKED, ids=[m[2] for m in OVERLOOKED])
def test_a_mistake_that_is_easily_overlooked(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    folder = spoiled(tmp_path, name, old, new)
    message = refused(folder)
    assert str(folder / name) in message
    assert told in message


def test_two_versions_of_one_name(tmp_path: Path) -> None:
    folder = spoiled(tmp_path, POLICY, 'version = "second"', 'version = "first"')
    listed = [line for line in TABLES[COVERED].splitlines() if not line.startswith("second")]
    (folder / COVERED).write_text("\n".join(listed), encoding="utf-8")
    assert refused(folder) == (
        f"policy: {folder / POLICY}: the file: two versions have the same name; mend the policy."
    )


def test_a_diagnosis_of_a_version_that_does_not_exist(tmp_path: Path) -> None:
    folder = spoiled(tmp_path, COVERED, "second,B01.2", "secnd,B01.2")
    message = refused(folder)
    assert "covered_diagnoses.csv names versions that there are not" in message
    assert "secnd" in message


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('title = "Some drug"', 'titel = "Some drug"\ntitle = "Some drug"', "titel"),
        ("start_date = 2025-07-01", "start_date = 2025-07-01\nend_dat = 2025-08-01", "end_dat"),
        ("minimum_age = 12", "minimum_age = 12\nminimun_age = 12", "minimun_age"),
        ("family_prefixes", "family_prefix", "family_prefix"),
        ("window_days = 1", "window_days = 1\nmax_unit = 1", "max_unit"),
        ("[[versions.program_terms]]", "[[versions.program_term]]", "program_term"),
        ("[versions.edits]", "[versions.edit]", "edit"),
        ('section = "Age"', 'section = "Age", unknow = "off"', "unknow"),
    ],
)
def test_a_key_that_nothing_reads(tmp_path: Path, old: str, new: str, key: str) -> None:
    folder = spoiled(tmp_path, POLICY, old, new)
    message = refused(folder)
    assert message.startswith(f"policy: {folder / POLICY}: the file")
    assert f"there is no key {key!r} here; there is: " in message


@pytest.mark.parametrize("state", ["TN", "tn", " Tn "])
def test_a_state_may_be_written_in_any_case(tmp_path: Path, state: str) -> None:
    folder = spoiled(tmp_path, POLICY, 'state = "TN"', f'state = "{state}"')
    (terms,) = load_policy(folder, "some-drug").versions[1].program_terms
    assert terms.state == "TN"


@pytest.mark.parametrize("prefix", ["A01.1", "a011", " A01.1 ", "A011"])
def test_a_prefix_may_be_written_without_the_dot(tmp_path: Path, prefix: str) -> None:
    folder = spoiled(tmp_path, POLICY, '["A01"]', f'["{prefix}"]')
    assert load_policy(folder, "some-drug").versions[0].family_prefixes == ("A01.1",)


# ---- what is no mistake ---------------------------------------------------------------------


def test_the_folder_is_sound(tmp_path: Path) -> None:
    folder = written(tmp_path)
    load_reference(folder)
    policy = load_policy(folder, "some-drug")
    require_governing(policy)
    assert [v.version for v in policy.active_versions] == ["first", "second"]
    assert policy.hcpcs_code == "X0001"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("end_date = 2025-06-30", "end_date = 2025-05-31"),  # a gap between the versions
        ("start_date = 2025-01-01\n", ""),  # always so far
        ('status = "active"\nstart_date = 2025-07-01', 'status = "draft"\nstart_date = 2025-01-01'),
        ("minimum_age = 18", "minimum_age = 0"),
        ("max_units = 10", "max_units = 0"),
        (
            'fail = "deny", unknown = "flag", section = "Age"',
            'fail = "off", unknown = "off", section = ""',
        ),
    ],
)
def test_what_is_allowed(tmp_path: Path, old: str, new: str) -> None:
    folder = spoiled(tmp_path, POLICY, old, new)
    require_governing(load_policy(folder, "some-drug"))


def test_codes_of_a_table_may_be_written_in_any_case_and_among_blanks(tmp_path: Path) -> None:
    folder = spoiled(tmp_path, "codes/icd10cm.csv", "A01.1,First,female", " a011 ,First, Female ")
    row = load_reference(folder)["icd10cm"].row(0, named=True)
    assert (row["code"], row["sex"]) == ("A01.1", "female")


def test_more_columns_and_another_order_do_no_harm(tmp_path: Path) -> None:
    folder = written(tmp_path)
    table = "note,source,name,code\nx,made up,Tennessee,tn\n"
    (folder / "codes/states.csv").write_text("\ufeff" + table, encoding="utf-8")
    assert load_reference(folder)["states"].row(0) == ("TN", "Tennessee", "made up")


# ---- by way of the command line -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("codes/hcpcs.csv", "2020-01-01", "soon", "line 2: start_date cannot be read as Date"),
        (POLICY, 'fail = "deny"', 'fail = "reject"', "it must be one of deny, flag, off"),
        (POLICY, 'id = "some-drug"', 'id = "x"', "id is 'x', and the folder is 'some-drug'"),
    ],
)
def test_a_run_ends_with_the_message_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str, told: str
) -> None:
    folder = spoiled(tmp_path / "reference", name, old, new)
    empty = write_csv(tmp_path / "empty.csv", [], ["x"])
    options = ["--claims", empty, "--authorizations", empty, "--out", tmp_path / "out"]
    options += ["--reference-data", folder, "--policy", "some-drug"]
    assert outcome(["run", *map(str, options)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert str(folder / name) in printed.err
    assert told in printed.err
    assert not (tmp_path / "out").exists()
