"""A run that is replaced keeps its place in the order, and later runs computed on it are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from claims_edit.verify import verify
from tests.runs.nights import (
    OTHER_DRUG,
    Nights,
    bytes_of,
    dose,
    result_of,
    with_another_policy,
    written_nights,
)
from tests.runs.support import manifest_of, run_folders, table

STALE = "Stale, computed on the run that was replaced: "


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """The three nights, published in order; the second of what was sent at first."""
    nights = written_nights(tmp_path_factory.mktemp("series"))
    nights.publish(nights.folder / "out", "first")
    nights.publish(nights.folder / "out", "second", claims="second-before.csv")
    nights.publish(nights.folder / "out", "third")
    return nights


@pytest.fixture
def out(series: Nights, tmp_path: Path) -> Path:
    return shutil.copytree(series.folder / "out", tmp_path / "out")


def history_of(run: Path) -> tuple[int, list[str]]:
    """The place of a run, and the runs that it took as history."""
    history = manifest_of(run)["history"]
    return history["place"], list(history["runs"])


def stale(said: str) -> list[str]:
    """The runs that standard output names as computed on what was replaced."""
    lines = [line for line in said.splitlines() if line.startswith("Stale")]
    assert len(lines) < 2
    return [name for line in lines for name in line.removeprefix(STALE).split("  (")[0].split(", ")]


def warnings(said: str) -> list[str]:
    entries = map(json.loads, said.splitlines())
    return [entry["message"] for entry in entries if entry["level"] == "warning"]


# ---- its place ------------------------------------------------------------------------------


def test_runs_have_the_places_in_which_they_were_first_published(series: Nights) -> None:
    out = series.folder / "out"
    assert history_of(out / "run_id=first") == (1, [])
    assert history_of(out / "run_id=second") == (2, ["first"])
    assert history_of(out / "run_id=third") == (3, ["first", "second"])


def test_names_and_days_say_nothing_of_the_order(series: Nights, tmp_path: Path) -> None:
    series.publish(tmp_path, "b", claims="first.csv")
    series.publish(tmp_path, "a", "--as-of", "2025-12-31", claims="second.csv")
    assert history_of(tmp_path / "run_id=a") == (2, ["b"])


def test_a_replaced_run_keeps_its_place_and_sees_only_the_runs_before_it(
    series: Nights, out: Path, tmp_path: Path
) -> None:
    replaced = series.publish(out, "second", "--replace")
    assert history_of(replaced) == (2, ["first"])
    shutil.copytree(out / "run_id=first", tmp_path / "never" / "run_id=first")
    assert result_of(replaced) == result_of(series.publish(tmp_path / "never", "second"))
    at_the_end = series.publish(out, "fourth", claims="second.csv")
    assert history_of(at_the_end) == (4, ["first", "second", "third"])
    allowed = [table(run, "lines")["allowed_units"].to_list() for run in (replaced, at_the_end)]
    assert allowed[0] != allowed[1]


def test_the_first_run_replaced_sees_none(series: Nights, out: Path) -> None:
    before = result_of(out / "run_id=first")
    assert result_of(series.publish(out, "first", "--replace")) == before
    assert history_of(out / "run_id=first") == (1, [])


def test_the_others_stay_as_they_are(series: Nights, out: Path) -> None:
    others = {name: bytes_of(out / name) for name in ("run_id=first", "run_id=third")}
    series.publish(out, "second", "--replace")
    assert run_folders(out) == ["run_id=first", "run_id=second", "run_id=third"]
    assert {name: bytes_of(out / name) for name in others} == others


@pytest.mark.parametrize("claims", ["second.csv", "second-before.csv"])
def test_a_run_id_that_is_taken_is_not_published_again(
    series: Nights, out: Path, claims: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: bytes_of(out / name) for name in run_folders(out)}
    capsys.readouterr()
    assert outcome(series.arguments(out, "second", claims=claims)) == 5
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        f"claims-edit: --run-id: second is already published in {out}; give --replace to publish it "
        "anew, or another --run-id."
    )
    assert {name: bytes_of(out / name) for name in run_folders(out)} == before


# ---- later runs computed on the old one -----------------------------------------------------


def test_later_runs_that_were_computed_on_the_old_one_are_named(
    series: Nights, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    series.publish(out, "second", "--replace", "--log-format", "json")
    said = capsys.readouterr()
    assert stale(said.out) == ["third"]
    assert warnings(said.err) == ["computed on the run that was replaced: third"]
    assert [name for name, found in verify(out).items() if found] == ["run_id=third"]


def test_all_of_them_are_named_in_their_order(
    series: Nights, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series.publish(out, "a-fourth", claims="third.csv")
    series.write("first-other.csv", [dose(10, 0, "2025-11-12")])
    capsys.readouterr()
    series.publish(out, "first", "--replace", claims="first-other.csv")
    assert stale(capsys.readouterr().out) == ["second", "third", "a-fourth"]


def test_run_again_in_their_order_they_are_stale_no_more(
    series: Nights, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series.publish(out, "second", "--replace")
    capsys.readouterr()
    series.publish(out, "third", "--replace", "--log-format", "json")
    said = capsys.readouterr()
    assert (stale(said.out), warnings(said.err)) == ([], [])
    assert [found for found in verify(out).values() if found] == []
    for night in ("first", "second", "third"):
        from_the_start = series.publish(tmp_path / "from-the-start", night)
        assert result_of(out / f"run_id={night}") == result_of(from_the_start)


def test_nothing_is_said_where_the_replaced_run_has_equal_results(
    series: Nights, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = result_of(out / "run_id=second")
    capsys.readouterr()
    options = ["--replace", "--log-format", "json"]
    series.publish(out, "second", *options, claims="second-before.csv")
    said = capsys.readouterr()
    assert (stale(said.out), warnings(said.err)) == ([], [])
    assert result_of(out / "run_id=second") == before


def test_the_last_run_replaced_makes_none_stale(
    series: Nights, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series.publish(out, "third", "--replace", claims="first.csv")
    assert stale(capsys.readouterr().out) == []


def test_a_later_run_whose_history_is_elsewhere_is_not_stale(
    series: Nights, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even where the other folder has a run of the same name, which is not the one replaced."""
    series.publish(tmp_path / "elsewhere", "second", claims="first.csv")
    series.publish(out, "third", "--replace", "--history", tmp_path / "elsewhere")
    capsys.readouterr()
    series.publish(out, "second", "--replace")
    assert stale(capsys.readouterr().out) == []


def test_a_later_run_of_another_drug_is_not_stale(
    series: Nights, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = with_another_policy(tmp_path / "reference", "another-drug", OTHER_DRUG)
    options = ["--reference-data", str(reference), "--policy", "another-drug"]
    series.publish(out, "of-another", *options, claims="third.csv")
    capsys.readouterr()
    series.publish(out, "second", "--replace")
    assert stale(capsys.readouterr().out) == ["third"]
