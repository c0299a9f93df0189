"""`verify` finds whatever is no longer as it was published, and says which runs are stale."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from claims_edit.__main__ import outcome
from claims_edit.decision_contracts import DECISIONS_FILE
from claims_edit.kept_reference import ARCHIVE
from claims_edit.manifest import NAME, digest_of, sealed
from claims_edit.run_contracts import RUN_TABLES, YOUNGER_TABLES
from claims_edit.verify import verify
from tests.oracle.history import Ruling
from tests.properties.publishing import write_decisions
from tests.runs.support import manifest_of, published, sample_as_text, table, write

FILES = (NAME, ARCHIVE, *(f"{name}.parquet" for name in RUN_TABLES))
FLIPS_A_FILE = 60


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights, each computed on those before; read them, and leave them as they are."""
    out = tmp_path_factory.mktemp("nights")
    for night in (1, 2, 3):
        part = sample_as_text().gather_every(3, night - 1)
        published(out, write(part, out / f"night-{night}.csv"), run_id=f"night-{night}")
    return out


@pytest.fixture
def out(nights: Path, tmp_path: Path) -> Path:
    """The same nights, to be damaged."""
    return Path(shutil.copytree(nights, tmp_path / "out"))


def found(folder: Path) -> list[str]:
    """All differences of a folder, without the names of the runs."""
    return [difference for differences in verify(folder).values() for difference in differences]


def write_again(folder: Path, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change a table, and let the manifest say that it was always so."""
    path = folder / f"{name}.parquet"
    changed = change(table(folder, name))
    changed.write_parquet(path)
    entry = {"rows": changed.height, **digest_of(path, whole=True)}
    seal_again(folder, lambda m: next(o for o in m["outputs"] if o["table"] == name).update(entry))


def seal_again(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = manifest_of(folder)
    del content["digest"]
    change(content)
    (folder / NAME).write_bytes(sealed(content))


# ---- one run --------------------------------------------------------------------------------


def test_what_was_published_is_in_order(nights: Path) -> None:
    assert verify(nights) == {f"run_id=night-{n}": [] for n in (1, 2, 3)}
    assert verify(nights / "run_id=night-2") == {"run_id=night-2": []}


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_is_found_in_any_file(out: Path, name: str) -> None:
    folder = out / "run_id=night-2"
    path = folder / name
    written = path.read_bytes()
    for i in range(FLIPS_A_FILE):
        place = i * (len(written) - 1) // (FLIPS_A_FILE - 1)
        flipped = bytearray(written)
        flipped[place] ^= 1 << i % 8
        path.write_bytes(flipped)
        assert any(name in d for d in verify(folder)["run_id=night-2"]), (name, place)
    path.write_bytes(written)
    assert found(folder) == []


def test_white_space_of_the_manifest_is_looked_at_too(out: Path) -> None:
    path = out / "run_id=night-1" / NAME
    path.write_text(path.read_text().replace(": ", ":  ", 1))
    assert found(out / "run_id=night-1") == [f"{NAME}: is not what was written"]


@pytest.mark.parametrize("name", sorted(RUN_TABLES))
def test_a_missing_table_is_found(out: Path, name: str) -> None:
    (out / "run_id=night-3" / f"{name}.parquet").unlink()
    assert found(out / "run_id=night-3") == [f"{name}.parquet: is missing"]


def test_a_run_without_manifest_is_none(out: Path) -> None:
    (out / "run_id=night-3" / NAME).unlink()
    assert "it is no run" in verify(out)["run_id=night-3"][0]


def test_a_run_under_another_name_is_found(out: Path) -> None:
    shutil.copytree(out / "run_id=night-3", out / "run_id=copy")
    assert "is of run night-3, and would count twice" in verify(out)["run_id=copy"][0]


def test_a_manifest_of_another_version_is_told(out: Path) -> None:
    seal_again(out / "run_id=night-3", lambda m: m["history"].pop("place"))
    assert "not a manifest that this version can read" in found(out / "run_id=night-3")[0]


CHANGED_TABLES: dict[str, tuple[str, Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "a column is gone": ("lines", lambda t: t.drop("gender"), "breaks its schema"),
    "a value breaks a check": (
        "lines",
        lambda t: t.with_columns(disposition=pl.lit("paid")),
        "breaks its schema",
    ),
    "a line is gone": ("lines", lambda t: t.head(-1), "rows are not those of the tables"),
    "a line is there twice": ("lines", lambda t: pl.concat([t, t.head(1)]), "holds a line twice"),
    "units are moved": (
        "lines",
        lambda t: t.with_columns(allowed_units=pl.col("billed_units")),
        "the balance of rows or charges does not close",
    ),
    "a charge is moved": (
        "lines",
        lambda t: t.with_columns(charge_amount=pl.col("charge_amount") * 2).cast(
            {"charge_amount": pl.Decimal(18, 2)}
        ),
        "dispositions are not those of the tables",
    ),
    "a finding is gone": ("findings", lambda t: t.head(-1), "edits are not those of the tables"),
    "a reported line is gone": ("flagged_lines", lambda t: t.head(-1), "is not of the lines"),
    "a rejected row is gone": (
        "rejected_lines",
        lambda t: t.clear(),
        "rows are not those of the tables",
    ),
    "a rejected authorization is gone": (
        "rejected_authorizations",
        lambda t: t.head(-1),
        "authorizations are not those of the tables",
    ),
    "a rejected row of facts is gone": (
        "rejected_clinical_facts",
        lambda t: t.head(-1),
        "clinical_facts are not those of the tables",
    ),
    "a partner line has another column": (
        "partner_lines",
        lambda t: t.rename({"hcpcs_code": "code"}),
        "breaks its schema",
    ),
}


@pytest.mark.parametrize("case", CHANGED_TABLES)
def test_a_table_that_the_manifest_was_forged_for_is_found(out: Path, case: str) -> None:
    name, change, says = CHANGED_TABLES[case]
    folder = max(
        (out / f"run_id=night-{n}" for n in (1, 2, 3)), key=lambda f: table(f, name).height
    )
    write_again(folder, name, change)
    assert any(says in difference for difference in verify(folder)[folder.name])


def test_rows_that_the_tables_do_not_have_are_found(out: Path) -> None:
    folder = out / "run_id=night-1"
    seal_again(folder, lambda m: m["outputs"][0].update(rows=1))
    assert found(folder) == [
        f"lines.parquet: has {table(folder, 'lines').height} rows, the manifest says 1"
    ]


def test_a_manifest_that_does_not_name_a_table_is_found(out: Path) -> None:
    folder = out / "run_id=night-1"
    seal_again(folder, lambda m: m["outputs"].pop(1))
    assert found(folder) == [f"{NAME}: does not name findings.parquet"]


def test_a_run_of_before_clinical_facts_is_in_order(out: Path) -> None:
    folder = out / "run_id=night-3"
    for name in YOUNGER_TABLES:
        (folder / f"{name}.parquet").unlink()

    def as_before(manifest: dict[str, Any]) -> None:
        del manifest["clinical_facts"]
        kept = [o for o in manifest["outputs"] if o["table"] not in YOUNGER_TABLES]
        manifest["outputs"] = kept

    seal_again(folder, as_before)
    assert found(out) == []
    seal_again(folder, lambda m: m["outputs"].pop(1))
    assert found(folder) == [f"{NAME}: does not name findings.parquet"]


# ---- the chain ------------------------------------------------------------------------------


def test_runs_computed_on_a_run_that_was_replaced_are_stale(out: Path) -> None:
    published(out, out / "night-1.csv", run_id="night-1", as_of=date(2024, 1, 1), replace=True)
    says = "stale: was computed on run night-1 as it was before it was replaced"
    assert verify(out) == {"run_id=night-1": [], "run_id=night-2": [says], "run_id=night-3": [says]}
    assert verify(out / "run_id=night-3") == {"run_id=night-3": [says]}
    for night in ("night-2", "night-3"):
        published(out, out / f"{night}.csv", run_id=night, replace=True)
    assert found(out) == []


@pytest.mark.parametrize("name", ["lines", "other_versions", "partner_lines"])
def test_runs_computed_on_other_tables_than_those_that_stand_are_stale(
    out: Path, name: str
) -> None:
    write_again(out / "run_id=night-1", name, lambda t: t.clear())
    says = "stale: was computed on run night-1 as it was before it was replaced"
    assert says in verify(out)["run_id=night-2"]
    assert says in verify(out)["run_id=night-3"]


@pytest.mark.parametrize("name", ["findings", "flagged_lines", "rejected_clinical_facts"])
def test_tables_that_no_later_run_reads_make_none_stale(out: Path, name: str) -> None:
    write_again(out / "run_id=night-1", name, lambda t: t.clear())
    assert verify(out)["run_id=night-2"] == verify(out)["run_id=night-3"] == []


def test_a_run_replaced_by_its_like_makes_none_stale(out: Path) -> None:
    published(out, out / "night-1.csv", run_id="night-1", replace=True)
    assert found(out) == []


def test_a_run_that_was_taken_away_is_missed(out: Path) -> None:
    shutil.rmtree(out / "run_id=night-2")
    assert verify(out) == {
        "run_id=night-1": [],
        "run_id=night-3": ["was computed on run night-2, which is not there or damaged"],
    }


def test_a_run_that_was_put_in_is_found(out: Path, tmp_path: Path) -> None:
    """Of another folder, at a place that a later run was not computed on."""
    shutil.move(out / "run_id=night-1", tmp_path / "run_id=night-1")
    for night in ("night-2", "night-3"):
        published(out, out / f"{night}.csv", run_id=night, replace=True)
    shutil.move(tmp_path / "run_id=night-1", out / "run_id=night-1")
    assert verify(out)["run_id=night-2"] == [
        "was not computed on run night-1, which stands before it"
    ]


def test_two_runs_of_one_place_are_found(out: Path) -> None:
    seal_again(out / "run_id=night-3", lambda m: m["history"].update(place=2))
    assert "has the same place in the order as run night-3" in found(out / "run_id=night-2")


def test_history_of_another_folder_is_checked_there(out: Path, tmp_path: Path) -> None:
    trial = published(tmp_path / "trial", history=out, run_id="night-4").parent
    assert found(trial) == []
    published(out, out / "night-2.csv", run_id="night-2", as_of=date(2024, 1, 1), replace=True)
    assert found(trial) == ["stale: was computed on run night-2 as it was before it was replaced"]
    shutil.rmtree(out)
    assert found(trial) == [f"its history cannot be checked: there is no folder {out}"]


# ---- the command ----------------------------------------------------------------------------


def test_the_command_says_that_all_is_in_order(
    nights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(["verify", str(nights)]) == 0
    assert capsys.readouterr().out == f"{nights}: 3 runs in order\n"
    assert outcome(["verify", str(nights / "run_id=night-1")]) == 0
    assert capsys.readouterr().out.endswith("1 run in order\n")


def test_the_command_names_each_difference(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "run_id=night-2" / "lines.parquet").write_bytes(b"PAR1")
    assert outcome(["verify", str(out)]) == 3
    said = capsys.readouterr()
    assert said.out == "run_id=night-2: lines.parquet: is not what was written\n"
    assert "1 of 3 runs differ" in said.err


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "\xff"])
def test_a_manifest_that_is_none_is_told(
    out: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "run_id=night-2" / NAME).write_bytes(content.encode("latin-1"))
    assert outcome(["verify", str(out)]) == 3
    assert f"run_id=night-2: {NAME}: is not what was written" in capsys.readouterr().out


@pytest.mark.parametrize(("folder", "code"), [("nowhere", 2), ("night.csv", 2), ("empty", 3)])
def test_what_holds_no_run_is_told(
    tmp_path: Path, folder: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "night.csv").write_text("")
    assert outcome(["verify", str(tmp_path / folder)]) == code
    assert str(tmp_path / folder) in capsys.readouterr().err


def test_the_manifest_is_json_for_all(nights: Path) -> None:
    content = json.loads((nights / "run_id=night-3" / NAME).read_text())
    assert list(content["history"]["runs"]) == ["night-1", "night-2"]
    assert content["history"]["place"] == 3


# ---- decisions ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night, decisions on all that was flagged, cut or denied on it, and the night once more."""
    out = tmp_path_factory.mktemp("decided")
    lines = table(published(out, run_id="night-1"), "flagged_lines")
    made = pl.Series(["override", "uphold", "documents"] * lines.height).head(lines.height)
    rulings = [
        Ruling(
            "night-1",
            row["claim_id"],
            row["claim_line_number"],
            row["member_id"],
            decision,
            row["disposition"],
            row["billed_units"],
            row["allowed_units"],
        )
        for decision, row in zip(made, lines.iter_rows(named=True), strict=True)
    ]
    write_decisions(out / DECISIONS_FILE, rulings)
    published(out, run_id="night-2")
    return out


def test_decisions_that_were_applied_are_in_order(decided: Path) -> None:
    assert found(decided) == []
    night = decided / "run_id=night-2"
    assert table(night, "decided_lines").height == manifest_of(night)["decisions"]["applied"] > 30


FORGED: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "one is gone": (lambda t: t.head(-1), "decisions are not those of the tables"),
    "one is there twice": (lambda t: pl.concat([t, t.head(1)]), "holds a line twice"),
    "of another run": (
        lambda t: t.with_columns(run_id=pl.lit("night-0")),
        "is not of the runs that it was computed on",
    ),
    "another word": (lambda t: t.with_columns(decision=pl.lit("pay")), "breaks its schema"),
}


@pytest.mark.parametrize("case", FORGED)
def test_decisions_that_were_forged_are_found(decided: Path, tmp_path: Path, case: str) -> None:
    out = shutil.copytree(decided, tmp_path / "out")
    change, says = FORGED[case]
    write_again(out / "run_id=night-2", "decided_lines", change)
    assert any(says in difference for difference in found(out))


def test_counts_of_decisions_that_were_forged_are_found(decided: Path, tmp_path: Path) -> None:
    out = shutil.copytree(decided, tmp_path / "out")
    seal_again(out / "run_id=night-2", lambda m: m["decisions"].update(left_out=1))
    assert found(out) == [f"{NAME}: decisions are not those of the tables"]
