"""`claims-edit report`: where it writes, what it refuses, and that a run stays a run."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from claims_edit import reporting
from claims_edit.__main__ import outcome
from claims_edit.errors import InputError
from claims_edit.history import runs_in
from claims_edit.masking import KEY_FILE
from claims_edit.report import page as report_page
from claims_edit.settings import ReportSettings
from tests.cli.support import Operator, claims, keeps_members_secret, one_message
from tests.report.support import contents
from tests.runs.nights import Nights, written_nights


@pytest.fixture
def published(operator: Operator) -> Path:
    """A run of three lines of which two are flagged."""
    rows = claims(3)
    for row in rows[:2]:
        row["ndc_code"] = None
    operator.edited(operator.write_claims(rows))
    return operator.out / f"run_id={'2026-02-28'}"


# ---- where to -------------------------------------------------------------------------------


def test_the_page_goes_into_the_run_folder_and_names_members(
    operator: Operator, published: Path
) -> None:
    said = operator.command("report", published)
    assert (said.exit_code, said.messages) == (0, [])
    page = published / "report.html"
    assert said.out == f"Report: {page}  (names members and claims; 2 of 2 flagged lines)\n"
    keeps_members_secret(said)
    text = page.read_text()
    assert "ZQ-CLAIM-0" in text
    assert not (published / "report.xlsx").exists()
    assert sorted(p.name for p in published.iterdir() if p.name.startswith(".")) == []


def test_in_the_run_folder_by_pseudonyms(operator: Operator, published: Path) -> None:
    assert operator.command("report", published, "--mask", "--workbook").exit_code == 0
    assert "ZQ-" not in contents(published / "report.html", published / "report.xlsx")


def test_elsewhere_by_pseudonyms_unless_told_otherwise(operator: Operator, published: Path) -> None:
    place = operator.folder / "out.html"
    said = operator.command("report", published, "--to", place, "--workbook")
    assert "pseudonyms of members and claims" in said.out
    assert f"Workbook: {operator.folder / 'out.xlsx'}" in said.out
    assert "ZQ-" not in contents(place)
    operator.command("report", published, "--to", place, "--unmasked")
    assert "ZQ-CLAIM-0" in place.read_text()
    assert not (published / "report.html").exists()


def test_a_folder_to_write_to(operator: Operator, published: Path) -> None:
    there = operator.folder / "there"
    there.mkdir()
    assert operator.command("report", published, "--to", there).exit_code == 0
    assert os.listdir(there) == ["report.html"]  # noqa: PTH208


def test_one_key_gives_every_report_the_same_pseudonyms(
    operator: Operator, published: Path
) -> None:
    one, other, third = (operator.folder / f"{n}.html" for n in ("one", "other", "third"))
    for place in (one, other):
        assert operator.command("report", published, "--to", place).exit_code == 0
    assert one.read_bytes() == other.read_bytes()
    assert stat.S_IMODE((operator.out / KEY_FILE).stat().st_mode) == 0o600
    key = operator.write("own.key", "0f" * 32)
    operator.command("report", published, "--to", third, "--mask-key", key)
    assert one.read_bytes() != third.read_bytes()


def test_what_is_written_is_for_owner_and_group_alone(operator: Operator, published: Path) -> None:
    operator.command("report", published, "--workbook")
    for name in ("report.html", "report.xlsx"):
        assert stat.S_IMODE((published / name).stat().st_mode) & 0o007 == 0


def test_fewer_lines(operator: Operator, published: Path) -> None:
    said = operator.command("report", published, "--lines", "1")
    assert "1 of 2 flagged lines" in said.out


# ---- options --------------------------------------------------------------------------------


def test_options_come_from_the_environment_and_a_toml_file(
    operator: Operator, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = operator.write(
        "conf/options.toml",
        'to = "page.html"\nworkbook = true\nlines = 1\nunmasked = true\nout = "x"\n',
    )
    said = operator.command("report", published, "--config", toml)
    assert said.exit_code == 0, said.err
    assert "1 of 2 flagged lines" in said.out
    assert "ZQ-" in (operator.folder / "conf" / "page.html").read_text()
    assert (operator.folder / "conf" / "page.xlsx").is_file()
    # Of two that exclude each other, the one given in the stronger place counts.
    monkeypatch.setenv("CLAIMS_EDIT_MASK", "1")
    monkeypatch.setenv("CLAIMS_EDIT_LINES", "2")
    said = operator.command("report", published, "--config", toml)
    assert "pseudonyms of members and claims; 2 of 2" in said.out
    said = operator.command("report", published, "--config", toml, "--unmasked")
    assert "names members and claims" in said.out


@pytest.mark.parametrize("wrong", ["lines = true", "workbook = 1", 'mask = "yes"', 'lines = "5"'])
def test_a_wrong_value_of_the_toml_file(operator: Operator, published: Path, wrong: str) -> None:
    toml = operator.write("options.toml", f"{wrong}\n")
    one_message(
        operator.command("report", published, "--config", toml),
        2,
        [wrong.partition(" ")[0], "must be"],
    )


@pytest.mark.parametrize("lines", ["0", "-1", "many"])
def test_a_wrong_number_of_lines(operator: Operator, published: Path, lines: str) -> None:
    one_message(operator.command("report", published, "--lines", lines), 2, ["--lines"])


def test_both_ways_at_once(operator: Operator, published: Path) -> None:
    said = operator.command("report", published, "--mask", "--unmasked")
    one_message(said, 2, ["--mask, --unmasked"])


# ---- what is refused ------------------------------------------------------------------------


def test_what_is_no_run(operator: Operator, published: Path) -> None:
    one_message(operator.command("report", operator.folder / "no"), 2, ["no such folder"])
    one_message(
        operator.command("report", operator.out), 2, ["is no published run", published.name]
    )
    other = operator.out / "comparison_id=x"
    other.mkdir()
    one_message(operator.command("report", other), 2, ["comparison_id=x", "is no run"])


@pytest.mark.parametrize(
    "table", ["lines", "flagged_lines", "findings", "reconsider", "rejected_lines"]
)
def test_a_run_that_is_not_what_was_written(
    operator: Operator, published: Path, table: str
) -> None:
    file = published / f"{table}.parquet"
    file.write_bytes(file.read_bytes() + b" ")
    said = operator.command("report", published)
    one_message(said, 3, ["RUN_DIR: ", f"{table}.parquet", "is not what was written"])
    assert not (published / "report.html").exists()
    file.unlink()
    one_message(operator.command("report", published), 3, [f"{table}.parquet", "cannot be read"])


def test_a_manifest_that_is_not_what_was_written(operator: Operator, published: Path) -> None:
    manifest = published / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2026-02-28", "2026-02-27", 1))
    one_message(operator.command("report", published), 3, ["RUN_DIR: ", "manifest.json"])


def test_decisions_that_cannot_be_read(operator: Operator, published: Path) -> None:
    (operator.out / "decisions.parquet").write_text("no")
    one_message(
        operator.command("report", published), 3, ["decisions.parquet", "export them again"]
    )


@pytest.mark.parametrize("to", ["page.txt", "no/such/page.html", "report"])
def test_a_place_that_is_none(operator: Operator, published: Path, to: str) -> None:
    said = operator.command("report", published, "--to", operator.folder / to)
    one_message(said, 2, ["--to: "])


def test_a_place_that_cannot_be_written(
    operator: Operator, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    said = operator.command("report", published)
    one_message(said, 2, ["report.html", "No space left on device"])
    assert sorted(p.name for p in published.iterdir() if "report" in p.name) == []


def test_a_key_that_is_unknown(operator: Operator, published: Path) -> None:
    said = operator.command("report", published, "--mask-key", operator.folder / "no.key")
    one_message(said, 2, ["--mask-key", "no.key"])


def test_a_run_that_is_replaced_meanwhile_is_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = written_nights(tmp_path)
    run = nights.publish(tmp_path / "runs", "first")
    page = report_page.page

    def slow(*arguments: object, **options: object) -> str:
        nights.publish(tmp_path / "runs", "first", "--replace")
        return page(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reporting, "page", slow)
    with pytest.raises(InputError, match="was replaced while it was read"):
        reporting.report(ReportSettings(run_dir=run))
    assert not (run / "report.html").exists()


# ---- a run with a report is a run -----------------------------------------------------------


@pytest.fixture
def reported(tmp_path: Path) -> tuple[Nights, Path]:
    """Two nights of which each has a page and a workbook in its folder."""
    nights = written_nights(tmp_path)
    out = tmp_path / "runs"
    for night in ("first", "second"):
        run = nights.publish(out, night)
        assert outcome(["report", str(run), "--workbook"]) == 0
    return nights, out


def test_verify_and_the_next_night_take_it_as_it_is(reported: tuple[Nights, Path]) -> None:
    nights, out = reported
    assert outcome(["verify", str(out)]) == 0
    nights.publish(out, "third")
    assert [run.run_id for run in runs_in(out)] == ["first", "second", "third"]


def test_a_replaced_run_takes_its_report_with_it(reported: tuple[Nights, Path]) -> None:
    nights, out = reported
    run = nights.publish(out, "second", "--replace")
    assert not (run / "report.html").exists()
    assert not (run / "report.xlsx").exists()


def test_a_run_with_a_report_that_lost_its_manifest_is_damaged_all_the_same(
    reported: tuple[Nights, Path],
) -> None:
    _, out = reported
    (out / "run_id=first" / "manifest.json").unlink()
    (out / "run_id=first" / ".report.html.123").write_text("left behind")
    with pytest.raises(InputError, match=r"lost its manifest\.json"):
        runs_in(out)


def test_a_damaged_run_with_a_report_can_be_run_again(reported: tuple[Nights, Path]) -> None:
    nights, out = reported
    (out / "run_id=second" / "manifest.json").unlink()
    run = nights.publish(out, "second")
    assert sorted(p.name for p in run.iterdir() if "report" in p.name) == []


def test_a_copy_of_a_run_elsewhere_can_be_reported(
    reported: tuple[Nights, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copies" / "run_id=second"
    shutil.copytree(reported[1] / "run_id=second", copy)
    assert outcome(["report", str(copy)]) == 0
    assert "This is the first run of this folder and drug." in (copy / "report.html").read_text()
