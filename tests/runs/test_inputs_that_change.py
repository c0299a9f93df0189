"""Inputs that change or vanish as a run goes on: it is of what it read, or it is not published."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from claims_edit.runs import STEPS
from tests.cli.support import authorization, claim, csv_text, facts
from tests.runs.nights import FIRST, Nights, Result, dose, require_whole, result_of, written_nights
from tests.runs.support import meanwhile, run_folders
from tests.support import Row

# The steps by what a change means: the input is not open yet; it is being read; it has been read.
BEFORE, WHILE, AFTER = STEPS[:2], STEPS[2:8], STEPS[8:]
EXTRACTS = ("claims", "authorizations", "members", "clinical", "history")


@dataclass(frozen=True)
class Desk:
    """A folder of inputs, all of which matter, and what a run of them gives."""

    nights: Nights
    history: Path

    def file(self, name: str) -> Path:
        names = {"claims": "second.csv", "history": "elsewhere.parquet"}
        return self.nights.folder / names.get(name, f"{name}.csv")

    def arguments(self, out: Path) -> list[str]:
        return self.nights.arguments(out, "second", "--history", self.history)

    def said(self, out: Path) -> tuple[int, str]:
        """The exit code of a run, and what it said on standard error."""
        with redirect_stderr(StringIO()) as said:
            return outcome(self.arguments(out)), said.getvalue()

    def result(self, out: Path) -> Result:
        assert outcome(self.arguments(out)) == 0
        require_whole(out / "run_id=second")
        return result_of(out / "run_id=second")


def write_elsewhere(path: Path, member: int, days: list[str]) -> None:
    rows = [(f"E-{n}", 1, claim(member)["member_id"], day) for n, day in enumerate(days)]
    columns = ["claim_id", "claim_line_number", "member_id", "claim_line_start_date"]
    pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col("claim_line_start_date").str.to_date(),
        hcpcs_code=pl.lit("J9207"),
        allowed_units=pl.lit(90).cast(pl.Decimal(18, 6)),
    ).write_parquet(path)


def a_desk(folder: Path, *, other: bool = False) -> Desk:
    """Inputs as they are; or each of them `other`, so that the result is another."""
    folder.mkdir(parents=True)
    nights = written_nights(folder)
    write_elsewhere(folder / "elsewhere.parquet", 3, ["2026-01-10"])
    if other:
        nights.write("second.csv", [dose(20, 0, "2026-01-20")])
        denied = authorization(3, status="denied")
        born: Row = {"member_id": claim(3)["member_id"], "birth_date": "2020-05-14"}
        other_facts = facts(3, regimen="other")
        for name, row in (("authorizations", denied), ("members", born), ("clinical", other_facts)):
            text = csv_text([row], tuple(row))
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        write_elsewhere(folder / "elsewhere.parquet", 0, ["2026-01-21", "2026-02-21"])
    return Desk(nights, folder / "elsewhere.parquet")


@pytest.fixture(scope="module")
def as_it_is(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return a_desk(tmp_path_factory.mktemp("as-it-is") / "desk")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return a_desk(tmp_path_factory.mktemp("other") / "desk", other=True)


@pytest.fixture(scope="module")
def unchanged(as_it_is: Desk, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What the inputs give as they are."""
    return as_it_is.result(tmp_path_factory.mktemp("unchanged"))


@pytest.fixture(scope="module")
def changed(
    as_it_is: Desk, other: Desk, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result]:
    """What they give with one of them changed."""
    results = {}
    for name in EXTRACTS:
        with kept(as_it_is.file(name)) as file:
            file.write_bytes(other.file(name).read_bytes())
            results[name] = as_it_is.result(tmp_path_factory.mktemp("changed"))
    return results


@contextmanager
def kept(file: Path) -> Iterator[Path]:
    """A file that is afterwards what it was before."""
    content = file.read_bytes()
    yield file
    file.write_bytes(content)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def require_refused(said: str, code: int, expected: int, says: list[str]) -> None:
    """One message that names the input, and nothing but the log beside it."""
    messages = [line for line in said.splitlines() if line and " info: " not in line]
    assert (code, len(messages)) == (expected, 1), said
    assert messages[0].startswith("claims-edit: ")
    assert [text for text in says if text not in messages[0]] == [], said


# ---- extracts -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXTRACTS)
@pytest.mark.parametrize("step", STEPS)
def test_an_extract_that_changes(
    as_it_is: Desk,
    other: Desk,
    unchanged: Result,
    changed: dict[str, Result],
    out: Path,
    name: str,
    step: str,
) -> None:
    assert changed[name]["lines.parquet"] != unchanged["lines.parquet"]
    content = other.file(name).read_bytes()
    with kept(as_it_is.file(name)) as file:
        with meanwhile(step, lambda: file.write_bytes(content)):
            code, said = as_it_is.said(out)
        if step in WHILE:
            require_refused(said, code, 3, [f"{name}: {file}"])
            assert run_folders(out) == []
            code, said = as_it_is.said(out)
    assert code == 0, said
    found = result_of(out / "run_id=second")
    assert found == (unchanged if step in AFTER else changed[name])


@pytest.mark.parametrize("name", EXTRACTS)
@pytest.mark.parametrize("step", STEPS)
def test_an_extract_that_vanishes(
    as_it_is: Desk, unchanged: Result, out: Path, name: str, step: str
) -> None:
    with kept(as_it_is.file(name)) as file, meanwhile(step, file.unlink):
        code, said = as_it_is.said(out)
    if step not in AFTER:
        usage = name == "history" and step in BEFORE
        require_refused(said, code, 2 if usage else 3, [f"{name}: {file}"])
        assert run_folders(out) == []
        code, said = as_it_is.said(out)
    assert code == 0, said
    assert result_of(out / "run_id=second") == unchanged


def test_a_folder_of_claims_that_a_file_stands_in_place_of(
    as_it_is: Desk, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "night"
    folder.mkdir()
    shutil.copy(as_it_is.file("claims"), folder / "claims.csv")

    def changes() -> None:
        shutil.rmtree(folder)
        folder.write_text("not here any more", encoding="utf-8")

    arguments = as_it_is.nights.arguments(out, "second", claims=folder)
    with meanwhile("reports", changes):
        capsys.readouterr()
        code = outcome(arguments)
    require_refused(capsys.readouterr().err, code, 3, ["claims: ", str(folder / "claims.csv")])
    assert run_folders(out) == []


# ---- runs of another folder that are history ------------------------------------------------


@pytest.fixture(scope="module")
def earlier(as_it_is: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first night, and beside it the same night of other claims."""
    folder = tmp_path_factory.mktemp("earlier")
    as_it_is.nights.publish(folder / "earlier", "first")
    as_it_is.nights.write(
        "first-other.csv", [*FIRST[1:], dose(10, 0, "2025-11-12"), dose(14, 4, "2025-11-12")]
    )
    as_it_is.nights.publish(folder / "other", "first", claims="first-other.csv")
    return folder


def is_replaced(run: Path, by: Path) -> None:
    """As a run with --replace does."""
    run.rename(run.with_name(".replaced-first"))
    shutil.copytree(by, run)


def is_written_over(run: Path, by: Path) -> None:
    """As a copy of the folder does that is being made: one file after another."""
    (run / "lines.parquet").write_bytes((by / "lines.parquet").read_bytes())


def is_cut_short(run: Path, _: Path) -> None:
    content = (run / "lines.parquet").read_bytes()
    (run / "lines.parquet").write_bytes(content[: len(content) // 2])


def loses_its_lines(run: Path, _: Path) -> None:
    (run / "lines.parquet").unlink()


def vanishes(run: Path, _: Path) -> None:
    shutil.rmtree(run)


CHANGES = [is_replaced, is_written_over, is_cut_short, loses_its_lines, vanishes]


@pytest.fixture
def history(earlier: Path, tmp_path: Path) -> Path:
    return shutil.copytree(earlier / "earlier", tmp_path / "history")


@pytest.fixture
def command(as_it_is: Desk, history: Path, out: Path) -> list[str]:
    return as_it_is.nights.arguments(out, "second", "--history", history)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("step", WHILE)
def test_a_run_of_the_history_that_changes(
    earlier: Path,
    history: Path,
    command: list[str],
    change: Callable[[Path, Path], None],
    step: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, by = history / "run_id=first", earlier / "other" / "run_id=first"
    with meanwhile(step, lambda: change(run, by)):
        capsys.readouterr()
        code = outcome(command)
    was_read = WHILE.index(step) > WHILE.index("history")
    if code == 0 and was_read and change not in (is_replaced, vanishes):
        require_of_what_it_read(earlier, history, command)
        return
    require_refused(capsys.readouterr().err, code, 3, ["history: ", str(run)])
    assert run_folders(out_of(command)) == []


def out_of(command: list[str]) -> Path:
    return Path(command[command.index("--out") + 1])


def require_of_what_it_read(earlier: Path, history: Path, command: list[str]) -> None:
    """The result is the one that the history gives as it was."""
    folder = out_of(command) / "run_id=second"
    found = result_of(folder)
    shutil.rmtree(history)
    shutil.copytree(earlier / "earlier", history)
    assert outcome([*command, "--replace"]) == 0
    assert result_of(folder) == found


@pytest.mark.parametrize("step", [*BEFORE, *AFTER])
def test_a_run_of_the_history_that_is_replaced_before_or_after_it_is_read(
    as_it_is: Desk, earlier: Path, history: Path, tmp_path: Path, step: str
) -> None:
    run, by = history / "run_id=first", earlier / "other" / "run_id=first"

    def result(name: str) -> Result:
        folder = as_it_is.nights.publish(tmp_path / name, "second", "--history", history)
        return result_of(folder)

    unchanged = result("unchanged")
    with meanwhile(step, lambda: is_replaced(run, by)):
        found = result("changed")
    changed = result("afterwards")
    assert changed["lines.parquet"] != unchanged["lines.parquet"]
    assert found == (changed if step in BEFORE else unchanged)
