"""Example cases beside a policy: rows of facts and lines, and the verdicts that they must get.

A case table is a CSV file of `cases/`; lines before its header that begin with `#` explain it. A row is
one claim line: the ordinary line, authorization and facts of `cases/ordinary.csv` but for the cells that
are filled in; `none` takes a value away. Rows of the same `case` are lines of one member.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from claims_edit import intake
from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import AUTHORIZATIONS, CLAIM_SOURCE_COLUMNS
from claims_edit.errors import UsageError
from claims_edit.evaluate import Night, evaluate
from claims_edit.extracts import of_rows
from claims_edit.policies import Policy, as_governing
from claims_edit.reference import ReferenceData
from claims_edit.scope import scope_of

Row = dict[str, str | None]
OUT_OF_SCOPE, REJECTED = "out of scope", "rejected"
_NONE = "none"
_ORDINARY = "ordinary.csv"
_AUTHORIZATION, _CLINICAL = "authorization:", "clinical:"
_ABOUT = ("case", "version", "sentence", "says", "as_of")
_EXPECTED = ("fails", "unknown", "disposition", "allowed_units")
# What is of the whole case, and so of its first row.
_OF_THE_CASE = (_AUTHORIZATION, _CLINICAL, "version", "sentence", "as_of")
_IDENTIFIERS = ("claim_id", "original_claim_id", "authorization_number")
_KNOWN = {
    *_ABOUT,
    *_EXPECTED,
    *CLAIM_SOURCE_COLUMNS,
    *(_AUTHORIZATION + c for c in AUTHORIZATIONS.columns),
    *(_CLINICAL + c for c in CLINICAL_FACTS.columns),
}


@dataclass(frozen=True)
class CaseLine:
    """One row of a case table, with its place in the file."""

    path: Path
    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Case:
    """The lines of one case under one version of the policy."""

    name: str
    version: str
    sentence: str
    says: str
    lines: tuple[CaseLine, ...]
    ordinary: dict[str, str]

    @property
    def where(self) -> str:
        """The table and the row in which it begins."""
        return f"{self.lines[0].path.name}, line {self.lines[0].number}"

    def value(self, line: CaseLine, column: str) -> str | None:
        """A cell, or the ordinary value; null where it is taken away."""
        text = line[column] or self.ordinary.get(column, "")
        return None if text in ("", _NONE) else text


@dataclass(frozen=True)
class Judged:
    """A case with what is otherwise than it says; nothing where it holds."""

    case: Case
    differences: tuple[str, ...]


def read_cases(policy: Policy) -> list[Case]:
    """The cases of a policy, once for each version that they name. Raises UsageError for a table that
    cannot be read."""
    folder = policy.folder / "cases"
    tables = sorted(path for path in folder.glob("*.csv") if path.name != _ORDINARY)
    if not tables:
        return []
    ordinary = _ordinary(folder / _ORDINARY)
    cases: dict[str, list[CaseLine]] = defaultdict(list)
    for path in tables:
        for line in _lines(path):
            if line["case"] in cases and cases[line["case"]][0].path != path:
                raise _refusal(line, f"the case {line['case']!r} is in another table, too")
            cases[line["case"]].append(line)
    alike: dict[str, str] = {}
    for name, lines in cases.items():
        if alike.setdefault(name.upper(), name) != name:
            raise _refusal(
                lines[0], f"{name!r} is the case {alike[name.upper()]!r} in other letters"
            )
    return [case for lines in cases.values() for case in _versions_of(policy, lines, ordinary)]


def _versions_of(policy: Policy, lines: list[CaseLine], ordinary: dict[str, str]) -> Iterator[Case]:
    first = lines[0]
    for line in lines[1:]:
        for column in line.cells:
            if line[column] and column.startswith(_OF_THE_CASE):
                raise _refusal(line, f"{column} is written on the first row of a case")
    known = [v.version for v in policy.versions]
    versions = first["version"].split()
    if not first["case"] or not versions:
        raise _refusal(first, "case and version must be written")
    for version in versions:
        if version not in known:
            raise _refusal(first, f"there is no version {version!r}; there is: {', '.join(known)}")
        yield Case(first["case"], version, first["sentence"], first["says"], tuple(lines), ordinary)


def _lines(path: Path) -> Iterator[CaseLine]:
    for number, cells in _rows(path):
        unknown = sorted(set(cells) - _KNOWN)
        if unknown or "case" not in cells:
            problem = (
                f"there is no column {unknown[0]!r}" if unknown else "the column case is missing"
            )
            raise UsageError(f"cases: {path}: {problem}; mend the table.")
        yield CaseLine(path, number, cells)


def _ordinary(path: Path) -> dict[str, str]:
    ordinary = {}
    for number, cells in _rows(path):
        column = cells.get("column", "")
        if set(cells) != {"column", "value"} or column not in _KNOWN:
            raise UsageError(
                f"cases: {path}: line {number}: needs `column` and `value`, and a column of the cases; "
                "mend the table."
            )
        ordinary[column] = cells["value"]
    return ordinary


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table below its comments, each with its line in the file."""
    try:
        text = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
        above = next((i for i, line in enumerate(text) if not line.startswith("#")), len(text))
        reader = csv.DictReader(io.StringIO("".join(text[above:]), newline=""), strict=True)
        header = reader.fieldnames or []
        if len(set(header)) < len(header):
            raise UsageError(f"cases: {path}: a column is there twice; mend the table.")
        for row in reader:
            number = above + reader.line_num
            if None in row or None in row.values():
                raise UsageError(
                    f"cases: {path}: line {number}: has other fields than the header; mend the table."
                )
            yield number, {column: value.strip() for column, value in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cases: {path}: cannot be read as a CSV table.") from error


def _refusal(line: CaseLine, problem: str) -> UsageError:
    return UsageError(f"cases: {line.path}: line {line.number}: {problem}; mend the table.")


# ---- cases judged ---------------------------------------------------------------------------


def judge(policy: Policy, reference: ReferenceData, cases: Iterable[Case]) -> list[Judged]:
    """Run every case under the version that it names, as if that governed alone, on every date."""
    together: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        as_of = case.value(case.lines[0], "as_of")
        if as_of is None:
            raise _refusal(case.lines[0], "as_of must be written, here or in ordinary.csv")
        together[case.version, as_of].append(case)
    return [
        judged
        for (version, as_of), alike in together.items()
        for judged in _judge(as_governing(policy, version), reference, _day(as_of, alike[0]), alike)
    ]


def _day(text: str, case: Case) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _refusal(case.lines[0], f"as_of {text!r} is not a date (2026-01-31)") from error


def _judge(
    policy: Policy, reference: ReferenceData, as_of: date, cases: list[Case]
) -> Iterator[Judged]:
    claims = [_claim(case, n, line) for case in cases for n, line in enumerate(case.lines)]
    extract = of_rows("claims", claims, CLAIM_SOURCE_COLUMNS)
    read = intake.read_claims(extract, None, scope_of(reference, policy))
    authorizations = intake.read_authorizations(
        of_rows(
            "authorizations",
            [a for case in cases if (a := _authorization(case))],
            tuple(AUTHORIZATIONS.columns),
        )
    )
    facts = intake.read_clinical_facts(
        of_rows(
            "clinical", [f for case in cases if (f := _facts(case))], tuple(CLINICAL_FACTS.columns)
        )
    )
    night = Night(
        lines=read.lines,
        other_versions=read.other_versions,
        authorizations=authorizations.rows,
        rejected_authorizations=authorizations.rejected_as,
        partner_lines=read.partner_lines,
        clinical_facts=facts.rows,
    )
    edited = {
        (row["claim_id"], str(row["claim_line_number"])): row
        for row in evaluate(night, policy, reference, as_of).lines.iter_rows(named=True)
    }
    rejected = {(r["claim_id"], r["claim_line_number"]) for r in read.rejected.to_dicts()}
    spoilt = {r["authorization_number"] for r in authorizations.rejected.to_dicts()}
    spoilt |= {r["authorization_number"] for r in facts.rejected.to_dicts()}
    for case in cases:
        differences = [
            difference
            for n, line in enumerate(case.lines)
            for difference in _differences(line, _found(_key(case, n, line), edited, rejected))
        ]
        if (
            _number(case, case.value(case.lines[0], _AUTHORIZATION + "authorization_number"))
            in spoilt
        ):
            differences.append("its authorization or its facts cannot be read")
        yield Judged(case, tuple(differences))


def _key(case: Case, n: int, line: CaseLine) -> tuple[str, str]:
    claim_id = case.value(line, "claim_id") or f"line {n + 1}"
    return f"{case.name}: {claim_id}", case.value(line, "claim_line_number") or "1"


def _number(case: Case, name: str | None) -> str | None:
    """An identifier as the whole extract has it, in which no two cases share one."""
    return None if name is None else f"{case.name}: {name}"


def _claim(case: Case, n: int, line: CaseLine) -> Row:
    row: Row = {c: case.value(line, c) for c in CLAIM_SOURCE_COLUMNS}
    row |= {c: _number(case, row[c]) for c in _IDENTIFIERS}
    row["claim_id"], row["claim_line_number"] = _key(case, n, line)
    row["member_id"] = case.name
    return row


def _authorization(case: Case) -> Row | None:
    first = case.lines[0]
    row: Row = {c: case.value(first, _AUTHORIZATION + c) for c in AUTHORIZATIONS.columns}
    row["authorization_number"] = _number(case, row["authorization_number"])
    row["member_id"] = case.name
    return row if row["status"] is not None else None


def _facts(case: Case) -> Row | None:
    first = case.lines[0]
    row: Row = {c: case.value(first, _CLINICAL + c) for c in CLINICAL_FACTS.columns}
    if first[_CLINICAL + "authorization_number"] == _NONE or _authorization(case) is None:
        return None
    row["authorization_number"] = _number(
        case, case.value(first, _AUTHORIZATION + "authorization_number")
    )
    return row


def _found(
    key: tuple[str, str],
    edited: dict[tuple[str, str], dict[str, object]],
    rejected: set[tuple[str, str]],
) -> dict[str, object]:
    nothing: dict[str, object] = {"edit_ids": [], "unknown_edit_ids": [], "allowed_units": None}
    if key in rejected:
        return nothing | {"disposition": REJECTED}
    return edited.get(key, nothing | {"disposition": OUT_OF_SCOPE})


def _differences(line: CaseLine, found: dict[str, object]) -> Iterator[str]:
    for column, key in (("fails", "edit_ids"), ("unknown", "unknown_edit_ids")):
        names = found[key]
        got = " ".join(sorted(names)) if isinstance(names, list) else ""
        expected = " ".join(sorted(line[column].split()))
        if got != expected:
            yield f"line {line.number}: {column} is {got or 'none'}, and not {expected or 'none'}"
    if line["disposition"] and found["disposition"] != line["disposition"]:
        yield f"line {line.number}: is {found['disposition']}, and not {line['disposition']}"
    if line["allowed_units"] and found["allowed_units"] != _units(line):
        allowed = found["allowed_units"]
        text = "no" if allowed is None else f"{allowed:f}".rstrip("0").rstrip(".")
        yield f"line {line.number}: {text} units are allowed, and not {line['allowed_units']}"


def _units(line: CaseLine) -> Decimal:
    try:
        return Decimal(line["allowed_units"])
    except InvalidOperation as error:
        raise _refusal(line, f"allowed_units {line['allowed_units']!r} is not a number") from error
