"""What a comparison leaves in a folder: never a run, never history, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from tests.cli.support import (
    MARK,
    Operator,
    another_process_holding,
    authorization,
    claim,
    claims,
    one_message,
)
from tests.commands import dying
from tests.commands.night import CLAIMS, Night, written_night
from tests.commands.published import (
    left_over,
    modes_below,
    require_whole,
    result_of,
    run_with_umask,
)
from tests.commands.support import BCBST, CURRENT, DRAFT, PAGE, PRIME
from tests.runs.dying import process
from tests.runs.nights import OTHER_DRUG, with_another_policy
from tests.support import write_csv

NAMED = "comparison_id=2026-02-28"


@pytest.fixture
def night(operator: Operator) -> Night:
    return written_night(operator)


# ---- history --------------------------------------------------------------------------------


def second_night(operator: Operator) -> Night:
    """A first night is published; on the second, its member has no room within 21 days."""
    first = operator.write_claims([claim(0)], "first.csv")
    assert operator.run(first, options=["--run-id", "first"]).exit_code == 0
    again = claim(0, claim_id=f"{MARK}-CLAIM-100", claim_line_start_date="2026-01-20")
    night = written_night(operator, [again])
    write_csv(night.clinical, [], ["authorization_number"])
    return night


def test_a_comparison_sees_the_earlier_runs_of_its_folder(operator: Operator) -> None:
    night = second_night(operator)
    seen = night.compared(baseline=PRIME, candidate=BCBST)
    assert list(seen.manifest["history_taken"]["runs"]) == ["first"]
    assert "History: 1 run, the last first" in seen.said.out
    assert "History: 1 run, the last first." in seen.html
    assert seen.changes()[100]["baseline_disposition"] == "deny"
    assert seen.changes()[100]["baseline_edit_ids"] == ["units-per-period"]
    elsewhere = operator.folder / "elsewhere"
    alone = night.compared("--out", elsewhere, baseline=PRIME, candidate=BCBST)
    assert alone.manifest["history_taken"]["runs"] == {}
    assert alone.table("by_disposition")["baseline_disposition"].to_list() == ["flag"]
    told = night.compared(
        *("--out", elsewhere, "--history", operator.out, "--run-id", "told"),
        baseline=PRIME,
        candidate=BCBST,
    )
    assert told.table("changes").equals(seen.table("changes"))


def test_a_run_is_the_same_whether_or_not_a_comparison_stands_there(operator: Operator) -> None:
    night = second_night(operator)
    aside = shutil.copytree(operator.out, operator.folder / "aside")
    night.compared()
    night.compared("--run-id", "another", baseline=PRIME, candidate=BCBST)
    results = []
    for out in (operator.out, aside):
        said = operator.command("run", *night.inputs(), "--run-id", "second", "--out", out)
        assert (said.exit_code, said.messages) == (0, [])
        results.append(result_of(out / "run_id=second"))
    assert results[0] == results[1]


def test_verify_sees_the_runs_alone(operator: Operator) -> None:
    night = second_night(operator)
    folder = night.compared().folder
    said = operator.command("verify", operator.out)
    assert (said.exit_code, said.out) == (0, f"{operator.out}: 1 run in order\n")
    one_message(operator.command("verify", folder), 2, [folder, "is no run"])


def test_verify_of_comparisons_alone(night: Night) -> None:
    night.compared()
    one_message(night.operator.command("verify", night.out), 3, [night.out, "no published run"])


def test_a_comparison_is_no_folder_of_history(operator: Operator) -> None:
    night = second_night(operator)
    folder = night.compared().folder
    moved = shutil.copytree(folder, operator.folder / "alone" / folder.name)
    for history in (folder, moved):
        out = operator.folder / "other"
        said = operator.command("run", *night.inputs(), "--out", out, "--history", history)
        one_message(said, 2, ["--history", history, "is no folder of runs"])
        assert not list(out.glob("run_id=*"))


def test_a_folder_of_comparisons_is_a_history_of_nothing(operator: Operator) -> None:
    night = second_night(operator)
    night.compared("--out", operator.folder / "alone")
    out = operator.folder / "other"
    history = operator.folder / "alone"
    said = operator.command("run", *night.inputs(), "--out", out, "--history", history)
    assert said.exit_code == 0
    assert f"--history: {history} holds no run of the policy's drug" in said.err
    manifest = result_of(out / "run_id=2026-02-28")["manifest.json"]
    assert isinstance(manifest, dict)
    assert manifest["history"]["runs"] == {}


@pytest.mark.parametrize("table", ["changes", "by_disposition", "by_edit", "rejected_lines"])
def test_a_table_of_a_comparison_is_no_file_of_history(night: Night, table: str) -> None:
    file = night.compared().folder / f"{table}.parquet"
    out = night.operator.folder / "other"
    said = night.operator.command("run", *night.inputs(), "--out", out, "--history", file)
    one_message(said, 3, ["history", file])
    assert not list(out.glob("run_id=*"))


def test_a_comparison_under_the_name_of_a_run_is_not_taken_for_one(operator: Operator) -> None:
    night = second_night(operator)
    folder = night.compared().folder
    folder.rename(operator.out / "run_id=stolen")
    said = operator.command("run", *night.inputs(), "--run-id", "second")
    one_message(said, 3, ["history", operator.out / "run_id=stolen"])
    assert operator.published == ["run_id=first", "run_id=stolen"]


def test_a_damaged_run_stops_a_comparison_as_it_stops_a_run(operator: Operator) -> None:
    night = second_night(operator)
    (operator.out / "run_id=first" / "manifest.json").unlink()
    one_message(night.compare(), 3, ["history", operator.out / "run_id=first"])
    assert not list(operator.out.glob("comparison_id=*"))


def test_a_comparison_that_lost_its_manifest_is_published_anew(night: Night) -> None:
    before = result_of(night.compared().folder)
    (night.out / NAMED / "manifest.json").unlink()
    assert result_of(night.compared().folder) == before
    assert left_over(night.out) == []


# ---- equal bytes ----------------------------------------------------------------------------


def test_equal_inputs_make_equal_bytes(night: Night) -> None:
    once, again = (night.compared("--out", night.operator.folder / name) for name in ("a", "b"))
    assert result_of(once.folder) == result_of(again.folder)
    replaced = night.compared("--out", night.operator.folder / "a", "--replace")
    assert result_of(replaced.folder) == result_of(again.folder)


def test_the_tables_do_not_depend_on_how_the_rows_came(night: Night) -> None:
    once = night.compared("--out", night.operator.folder / "a")
    text = pl.read_csv(night.claims, infer_schema=False)
    night.claims.unlink()
    folder = night.operator.folder / "claims.csv"  # a folder of that name
    folder.mkdir()
    text.slice(7).reverse().write_parquet(folder / "1.parquet")
    text.slice(0, 7).select(reversed(text.columns)).write_csv(folder / "2.csv")
    again = night.compared("--out", night.operator.folder / "b")
    for file in [*once.folder.glob("*.parquet"), once.folder / PAGE]:
        assert file.read_bytes() == (again.folder / file.name).read_bytes()


# ---- exit codes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "candidate", "says"),
    [
        ("nothing", DRAFT, ["--baseline", "there is no policy 'nothing'", f"{BCBST}, {PRIME}"]),
        (CURRENT, "nothing", ["--candidate", "there is no policy 'nothing'"]),
        (
            CURRENT,
            f"{BCBST}@2027",
            [f"policy {BCBST} has no version '2027'", "current, 2026-draft"],
        ),
        (CURRENT, "", ["--candidate"]),
    ],
)
def test_2_policies_that_do_not_exist(
    night: Night, baseline: str, candidate: str, says: list[str]
) -> None:
    one_message(night.compare(baseline=baseline, candidate=candidate), 2, says)
    assert not night.out.exists()


def test_2_policies_of_two_drugs(night: Night, tmp_path: Path) -> None:
    folder = with_another_policy(tmp_path / "reference", "other-drug", OTHER_DRUG)
    said = night.compare("--reference-data", folder, candidate="other-drug")
    one_message(said, 2, ["--candidate: other-drug is about J7788", "J9207", "one drug"])
    assert not night.out.exists()


def test_2_a_policy_of_drafts_alone_needs_its_version(night: Night, tmp_path: Path) -> None:
    folder = with_another_policy(tmp_path / "reference", "to-come")
    path = folder / "policies" / "to-come" / "policy.toml"
    text = path.read_text(encoding="utf-8").replace('status = "active"', 'status = "draft"')
    path.write_text(text, encoding="utf-8")
    said = night.compare("--reference-data", folder, candidate="to-come")
    one_message(said, 2, ["--candidate: to-come has draft versions only", "to-come@2025-09-04"])
    named = night.compare("--reference-data", folder, candidate="to-come@2025-09-04")
    assert named.exit_code == 0


@pytest.mark.parametrize("missing", ["--baseline", "--candidate", "--claims", "--authorizations"])
def test_2_an_option_that_is_missing(night: Night, missing: str) -> None:
    arguments = night.compare_arguments()
    at = arguments.index(missing)
    said = night.operator.command(*arguments[:at], *arguments[at + 2 :])
    one_message(said, 2, [missing, "claims-edit compare --help"])


def test_2_a_name_that_cannot_name_a_folder(night: Night) -> None:
    one_message(night.compare("--run-id", "../up"), 2, ["--run-id", "'../up'"])


def test_3_inputs_that_cannot_be_accepted(night: Night) -> None:
    write_csv(night.claims, claims(20, charge_amount="-1"))
    one_message(night.compare(), 3, ["20 of 20 in-scope rows were rejected", "--max-reject-rate"])
    night.claims.unlink()
    one_message(night.compare(), 3, [night.claims, "--claims"])
    assert [path.name for path in night.out.iterdir()] == [".lock"]


def test_4_another_process_holds_the_folder(night: Night) -> None:
    with another_process_holding(night.out):
        one_message(night.compare(), 4, ["--out", night.out, "wait"])
    night.compared()


def test_5_a_name_that_is_taken(night: Night) -> None:
    before = result_of(night.compared().folder)
    write_csv(night.claims, CLAIMS[:3])
    one_message(night.compare(), 5, ["--run-id", "2026-02-28", "--replace"])
    assert result_of(night.out / NAMED) == before
    other = night.compared("--run-id", "other")
    replaced = night.compared("--replace")
    assert replaced.manifest["rows"]["edited"] == other.manifest["rows"]["edited"] == 3


def test_a_run_and_a_comparison_may_have_one_name(night: Night) -> None:
    run = [str(a) for a in ["run", *night.inputs()]]
    for _ in range(2):
        assert outcome([*run, "--replace"]) == 0
        night.compared("--replace")
    assert sorted(path.name for path in night.out.iterdir()) == [
        ".lock",
        NAMED,
        "run_id=2026-02-28",
    ]


def test_options_from_the_environment_and_a_file(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMS_EDIT_BASELINE", CURRENT)
    config = night.operator.write("night.toml", f'candidate = "{DRAFT}"\nrun-id = "by-file"\n')
    said = night.operator.command("compare", *night.inputs(), "--config", config)
    assert (said.exit_code, said.messages) == (0, [])
    require_whole(night.out / "comparison_id=by-file", [PAGE])


# ---- the page -------------------------------------------------------------------------------


def test_names_are_escaped_on_the_page(night: Night, tmp_path: Path) -> None:
    folder = with_another_policy(tmp_path / "reference", "other")
    path = folder / "policies" / BCBST
    for file in [path / "policy.toml", path / "criteria.csv", path / "sentences.csv"]:
        text = file.read_text(encoding="utf-8").replace("2026-draft", "<b>&'next'</b>")
        file.write_text(text, encoding="utf-8")
    name = f"{BCBST}@<b>&'next'</b>"
    compared = night.compared("--reference-data", folder, candidate=name)
    assert "<b>" not in compared.html
    assert f"{BCBST}@&lt;b&gt;&amp;&#x27;next&#x27;&lt;/b&gt;: what would change" in compared.html
    assert compared.manifest["candidate"]["named"] == name


# ---- modes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("umask", "folders", "files"), [(0o022, "0o750", "0o640"), (0o077, "0o700", "0o600")]
)
def test_what_is_written_is_closed_to_others(
    night: Night, umask: int, folders: str, files: str
) -> None:
    run_with_umask(umask, night.compare_arguments())
    run_with_umask(umask, night.compare_arguments("--replace"))
    modes = modes_below(night.out)
    assert {f"{NAMED}/{PAGE}", f"{NAMED}/changes.parquet", f"{NAMED}/manifest.json"} <= set(modes)
    assert modes == {path: folders if path in (".", NAMED) else files for path in modes}


# ---- killed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("replaces", [False, True], ids=["anew", "replacing"])
class TestKilled:
    """A comparison is killed in a folder with a run; the next command makes up for it."""

    @pytest.fixture
    def before(self, operator: Operator, replaces: bool) -> Path:
        """The folder before the comparison, with another one of its name where it `replaces`."""
        night = second_night(operator)
        if replaces:
            night.compared()
        written_night(operator)
        write_csv(operator.authorizations, [authorization(n) for n in range(101)])
        return Path(shutil.copytree(operator.out, operator.folder / "before"))

    def arguments(self, operator: Operator, out: Path) -> list[str]:
        return Night(operator).compare_arguments("--replace", "--out", out)

    def require_sound(self, operator: Operator, before: Path, out: Path) -> None:
        """Right after: the run stands, and the old comparison, the new one, or none."""
        expected = operator.folder / "expected"
        if not expected.exists():
            shutil.copytree(before, expected)
            assert outcome(self.arguments(operator, expected)) == 0
        assert result_of(out / "run_id=first") == result_of(before / "run_id=first")
        new = result_of(expected / NAMED)
        allowed = [new, *(result_of(old / NAMED) for old in [before] if (old / NAMED).exists())]
        if (out / NAMED).exists():
            assert result_of(out / NAMED) in allowed
        # A run is published beside it, and leaves nothing of it half done.
        run = [str(a) for a in ["run", *Night(operator).inputs(), "--run-id", "second"]]
        assert outcome([*run, "--out", str(out)]) == 0
        assert left_over(out) == []
        if (before / NAMED).exists():
            assert result_of(out / NAMED) in allowed
        assert outcome(self.arguments(operator, out)) == 0
        require_whole(out / NAMED, [PAGE])
        assert outcome(["verify", str(out)]) == 0

    @pytest.mark.parametrize("step", ["inputs", "candidate", "writing", "publishing"])
    def test_as_a_step_begins(self, operator: Operator, before: Path, step: str) -> None:
        out = Path(shutil.copytree(before, operator.folder / "out"))
        with process(dying.die_at_step, step, self.arguments(operator, out)) as running:
            assert running.exit_code() == -9
        assert (out / NAMED).exists() == (before / NAMED).exists()
        self.require_sound(operator, before, out)

    def test_before_file_operations(self, operator: Operator, before: Path, replaces: bool) -> None:
        counted = Path(shutil.copytree(before, operator.folder / "counted"))
        with process(dying.count_operations, self.arguments(operator, counted)) as running:
            count = running.hears(int)
        assert count > 20
        last = [count - n for n in range(5)]
        for operation in sorted({*range(1 + replaces, count + 1, 20), *last}):
            out = Path(shutil.copytree(before, operator.folder / f"out-{operation}"))
            arguments = self.arguments(operator, out)
            with process(dying.die_before_operation, operation, arguments) as running:
                assert running.exit_code() == -9
            self.require_sound(operator, before, out)
