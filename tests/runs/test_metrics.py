"""`--metrics-file`: every number of the manifest as the node exporter reads it, whole or as it was."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from claims_edit.__main__ import outcome
from claims_edit.contracts import DISPOSITIONS
from claims_edit.report.metrics import metrics
from tests.cli.support import another_process_holding
from tests.runs.disk import Disk, a_disk
from tests.runs.nights import Nights, require_whole, written_nights
from tests.runs.prometheus import Labels, series
from tests.runs.support import Manifest, manifest_of, meanwhile, run_folders

PREFIX = "claims_edit_"
NO_LINES = {"lines": 0, "charge_amount": "0.00", "denied_charge_amount": "0.00"}
SUCCESS = f"{PREFIX}last_success_timestamp_seconds"


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    (tmp_path / "metrics").mkdir()
    return written_nights(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "metrics" / "claims_edit.prom"


def told_by(manifest: Manifest) -> dict[tuple[str, Labels], float]:
    """What the metrics of a run are, worked out from its manifest; but for when it was published."""

    def numbers() -> Iterator[tuple[str, dict[str, str], Any]]:
        for outcome_of_row in ("out_of_scope", "rejected", "edited"):
            yield "rows", {"outcome": outcome_of_row}, manifest["rows"][outcome_of_row]
        yield "rejected_authorizations", {}, manifest["authorizations"]["rejected"]
        for name in DISPOSITIONS:  # none too, so that a series does not end where a night has none
            told = manifest["dispositions"].get(name, NO_LINES)
            yield "lines", {"disposition": name}, told["lines"]
            yield "charge_dollars", {"disposition": name}, told["charge_amount"]
            yield "denied_charge_dollars", {"disposition": name}, told["denied_charge_amount"]
        for name, told in manifest["edits"].items():
            yield "edit_lines", {"edit": name}, told["lines"]
            yield "edit_charge_dollars", {"edit": name}, told["charge_amount"]
        yield "drift_warnings", {}, len(manifest["drift"]["warnings"])
        for warning in manifest["drift"]["warnings"]:
            labels = {"kind": warning["kind"], "name": warning["name"]}
            yield "drift", labels, warning["share"]
        for step, seconds in manifest["timings"].items():
            yield "step_seconds", {"step": step}, seconds
        yield "run_seconds", {}, sum(Decimal(str(s)) for s in manifest["timings"].values())

    policy = {"policy": manifest["policy"]["id"]}
    return {
        (f"{PREFIX}{name}", frozenset((policy | labels).items())): float(value)
        for name, labels, value in numbers()
    }


def drifted(manifest: Manifest) -> Manifest:
    """A manifest of a night with a disposition and an edit out of their bands."""
    shares = {"share": "0.250000", "low": "0.000000", "median": "0.010000", "high": "0.200000"}
    warnings = [
        {"kind": kind, "name": name, **shares}
        for kind, name in (("disposition", "deny"), ("edit", "units-per-period"))
    ]
    return manifest | {"drift": {"runs": 30, "warnings": warnings}}


# ---- what it says ---------------------------------------------------------------------------


@pytest.mark.parametrize("night", ["first", "second"])
def test_every_number_is_the_manifests(nights: Nights, out: Path, file: Path, night: str) -> None:
    begun = int(time.time())
    run = nights.publish(out, night, "--metrics-file", file)
    found = series(file.read_text(encoding="utf-8"))
    success = found.pop((SUCCESS, frozenset({("policy", "prime-ic-0072")})))
    assert begun <= success <= time.time()
    assert found == told_by(manifest_of(run))


def test_a_night_without_lines_has_metrics(nights: Nights, out: Path, file: Path) -> None:
    nights.write("first.csv", [])
    run = nights.publish(out, "first", "--metrics-file", file)
    found = series(file.read_text(encoding="utf-8"))
    assert found.pop((SUCCESS, frozenset({("policy", "prime-ic-0072")})))
    assert found == told_by(manifest_of(run))


def test_drift_is_told(manifest: Manifest) -> None:
    found = series(metrics(drifted(manifest), 7.9))
    assert found.pop((SUCCESS, frozenset({("policy", "prime-ic-0072")}))) == 7
    assert found == told_by(drifted(manifest))


def test_labels_are_escaped(manifest: Manifest) -> None:
    odd = manifest | {"policy": {"id": 'a "quoted"\\name\nof two lines, {all} of it='}}
    found = series(metrics(odd, 0))
    assert {dict(labels)["policy"] for _, labels in found} == {odd["policy"]["id"]}


def test_no_members_data_is_in_it(manifest: Manifest) -> None:
    allowed = {"policy", "outcome", "disposition", "edit", "kind", "name", "step"}
    found = series(metrics(drifted(manifest), 0))
    assert {name for _, labels in found for name, _ in labels} == allowed


# ---- written at once, or left as it is ------------------------------------------------------


def test_it_is_written_at_once(nights: Nights, out: Path, file: Path) -> None:
    file.write_text("old\n" * 1000, encoding="utf-8")
    with file.open(encoding="utf-8") as reader:
        nights.publish(out, "first", "--metrics-file", file)
        assert reader.read() == "old\n" * 1000
    assert series(file.read_text(encoding="utf-8"))
    assert list(file.parent.iterdir()) == [file]


def with_a_bad_extract(nights: Nights, out: Path, arguments: list[str]) -> int:
    (nights.folder / "first.csv").write_text("claim_id\n", encoding="utf-8")
    return outcome(arguments)


def while_another_runs(nights: Nights, out: Path, arguments: list[str]) -> int:
    with another_process_holding(out):
        return outcome(arguments)


def published_already(nights: Nights, out: Path, arguments: list[str]) -> int:
    nights.publish(out, "first")
    return outcome(arguments)


FAILURES = {3: with_a_bad_extract, 4: while_another_runs, 5: published_already}


@pytest.mark.parametrize("code", FAILURES)
def test_a_run_that_fails_leaves_it_as_it_is(
    nights: Nights, out: Path, file: Path, code: int
) -> None:
    file.write_text("old\n", encoding="utf-8")
    before = file.stat()
    assert (
        FAILURES[code](nights, out, nights.arguments(out, "first", "--metrics-file", file)) == code
    )
    assert file.read_text(encoding="utf-8") == "old\n"
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("place", ["missing/night.prom", "first.csv/night.prom"])
def test_a_place_that_is_not_there_is_found_before_anything_is_published(
    nights: Nights, out: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = nights.folder / place
    assert outcome(nights.arguments(out, "first", "--metrics-file", file)) == 2
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith(f"claims-edit: --metrics-file: {file}: ")
    assert not out.exists()


# ---- it cannot be written once the run is published -----------------------------------------


def require_published_with_a_warning(
    nights: Nights, out: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    code = outcome(nights.arguments(out, "first", "--metrics-file", file))
    said = capsys.readouterr()
    assert code == 0, said.err
    assert run_folders(out) == ["run_id=first"]
    require_whole(out / "run_id=first")
    (warning,) = [line for line in said.err.splitlines() if " info: " not in line]
    assert f" warning: --metrics-file: {file} cannot be written (" in warning
    assert "None" not in warning
    assert said.out.startswith("Run first")


def is_a_folder(file: Path) -> None:
    file.mkdir()


def loses_its_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


def has_a_file_as_its_folder(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("", encoding="utf-8")


CHANGES = [is_a_folder, loses_its_folder, has_a_file_as_its_folder]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_file_that_cannot_be_written_any_more(
    nights: Nights,
    out: Path,
    file: Path,
    change: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with meanwhile("publishing", lambda: change(file)):
        require_published_with_a_warning(nights, out, file, capsys)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with a_disk(tmp_path) as disk:
        (disk.folder / "another").write_text("'s file", encoding="utf-8")
        yield disk


def test_a_disk_of_the_file_that_is_full(
    nights: Nights, out: Path, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    disk.has_left(0)
    file = disk.folder / "night.prom"
    require_published_with_a_warning(nights, out, file, capsys)
    assert [path.name for path in disk.folder.iterdir()] == ["another"]


def test_a_disk_of_the_file_that_turns_read_only(
    nights: Nights, out: Path, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    with meanwhile("publishing", disk.is_read_only):
        require_published_with_a_warning(nights, out, disk.folder / "night.prom", capsys)


def test_a_name_that_is_too_long(
    nights: Nights, out: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_published_with_a_warning(nights, out, file.with_name("m" * 300), capsys)
