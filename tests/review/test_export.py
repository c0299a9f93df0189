"""`decisions.parquet`: the decisions that stand, whole at every moment."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from claims_edit.decision_contracts import DECISIONS
from claims_edit.errors import InputError, UsageError
from claims_edit.review.database import Database
from claims_edit.review.export import export, restore
from claims_edit.review.words import Decision
from claims_edit.schemas import empty, validated
from tests.review.support import Browser, Office, seen

UPHELD = Decision("uphold")


def test_it_has_the_decisions_that_stand_as_their_contract_has_them(tmp_path: Path) -> None:
    time = datetime(2026, 3, 5, 7, 30, 15, 123456, UTC)
    database = Database(tmp_path, clock=lambda: time)
    database.decide([seen(2), seen(1)], UPHELD, "Ann")
    database.decide([seen(3)], Decision("documents"), "Ann")
    database.decide([seen(1, 1)], Decision("override", "appeal-upheld", "yes"), "Ben")
    database.undo([seen(3, 1)], "Ann")
    assert export(tmp_path, database) == 2
    database.close()
    written = pl.read_parquet(tmp_path / "decisions.parquet")
    assert validated(DECISIONS, written).equals(written)
    assert written["claim_id"].to_list() == ["C-1", "C-2"]
    assert written.row(0, named=True) == {
        "run_id": "2026-02-28",
        "claim_id": "C-1",
        "claim_line_number": 1,
        "member_id": "M-1",
        "decision": "override",
        "reason_code": "appeal-upheld",
        "note": "yes",
        "decided_by": "Ben",
        "decided_at": time.replace(microsecond=123000),
        "disposition": "deny",
        "billed_units": Decimal(90),
        "allowed_units": Decimal(0),
        "edit_ids": ["diagnosis-invalid"],
        "primary_edit_id": "diagnosis-invalid",
    }


def test_it_is_written_after_each_change_and_equal_for_equal_decisions(
    office: Office, ann: Browser
) -> None:
    marks = [office.mark("C-0010"), office.mark("C-0093")]
    ann.decide(*marks)
    first = (office.out / "decisions.parquet").read_bytes()
    flagged = pl.read_parquet(office.out / "run_id=2026-02-28/flagged_lines.parquet")
    copied = ["claim_id", "member_id", "disposition", "billed_units", "allowed_units", "edit_ids"]
    lines = flagged.filter(pl.col("claim_id").is_in(["C-0010", "C-0093"])).sort("claim_id")
    assert office.decisions.select(copied).equals(lines.select(copied))
    ann.post("/undo", batch="mine")
    assert office.decisions.height == 0
    assert office.decisions.schema == empty(DECISIONS).schema
    export(office.out, office.database)
    ann.decide(*map(office.mark, ("C-0010", "C-0093")))
    export(office.out, office.database)
    assert (office.out / "decisions.parquet").read_bytes() != first  # another time
    once = (office.out / "decisions.parquet").read_bytes()
    export(office.out, office.database)
    assert (office.out / "decisions.parquet").read_bytes() == once


def test_assigning_changes_nothing_of_it(office: Office, ann: Browser) -> None:
    ann.post("/assign", line=office.mark("C-0010"), assignee="Ben")
    assert not (office.out / "decisions.parquet").exists()


def test_it_is_for_the_owner_and_the_group(database: Database) -> None:
    export(database.path.parent, database)
    file = database.path.parent / "decisions.parquet"
    assert stat.S_IMODE(file.stat().st_mode) == 0o660


def test_where_it_cannot_be_written_the_old_one_stands(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = database.path.parent
    database.decide([seen()], UPHELD, "Ann")
    export(out, database)
    before = (out / "decisions.parquet").read_bytes()
    database.decide([seen(2)], UPHELD, "Ann")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match="No space left on device") as error:
            export(out, database)
    assert "What was decided is kept" in str(error.value)
    assert (out / "decisions.parquet").read_bytes() == before
    assert export(out, database) == 2


def test_what_a_dead_process_left_half_written_is_written_over(database: Database) -> None:
    out = database.path.parent
    (out / ".decisions.parquet").write_bytes(b"PAR1 half")
    database.decide([seen()], UPHELD, "Ann")
    export(out, database)
    assert sorted(p.name for p in out.glob("*decisions*")) == ["decisions.parquet"]


def test_a_lost_database_is_made_anew_of_what_stands(tmp_path: Path, database: Database) -> None:
    out = database.path.parent
    database.decide([seen(1), seen(2)], UPHELD, "Ann")
    database.decide([seen(2, 1), seen(3)], Decision("override", "other", "so"), "Ben")
    export(out, database)
    before = (out / "decisions.parquet").read_bytes()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "decisions.parquet").write_bytes(before)
    anew = Database(elsewhere)
    assert (restore(elsewhere, anew), restore(elsewhere, anew)) == (3, 0)
    export(elsewhere, anew)
    assert (elsewhere / "decisions.parquet").read_bytes() == before
    anew.undo([seen(3, 1)], "Ann")
    assert export(elsewhere, anew) == 2
    anew.close()
    assert restore(out, database) == 0


def test_a_file_that_cannot_be_read_is_not_written_over(database: Database) -> None:
    file = database.path.parent / "decisions.parquet"
    for content in (b"PAR1 half", b""):
        file.write_bytes(content)
        with pytest.raises(InputError, match="bring back a copy of either"):
            restore(file.parent, database)
    pl.DataFrame({"run_id": ["x"]}).write_parquet(file)
    with pytest.raises(InputError, match="cannot be read"):
        restore(file.parent, database)


def test_a_file_that_has_a_line_twice_is_not_taken(tmp_path: Path, database: Database) -> None:
    out = database.path.parent
    database.decide([seen(1), seen(2), seen(3)], UPHELD, "Ann")
    export(out, database)
    rows = pl.read_parquet(out / "decisions.parquet")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = elsewhere / "decisions.parquet"
    pl.concat([rows, rows.head(2).with_columns(decided_by=pl.lit("Ben"))]).write_parquet(file)
    before = file.read_bytes()
    anew = Database(elsewhere)
    with pytest.raises(InputError, match="has 2 lines more than once"):
        restore(elsewhere, anew)
    assert (anew.last_event(), file.read_bytes()) == (0, before)
    anew.close()
