"""`claims-edit review` as an operator meets it: the link, the exit codes, and its end."""

from __future__ import annotations

import getpass
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from claims_edit.review import schema, store
from claims_edit.review.database import NAME, Database
from claims_edit.review.words import Decision
from tests.cli.support import Operator, clean_environment, one_message
from tests.review.support import seen


@contextmanager
def serving(out: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process of its own, and the link that it printed."""
    command = [sys.executable, "-m", "claims_edit", "review", str(out), *options]
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        link = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", process.stdout.readline())
        assert link is not None
        try:
            yield process, link.group()
        finally:
            process.kill()


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(out: Path, signal_: signal.Signals) -> None:
    with serving(out, "--user", "Ann") as (process, link):
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(link, timeout=30) as answer:
            assert "You are <b>Ann</b>" in answer.read().decode()
            assert "Server" not in answer.headers
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(link.partition("?")[0], timeout=30)
        refused.value.close()
        assert refused.value.code == 403
        process.send_signal(signal_)
        said, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (0, "")
    assert said.endswith(f"Stopped. What was decided is in {out / 'decisions.parquet'}, too.\n")
    assert pl.read_parquet(out / "decisions.parquet").height == 0


def test_it_listens_on_this_machine_alone(out: Path) -> None:
    with serving(out) as (_, link):
        port = int(link.split(":")[2].split("/")[0])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((_other_address(), port), timeout=5).close()


def _other_address() -> str:
    """An address of this machine that is not the loopback's first."""
    return "127.0.0.2"


def test_a_taken_port_is_a_usage_error(operator: Operator, out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = operator.command("review", out, "--port", str(port))
    one_message(said, 2, [f"--port: {port} cannot be had"])


@pytest.mark.parametrize("port", ["-1", "65536", "web"])
def test_a_port_that_there_is_not_is_a_usage_error(
    operator: Operator, out: Path, port: str
) -> None:
    one_message(operator.command("review", out, f"--port={port}"), 2, ["--port"])


@pytest.mark.parametrize("options", [[], ["--export"]])
def test_a_folder_without_runs_is_told(operator: Operator, options: list[str]) -> None:
    missing = operator.folder / "nowhere"
    one_message(operator.command("review", missing, *options), 2, [missing, "no such folder"])
    said = operator.command("review", operator.folder, *options)
    one_message(said, 3, [operator.folder, "holds no published run"])
    assert not (operator.folder / NAME).exists()


def test_a_run_that_cannot_be_read_is_told(operator: Operator, out: Path) -> None:
    (out / "run_id=2026-02-28/manifest.json").write_text("{}")
    one_message(operator.command("review", out), 3, ["manifest.json"])


def test_a_damaged_database_is_told(operator: Operator, out: Path) -> None:
    (out / NAME).write_bytes(b"nothing of the kind" * 100)
    for options in ([], ["--export"]):
        said = operator.command("review", out, *options)
        one_message(said, 3, [out / NAME, "is damaged", "Bring back a copy"])


@pytest.mark.parametrize("options", [[], ["--export"]])
def test_decisions_that_have_a_line_twice_are_told(
    operator: Operator, out: Path, options: list[str]
) -> None:
    database = Database(out)
    database.decide([seen()], Decision("uphold"), "Ann")
    database.close()
    file = out / "decisions.parquet"
    operator.command("review", out, "--export")
    (out / NAME).unlink()
    rows = pl.read_parquet(file)
    pl.concat([rows, rows]).write_parquet(file)
    said = operator.command("review", out, *options)
    one_message(said, 3, [file, "has 1 line more than once", "mend the file"])


def test_a_newer_database_is_told(operator: Operator, out: Path) -> None:
    Database(out).close()
    connection = sqlite3.connect(out / NAME)
    connection.execute(f"pragma user_version = {schema.VERSION + 1}")
    connection.close()
    said = operator.command("review", out, "--export")
    one_message(said, 3, [f"is of version {schema.VERSION + 1}", "or a newer one"])


def test_a_held_database_is_told(
    operator: Operator, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.1)
    database = Database(out)
    with database.writing():
        one_message(operator.command("review", out, "--export"), 4, [out / NAME, "is held"])
    database.close()


def test_a_file_in_the_way_is_told(operator: Operator, out: Path) -> None:
    (out / NAME).mkdir()
    one_message(operator.command("review", out), 2, [out / NAME, "cannot be written"])


def test_export_alone_writes_what_stands_and_ends(operator: Operator, out: Path) -> None:
    database = Database(out)
    database.decide([seen(1), seen(2)], Decision("uphold"), "Ann")
    database.close()
    said = operator.command("review", out, "--export")
    assert (said.exit_code, said.err) == (0, "")
    assert said.out == f"{out}: 2 decisions in decisions.parquet\n"
    assert pl.read_parquet(out / "decisions.parquet").height == 2


def test_runs_are_published_and_verified_beside_it(operator: Operator, out: Path) -> None:
    operator.command("review", out, "--export")
    assert operator.command("verify", out).exit_code == 0


def test_the_user_is_who_logged_in_unless_named(
    operator: Operator, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from claims_edit.review import office

    users: list[str] = []
    monkeypatch.setattr(office, "work", lambda *_, user, **__: users.append(user))
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    operator.command("review", out)
    operator.command("review", out, "--user", " Ben  B. ")
    monkeypatch.setenv("CLAIMS_EDIT_USER", "Cleo")
    operator.command("review", out)
    assert users == ["ann", "Ben B.", "Cleo"]


def test_masked_pages_take_the_key_of_the_folder(out: Path) -> None:
    with serving(out, "--mask") as (_, link):
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(link, timeout=30) as answer:
            text = answer.read().decode()
    assert (out / "mask.key").exists()
    assert re.search(r">C-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4} ", text)
    assert "C-0010" not in text


def test_a_key_of_pseudonyms_without_pseudonyms_is_a_usage_error(
    operator: Operator, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = operator.folder / "own.key"
    key.write_text("0" * 64)
    for options in ([], ["--export"]):
        said = operator.command("review", out, "--mask-key", key, *options)
        one_message(said, 2, ["--mask-key", "give --mask, too"])
    monkeypatch.setenv("CLAIMS_EDIT_MASK_KEY", str(key))  # of all commands, for those that mask
    assert operator.command("review", out, "--export").exit_code == 0
