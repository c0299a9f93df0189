"""Published whole or not at all: faults, dead runs, replaced runs, inputs that change."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pytest

from claims_edit import intake, publish, runs
from claims_edit.__main__ import outcome
from claims_edit.engines import local
from claims_edit.errors import AlreadyPublishedError, FaultError, InputError
from claims_edit.evaluate import evaluate
from claims_edit.manifest import NAME
from claims_edit.report.flagged import flagged_lines
from claims_edit.run_contracts import RUN_TABLES
from claims_edit.tables import TableWriter
from tests.cli.support import clean_environment
from tests.runs.support import (
    SAMPLE,
    digests,
    published,
    run_folders,
    sample_as_text,
    table,
    write,
)

ARGUMENTS = [
    *("run", "--claims", str(SAMPLE / "claims"), "--members", str(SAMPLE / "members.csv")),
    *("--authorizations", str(SAMPLE / "authorizations.csv")),
    *("--as-of", "2026-02-28", "--run-id", "tonight"),
]


# Where a run is killed: when it has written its tables; when it is whole and about to move.
DIES = {
    "while it writes": "runs._manifest = lambda *_: die()",
    "before it moves anything": "publish.publish = lambda *_: die()",
    "before it moves into place": (
        "rename = publish.Path.rename\n"
        "publish.Path.rename = lambda old, new: "
        "die() if old.name.startswith('.staging-') else rename(old, new)"
    ),
}


def run_that_dies(out: Path, when: str) -> None:
    """A run, in a process of its own, that is killed; it would replace an earlier one."""
    code = (
        "import os, signal, sys\n"
        "from claims_edit import publish, runs\n"
        "from claims_edit.__main__ import outcome\n"
        "die = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"{DIES[when]}\n"
        "outcome(sys.argv[1:])\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, *ARGUMENTS, "--out", str(out), "--replace"],
        env=clean_environment(),
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr


# ---- dead runs ------------------------------------------------------------------------------


@pytest.mark.parametrize("when", DIES)
def test_what_a_dead_run_left_is_cleaned_by_the_next(tmp_path: Path, when: str) -> None:
    run_that_dies(tmp_path, when)
    assert ".staging-tonight" in run_folders(tmp_path)
    assert publish.run_folders(tmp_path) == []
    published(tmp_path, run_id="later")
    assert run_folders(tmp_path) == ["run_id=later"]


@pytest.mark.parametrize("when", DIES)
def test_a_run_that_dies_while_it_replaces_another_loses_nothing(tmp_path: Path, when: str) -> None:
    before = digests(published(tmp_path))
    run_that_dies(tmp_path, when)
    published(tmp_path, run_id="later")
    assert run_folders(tmp_path) == ["run_id=later", "run_id=tonight"]
    assert digests(tmp_path / "run_id=tonight") == before


def test_a_folder_without_manifest_is_no_run(tmp_path: Path) -> None:
    folder = published(tmp_path)
    (folder / NAME).unlink()
    assert publish.run_folders(tmp_path) == []
    published(tmp_path)
    assert publish.run_folders(tmp_path) == [tmp_path / "run_id=tonight"]


# ---- replaced runs --------------------------------------------------------------------------


def test_a_replaced_run_is_the_new_one_whole(tmp_path: Path) -> None:
    folder = published(tmp_path)
    (folder / "notes.txt").write_text("of the old run")
    extract = write(sample_as_text().head(5), tmp_path / "few.csv")
    published(tmp_path, extract, replace=True)
    assert run_folders(tmp_path) == ["few.csv", "run_id=tonight"]
    assert not (folder / "notes.txt").exists()
    assert table(folder, "lines").height <= 5


def test_a_run_that_may_not_replace_leaves_all_as_it_was(tmp_path: Path) -> None:
    before = digests(published(tmp_path))
    with pytest.raises(AlreadyPublishedError):
        published(tmp_path)
    assert run_folders(tmp_path) == ["run_id=tonight"]
    assert digests(tmp_path / "run_id=tonight") == before


def test_a_fault_while_a_run_is_replaced_leaves_the_old_one_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(published(tmp_path))
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name.startswith(".staging-"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    assert outcome([*ARGUMENTS, "--out", str(tmp_path), "--replace"]) == 2
    assert run_folders(tmp_path) == ["run_id=tonight"]
    assert publish.run_folders(tmp_path) == [tmp_path / "run_id=tonight"]
    assert digests(tmp_path / "run_id=tonight") == before


# ---- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("replaces", [False, True])
def test_a_table_that_cannot_be_written_publishes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    replaces: bool,
) -> None:
    before = digests(published(tmp_path)) if replaces else None
    add = TableWriter.add

    def full(self: TableWriter, rows: pl.DataFrame) -> None:
        if rows.columns == list(RUN_TABLES["rejected_lines"].columns):
            raise OSError(28, "No space left on device")
        add(self, rows)

    monkeypatch.setattr(TableWriter, "add", full)
    assert outcome([*ARGUMENTS, "--out", str(tmp_path), "--replace"]) == 2
    message = capsys.readouterr().err
    assert f"--out: {tmp_path} cannot be written (No space left on device)" in message
    assert "nothing was published" in message
    assert run_folders(tmp_path) == (["run_id=tonight"] if replaces else [])
    if before is not None:
        assert digests(tmp_path / "run_id=tonight") == before


def test_a_table_that_breaks_its_schema_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def negative(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
        return flagged_lines(lines, findings).with_columns(charge_at_stake=-pl.col("charge_amount"))

    monkeypatch.setattr(local, "flagged_lines", negative)
    with pytest.raises(FaultError, match="table flagged_lines breaks its own schema"):
        published(tmp_path)
    assert run_folders(tmp_path) == []


@pytest.mark.parametrize(
    "unbalanced",
    [
        lambda lines: lines.head(-1),
        lambda lines: pl.concat([lines, lines.head(1)]),
        lambda lines: lines.with_columns(denied_charge_amount=pl.col("charge_amount")),
        lambda lines: lines.with_columns(allowed_units=pl.col("billed_units")),
    ],
    ids=["a line is lost", "a line is there twice", "all charges denied", "all units allowed"],
)
def test_a_balance_that_does_not_close_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbalanced: Any
) -> None:
    add = TableWriter.add

    def wrong(writer: TableWriter, rows: pl.DataFrame) -> None:
        add(writer, unbalanced(rows) if writer._name == "lines" else rows)

    monkeypatch.setattr(TableWriter, "add", wrong)
    with pytest.raises(FaultError, match="balance"):
        published(tmp_path)
    assert outcome([*ARGUMENTS, "--out", str(tmp_path)]) == 1
    assert run_folders(tmp_path) == []


def test_the_balance_is_of_the_files_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tables = runs._write

    def lossy(staging: Path, *arguments: Any) -> Any:
        written = write_tables(staging, *arguments)
        table(staging, "lines").head(3).write_parquet(staging / "lines.parquet")
        return written

    monkeypatch.setattr(runs, "_write", lossy)
    with pytest.raises(FaultError, match="balance"):
        published(tmp_path)
    assert run_folders(tmp_path) == []


# ---- inputs that change ----------------------------------------------------------------------


@pytest.mark.parametrize("extract", ["claims", "authorizations", "members"])
@pytest.mark.parametrize("change", ["grows", "is written again", "goes away"])
def test_an_input_that_changes_while_it_is_read_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extract: str, change: str
) -> None:
    night, out = tmp_path / "night", tmp_path / "out"
    shutil.copytree(SAMPLE, night)
    changing = {"claims": "claims/professional.csv"}.get(extract, f"{extract}.csv")
    file = night / changing

    def meanwhile(*arguments: Any) -> Any:
        if change == "grows":
            lines = file.read_text().splitlines(keepends=True)
            file.write_text("".join([*lines, lines[-1]]))
        elif change == "goes away":
            file.unlink()
        else:
            stamp = file.stat().st_mtime_ns
            file.write_bytes(file.read_bytes())
            os.utime(file, ns=(stamp + 10**9, stamp + 10**9))
        return evaluate(*arguments)

    monkeypatch.setattr(local, "evaluate", meanwhile)
    paths = {name: night / f"{name}.csv" for name in ("authorizations", "members")}
    with pytest.raises(InputError, match=rf"{extract}: .*{file.name}: "):
        published(out, night / "claims", **paths)
    assert run_folders(out) == []


# ---- rejected rows that stop a run -----------------------------------------------------------


def rows_of_which(bad: int, count: int) -> pl.DataFrame:
    """Rows in scope, so many of them with a charge below 0."""
    (row,) = sample_as_text().filter(claim_id="C-0001").to_dicts()
    rows = [
        row
        | {"claim_id": f"R-{n}", "member_id": f"R-{n}"}
        | ({"charge_amount": "-1"} if n < bad else {})
        for n in range(count)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(row, pl.String))


@pytest.mark.parametrize(
    ("bad", "count", "rate", "stops"),
    [
        (9, 9, 0.01, False),
        (9, 9, 0.0, False),
        (10, 10, 0.01, True),
        (10, 1000, 0.01, False),
        (11, 1000, 0.01, True),
        (10, 999, 0.01, True),
        (10, 1000, 0.0, True),
        (20, 20, 1.0, False),
        (29, 100, 0.29, False),
        (30, 100, 0.29, True),
    ],
)
def test_how_many_rejected_rows_stop_a_run(
    tmp_path: Path, bad: int, count: int, rate: float, stops: bool
) -> None:
    extract = write(rows_of_which(bad, count), tmp_path / "claims.csv")
    out = tmp_path / "out"
    if not stops:
        folder = published(out, extract, max_reject_rate=rate)
        assert table(folder, "rejected_lines").height == bad
        assert table(folder, "lines").height == count - bad
        return
    with pytest.raises(
        InputError, match=rf"{bad} of {count} .*charge_amount:not_below_0 \({bad}\)"
    ):
        published(out, extract, max_reject_rate=rate)
    assert run_folders(out) == []


def test_rows_out_of_scope_do_not_count_for_the_reject_rate(tmp_path: Path) -> None:
    others = rows_of_which(0, 5000).with_columns(
        claim_id=pl.format("O-{}", "claim_id"), hcpcs_code=pl.lit("J0000"), ndc_code=None
    )
    extract = write(pl.concat([rows_of_which(11, 1000), others]), tmp_path / "claims.csv")
    with pytest.raises(InputError, match="11 of 1000 in-scope rows"):
        published(tmp_path / "out", extract)


def never(*_: Any) -> NoReturn:
    raise AssertionError("was called")


def test_a_run_id_that_is_taken_is_found_before_the_claims_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(tmp_path)
    monkeypatch.setattr(intake, "find", never)
    with pytest.raises(AlreadyPublishedError):
        published(tmp_path)
