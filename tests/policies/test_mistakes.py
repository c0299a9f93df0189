"""Every mistake in a policy is one message: the file, the place, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policies.folder import (
    COVERED,
    CRITERIA,
    OF_VERSIONS,
    POLICY,
    SENTENCES,
    TABLES,
    refused,
    spoiled,
    written,
)

TOP, FIRST = "the file", "the file, versions 1"
EDITS, LIMIT, DOSE = f"{FIRST}, edits", f"{FIRST}, limits 1", f"{FIRST}, dose"
OF_AGE = f"{EDITS}, member-under-age"
HELPER, TABLETS = f"{FIRST}, partners 1", f"{FIRST}, partners 2"
PROGRAM = "the file, versions 2, program_terms 1"
PER_M2 = "units_per_m2 must be written, as a number above 0"
MAX_BSA = "max_bsa_m2 must be written, as a number above 0"

MISTAKES = [
    # old, new, where, what
    (
        'id = "some-drug"',
        'id = "other-drug"',
        TOP,
        "id is 'other-drug', and the folder is 'some-drug'",
    ),
    ('id = "some-drug"\n', "", TOP, "id must be written"),
    ('title = "Some drug"', "title = 1", TOP, "title must be written, as a text"),
    ('hcpcs_code = "x0001"\n', "", TOP, "hcpcs_code must be written"),
    ('[document]\nnumber = "SD-1"', "", TOP, "document must be written"),
    ('number = "SD-1"', "", "the file, document", "number must be written"),
    ('version = "first"', "", FIRST, "version must be written"),
    (
        'status = "active"',
        'status = "live"',
        FIRST,
        "status is 'live'; it must be one of active, draft",
    ),
    ('status = "active"\n', "", FIRST, "status must be written"),
    (
        "start_date = 2025-01-01",
        'start_date = "2025-01-01"',
        FIRST,
        "start_date must be written, as a date",
    ),
    (
        "start_date = 2025-01-01",
        "start_date = 2025-01-01T00:00:00",
        FIRST,
        "start_date must be written, as a date",
    ),
    (
        "minimum_age = 18",
        'minimum_age = "18"',
        FIRST,
        "minimum_age must be written, as a whole number",
    ),
    ("minimum_age = 18\n", "", FIRST, "member-under-age needs minimum_age"),
    (
        "authorization_months = 6\n",
        "",
        FIRST,
        "authorization-span-exceeds-policy needs authorization_months",
    ),
    (
        'family_prefixes = ["A01"]',
        'family_prefixes = "A01"',
        "the file, versions 1, diagnoses",
        "family_prefixes must be written, as a list",
    ),
    # Edits and their actions.
    ("member-under-age =", "member-too-young =", EDITS, "there is no edit 'member-too-young'"),
    (
        'fail = "deny"',
        'fail = "reject"',
        OF_AGE,
        "fail is 'reject'; it must be one of deny, flag, off",
    ),
    ('fail = "deny"', 'fail = "cutback"', OF_AGE, "fail is 'cutback'"),
    ('fail = "deny", unknown = "flag"', 'fail = "deny"', OF_AGE, "unknown must be written"),
    ('fail = "deny", unknown', "unknown", OF_AGE, "fail must be written"),
    (', section = "Age"', "", OF_AGE, "section must be written"),
    (
        '{ fail = "deny", unknown = "flag", section = "Age" }',
        '"deny"',
        EDITS,
        "member-under-age must be written, as a table",
    ),
    (
        '{ fail = "flag", unknown = "flag", section = "Scope" }',
        '{ fail = "deny", unknown = "flag", section = "Scope" }',
        "the file, versions 1, edits, no-policy-in-force",
        "fail is 'deny'; it must be one of flag",
    ),
    # Limits.
    ('edit = "units-per-dose"', 'edit = "units-per-week"', LIMIT, "edit is 'units-per-week'"),
    (
        'edit = "units-per-dose"',
        'edit = "units-per-period"',
        FIRST,
        "units-per-dose must be listed once under limits",
    ),
    ("max_units = 10", "max_units = 10.5", LIMIT, "max_units must be written, as a whole number"),
    ("max_units = 10", "max_units = -1", LIMIT, "max_units must not"),
    ("window_days = 1\n", "", LIMIT, "max_units (0 or more) and window_days (1 or more)"),
    (
        "window_days = 1\n",
        "window_days = 0\n",
        LIMIT,
        "max_units (0 or more) and window_days (1 or more)",
    ),
    (
        'units-per-dose = { fail = "cutback", unknown = "flag", section = "Dose" }',
        "",
        FIRST,
        "units-per-dose must be listed once under limits when it is asked, and not otherwise",
    ),
    # Programs.
    (
        'line_of_business = "medicaid"',
        'line_of_business = "medicade"',
        PROGRAM,
        "line_of_business is 'medicade'",
    ),
    ('state = "TN"\n', "", PROGRAM, "state must be written"),
    # The dose.
    ("units_per_m2 = 4\n", "", DOSE, PER_M2),
    *(
        ("units_per_m2 = 4\n", f"units_per_m2 = {value}\n", DOSE, PER_M2)
        for value in ("0", "-4", '"4"', "true", "nan", "inf", "[4]")
    ),
    ("max_bsa_m2 = 2.5\n", "", DOSE, MAX_BSA),
    ("max_bsa_m2 = 2.5", "max_bsa_m2 = 0.0", DOSE, MAX_BSA),
    (
        'max_bsa_m2 = 2.5\nsection = "Dose"',
        "max_bsa_m2 = 2.5\nsection = 5",
        DOSE,
        "section must be written, as a text",
    ),
    (
        "[versions.dose]\nunits_per_m2 = 4\nmax_bsa_m2 = 2.5\nsection",
        "[versions.dos]\nsection",
        FIRST,
        "there is no key 'dos' here",
    ),
    (
        '[versions.dose]\nunits_per_m2 = 4\nmax_bsa_m2 = 2.5\nsection = "Dose"\n',
        "",
        FIRST,
        "dose-exceeds-body-surface needs dose",
    ),
    # Partners.
    (
        'regimen = "with_trastuzumab"',
        'regimen = "trastuzumab"',
        HELPER,
        "regimen is 'trastuzumab'; it must be one of single_agent, with_capecitabine, "
        "with_trastuzumab, other",
    ),
    ('regimen = "with_capecitabine"\n', "", TABLETS, "regimen must be written, as a text"),
    ('drug = "helper"\n', "", HELPER, "drug must be written"),
    (
        "observable = true",
        'observable = "yes"',
        HELPER,
        "observable must be written, as true or false",
    ),
    ("observable = false\n", "", TABLETS, "observable must be written, as true or false"),
    ("window_days = 14\n", "", HELPER, "window_days must be written, as a whole number"),
    ("window_days = 14", "window_days = -1", HELPER, "window_days"),
    (
        "window_days = 14",
        "window_days = 14.5",
        HELPER,
        "window_days must be written, as a whole number",
    ),
    ('reason = "bought elsewhere"\n', "", TABLETS, "reason must be written, as a text"),
    (
        "observable = true",
        "observable = false",
        FIRST,
        "combination-partner-missing needs partners that are observable",
    ),
    # Versions of the same day.
    (
        "end_date = 2025-06-30",
        "end_date = 2025-07-01",
        TOP,
        "versions first and second are both in force on 2025-07-01",
    ),
    (
        "end_date = 2025-06-30\n",
        "",
        TOP,
        "versions first and second are both in force on 2025-07-01",
    ),
    (
        "start_date = 2025-07-01",
        "start_date = 2024-01-01",
        TOP,
        "versions first and second are both in force on 2025-01-01",
    ),
    (
        "start_date = 2025-07-01\n",
        "",
        TOP,
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
        ("max_bsa_m2 = 2.5", "max_bsa_m2 = 2.5\nmin_bsa_m2 = 1", "min_bsa_m2"),
        ("window_days = 14", "window_days = 14\nwindow = 14", "window"),
        ("[[versions.partners]]", "[[versions.partner]]", "partner"),
        ("units_per_m2 = 4", "units_per_m2 = 4\nunit_per_m2 = 4", "unit_per_m2"),
        ('section = "Age"', 'section = "Age", unknow = "off"', "unknow"),
    ],
)
def test_a_key_that_nothing_reads(tmp_path: Path, old: str, new: str, key: str) -> None:
    folder = spoiled(tmp_path, POLICY, old, new)
    message = refused(folder)
    assert message.startswith(f"policy: {folder / POLICY}: the file")
    assert f"there is no key {key!r} here; there is: " in message


def test_two_versions_of_one_name(tmp_path: Path) -> None:
    folder = spoiled(tmp_path, POLICY, 'version = "second"', 'version = "first"')
    for name in OF_VERSIONS:
        rows = [line for line in TABLES[name].splitlines() if not line.startswith("second")]
        (folder / name).write_text("\n".join(rows), encoding="utf-8")
    assert refused(folder) == (
        f"policy: {folder / POLICY}: the file: two versions have the same name; mend the policy."
    )


@pytest.mark.parametrize(
    ("name", "old"),
    [(COVERED, "second,B01.2"), (CRITERIA, "first,initial,1.B"), (SENTENCES, "second,age")],
)
def test_a_row_of_a_version_that_does_not_exist(tmp_path: Path, name: str, old: str) -> None:
    folder = spoiled(tmp_path, name, old, f"thrid,{old.partition(',')[2]}")
    table = name.rpartition("/")[2]
    assert refused(folder) == (
        f"policy: {folder / POLICY}: the file: {table} names versions that there are not: ['thrid']; "
        "mend the policy."
    )


@pytest.mark.parametrize("request_type", ["initial", "renewal", None])
def test_a_version_without_the_criteria_that_it_asks(
    tmp_path: Path, request_type: str | None
) -> None:
    folder = written(tmp_path)
    rows = TABLES[CRITERIA].splitlines(keepends=True)
    kept = [row for row in rows if request_type and f"first,{request_type}" not in row]
    (folder / CRITERIA).write_text("".join(kept), encoding="utf-8")
    if request_type is None:
        (folder / CRITERIA).unlink()
    assert refused(folder) == (
        f"policy: {folder / POLICY}: the file, versions 1: coverage-criteria needs rows of version "
        "first, initial and renewal, in criteria.csv; mend the policy."
    )


def test_two_programs_of_one_line_of_business_and_state(tmp_path: Path) -> None:
    """Each line of theirs would stand twice."""
    another = """
[[versions.program_terms]]
line_of_business = "medicaid"
state = "tn"
program = "Another"
"""
    folder = spoiled(tmp_path, POLICY, 'program = "TennCare"\n', f'program = "TennCare"\n{another}')
    message = refused(folder)
    assert message.startswith(f"policy: {folder / POLICY}: the file, versions 2: program_terms: ")
    assert message.endswith("; mend the policy.")


def test_two_observable_partners_of_one_regimen(tmp_path: Path) -> None:
    """Each line of the regimen would be asked about both, and stand twice."""
    another = """
[[versions.partners]]
regimen = "with_trastuzumab"
drug = "tablets"
observable = true
window_days = 7
reason = "billed like the drug"
"""
    folder = spoiled(tmp_path, POLICY, "[versions.edits]", f"{another}\n[versions.edits]")
    message = refused(folder)
    assert message.startswith(f"policy: {folder / POLICY}: the file, versions 1")
    assert "with_trastuzumab" in message
    assert message.endswith("; mend the policy.")
