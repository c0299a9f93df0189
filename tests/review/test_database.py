"""What is kept, in which order, and who is told of whom."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from claims_edit.errors import InputError, OutputBusyError
from claims_edit.review import schema, store
from claims_edit.review.database import NAME, ConflictError, Database, OvertakenError
from claims_edit.review.words import Decision
from tests.cli.support import clean_environment
from tests.review.support import a_line, seen

UPHELD, OVERRIDDEN = Decision("uphold"), Decision("override", "appeal-upheld", "see the letter")
KEY = a_line().key


def state_of(database: Database, number: int = 1) -> dict[str, Any] | None:
    names, rows = database.states(0)
    states = [dict(zip(names, row, strict=True)) for row in rows]
    return next((s for s in states if s["claim_id"] == f"C-{number}"), None)


def standing(database: Database, number: int = 1) -> tuple[str | None, str | None, str | None]:
    """The decision that stands, who made it, and who the line is assigned to."""
    state = state_of(database, number)
    return (state["standing"], state["decided_by"], state["assignee"]) if state else (None,) * 3


def test_a_decision_is_kept_with_who_when_why_and_what_the_line_was(database: Database) -> None:
    database.decide([seen()], OVERRIDDEN, "Ann")
    names, rows = database.standing()
    (kept,) = (dict(zip(names, row, strict=True)) for row in rows)
    assert kept.pop("decided_at").endswith("Z")
    assert kept == {
        "run_id": "2026-02-28",
        "claim_id": "C-1",
        "claim_line_number": 1,
        "member_id": "M-1",
        "decision": "override",
        "reason_code": "appeal-upheld",
        "note": "see the letter",
        "decided_by": "Ann",
        "disposition": "deny",
        "billed_units": "90.000000",
        "allowed_units": "0.000000",
        "edit_ids": '["diagnosis-invalid"]',
        "primary_edit_id": "diagnosis-invalid",
    }


def test_a_later_decision_stands_in_place_of_an_earlier_one(database: Database) -> None:
    database.decide([seen()], UPHELD, "Ann")
    database.decide([seen(version=1)], OVERRIDDEN, "Ben")
    assert standing(database) == ("override", "Ben", None)
    assert [(e["version"], e["who"], e["decision"]) for e in database.history(KEY)] == [
        (2, "Ben", "override"),
        (1, "Ann", "uphold"),
    ]


def test_who_is_slower_is_told_of_who_was_faster_and_keeps_nothing(database: Database) -> None:
    database.decide([seen(2)], UPHELD, "Ann")
    with pytest.raises(ConflictError) as conflict:
        database.decide([seen(1), seen(2), seen(3)], OVERRIDDEN, "Ben")
    (found,) = conflict.value.found.values()
    assert found is not None
    assert (found["claim_id"], found["who"], found["standing"]) == ("C-2", "Ann", "uphold")
    assert database.last_event() == 1
    assert state_of(database, 1) is None


def test_a_version_that_is_not_there_yet_is_a_conflict(database: Database) -> None:
    with pytest.raises(ConflictError) as conflict:
        database.decide([seen(version=3)], UPHELD, "Ann")
    assert conflict.value.found == {KEY: None}


def test_many_lines_are_one_transaction(database: Database) -> None:
    batch = database.decide([seen(number) for number in range(1, 6)], UPHELD, "Ann")
    assert len(database.batch(batch)) == 5
    assert {event["at"] for event in database.batch(batch)} == {database.latest(1)[0]["at"]}


def test_a_line_that_is_named_twice_is_decided_once(database: Database) -> None:
    assert len(database.batch(database.decide([seen(), seen()], UPHELD, "Ann"))) == 1


def test_assigning_leaves_the_decision_and_deciding_the_assignee(database: Database) -> None:
    database.assign([seen()], "Ben", "Ann")
    database.decide([seen(version=1)], UPHELD, "Ann")
    assert standing(database) == ("uphold", "Ann", "Ben")
    database.assign([seen(version=2)], None, "Ann")
    assert standing(database) == ("uphold", "Ann", None)


# ---- undo ------------------------------------------------------------------------------------


def test_undoing_goes_back_step_by_step_to_how_the_run_left_it(database: Database) -> None:
    database.assign([seen()], "Ben", "Ann")
    database.decide([seen(version=1)], UPHELD, "Ann")
    database.decide([seen(version=2)], OVERRIDDEN, "Ben")
    assert standing(database) == ("override", "Ben", "Ben")
    for version, before in enumerate(
        [("uphold", "Ann", "Ben"), (None, None, "Ben"), (None, None, None)], 3
    ):
        assert database.undo([seen(version=version)], "Cleo")
        assert standing(database) == before
    assert database.undo([seen(version=6)], "Cleo") is None
    undone = [e["undone_what"] for e in database.history(KEY) if e["what"] == "undone"]
    assert undone == ["assigned", "decided", "decided"]


def test_what_follows_an_undo_stands_on_what_it_went_back_to(database: Database) -> None:
    database.decide([seen()], UPHELD, "Ann")
    database.decide([seen(version=1)], OVERRIDDEN, "Ben")
    database.undo([seen(version=2)], "Ben")
    database.decide([seen(version=3)], Decision("documents"), "Ben")
    database.undo([seen(version=4)], "Ben")
    assert standing(database) == ("uphold", "Ann", None)


def test_an_undone_decision_is_in_the_log_and_does_not_stand(database: Database) -> None:
    database.decide([seen()], UPHELD, "Ann")
    database.undo([seen(version=1)], "Ann")
    assert database.standing()[1] == []
    assert [e["what"] for e in database.history(KEY)] == ["undone", "decided"]


def test_what_was_done_in_one_go_is_undone_in_one_go(database: Database) -> None:
    batch = database.decide([seen(1), seen(2), seen(3)], UPHELD, "Ann")
    assert len(database.batch(database.undo_batch(batch, "Ann") or 0)) == 3
    assert database.standing()[1] == []
    assert database.undo_batch(batch, "Ann") is None


def test_undoing_in_one_go_passes_over_lines_where_it_was_taken_back(database: Database) -> None:
    batch = database.decide([seen(1), seen(2), seen(3)], UPHELD, "Ann")
    database.undo([seen(1, 1), seen(2, 1)], "Ben")
    database.decide([seen(2, 2)], OVERRIDDEN, "Ben")
    undone = database.undo_batch(batch, "Ann")
    assert [event["claim_id"] for event in database.batch(undone or 0)] == ["C-3"]
    assert [standing(database, n)[0] for n in (1, 2, 3)] == [None, "override", None]
    assert database.undo_batch(batch, "Ann") is None


@pytest.mark.parametrize("by", ["Ann", "Ben"])
def test_undoing_in_one_go_is_refused_where_a_line_was_changed_again_since(
    database: Database, by: str
) -> None:
    batch = database.decide([seen(1), seen(2), seen(3)], UPHELD, "Ann")
    database.undo([seen(3, 1)], "Ann")
    database.decide([seen(2, 1)], OVERRIDDEN, by)
    database.assign([seen(2, 2)], "Dan", "Cleo")
    database.undo([seen(2, 3)], "Cleo")
    with pytest.raises(OvertakenError) as conflict:
        database.undo_batch(batch, "Ann")
    assert list(conflict.value.found) == [a_line(2).key]
    assert (conflict.value.batch, conflict.value.by) == (batch, {by})
    assert len(database.standing()[1]) == 2
    database.undo([seen(2, 4)], "Cleo")
    assert database.undo_batch(batch, "Ann"), "it stands on both lines again"
    assert database.standing()[1] == []


def test_the_last_thing_of_somebody_is_the_last_that_stands(database: Database) -> None:
    assert database.last_of("Ann") is None
    first = database.decide([seen(1), seen(2)], UPHELD, "Ann")
    second = database.decide([seen(2, 1)], OVERRIDDEN, "Ann")
    database.decide([seen(3)], UPHELD, "Ben")
    assert database.last_of("Ann") == second
    database.undo_batch(second, "Ann")
    assert database.last_of("Ann") == first
    assert database.last_of("Ann", first) is None
    assert database.undo_batch(first, "Ann")
    assert database.last_of("Ann") is None


def test_what_was_taken_back_or_changed_again_on_every_line_is_not_the_last_thing(
    database: Database,
) -> None:
    first = database.decide([seen(1)], UPHELD, "Ann")
    second = database.assign([seen(2), seen(3)], "Ben", "Ann")
    database.decide([seen(4)], UPHELD, "Ann")
    database.decide([seen(4, 1)], OVERRIDDEN, "Ben")
    assert database.last_of("Ann") == second
    database.undo([seen(2, 1)], "Ann")
    assert database.last_of("Ann") == second
    assert database.last_of("Ann", second) == first
    database.undo([seen(3, 1)], "Ben")
    assert database.last_of("Ann") == first


# ---- the file --------------------------------------------------------------------------------


def test_nothing_in_the_log_can_be_changed_or_taken_away(database: Database) -> None:
    database.decide([seen()], UPHELD, "Ann")
    for statement in ("update events set who = 'Eve'", "delete from events"):
        with pytest.raises(sqlite3.IntegrityError):
            database.connection.execute(statement)


def test_the_file_is_for_the_owner_and_the_group(database: Database) -> None:
    database.decide([seen()], UPHELD, "Ann")
    for file in database.path.parent.glob(f"{NAME}*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o660, file
    assert len(list(database.path.parent.glob(f"{NAME}*"))) == 3


def test_it_is_on_the_disk_before_it_is_acknowledged(database: Database) -> None:
    """FULL synchronises the log of a write-ahead file with every commit."""
    assert database.connection.execute("pragma synchronous").fetchone()[0] == 2
    assert database.connection.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert database.connection.execute("pragma foreign_keys").fetchone()[0] == 1


def test_what_was_kept_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = Database(tmp_path)
    first.decide([seen()], UPHELD, "Ann")
    first.close()
    second = Database(tmp_path)
    assert standing(second) == ("uphold", "Ann", None)
    second.close()


@pytest.mark.parametrize(
    "content",
    [
        b"no database at all, but a text of some length" * 40,
        b"SQLite format 3\x00" + b"\x01" * 4096,
    ],
)
def test_a_damaged_file_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(InputError, match=r"review\.sqlite: is damaged") as error:
        Database(tmp_path)
    assert error.value.exit_code == 3


def test_a_page_that_was_overwritten_is_found_when_it_is_opened(tmp_path: Path) -> None:
    first = Database(tmp_path)
    first.decide([seen(number) for number in range(500)], UPHELD, "Ann")
    first.close()
    content = bytearray((tmp_path / NAME).read_bytes())
    for page in range(2, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        Database(tmp_path)


def test_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    Database(tmp_path).close()
    changed(tmp_path, f"pragma user_version = {schema.VERSION + 1}")
    with pytest.raises(InputError, match=f"is of version {schema.VERSION + 1}"):
        Database(tmp_path)


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    changed(tmp_path, "create table songs (title text)")
    with pytest.raises(InputError, match="of something else"):
        Database(tmp_path)


def changed(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / NAME)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_file_that_somebody_holds_is_said_to_be_held(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.1)
    with database.writing(), pytest.raises(OutputBusyError, match="is held"):
        Database(database.path.parent)


# On a small disk of its own, given as its mount point.
_ON_A_DISK = """
import subprocess, sys
from pathlib import Path
from claims_edit.errors import UsageError
from claims_edit.review.database import Database
from claims_edit.review.words import Decision
from tests.review.support import seen

folder = Path(sys.argv[1])
database = Database(folder)
database.decide([seen(1)], Decision("uphold"), "Ann")
filler = folder / "filler"
try:
    filler.write_bytes(bytes(64 << 20))
except OSError:
    pass
try:
    database.decide([seen(number) for number in range(2, 2000)], Decision("uphold"), "Ann")
except UsageError as error:
    print(f"{error.exit_code} {error}")
filler.unlink()
print(len(database.standing()[1]))
database.decide([seen(2)], Decision("uphold"), "Ann")
print(len(database.standing()[1]))
database.close()
subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
try:
    Database(folder)
except UsageError as error:
    print(f"{error.exit_code} {error}")
"""


def test_a_full_or_read_only_disk_is_said_and_nothing_is_half_kept(tmp_path: Path) -> None:
    own_user = ["--user", "--map-root-user"] if os.geteuid() else []
    shell = 'mount -t tmpfs -o size=8m tmpfs "$1" || exit 99; exec "$2" -c "$3" "$1"'
    command = ["unshare", *own_user, "--mount", "--propagation", "private", "sh", "-c", shell]
    try:
        done = subprocess.run(
            [*command, "sh", str(tmp_path), sys.executable, _ON_A_DISK],
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("a small disk cannot be mounted here: there is no `unshare`")
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("a small disk cannot be mounted here: neither root nor user namespaces")
    full, after_full, after_room, read_only = done.stdout.splitlines()
    for said in (full, read_only):
        assert said.startswith(f"2 review: {tmp_path / NAME}: cannot be written")
    assert (after_full, after_room) == ("1", "2")


# ---- several at once -------------------------------------------------------------------------


def test_of_threads_that_decide_one_line_at_once_one_is_faster(database: Database) -> None:
    other = Database(database.path.parent)
    kept: list[str] = []
    refused: list[str] = []
    start = threading.Barrier(8)

    def work(who: str, mine: Database) -> None:
        start.wait()
        for number in range(20):
            try:
                mine.decide([seen(number)], UPHELD, who)
                kept.append(who)
            except ConflictError:
                refused.append(who)

    threads = [
        threading.Thread(target=work, args=(f"person {i}", (database, other)[i % 2]))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert (len(kept), len(refused)) == (20, 140)
    assert len(database.standing()[1]) == database.last_event() == 20
