"""What `authorizations` publishes: rejected rows, the account, one folder whole, and never a run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit import determinations, determining
from claims_edit.__main__ import outcome
from tests.cli.support import (
    MARK,
    Operator,
    another_process_holding,
    authorization,
    claims,
    is_held,
    keeps_members_secret,
    one_message,
)
from tests.commands import dying
from tests.commands.published import (
    left_over,
    modes_below,
    require_whole,
    result_of,
    run_with_umask,
)
from tests.commands.requests import MET, Desk, member
from tests.commands.support import BCBST
from tests.runs.dying import process
from tests.runs.nights import with_another_policy
from tests.support import Row, write_csv

NAMED = "determinations_id=2026-02-28"


@pytest.fixture
def desk(operator: Operator) -> Desk:
    desk = Desk(operator)
    desk.write([authorization(n) for n in range(3)], dict.fromkeys(range(3), MET), [member(0)])
    return desk


# ---- rows in and rows out -------------------------------------------------------------------


def test_rejected_rows_of_both_extracts(desk: Desk) -> None:
    rows = [
        *(authorization(n) for n in range(5)),
        authorization(5, status="maybe"),
        authorization(6, request_type="extension"),
        authorization(7, effective_date="2026-02-01", expiration_date="2026-01-01"),
        authorization(8),
        authorization(8),
        authorization(9),
        authorization(9, approved_units="90"),
        authorization(10, authorization_number=None),
    ]
    facts: dict[int, Row] = {
        **dict.fromkeys([0, 1, 5, 8], MET),
        2: MET | {"her2_ihc": "4"},
        3: MET | {"regimen": "alone"},
        99: MET | {"bsa_m2": "0"},  # of no authorization
    }
    desk.write(rows, facts)
    with desk.clinical.open("a", encoding="utf-8") as file:
        text = desk.clinical.read_text(encoding="utf-8").splitlines()
        (second,) = (line for line in text if line.startswith(f"{MARK}-AUTH-1,"))
        file.write(f"{second.replace('metastatic', 'early')}\n")  # a conflict
    found = desk.determined()
    assert found.verdicts() == {
        0: "met",
        1: "undocumented",
        2: "undocumented",
        3: "undocumented",
        4: "undocumented",
        8: "met",
    }
    assert {found[n]["ask_for"] for n in (1, 2, 3, 4)} == {"the clinical facts of the request"}
    checks = found.table("rejected_authorizations")["failed_checks"].to_list()
    assert sorted(check for row in checks for check in row) == [
        "authorization_number:not_null",
        "conflicting_key",
        "conflicting_key",
        "duplicate_row",
        "expiration_date:not_before_effective",
        "request_type:known_value",
        "status:known_value",
    ]
    checks = found.table("rejected_clinical_facts")["failed_checks"].to_list()
    assert sorted(check for row in checks for check in row) == [
        "bsa_m2:above_0",
        "conflicting_key",
        "conflicting_key",
        "her2_ihc:at_most_3",
        "regimen:known_value",
    ]
    assert found.manifest["authorizations"] == {
        "read": 13,
        "out_of_scope": 0,
        "rejected": 7,
        "determined": 6,
    }
    assert found.manifest["clinical_facts"] == {"read": 8, "rejected": 5}
    keeps_members_secret(found.said)
    assert "Authorizations read 13: of other drugs 0, rejected 7, determined 6" in found.said.out


def test_authorizations_of_other_drugs_are_counted_and_not_determined(desk: Desk) -> None:
    rows = [authorization(0), *(authorization(n, hcpcs_code="J9355") for n in (1, 2))]
    rows += [authorization(3, hcpcs_code=" j9207 "), authorization(4, hcpcs_code=None)]
    desk.write(rows, dict.fromkeys(range(5), MET))
    found = desk.determined()
    assert found.verdicts() == {0: "met", 3: "met"}
    assert found.manifest["authorizations"] == {
        "read": 5,
        "out_of_scope": 2,
        "rejected": 1,
        "determined": 2,
    }
    assert found.manifest["determinations"] == {"met": 2}


def test_an_extract_without_rows(desk: Desk) -> None:
    desk.write([], {}, [])
    found = desk.determined()
    assert found.table().height == 0
    assert found.manifest["determinations"] == {}
    require_whole(found.folder)


def test_overlapping_authorizations_of_a_member_are_each_determined_once(desk: Desk) -> None:
    whose = {"member_id": f"{MARK}-MEMBER-0"}
    desk.write(
        [authorization(n, **whose) for n in range(4)],
        dict.fromkeys(range(4), MET),
        [member(0), member(0, enrollment_start_date="2021-01-01"), member(0)],
    )
    assert desk.determined().table()["authorization_number"].to_list() == [
        f"{MARK}-AUTH-{n}" for n in range(4)
    ]


def test_the_manifest(desk: Desk) -> None:
    found = desk.determined()
    require_whole(found.folder)
    manifest = found.manifest
    assert manifest["determinations_id"] == manifest["as_of"] == "2026-02-28"
    assert manifest["policy"]["id"] == "prime-ic-0072"
    assert [v["version"] for v in manifest["policy"]["versions"]] == ["2025-09-04"]
    assert {(f["extract"], f["rows"]) for f in manifest["inputs"]} == {
        ("authorizations", 3),
        ("clinical", 3),
        ("members", 1),
    }
    tables = {entry["path"] for entry in manifest["reference_data"]}
    assert {"criteria/terms.csv", "policies/prime-ic-0072/criteria.csv"} <= tables
    assert manifest["determinations"] == {"met": 1, "undocumented": 2}
    assert list(manifest["timings"]) == list(determining.STEPS[:-1])
    assert {"run_id", "history", "dispositions", "rows"} & set(manifest) == set()


def test_1_determinations_whose_balance_does_not_close_are_not_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = determinations.determinations

    def one_is_lost(*arguments: Any) -> pl.DataFrame:
        return whole(*arguments).head(2)

    monkeypatch.setattr("claims_edit.determining.determinations", one_is_lost)
    one_message(desk.command(), 1, ["a fault of the program", "balance", "nothing was published"])
    assert [path.name for path in desk.out.iterdir()] == [".lock"]
    assert not is_held(desk.out)


# ---- exit codes -----------------------------------------------------------------------------


def test_2_wrong_usage(desk: Desk) -> None:
    for options, says in (
        (["--policy", "nothing"], ["--policy", "there is no policy 'nothing'"]),
        (["--policy", f"{BCBST}@current"], ["--policy", f"name {BCBST} alone"]),
        (["--run-id", "a/b"], ["--run-id", "'a/b'"]),
        (["--claims", "night.csv"], ["--claims", "claims-edit authorizations --help"]),
        (["--as-of", "soon"], ["--as-of"]),
    ):
        one_message(desk.command(*options), 2, says)
    assert not desk.out.exists()


@pytest.mark.parametrize("extract", ["authorizations", "clinical", "members"])
def test_3_an_extract_that_cannot_be_read(desk: Desk, extract: str) -> None:
    arguments = desk.arguments()
    path = desk.operator.folder / f"{extract}.csv"
    path.write_text("nothing\n", encoding="utf-8")
    says: list[str | Path] = [extract, path]
    one_message(desk.operator.command(*arguments), 3, says)
    path.unlink()
    one_message(desk.operator.command(*arguments), 3, says)
    assert [path.name for path in desk.out.iterdir()] == [".lock"]


def test_4_another_process_holds_the_folder(desk: Desk) -> None:
    with another_process_holding(desk.out):
        one_message(desk.command(), 4, ["--out", desk.out, "wait"])
    desk.determined()


def test_5_a_name_that_is_taken(desk: Desk) -> None:
    before = result_of(desk.determined().folder)
    desk.write([authorization(0)], {0: {}})
    one_message(desk.command(), 5, ["--run-id", "2026-02-28", "--replace"])
    assert result_of(desk.out / NAMED) == before
    assert desk.determined("--run-id", "other").verdicts() == {0: "undocumented"}
    assert desk.determined("--replace").verdicts() == {0: "undocumented"}
    assert left_over(desk.out) == []


# ---- never a run, never history -------------------------------------------------------------


def test_a_run_is_the_same_whether_or_not_determinations_stand_there(desk: Desk) -> None:
    extract = desk.operator.write_claims(claims(2))
    first = ["run", "--claims", extract, *desk.operator.rest_of_run(), "--run-id", "first"]
    assert desk.operator.command(*first).exit_code == 0
    aside = shutil.copytree(desk.out, desk.operator.folder / "aside")
    desk.determined()
    desk.determined("--run-id", "first")
    results = []
    for out in (desk.out, aside):
        second = desk.operator.run(extract, options=["--run-id", "second", "--out", out])
        assert (second.exit_code, second.messages) == (0, [])
        results.append(result_of(out / "run_id=second"))
    assert results[0] == results[1]
    said = desk.operator.command("verify", desk.out)
    assert (said.exit_code, said.out) == (0, f"{desk.out}: 2 runs in order\n")


def test_determinations_are_no_history(desk: Desk) -> None:
    folder = desk.determined().folder
    one_message(desk.operator.command("verify", folder), 2, [folder, "is no run"])
    extract = desk.operator.write_claims(claims(2))
    other = desk.operator.folder / "other"
    said = desk.operator.run(extract, options=["--out", other, "--history", folder])
    one_message(said, 2, ["--history", folder, "is no folder of runs"])
    beside = desk.operator.folder / "beside"
    said = desk.operator.run(extract, options=["--out", beside, "--history", desk.out])
    assert said.exit_code == 0
    assert f"--history: {desk.out} holds no run of the policy's drug" in said.err
    file = folder / "determinations.parquet"
    said = desk.operator.run(extract, options=["--out", other, "--history", file])
    one_message(said, 3, ["history", file])
    assert not list(other.glob("run_id=*"))


def test_determinations_under_the_name_of_a_run_are_not_taken_for_one(desk: Desk) -> None:
    desk.determined().folder.rename(desk.out / "run_id=stolen")
    said = desk.operator.run(desk.operator.write_claims(claims(1)))
    one_message(said, 3, ["history", desk.out / "run_id=stolen"])


# ---- equal bytes ----------------------------------------------------------------------------


def test_equal_inputs_make_equal_bytes(desk: Desk) -> None:
    once, again = (desk.determined("--out", desk.operator.folder / name) for name in ("a", "b"))
    assert result_of(once.folder) == result_of(again.folder)
    text = pl.read_csv(desk.operator.authorizations, infer_schema=False)
    text.reverse().select(reversed(text.columns)).write_csv(desk.operator.authorizations)
    reordered = desk.determined("--out", desk.operator.folder / "c")
    for file in once.folder.glob("*.parquet"):
        assert file.read_bytes() == (reordered.folder / file.name).read_bytes()


@pytest.mark.parametrize(
    ("umask", "folders", "files"), [(0o022, "0o750", "0o640"), (0o077, "0o700", "0o600")]
)
def test_what_is_written_is_closed_to_others(
    desk: Desk, umask: int, folders: str, files: str
) -> None:
    run_with_umask(umask, desk.arguments())
    run_with_umask(umask, desk.arguments("--replace"))
    modes = modes_below(desk.out)
    assert {f"{NAMED}/determinations.parquet", f"{NAMED}/manifest.json"} <= set(modes)
    assert modes == {path: folders if path in (".", NAMED) else files for path in modes}


# ---- killed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("replaces", [False, True], ids=["anew", "replacing"])
def test_killed_before_file_operations(desk: Desk, replaces: bool) -> None:
    folder = desk.operator.folder
    desk.out.mkdir()
    old = result_of(desk.determined().folder) if replaces else None
    desk.write([authorization(n) for n in range(5)], dict.fromkeys(range(5), MET))
    before = Path(shutil.copytree(desk.out, folder / "before"))
    expected = desk.determined("--replace")
    arguments = desk.arguments("--replace")
    counted = Path(shutil.copytree(before, folder / "counted"))
    with process(dying.count_operations, [*arguments, "--out", str(counted)]) as running:
        count = running.hears(int)
    assert count > 12
    for operation in sorted({*range(1 + replaces, count + 1, 20), *range(count - 4, count + 1)}):
        out = Path(shutil.copytree(before, folder / f"out-{operation}"))
        given = [*arguments, "--out", str(out)]
        with process(dying.die_before_operation, operation, given) as running:
            assert running.exit_code() == -9
        if (out / NAMED).exists():
            assert result_of(out / NAMED) in (old, result_of(expected.folder))
        # Whatever comes next cleans up, and brings back what was about to be replaced.
        assert outcome([*desk.arguments(), "--run-id", "next", "--out", str(out)]) == 0
        assert left_over(out) == []
        assert not replaces or result_of(out / NAMED) in (old, result_of(expected.folder))
        assert outcome(given) == 0
        assert result_of(out / NAMED) == result_of(expected.folder)


def test_another_drug_s_authorizations(desk: Desk, tmp_path: Path) -> None:
    """The same policy for another drug: its authorizations are those that are determined."""
    reference = with_another_policy(tmp_path / "reference", "other-drug", "J7788")
    rows = [authorization(0), authorization(1, hcpcs_code="J7788")]
    desk.write(rows, {0: MET, 1: MET})
    found = desk.determined("--policy", "other-drug", "--reference-data", reference)
    assert found.verdicts() == {1: "met"}
    assert found[1]["policy_id"] == "other-drug"


def test_nothing_of_the_data_is_said_whatever_happens_to_it(desk: Desk) -> None:
    write_csv(
        desk.operator.authorizations,
        [authorization(0), authorization(1, status=f"{MARK}STATUS"), authorization(0)],
    )
    write_csv(desk.clinical, [{"authorization_number": f"{MARK}-AUTH-0", "regimen": f"{MARK}X"}])
    write_csv(desk.members, [member(0, birth_date=f"{MARK}1970", state=f"{MARK}")])
    said = desk.command()
    assert said.exit_code == 0
    keeps_members_secret(said)
    assert MARK not in said.out
