"""docs/morning.md: its commands and its Python give what it shows."""

from __future__ import annotations

import contextlib
import io
import shlex
import textwrap
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from claims_edit.review.database import Database
from claims_edit.review.desk import Desk
from claims_edit.review.words import Decision
from tests.support import PROJECT

PAGE = (PROJECT / "docs" / "morning.md").read_text(encoding="utf-8")
DECIDED = (
    ("anna", ["C-0122"], Decision("documents", None, "bilirubin")),
    ("anna", ["C-0070"], Decision("override", "clinical-exception", "the dose was split")),
    ("ben", ["C-0093"], Decision("uphold")),
    ("ben", ["C-0045", "C-0046"], Decision("override", "data-error-provider-corrected")),
)


def blocks() -> list[str]:
    """The indented blocks of the page, those of one piece of Python together."""
    found: list[list[str]] = [[]]
    for line in PAGE.splitlines():
        if line.startswith("    import ") and found[-1][-1:] == [""]:
            found.append([line])
        elif line.startswith("    "):
            found[-1].append(line)
        elif line or not found[-1]:
            found.append([])
        else:
            found[-1].append("")
    return [textwrap.dedent("\n".join(block)).strip() for block in found if block]


def commands() -> Iterator[list[str]]:
    for block in blocks():
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("claims-edit "):
                yield shlex.split(line)[1:]


def shown_in_page(text: str) -> bool:
    """Whether every line is on the page, white space aside."""
    page = " ".join(PAGE.split())
    return all(" ".join(line.split()) in page for line in text.splitlines())


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """The commands of the page, done one after the other, and what each printed."""
    folder = tmp_path_factory.mktemp("morning")
    (folder / "sample_claims").symlink_to(PROJECT / "sample_claims")
    said: dict[str, str] = {}
    with contextlib.chdir(folder):
        for written in commands():
            command = list(takewhile(lambda word: word != ">", written))
            if command[0] == "review":
                decide(folder / "build" / "morning")
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                assert outcome(command) == 0, command
            said[" ".join(command)] = printed.getvalue()
        yield folder, said


def decide(out: Path) -> None:
    """What the page tells to do in the queue."""
    desk = Desk(out, Database(out))
    for who, claims, decision in DECIDED:
        rows = desk.look().lines.filter(pl.col("claim_id").is_in(claims))
        desk.decide([f"{ref}.0" for ref in rows["ref"]], decision, who)
    desk.database.close()


def test_the_commands_print_what_the_page_shows(morning: tuple[Path, dict[str, str]]) -> None:
    _, said = morning
    first, second = (text for command, text in said.items() if command.startswith("run "))
    assert "edited 100" in first
    (decisions,) = [line for line in second.splitlines() if line.startswith("Decisions read")]
    assert decisions in PAGE
    (explained,) = [t for c, t in said.items() if c.startswith("explain") and "--format" not in c]
    lines = explained.splitlines()
    told = [line for line in lines if "units-per-period: 21 days" in line]
    told += [line for line in lines if line.strip().startswith(("2026-01-15", "2026-01-26  30"))]
    assert len(told) >= 3
    assert shown_in_page("\n".join([lines[0], *told]))


def test_the_python_prints_what_the_page_shows(morning: tuple[Path, dict[str, str]]) -> None:
    folder, _ = morning
    python = [block for block in blocks() if block.startswith("import ")]
    assert len(python) == 3
    for block in python:
        code, rest = block, ""
        for mark in ("\n┌", "\n  claim_id", "\nshape:"):
            if mark in block:
                code, rest = block.split(mark, 1)[0], mark + block.split(mark, 1)[1]
        printed = io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
            exec(compile(code, "morning.md", "exec"), {})
        assert rest.split() == printed.getvalue().split()
