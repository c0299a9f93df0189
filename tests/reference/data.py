"""The reference data read as plain files, without the program."""

from __future__ import annotations

import csv
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

REFERENCE_DATA = Path(__file__).resolve().parents[2] / "reference_data"
CODES = REFERENCE_DATA / "codes"
TERMS = REFERENCE_DATA / "criteria" / "terms.csv"
POLICIES = REFERENCE_DATA / "policies"
POLICY = POLICIES / "prime-ic-0072"
OTHER_POLICY = POLICIES / "bcbst-ixabepilone"

Row = dict[str, str]

LINE_ACTIONS = {"deny", "flag", "off"}
LIMIT_EDITS = {"units-per-dose", "units-per-period", "authorization-units-exceeded"}
CLAIMS_RULE = "not in the document: claims processing rule"
# In order: edit, action of a fail, action of an unknown, group and CARC, RARC.
EDITS = """
medicare-not-governed             flag    flag
no-policy-in-force                flag    flag
original-claim-unknown            flag    flag  CO-16   M47
ndc-billed-under-other-code       flag    flag  CO-16   N846
procedure-not-effective           deny    flag  CO-181
service-date-future               deny    flag  CO-110
service-date-span                 flag    flag  CO-16   M52
service-date-unclear              flag    flag  CO-16   M52
units-not-whole                   deny    flag  CO-16   M53
duplicate-line                    deny    flag  OA-18
member-under-age                  deny    flag  CO-6    N129
diagnosis-missing                 deny    flag  CO-16   M76
diagnosis-pointer-invalid         flag    flag  CO-16   M76
diagnosis-not-pointed             flag    flag  CO-11
diagnosis-unlisted                flag    flag  CO-167  N569
diagnosis-invalid                 deny    flag  CO-146
diagnosis-not-covered             deny    flag  CO-167  N569
diagnosis-history-only            flag    flag  CO-11
diagnosis-sex-conflict            flag    off   CO-16   M76
ndc-missing                       deny    flag  CO-16   M119
ndc-invalid                       deny    flag  CO-16   M119
ndc-mismatch                      deny    flag  CO-16   N846
ndc-units-conflict                flag    flag  CO-16   N815
wastage-contradiction             flag    flag  CO-4
wastage-modifier-missing          off     off   CO-16   N822
authorization-absent              deny    flag  CO-197
authorization-pending             flag    flag  CO-197
authorization-denied              deny    flag  CO-39
authorization-expired             deny    flag  CO-302
authorization-not-started         deny    flag  CO-197
authorization-number-mismatch     flag    flag  CO-16   N54
authorization-provider-mismatch   flag    off   CO-296
authorization-span-exceeds-policy flag    flag  CO-16   N54
coverage-criteria                 flag    flag  CO-272
dose-exceeds-body-surface         flag    off   CO-153
combination-partner-missing       flag    off   CO-16   N54
units-per-dose                    cutback flag  CO-151  N362
units-per-period                  cutback flag  CO-151  N640
authorization-units-exceeded      cutback flag  CO-198
"""
EDIT_ROWS = [line.split() for line in EDITS.strip().splitlines()]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def codes(name: str) -> list[Row]:
    return read(CODES / f"{name}.csv")


def covered() -> list[Row]:
    return read(POLICY / "covered_diagnoses.csv")


@cache
def policy(folder: Path = POLICY) -> dict[str, Any]:
    with (folder / "policy.toml").open("rb") as file:
        return tomllib.load(file)


def version() -> dict[str, Any]:
    versions: list[dict[str, Any]] = policy()["versions"]
    assert len(versions) == 1
    return versions[0]


def edits() -> dict[str, dict[str, str]]:
    listed: dict[str, dict[str, str]] = version()["edits"]
    return listed


def period(row: Row) -> tuple[date, date]:
    start, end = row["start_date"], row["end_date"]
    return (
        date.fromisoformat(start) if start else date.min,
        date.fromisoformat(end) if end else date.max,
    )


def in_force(rows: list[Row], on: date) -> set[str]:
    return {row["code"] for row in rows if period(row)[0] <= on <= period(row)[1]}


def by_code(name: str) -> dict[str, Row]:
    return {row["code"]: row for row in codes(name)}


def adjustment_codes(on: date) -> set[tuple[str, str]]:
    rows = codes("adjustment_codes")
    return {(kind, code) for kind in kinds(rows) for code in in_force(of_kind(rows, kind), on)}


def kinds(rows: list[Row]) -> set[str]:
    return {row["type"] for row in rows}


def of_kind(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["type"] == kind]


def used_adjustment_codes() -> set[tuple[str, str]]:
    used: set[tuple[str, str]] = set()
    for _, _, _, *reason in EDIT_ROWS:
        if reason:
            group, carc = reason[0].split("-")
            used |= {("group", group), ("carc", carc)} | {("rarc", rarc) for rarc in reason[1:]}
    return used
