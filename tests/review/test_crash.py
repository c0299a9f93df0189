"""Processes that decide at once, and are killed at any moment: what was acknowledged is there."""

from __future__ import annotations

import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from claims_edit.review.database import Database
from claims_edit.review.export import export
from tests.cli.support import clean_environment
from tests.review.support import a_line

# Decides three lines at a time, exports, and says so; runs until it is killed.
_WORK = """
import sys
import time
from pathlib import Path
from claims_edit.review.database import ConflictError, Database, Seen
from claims_edit.review.export import export
from claims_edit.review.words import Decision
from tests.review.support import a_line

out, who, exporting = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "export"
database = Database(out)
print("ready", flush=True)
for number in range(1, 1_000_000, 3):
    lines = [a_line(number + i, run_id=who) for i in range(3)]
    batch = database.decide([Seen(line, 0) for line in lines], Decision("uphold"), who)
    if exporting:
        export(out, database)
    print(batch, number, flush=True)
    time.sleep(0.002)
"""


def working(out: Path, who: str, *, exporting: bool = False) -> subprocess.Popen[str]:
    arguments = [str(out), who, "export" if exporting else "-"]
    return subprocess.Popen(
        [sys.executable, "-c", _WORK, *arguments],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def killed(process: subprocess.Popen[str], *, after: int = 0) -> list[int]:
    """Kill a process once it has said so often that it decided lines; the numbers of the lines."""
    assert process.stdout is not None
    with process:  # what was read ahead is in the stream, so it is read to its end
        said = "".join(process.stdout.readline() for _ in range(after))
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read()
    return [int(m.group(1)) for m in re.finditer(r"^\d+ (\d+)\n", said, re.MULTILINE)]


def decided(out: Path, who: str) -> set[int]:
    """The lines that are decided; the file is sound, and every batch is whole."""
    database = Database(out)
    try:
        connection = database.connection
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        assert connection.execute("pragma foreign_key_check").fetchall() == []
        sizes = connection.execute("select count(*) from events group by batch").fetchall()
        assert {row[0] for row in sizes} <= {3}
        states = connection.execute("select run_id, claim_id from states").fetchall()
        assert len(states) == database.last_event()
        return {int(row["claim_id"][2:]) for row in states if row["run_id"] == who}
    finally:
        database.close()


@pytest.fixture
def moments() -> Iterator[random.Random]:
    yield random.Random(20260305)


def test_every_acknowledged_decision_survives_a_kill_at_any_moment(
    tmp_path: Path, moments: random.Random
) -> None:
    for attempt in range(8):
        who = f"run {attempt}"
        process = working(tmp_path, who, exporting=attempt % 2 == 0)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0, 0.25))
        acknowledged = killed(process)
        there = decided(tmp_path, who)
        expected = {number + i for number in acknowledged for i in range(3)}
        assert expected <= there
        assert len(there - expected) in (0, 3)  # the one that was kept and not yet acknowledged
        if acknowledged and attempt % 2 == 0:
            exported = pl.read_parquet(tmp_path / "decisions.parquet")
            mine = exported.filter(pl.col("run_id") == who)["claim_id"]
            assert expected <= {int(claim[2:]) for claim in mine}


def test_two_processes_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    names = ("Ann", "Ben")
    processes = [working(tmp_path, name, exporting=True) for name in names]  # both make the file
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for name, process in zip(names, processes, strict=True):
        acknowledged = killed(process, after=10)
        assert len(acknowledged) >= 10, "it had the file now and then"
        expected = {number + i for number in acknowledged for i in range(3)}
        assert expected <= decided(tmp_path, name)
    database = Database(tmp_path)
    assert export(tmp_path, database) == database.last_event()
    database.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["decisions.parquet", "review.sqlite"]


def test_many_who_open_a_folder_at_once_make_one_database(tmp_path: Path) -> None:
    processes = [working(tmp_path, f"person {i}") for i in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        killed(process)
    connection = sqlite3.connect(tmp_path / "review.sqlite")
    assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
    connection.close()


def test_what_a_line_was_is_a_line_of_one_run() -> None:
    assert a_line(3).key == ("2026-02-28", "C-3", 1)
