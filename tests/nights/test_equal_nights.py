"""Nights that are computed on each other write the same bytes, however their rows came."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.runs.support import digests, manifest_of, published, sample_as_text, write
from tests.support import PROJECT

NIGHTS = (1, 2, 3)
Written = dict[str, dict[str, str]]


def night_of(number: int) -> pl.DataFrame:
    """A third of the sample and, but for the first night, half of the night before, sent again."""
    sample = sample_as_text()
    again = sample.gather_every(6, number - 2) if number > 1 else sample.clear()
    return pl.concat([sample.gather_every(3, number - 1), again]).unique(maintain_order=True)


def written(out: Path) -> Written:
    """The digests of all tables, and the history, of every night."""
    return {
        name: {
            **digests(out / f"run_id={name}"),
            "history": json.dumps(manifest_of(out / f"run_id={name}")["history"]),
        }
        for name in (f"night-{n}" for n in NIGHTS)
    }


def nights(out: Path, *, shuffled: int | None = None, files: int = 1) -> Written:
    """Three nights, their rows shuffled and in so many files."""
    for number in NIGHTS:
        rows = night_of(number)
        if shuffled is not None:
            rows = rows.sample(fraction=1, shuffle=True, seed=shuffled + number)
        parts = [
            write(rows.gather_every(files, i), out / f"in-{number}" / f"part-{i}.csv")
            for i in range(files)
        ]
        published(out, *parts, run_id=f"night-{number}")
    return written(out)


@pytest.fixture(scope="module")
def as_they_came(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return nights(tmp_path_factory.mktemp("as-they-came"))


def test_the_nights_depend_on_each_other(as_they_came: Written, tmp_path: Path) -> None:
    """Else the comparisons below would say nothing of history."""
    alone = published(tmp_path, write(night_of(3), tmp_path / "in.csv"), run_id="night-3")
    assert digests(alone)["lines"] != as_they_came["night-3"]["lines"]


@pytest.mark.parametrize(("seed", "files"), [(1, 1), (2, 3), (None, 5)])
def test_the_order_and_the_split_of_rows_do_not_matter(
    as_they_came: Written, tmp_path: Path, seed: int | None, files: int
) -> None:
    assert nights(tmp_path, shuffled=seed, files=files) == as_they_came


@pytest.mark.parametrize(
    "settings",
    [
        {"POLARS_MAX_THREADS": "1"},
        {"POLARS_MAX_THREADS": "3", "POLARS_ENGINE_AFFINITY": "streaming"},
        {"POLARS_ENGINE_AFFINITY": "in-memory"},
    ],
    ids=["one thread", "streaming", "in memory"],
)
def test_threads_and_engine_do_not_matter(
    as_they_came: Written, tmp_path: Path, settings: dict[str, str]
) -> None:
    code = (
        "import json, sys, pathlib\n"
        "from tests.nights.test_equal_nights import nights\n"
        "print(json.dumps(nights(pathlib.Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=PROJECT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert json.loads(done.stdout) == as_they_came
