"""`--history DIR`, or the output folder itself: which runs are history, and what is wrong with one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.manifest import NAME, sealed
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.schemas import polars_type, validated
from tests.runs.nights import (
    FIRST,
    OTHER_DRUG,
    Nights,
    dose,
    void,
    with_another_policy,
    written_nights,
)
from tests.runs.support import Manifest, digests, manifest_of, run_folders, table


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """The nights; `earlier` holds the first two, `others` a run of other claims."""
    nights = written_nights(tmp_path_factory.mktemp("nights"))
    nights.publish(nights.folder / "earlier", "first")
    nights.publish(nights.folder / "earlier", "second", claims="second-before.csv")
    nights.write("another.csv", [dose(40, 3, "2026-01-20"), dose(41, 4, "2026-01-20")])
    nights.publish(nights.folder / "others", "another")
    return nights


@pytest.fixture
def earlier(nights: Nights, tmp_path: Path) -> Path:
    return shutil.copytree(nights.folder / "earlier", tmp_path / "earlier")


@pytest.fixture
def others(nights: Nights, tmp_path: Path) -> Path:
    return shutil.copytree(nights.folder / "others", tmp_path / "others")


def runs_taken(run: Path) -> list[str]:
    return list(manifest_of(run)["history"]["runs"])


# ---- which runs -----------------------------------------------------------------------------


def test_without_the_option_the_runs_of_the_output_folder_are_history(
    nights: Nights, earlier: Path
) -> None:
    history = manifest_of(nights.publish(earlier, "third"))["history"]
    assert (history["place"], history["folder"]) == (3, None)
    assert list(history["runs"]) == ["first", "second"]


def test_all_runs_of_another_folder_are_history_and_those_of_the_output_folder_are_not(
    nights: Nights, earlier: Path, others: Path
) -> None:
    run = nights.publish(others, "third", "--history", earlier)
    history = manifest_of(run)["history"]
    assert history["place"] == 2
    assert Path(history["folder"]).samefile(earlier)
    assert list(history["runs"]) == ["first", "second"]
    assert digests(run) == digests(nights.publish(earlier, "third"))
    alone = nights.publish(others, "third-here", claims="third.csv")
    assert runs_taken(alone) == ["another", "third"]
    assert digests(run)["lines"] != digests(alone)["lines"]


def test_a_run_that_is_replaced_takes_all_runs_of_another_folder(
    nights: Nights, earlier: Path, others: Path
) -> None:
    run = nights.publish(others, "another", "--replace", "--history", earlier)
    history = manifest_of(run)["history"]
    assert (history["place"], list(history["runs"])) == (1, ["first", "second"])


def itself(out: Path) -> Path:
    return out


def by_a_link(out: Path) -> Path:
    link = out.with_name("link")
    link.symlink_to(out, target_is_directory=True)
    return link


def by_a_detour(out: Path) -> Path:
    return out / ".." / out.name


def by_a_relative_path(out: Path) -> Path:
    return Path(os.path.relpath(out))


@pytest.mark.parametrize(
    "named", [itself, by_a_link, by_a_detour, by_a_relative_path], ids=lambda n: n.__name__
)
def test_the_output_folder_given_as_history_is_as_without_the_option(
    nights: Nights, earlier: Path, named: Callable[[Path], Path]
) -> None:
    nights.publish(earlier, "third")
    run = nights.publish(earlier, "second", "--replace", "--history", named(earlier))
    history = manifest_of(run)["history"]
    assert (history["place"], history["folder"], list(history["runs"])) == (2, None, ["first"])


def test_a_folder_without_runs_is_no_history_and_warned_of(
    nights: Nights, earlier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    capsys.readouterr()
    run = nights.publish(earlier, "third", "--history", empty)
    (warning,) = [line for line in capsys.readouterr().err.splitlines() if " info: " not in line]
    assert warning.endswith(f" warning: --history: {empty} holds no run of the policy's drug")
    assert runs_taken(run) == []
    assert digests(run) == digests(nights.publish(tmp_path / "alone", "third"))
    assert list(empty.iterdir()) == []


def test_what_is_not_published_is_no_history(nights: Nights, earlier: Path) -> None:
    shutil.copytree(earlier / "run_id=second", earlier / ".staging-third")
    shutil.copytree(earlier / "run_id=second", earlier / ".replaced-second")
    (earlier / "run_id=notes").write_text("no folder", encoding="utf-8")
    (earlier / "run_id=empty").mkdir()
    run = nights.publish(nights.folder / "not-published", "third", "--history", earlier)
    assert runs_taken(run) == ["first", "second"]


def test_a_folder_of_history_is_left_as_it_is(nights: Nights, earlier: Path, others: Path) -> None:
    """It may belong to another, who is writing it: nothing is cleaned up, no lock is taken."""
    (earlier / ".lock").unlink()
    (earlier / ".staging-third").mkdir()
    before = {path: path.stat().st_mtime_ns for path in [earlier, *earlier.rglob("*")]}
    nights.publish(others, "third", "--history", earlier)
    assert {path: path.stat().st_mtime_ns for path in [earlier, *earlier.rglob("*")]} == before


def test_a_run_of_another_drug_is_no_history(nights: Nights, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reference = with_another_policy(tmp_path / "reference", "another-drug", OTHER_DRUG)
    options = ["--reference-data", str(reference), "--policy", "another-drug"]
    of_another = dose(50, 0, "2026-01-12", hcpcs_code=OTHER_DRUG)
    nights.write("of-another.csv", [of_another, void(51, FIRST[0])])
    other = nights.publish(out, "of-another", *options)
    assert table(other, "lines").height == 1
    assert table(other, "other_versions").height == 1  # it would void a claim of the first night
    first = nights.publish(out, "first")
    history = manifest_of(first)["history"]
    assert (history["place"], history["runs"]) == (2, {})
    assert digests(first) == digests(nights.folder / "earlier" / "run_id=first")
    again = nights.publish(out, "of-another-again", *options, claims="of-another.csv")
    assert runs_taken(again) == ["of-another"]


def test_another_policy_of_the_drug_goes_on_from_the_same_history(
    nights: Nights, earlier: Path, tmp_path: Path
) -> None:
    reference = with_another_policy(tmp_path / "reference", "another-payers")
    options = ["--reference-data", str(reference), "--policy", "another-payers"]
    assert runs_taken(nights.publish(earlier, "third", *options)) == ["first", "second"]


def test_lines_to_reconsider_are_as_their_schema_says(nights: Nights, earlier: Path) -> None:
    run = nights.publish(earlier, "second", "--replace")
    schema, found = RUN_TABLES["reconsider"], table(run, "reconsider")
    assert found.height == 1
    assert dict(found.schema) == {c: polars_type(column) for c, column in schema.columns.items()}
    assert validated(schema, found).equals(found)


# ---- runs that are damaged ------------------------------------------------------------------


def changed(change: Callable[[Manifest], object]) -> Callable[[Path], None]:
    """Another manifest, its seal of its own: as another version of the program may write one."""

    def damage(file: Path) -> None:
        content = json.loads(file.read_bytes())
        change(content)
        del content["digest"]
        file.write_bytes(sealed(content))

    return damage


def of_another_place(file: Path) -> None:
    content = file.read_bytes()
    assert content.count(b'"place": 1') == 1
    file.write_bytes(content.replace(b'"place": 1', b'"place": 7'))


def cut_short(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def flipped(file: Path) -> None:
    """One digit of a digest is another one; the file is sound JSON all the same."""
    content = json.loads(file.read_text(encoding="utf-8"))
    digest = content["outputs"][0]["digest"]
    other = ("1" if digest[0] != "1" else "2") + digest[1:]
    file.write_text(file.read_text(encoding="utf-8").replace(digest, other), encoding="utf-8")


DAMAGED: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "cut short": cut_short,
    "not JSON": lambda file: file.write_bytes(b"a manifest"),
    "not text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "a list": lambda file: file.write_bytes(b"[]"),
    "nothing in it": lambda file: file.write_bytes(b"{}"),
    "no place": changed(lambda content: content["history"].pop("place")),
    "a place that is no number": changed(lambda content: content["history"].update(place="x")),
    "no policy": changed(lambda content: content.pop("policy")),
    "no outputs": changed(lambda content: content.pop("outputs")),
    "a table missing": changed(lambda content: content["outputs"].pop(0)),
    "of an earlier version": changed(lambda content: content.update(history=[])),
    "another place": of_another_place,
    "a flipped digit": flipped,
}


def refused(arguments: list[str], file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code = outcome(arguments)
    said = capsys.readouterr().err
    messages = [line for line in said.splitlines() if " info: " not in line]
    assert (code, len(messages)) == (3, 1), said
    assert messages[0].startswith(f"claims-edit: history: {file}: ")


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_manifest_of_an_earlier_run(
    nights: Nights, earlier: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = earlier / "run_id=first" / NAME
    DAMAGED[damage](file)
    refused(nights.arguments(earlier, "third"), file, capsys)
    assert run_folders(earlier) == ["run_id=first", "run_id=second"]


def test_a_run_of_before_partner_lines_were_kept_is_history_all_the_same(
    nights: Nights, earlier: Path, tmp_path: Path
) -> None:
    now = nights.publish(shutil.copytree(earlier, tmp_path / "now"), "third")
    for run in earlier.iterdir():
        if run.is_dir():
            (run / "partner_lines.parquet").unlink()
            without_partner_lines(run / NAME)
    assert digests(nights.publish(earlier, "third")) == digests(now)


without_partner_lines = changed(
    lambda content: content.update(
        outputs=[o for o in content["outputs"] if o["table"] != "partner_lines"]
    )
)


@pytest.mark.parametrize("damage", ["cut short", "a flipped digit"])
def test_a_damaged_manifest_of_another_folder(
    nights: Nights, earlier: Path, others: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = earlier / "run_id=second" / NAME
    DAMAGED[damage](file)
    refused(nights.arguments(others, "third", "--history", earlier), file, capsys)
    assert run_folders(others) == ["run_id=another"]


def test_a_run_that_stands_twice(
    nights: Nights, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lines would count twice: a copy under another name, or of the runs of two folders."""
    copy = shutil.copytree(earlier / "run_id=first", earlier / "run_id=first-copy")
    refused(nights.arguments(earlier, "third"), copy / NAME, capsys)
    shutil.rmtree(copy)
    another = shutil.copytree(
        nights.folder / "others" / "run_id=another", copy.with_name("run_id=another")
    )
    capsys.readouterr()
    assert outcome(nights.arguments(earlier, "third")) == 3
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("claims-edit: history: ")
    assert [str(run) in said for run in (another, earlier / "run_id=first")] == [True, True]


def written_over(file: Path) -> None:
    """A sound table, but not the one that was published."""
    table(file.parent, file.stem).head(1).write_parquet(file)


DAMAGED_TABLES: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "cut short": cut_short,
    "not Parquet": lambda file: file.write_bytes(b"PAR1 and no more"),
    "gone": lambda file: file.unlink(),
    "without columns": lambda file: (
        table(file.parent, file.stem).select("claim_id").write_parquet(file)
    ),
    "written over": written_over,
}


@pytest.mark.parametrize("damage", DAMAGED_TABLES)
def test_damaged_lines_of_an_earlier_run(
    nights: Nights, earlier: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = earlier / "run_id=first" / "lines.parquet"
    DAMAGED_TABLES[damage](file)
    refused(nights.arguments(earlier, "third"), file, capsys)
    assert run_folders(earlier) == ["run_id=first", "run_id=second"]
