"""Every sentence of the documents: decided by what is asked and shown by a case, or not, and why."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reference.data import OTHER_POLICY, POLICY, Row, policy, read

FOLDERS = pytest.mark.parametrize("folder", [POLICY, OTHER_POLICY], ids=lambda f: f.name)


def versions(folder: Path) -> list[str]:
    return [v["version"] for v in policy(folder)["versions"]]


def edits(folder: Path, version: str) -> set[str]:
    (found,) = (v["edits"] for v in policy(folder)["versions"] if v["version"] == version)
    return set(found)


def sentences(folder: Path, version: str) -> dict[str, Row]:
    rows = [row for row in read(folder / "sentences.csv") if row["version"] == version]
    return {row["sentence"]: row for row in rows}


def criteria(folder: Path, version: str) -> list[Row]:
    return [row for row in read(folder / "criteria.csv") if row["version"] == version]


def case_rows(folder: Path) -> Iterator[Row]:
    """The first rows of all cases."""
    for path in sorted((folder / "cases").glob("*.csv")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
        if path.name != "ordinary.csv":
            yield from (row for row in csv.DictReader(lines) if row["version"])


@FOLDERS
def test_every_version_has_sentences(folder: Path) -> None:
    assert {row["version"] for row in read(folder / "sentences.csv")} == set(versions(folder))
    assert {v: len(sentences(folder, v)) for v in versions(folder)} == (
        {"2025-09-04": 75} if folder == POLICY else {"current": 21, "2026-draft": 23}
    )


@FOLDERS
def test_a_sentence_is_decided_or_has_a_reason(folder: Path) -> None:
    rows = read(folder / "sentences.csv")
    assert [r for r in rows if bool(r["decided_by"]) == bool(r["undecided_because"])] == []
    reasons = [row["undecided_because"] for row in rows if row["undecided_because"]]
    assert len(reasons) > 10
    assert [reason for reason in reasons if not reason.endswith(".")] == []


@FOLDERS
def test_what_decides_a_sentence_is_asked(folder: Path) -> None:
    for version in versions(folder):
        asked = edits(folder, version) | {row["place"] for row in criteria(folder, version)}
        for name, row in sentences(folder, version).items():
            assert set(row["decided_by"].split()) <= asked, name


@FOLDERS
def test_every_edit_that_cites_the_document_decides_a_sentence(folder: Path) -> None:
    for version in policy(folder)["versions"]:
        rows = sentences(folder, version["version"]).values()
        deciding = {edit for row in rows for edit in row["decided_by"].split()}
        citing = {
            edit
            for edit, rule in version["edits"].items()
            if not rule["section"].startswith("not in the document")
        }
        assert citing - deciding == set()


@FOLDERS
def test_every_decided_sentence_has_a_case_in_every_version(folder: Path) -> None:
    shown = {
        (version, row["sentence"])
        for row in case_rows(folder)
        for version in row["version"].split()
    }
    decided = {
        (version, name)
        for version in versions(folder)
        for name, row in sentences(folder, version).items()
        if row["decided_by"]
    }
    assert decided - shown == set()
    known = {(v, name) for v in versions(folder) for name in sentences(folder, v)}
    assert shown - known == set()


@FOLDERS
def test_no_case_stands_for_a_sentence_that_is_not_decided(folder: Path) -> None:
    undecided = {
        (version, name)
        for version in versions(folder)
        for name, row in sentences(folder, version).items()
        if not row["decided_by"]
    }
    shown = {(v, row["sentence"]) for row in case_rows(folder) for v in row["version"].split()}
    assert shown & undecided == set()


@FOLDERS
def test_every_row_of_the_criteria_cites_a_sentence(folder: Path) -> None:
    for version in versions(folder):
        known = sentences(folder, version)
        rows = criteria(folder, version)
        assert rows
        assert [row["place"] for row in rows if row["sentence"] not in known] == []
        cited = {row["sentence"] for row in rows}
        by_criteria = {n for n, r in known.items() if "coverage-criteria" in r["decided_by"]}
        assert cited - by_criteria == set()


@FOLDERS
def test_every_case_says_what_it_shows_and_has_its_own_name(folder: Path) -> None:
    rows = list(case_rows(folder))
    names = [row["case"] for row in rows]
    assert len(names) == len(set(names)) > 100
    assert [row["case"] for row in rows if not row["says"]] == []
