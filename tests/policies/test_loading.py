"""What is no mistake, which policies there are, and what a run says of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.errors import UsageError
from claims_edit.policies import load_policy, policy_ids, require_governing
from claims_edit.reference import load_reference
from tests.policies.folder import POLICY, TABLES, spoiled, written
from tests.support import write_csv


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
        ("units_per_m2 = 4", "units_per_m2 = 3.75"),
        ('max_bsa_m2 = 2.5\nsection = "Dose"', "max_bsa_m2 = 2"),
        ("window_days = 14", "window_days = 0"),  # on the same day
        ('reason = "billed like the drug"\nsection = "Partners"', 'reason = ""'),
        (
            'regimen = "with_capecitabine"',  # a regimen may have one that shows, and others
            'regimen = "with_trastuzumab"',
        ),
        (
            'dose-exceeds-body-surface = { fail = "flag", unknown = "off", section = "Dose" }\n',
            "",
        ),
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


@pytest.mark.parametrize("state", ["TN", "tn", " Tn "])
def test_a_state_may_be_written_in_any_case(tmp_path: Path, state: str) -> None:
    folder = spoiled(tmp_path, POLICY, 'state = "TN"', f'state = "{state}"')
    (terms,) = load_policy(folder, "some-drug").versions[1].program_terms
    assert terms.state == "TN"


@pytest.mark.parametrize("prefix", ["A01.1", "a011", " A01.1 ", "A011"])
def test_a_prefix_may_be_written_without_the_dot(tmp_path: Path, prefix: str) -> None:
    folder = spoiled(tmp_path, POLICY, '["A01"]', f'["{prefix}"]')
    assert load_policy(folder, "some-drug").versions[0].family_prefixes == ("A01.1",)


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
