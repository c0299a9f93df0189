"""Equal inputs, however they are written, publish tables that are equal byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.support import clean_environment
from tests.runs.support import (
    SAMPLE,
    Manifest,
    digests,
    manifest_of,
    published,
    sample_as_text,
    write,
)

COPIES = 40


@pytest.fixture(scope="module")
def night() -> pl.DataFrame:
    """The sample forty times, each with members and claims of its own: 4,560 rows of text."""
    sample = sample_as_text()
    ids = [c for c in ("claim_id", "member_id", "person_id", "original_claim_id") if c in sample]
    return pl.concat(
        sample.with_columns(pl.format("{}-{}", c, pl.lit(n)).alias(c) for c in ids)
        for n in range(COPIES)
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Authorizations, members and clinical facts of all copies."""
    folder = tmp_path_factory.mktemp("of-members")
    made = {}
    for name, ids in (
        ("authorizations", ["authorization_number", "member_id"]),
        ("members", ["person_id"]),
        ("clinical", ["authorization_number"]),
    ):
        rows = pl.read_csv(SAMPLE / f"{name}.csv", infer_schema=False)
        copies = [
            rows.with_columns(pl.format("{}-{}", c, pl.lit(n)).alias(c) for c in ids)
            for n in range(COPIES)
        ]
        made[name] = write(pl.concat(copies), folder / f"{name}.csv")
    return made


@pytest.fixture(scope="module")
def expected(
    night: pl.DataFrame, files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The digests of the tables of the night as one CSV file."""
    folder = tmp_path_factory.mktemp("expected")
    extract = write(night, folder / "claims.csv")
    run = published(folder / "out", extract, max_reject_rate=1, **files)
    assert pl.read_parquet(run / "lines.parquet").height == 100 * COPIES
    return digests(run)


def without_timings(manifest: Manifest) -> Manifest:
    """The manifest without its timings and the digest that is over them too."""
    return {name: value for name, value in manifest.items() if name not in ("timings", "digest")}


def test_the_same_run_again_writes_the_same_bytes(run: Path, tmp_path: Path) -> None:
    again = published(tmp_path)
    assert digests(again) == digests(run)
    assert without_timings(manifest_of(again)) == without_timings(manifest_of(run))


def test_a_run_replaced_by_itself_has_the_same_bytes(run: Path, tmp_path: Path) -> None:
    published(tmp_path)
    again = published(tmp_path, replace=True)
    assert digests(again) == digests(run)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_does_not_matter(
    night: pl.DataFrame, files: dict[str, Path], expected: dict[str, str], tmp_path: Path, seed: int
) -> None:
    extract = write(night.sample(fraction=1, shuffle=True, seed=seed), tmp_path / "claims.csv")
    assert digests(published(tmp_path, extract, max_reject_rate=1, **files)) == expected


def test_the_order_of_the_other_inputs_does_not_matter(
    night: pl.DataFrame, files: dict[str, Path], expected: dict[str, str], tmp_path: Path
) -> None:
    shuffled = {
        name: write(
            pl.read_csv(path, infer_schema=False).sample(fraction=1, shuffle=True, seed=3),
            tmp_path / path.name,
        )
        for name, path in files.items()
    }
    extract = write(night, tmp_path / "claims.csv")
    assert digests(published(tmp_path, extract, max_reject_rate=1, **shuffled)) == expected


def test_the_order_of_columns_does_not_matter(
    night: pl.DataFrame, files: dict[str, Path], expected: dict[str, str], tmp_path: Path
) -> None:
    extract = write(night.select(reversed(night.columns)), tmp_path / "claims.csv")
    assert digests(published(tmp_path, extract, max_reject_rate=1, **files)) == expected


def test_the_split_into_files_does_not_matter(
    night: pl.DataFrame, files: dict[str, Path], expected: dict[str, str], tmp_path: Path
) -> None:
    """Seven files of three forms, their rows dealt out, columns without a value left out."""
    folder = tmp_path / "night"
    shuffled = night.sample(fraction=1, shuffle=True, seed=4)
    for n, ending in enumerate(["csv", "parquet", "csv.gz", "csv", "parquet", "csv.gz", "csv"]):
        part = shuffled.gather_every(7, n)
        kept = [c for c in part.columns if part[c].null_count() < part.height]
        write(part.select(kept), folder / f"part-{7 - n}.{ending}")
    assert digests(published(tmp_path, folder, max_reject_rate=1, **files)) == expected


@pytest.mark.parametrize("part_lines", [150, 1000])
def test_the_parts_of_the_members_do_not_matter(
    night: pl.DataFrame,
    files: dict[str, Path],
    expected: dict[str, str],
    tmp_path: Path,
    part_lines: int,
) -> None:
    extract = write(night, tmp_path / "claims.csv")
    in_parts = published(
        tmp_path / "out", extract, max_reject_rate=1, part_lines=part_lines, **files
    )
    assert digests(in_parts) == expected


@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_the_form_of_the_file_does_not_matter(
    night: pl.DataFrame,
    files: dict[str, Path],
    expected: dict[str, str],
    tmp_path: Path,
    ending: str,
) -> None:
    extract = write(night, tmp_path / f"claims.{ending}")
    assert digests(published(tmp_path, extract, max_reject_rate=1, **files)) == expected


@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_the_form_of_the_other_inputs_does_not_matter(
    night: pl.DataFrame,
    files: dict[str, Path],
    expected: dict[str, str],
    tmp_path: Path,
    ending: str,
) -> None:
    others = {
        name: write(pl.read_csv(path, infer_schema=False), tmp_path / f"{name}.{ending}")
        for name, path in files.items()
    }
    extract = write(night, tmp_path / "claims.csv")
    assert digests(published(tmp_path, extract, max_reject_rate=1, **others)) == expected


def test_the_number_of_threads_and_the_engine_do_not_matter(
    night: pl.DataFrame, files: dict[str, Path], expected: dict[str, str], tmp_path: Path
) -> None:
    extract = write(night, tmp_path / "claims.parquet")
    manifests = []
    for engine in (
        {"POLARS_MAX_THREADS": "1"},
        {"POLARS_MAX_THREADS": "2"},
        {"POLARS_MAX_THREADS": "3", "POLARS_ENGINE_AFFINITY": "streaming"},
    ):
        out = tmp_path / "out"
        arguments = {
            "--claims": extract,
            "--authorizations": files["authorizations"],
            "--members": files["members"],
            "--clinical": files["clinical"],
            "--as-of": "2026-02-28",
            "--run-id": "tonight",
            "--max-reject-rate": "1",
            "--out": out,
        }
        subprocess.run(
            [sys.executable, "-m", "claims_edit", "run", "--replace"]
            + [str(text) for pair in arguments.items() for text in pair],
            env=clean_environment() | engine,
            check=True,
            capture_output=True,
        )
        assert digests(out / "run_id=tonight") == expected
        manifests.append(without_timings(manifest_of(out / "run_id=tonight")))
    assert manifests[0] == manifests[1] == manifests[2]


def two_nights(
    night: pl.DataFrame, folder: Path, seed: int, **options: Any
) -> list[dict[str, str]]:
    """The digests of the night's rows published as two nights, each claim with all its lines, one
    row in three of the first sent again, in an order of their own."""
    of_first = pl.col("claim_id").str.slice(0, 6).str.tail(1).cast(pl.Int64, strict=False) < 5
    first = night.filter(of_first.fill_null(True))
    again = first.filter(pl.col("claim_id").str.slice(0, 6).str.tail(1).is_in(["0", "3"]))
    second = pl.concat([night.filter(~of_first.fill_null(True)), again])
    found = []
    for number, rows in enumerate([first, second], start=1):
        shuffled = rows.sample(fraction=1, shuffle=True, seed=seed + number)
        for part in range(3):
            write(shuffled.gather_every(3, part), folder / f"night-{number}" / f"{part}.csv")
        run = published(
            folder / "out", folder / f"night-{number}", run_id=f"night-{number}", **options
        )
        found.append(digests(run))
    return found


def test_nights_after_each_other_have_the_same_bytes_whatever_the_order_of_their_rows(
    night: pl.DataFrame, files: dict[str, Path], tmp_path: Path
) -> None:
    options = {"max_reject_rate": 1, **files}
    one, other = (two_nights(night, tmp_path / str(n), n, **options) for n in (10, 20))
    assert one == other
    alone = published(tmp_path / "alone", tmp_path / "10" / "night-2", run_id="night-2", **options)
    assert digests(alone)["lines"] != one[1]["lines"]


def test_manifests_differ_in_their_inputs_alone(
    night: pl.DataFrame, files: dict[str, Path], tmp_path: Path
) -> None:
    folders = [
        published(
            tmp_path / ending,
            write(night, tmp_path / f"claims.{ending}"),
            max_reject_rate=1,
            **files,
        )
        for ending in ("csv", "parquet")
    ]
    one, other = (without_timings(manifest_of(folder)) for folder in folders)
    assert {name for name in one if one[name] != other[name]} == {"inputs"}


def test_the_hash_seed_and_the_folder_it_is_started_in_do_not_matter(
    run: Path, tmp_path: Path
) -> None:
    for seed in ("0", "12345"):
        out = tmp_path / seed
        arguments = ["--config", str(SAMPLE / "run.toml"), "--out", str(out), "--run-id", "tonight"]
        subprocess.run(
            [sys.executable, "-m", "claims_edit", "run", *arguments],
            env=clean_environment() | {"PYTHONHASHSEED": seed, "TZ": "Pacific/Kiritimati"},
            cwd=os.sep,
            check=True,
            capture_output=True,
        )
        assert digests(out / "run_id=tonight") == digests(run)
