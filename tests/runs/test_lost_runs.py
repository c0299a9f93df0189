"""Runs that are lost or damaged: what they allowed is not paid again without a word."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from claims_edit.errors import InputError
from claims_edit.manifest import NAME
from claims_edit.verify import verify
from tests.runs.support import digests, manifest_of, published, sample_as_text, write


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Three nights, each computed on those before."""
    folder = tmp_path / "out"
    for night in (1, 2, 3):
        part = sample_as_text().gather_every(3, night - 1)
        write(part, tmp_path / f"night-{night}.csv")
        run_again(folder, night)
    return folder


def run_again(out: Path, night: int, **changes: object) -> Path:
    extract = out.parent / f"night-{night}.csv"
    return published(out, extract, run_id=f"night-{night}", **changes)


def tonight(out: Path, **changes: object) -> Path:
    return published(out, out.parent / "night-1.csv", run_id="tonight", **changes)


def test_a_run_that_lost_its_manifest_stops_the_next_and_is_not_removed(out: Path) -> None:
    (out / "run_id=night-3" / NAME).unlink()
    with pytest.raises(InputError, match=r"night-3: has lost its manifest\.json; restore the run"):
        tonight(out)
    assert (out / "run_id=night-3" / "lines.parquet").exists()


def test_a_run_that_is_gone_stops_the_next(out: Path, tmp_path: Path) -> None:
    shutil.move(out / "run_id=night-2", tmp_path / "aside")
    with pytest.raises(
        InputError, match="run night-2, which run night-3 was computed on, is not in"
    ):
        tonight(out)
    shutil.move(tmp_path / "aside", out / "run_id=night-2")
    assert tonight(out).exists()


def test_a_run_that_is_not_to_count_is_left_by_running_those_after_it_again(out: Path) -> None:
    shutil.rmtree(out / "run_id=night-1")
    for night in (2, 3):
        run_again(out, night, replace=True)
    assert list(manifest_of(tonight(out))["history"]["runs"]) == ["night-2", "night-3"]
    assert not any(verify(out).values())


@pytest.mark.parametrize("night", [1, 2, 3])
@pytest.mark.parametrize("lost", ["manifest", "damaged", "folder"])
def test_a_lost_run_that_is_run_again_has_its_old_place(out: Path, night: int, lost: str) -> None:
    folder = out / f"run_id=night-{night}"
    before, place = digests(folder), manifest_of(folder)["history"]["place"]
    if lost == "folder":
        shutil.rmtree(folder)
    elif lost == "manifest":
        (folder / NAME).unlink()
    else:
        (folder / NAME).write_text((folder / NAME).read_text().replace("7", "8"))
    run_again(out, night, replace=True)
    assert (digests(folder), manifest_of(folder)["history"]["place"]) == (before, place)
    assert not any(verify(out).values())


def test_a_folder_caught_while_a_run_of_it_is_replaced_is_no_history(
    out: Path, tmp_path: Path
) -> None:
    (out / "run_id=night-3").rename(out / ".replaced-night-3")
    with pytest.raises(InputError, match=r"\.replaced-night-3 was being replaced"):
        published(tmp_path / "trial", tmp_path / "night-1.csv", history=out)
    assert run_again(out, 3, replace=True).exists()


def test_a_night_without_the_file_that_the_night_before_had_is_warned_of(
    out: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claims_edit.log.LOGGER.propagate", True)
    lines = pl.read_parquet(out / "run_id=night-1" / "lines.parquet")
    lines.drop_nulls("hcpcs_code").write_parquet(tmp_path / "elsewhere.parquet")
    tonight(out, history=tmp_path / "elsewhere.parquet")
    assert not caplog.messages or "was given a file" not in " ".join(caplog.messages)
    published(out, tmp_path / "night-2.csv", run_id="tomorrow")
    assert "run tonight was given a file of lines allowed elsewhere" in " ".join(caplog.messages)


def test_a_folder_whose_name_is_a_pattern(tmp_path: Path) -> None:
    out = tmp_path / "odd [1] *"
    assert published(out).exists()
    assert verify(out) == {"run_id=tonight": []}
