"""One run at a time in a folder: who holds it, since when, and what a dead holder leaves."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claims_edit.__main__ import outcome
from tests.runs.dying import process, wait_at_step
from tests.runs.nights import Nights, require_whole, written_nights
from tests.runs.support import run_folders

HELD = r"run first, process (\d+) on (\S+), since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return written_nights(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def second_of_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_another_run_is_told_who_holds_the_folder_and_since_when(
    nights: Nights, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = second_of_now()
    with process(wait_at_step, "claims", nights.arguments(out, "first")) as running:
        pid = running.hears(int)
        capsys.readouterr()
        assert outcome(nights.arguments(out, "second")) == 4
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith(f"claims-edit: --out: {out} is held by ")
        held = re.search(HELD, said)
        assert held is not None, said
        assert (int(held[1]), held[2]) == (pid, socket.gethostname())
        assert begun <= datetime.fromisoformat(held[3]) <= second_of_now()
        running.tell("go on")
        assert running.exit_code() == 0
    assert run_folders(out) == ["run_id=first"]
    assert outcome(nights.arguments(out, "second")) == 0


def test_the_run_that_holds_the_folder_is_not_disturbed(nights: Nights, out: Path) -> None:
    """Not even one that writes already: another run cleans nothing up that is not its to clean."""
    with process(wait_at_step, "publishing", nights.arguments(out, "first")) as running:
        running.hears(int)
        before = (out / ".lock").read_bytes()
        for options in ([], ["--replace"]):
            assert outcome(nights.arguments(out, "first", *options)) == 4
        assert (out / ".lock").read_bytes() == before
        running.tell("go on")
        assert running.exit_code() == 0
    require_whole(out / "run_id=first")


def test_runs_in_other_folders_go_on(nights: Nights, out: Path, tmp_path: Path) -> None:
    with process(wait_at_step, "edits", nights.arguments(out, "first")) as running:
        running.hears(int)
        assert outcome(nights.arguments(tmp_path / "elsewhere", "first")) == 0


@pytest.mark.parametrize("step", ["inputs", "edits", "publishing"])
def test_the_lock_of_a_killed_run_is_taken_over(nights: Nights, out: Path, step: str) -> None:
    with process(wait_at_step, step, nights.arguments(out, "first")) as running:
        running.hears(int)
        running.kill()
        assert "run first" in (out / ".lock").read_text(encoding="utf-8")
    assert outcome(nights.arguments(out, "second")) == 0
    assert run_folders(out) == ["run_id=second"]
    assert (out / ".lock").read_bytes() == b""


def test_what_a_lock_says_does_not_hold_a_folder(nights: Nights, out: Path) -> None:
    """The process that it names lives, and yet it is another one: numbers are given again."""
    out.mkdir()
    text = f"run first, process {os.getppid()} on here, since 2026-01-01T00:00:00Z\n"
    (out / ".lock").write_text(text, encoding="utf-8")
    assert outcome(nights.arguments(out, "first")) == 0


@pytest.mark.parametrize("change", ["fails", "is published"])
def test_the_lock_is_let_go_however_a_run_ends(nights: Nights, out: Path, change: str) -> None:
    if change == "fails":
        (nights.folder / "first.csv").write_text("", encoding="utf-8")
        assert outcome(nights.arguments(out, "first")) == 3
    else:
        assert outcome(nights.arguments(out, "first")) == 0
    assert (out / ".lock").read_bytes() == b""
    assert outcome(nights.arguments(out, "second")) == 0
