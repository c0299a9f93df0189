"""A cluster of two workers gives what polars gives, and does so, too, when one of them dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from claims_edit import runs
from claims_edit.settings import RunSettings
from tests.engines.cluster import HOST, Cluster, cluster
from tests.engines.support import assert_same
from tests.engines.test_extracts import tuva_inputs
from tests.support import PROJECT, REFERENCE
from tests.tuva.overlay import AS_OF, columns_of
from tests.tuva.test_tuva import WRITERS
from tests.tuva.test_tuva import extract as tuva

pytestmark = pytest.mark.xdist_group("spark")

NIGHTS = ("first", "second")
SECONDS = 240
CONF = {
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.sql.shuffle.partitions": "4",
}


@pytest.fixture(scope="module")
def running(java: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="module")
def by_polars(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Two nights on each other, each with half of the lines, as polars computes them."""
    folder = tmp_path_factory.mktemp("inputs")
    rows = list(tuva().claims)
    Random(2).shuffle(rows)
    others = tuva_inputs(folder)
    nights: dict[str, dict[str, Any]] = {}
    for number, run_id in enumerate(NIGHTS):
        (folder / run_id).mkdir()
        for i, suffix in enumerate(WRITERS):
            some = rows[number::2][i::3]
            WRITERS[suffix](folder / run_id / f"{i}{suffix}", some, columns_of(some))
        nights[run_id] = {"claims": folder / run_id, **others}
        given = {**nights[run_id], "claims": (folder / run_id,)}
        options: dict[str, Any] = {"as_of": AS_OF, "reference_data": REFERENCE, "run_id": run_id}
        runs.run(RunSettings(**options, **given, out=folder / "out", max_reject_rate=1.0))
    return folder / "out", nights


class Started:
    """`claims-edit run` as a process, its log read line by line."""

    def __init__(self, url: str, out: Path, run_id: str, inputs: dict[str, Any]) -> None:
        options = {**inputs, "out": out, "run-id": run_id, "as-of": AS_OF, "max-reject-rate": 1}
        options["part-lines"] = 40
        command = [sys.executable, "-m", "claims_edit", "run", "--engine", "spark"]
        command += ["--spark-master", url, *(f"--spark-conf={k}={v}" for k, v in CONF.items())]
        command += [f"--{name}={value}" for name, value in options.items()]
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYSPARK_", "SPARK_"))
        }
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self.log: list[str] = []
        self.claims_read = threading.Event()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as said:
            for line in said:
                self.log.append(line)
                if "claims done" in line:
                    self.claims_read.set()
        self.claims_read.set()

    def ended(self) -> int:
        """Its exit code; one that does not end is ended."""
        try:
            return self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.reader.join()


def published(running: Cluster, out: Path, run_id: str, inputs: dict[str, Any]) -> Path:
    started = Started(running.url, out, run_id, inputs)
    assert started.ended() == 0, started.log
    assert_quiet(started.log)
    return out / f"run_id={run_id}"


def assert_quiet(log: list[str]) -> None:
    """Spark says nothing on the screen of the user, who sees the steps of the run alone."""
    assert [line for line in log if " info: " not in line] == []


def test_two_workers_give_what_polars_gives_and_so_does_one_that_is_left(
    running: Cluster, by_polars: tuple[Path, dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    """PYSPARK_PYTHON is not set, and need not be. In the second night a worker is killed."""
    by, nights = by_polars
    out = tmp_path / "runs"
    assert_same(by / "run_id=first", published(running, out, "first", nights["first"]))
    assert all(list(folder.glob("app-*/*")) for folder in running.folders), "both took part"

    started = Started(running.url, out, "second", nights["second"])
    assert started.claims_read.wait(SECONDS)
    assert running.kill(0) > 2, "the worker, its executor, and Python"
    assert started.process.poll() is None, "the run is under way"
    assert started.ended() == 0, started.log
    assert_same(by / "run_id=second", out / "run_id=second")
