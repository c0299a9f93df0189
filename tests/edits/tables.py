"""The example tables: how they are read, and what the engine makes of their rows.

A table is `examples/<edit id>.csv`. Lines that begin with `#` explain the edit. Each row below the
header is one claim line: the ordinary line of `ORDINARY` but for the cells that are filled in. An
empty cell leaves the ordinary value; `none` takes it away.

* `night`: rows with the same label are one extract; a row without one is alone in its own;
* `example`: what the row shows, in words;
* `policy`: a variant of the reference data (see variants.py); `as_of`: the as-of date of the run;
* any column of a claims extract;
* `authorization:<column>`: the member's authorization where it differs from the ordinary one (`none`
  in `authorization:status`: there is no authorization); `authorization2:<column>`: a second one, there
  if any of its cells is filled. In a night they are written once, on any row of the member;
* `clinical:<column>`: the clinical facts of the first authorization where they differ from the ordinary
  ones (`none` in `clinical:authorization_number`: there is no row of them); `clinical2:<column>`: a
  second row of facts, of the second authorization unless it says of which, there if any of its cells
  is filled. Only a table with such columns gives a clinical extract at all; `none` in `clinical`: not
  in the run of this row;
* expected: `verdict` of the edit, `disposition` of the line, and where it matters `allowed_units`,
  `also` (all other edits with a finding on the line) and `says` (a part of the message).

Rows and nights of a table run together, for speed: each has a member and claims of its own.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import AUTHORIZATIONS, CLAIM_SOURCE_COLUMNS, DISPOSITIONS
from claims_edit.edits.catalogue import EDITS
from tests.edits.variants import VARIANTS, reference_folder
from tests.support import Edited, Row, edit_rows

EXAMPLES = Path(__file__).parent / "examples"
AS_OF = "2026-12-31"

ORDINARY: dict[str, str] = {
    "claim_line_number": "1",
    "claim_type": "professional",
    "member_id": "M1",
    "birth_date": "1970-06-15",
    "gender": "female",
    "line_of_business": "commercial",
    "member_state": "IL",
    "claim_line_start_date": "2026-01-15",
    "hcpcs_code": "J9207",
    "service_unit_quantity": "90",
    "charge_amount": "9000.00",
    "ndc_code": "70020-1911-01",
    "ndc_quantity": "2",
    "ndc_unit": "UN",
    "diagnosis_code_1": "C50.911",
    "diagnosis_pointer_1": "1",
    "authorization_number": "AU1",
    "rendering_npi": "1234567893",
    "billing_npi": "1245319599",
}
ORDINARY_AUTHORIZATION: dict[str, str] = {
    "member_id": "M1",
    "hcpcs_code": "J9207",
    "status": "approved",
    "effective_date": "2026-01-01",
    "expiration_date": "2026-06-30",
}
# What the branch "HER2 negative, single agent > hormone-receptor positive > third line or later" needs,
# and that no other branch is near: capecitabine has not failed.
ORDINARY_FACTS: dict[str, str] = {
    "disease_extent": "metastatic",
    "her2_ihc": "1",
    "her2_test_approved": "true",
    "er_percent": "90",
    "pr_percent": "40",
    "endocrine_refractory": "true",
    "line_of_therapy": "3",
    "regimen": "single_agent",
    "capecitabine_failed": "false",
    "cremophor_hypersensitivity": "false",
    "bsa_m2": "2.2",
}

NONE = "none"
FOUND = ("fail", "unknown")
NOT_FOUND = ("pass", "not asked", "not told")
NOT_EDITED = ("rejected", "out of scope")
EXPECTED = ("verdict", "disposition", "allowed_units", "also", "says")
_ABOUT = ("night", "example", *EXPECTED)
_OWN_COLUMNS = (*_ABOUT, "policy", "as_of", "clinical")
_REQUIRED = ("example", "verdict", "disposition")
_NUMBERS = {"authorization": "AU1", "authorization2": "AU2"}
_FACTS_OF = {"clinical": "authorization", "clinical2": "authorization2"}
# Cells that name something of the extract, which must be another one in every night.
_IDENTIFIERS = ("member_id", "claim_id", "original_claim_id", "authorization_number")
_PREFIX = re.compile(r"\d{3}~")


class Run(NamedTuple):
    """A variant of the reference data, an as-of date, and whether there is a clinical extract."""

    variant: str
    as_of: str
    clinical: bool


@dataclass(frozen=True)
class Example:
    """One row of a table, with its line in the file; `clinical`: its run has a clinical extract."""

    edit_id: str
    line: int
    cells: dict[str, str]
    clinical: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def name(self) -> str:
        return f"{self.edit_id}.csv, line {self.line}: {self['example']}"

    @property
    def also(self) -> tuple[str, ...]:
        return tuple(self["also"].split())

    @property
    def given(self) -> dict[str, str]:
        """Its cells of the claim line, the authorizations and their facts, and those of its run."""
        return {c: v for c, v in self.cells.items() if c not in _ABOUT}

    @property
    def run(self) -> Run:
        """What rows must share to run together."""
        return Run(self["policy"], self["as_of"] or AS_OF, self.clinical)


@dataclass(frozen=True)
class Table:
    """The examples of one edit."""

    edit_id: str
    text: tuple[str, ...]
    columns: tuple[str, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of the line of an example; of a line that was not edited, only the disposition."""

    disposition: str
    verdict: str | None = None
    message: str | None = None
    allowed_units: Decimal | None = None
    also: tuple[str, ...] = ()


def table_ids() -> list[str]:
    """The edits that have a table."""
    return sorted(path.stem for path in EXAMPLES.glob("*.csv"))


@cache
def read_table(edit_id: str) -> Table:
    """Read a table; raises ValueError saying which line is wrong."""
    text: list[str] = []
    header: list[str] = []
    examples: list[Example] = []
    with (EXAMPLES / f"{edit_id}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        for cells in reader:
            if cells and cells[0].startswith("#"):
                # A spreadsheet that writes the file fills the line up with empty cells.
                text.append(re.sub(r",{2,}$", "", ",".join(cells)).strip("# "))
            elif any(cells) and not header:
                header = cells
            elif any(cells):
                if len(cells) != len(header):
                    raise ValueError(f"{edit_id}.csv, line {reader.line_num}: {len(cells)} cells")
                filled = {c: v.strip() for c, v in zip(header, cells, strict=True) if v.strip()}
                clinical = _gives_facts(header) and filled.get("clinical") != NONE
                examples.append(Example(edit_id, reader.line_num, filled, clinical))
    table = Table(edit_id, tuple(text), tuple(header), tuple(examples))
    _check(table)
    return table


def _gives_facts(columns: list[str]) -> bool:
    return any(column.partition(":")[0] in _FACTS_OF for column in columns)


def _check(table: Table) -> None:
    wrong = [c for c in table.columns if not _is_column(c)]
    missing = [c for c in _REQUIRED if c not in table.columns]
    if wrong or missing:
        raise ValueError(f"{table.edit_id}.csv: unknown columns {wrong}, missing ones {missing}")
    for example in table.examples:
        _check_example(example)
    runs: dict[str, set[Run]] = defaultdict(set)
    for example in table.examples:
        runs[example["night"]].add(example.run)
    split = [night for night, of_night in runs.items() if night and len(of_night) > 1]
    if split:
        raise ValueError(
            f"{table.edit_id}.csv: nights {split} have several policies, as-of dates or inputs"
        )


def _is_column(column: str) -> bool:
    kind, colon, name = column.partition(":")
    if kind in _NUMBERS:
        return name in AUTHORIZATIONS.columns
    if kind in _FACTS_OF and colon:
        return name in CLINICAL_FACTS.columns
    return column in _OWN_COLUMNS or column in CLAIM_SOURCE_COLUMNS


def _check_example(example: Example) -> None:
    allowed = {
        "verdict": (*FOUND, *NOT_FOUND),
        "disposition": (*DISPOSITIONS, *NOT_EDITED),
        "policy": ("", *VARIANTS),
        "clinical": ("", NONE),
    }
    for column, values in allowed.items():
        if example[column] not in values:
            raise ValueError(f"{example.name}: {column} is none of {', '.join(values)}")
    wrong = [edit_id for edit_id in example.also if edit_id not in EDITS]
    if wrong or not example["example"]:
        raise ValueError(f"{example.name}: no example in words, or there is no edit {wrong}")


# ---- running ----------------------------------------------------------------------------------


@cache
def outcomes(edit_id: str) -> dict[int, Outcome]:
    """What the engine makes of every row of a table, by the row's line in the file."""
    by_run: dict[Run, list[list[Example]]] = defaultdict(list)
    for night in _nights(read_table(edit_id)):
        by_run[night[0].run].append(night)
    found: dict[int, Outcome] = {}
    for run, nights in by_run.items():
        found |= edited(nights, run)
    return found


def outcome(example: Example) -> Outcome:
    """What the engine makes of one row."""
    return outcomes(example.edit_id)[example.line]


def _nights(table: Table) -> list[list[Example]]:
    nights: dict[str, list[Example]] = defaultdict(list)
    for example in table.examples:
        nights[example["night"] or f"line {example.line}"].append(example)
    return list(nights.values())


def edited(nights: list[list[Example]], run: Run) -> dict[int, Outcome]:
    """What the engine makes of the rows of some nights of one table, by the row's line."""
    claims: dict[int, Row] = {}
    authorizations: list[Row] = []
    facts: list[Row] = []
    for number, night in enumerate(nights):
        prefix = f"{number:03}~"
        for place, example in enumerate(night, 1):
            claims[example.line] = _prefixed(_claim(example, place), prefix)
        authorizations += [_prefixed(row, prefix) for row in _authorizations(night)]
        facts += [_prefixed(row, prefix) for row in _facts(night)]
    result = edit_rows(
        list(claims.values()),
        authorizations,
        clinical=facts if run.clinical else None,
        as_of=date.fromisoformat(run.as_of),
        reference_folder=reference_folder(run.variant),
    )
    return _outcomes(result, claims, nights[0][0].edit_id)


def _claim(example: Example, place: int) -> Row:
    own = {c: v for c, v in example.cells.items() if c in CLAIM_SOURCE_COLUMNS}
    number = _number_of(_member(example), "authorization")
    line = {"claim_id": f"C{place}"} | ORDINARY | {"authorization_number": number}
    return _without_none(line | own)


def _member(example: Example) -> str:
    return example["member_id"] or ORDINARY["member_id"]


def _number_of(member: str, kind: str) -> str:
    number = _NUMBERS[kind]
    return number if member == ORDINARY["member_id"] else f"{number}-{member}"


def _authorizations(night: list[Example]) -> list[Row]:
    """Of each member of a night, the authorizations as its rows together write them."""
    rows = []
    for (member, kind), cells in _written(night, _NUMBERS).items():
        if (cells or kind == "authorization") and cells.get("status") != NONE:
            named = {"member_id": member, "authorization_number": _number_of(member, kind)}
            rows.append(_without_none(ORDINARY_AUTHORIZATION | named | cells))
    return rows


def _facts(night: list[Example]) -> list[Row]:
    """Of each member of a night, the clinical facts as its rows together write them."""
    rows = []
    for (member, kind), cells in _written(night, _FACTS_OF).items():
        if (cells or kind == "clinical") and cells.get("authorization_number") != NONE:
            named = {"authorization_number": _number_of(member, _FACTS_OF[kind])}
            rows.append(_without_none(named | ORDINARY_FACTS | cells))
    return rows


def _written(night: list[Example], kinds: Iterable[str]) -> dict[tuple[str, str], dict[str, str]]:
    """The cells `<kind>:<column>` of a night by member and kind, of all its rows together."""
    written: dict[tuple[str, str], dict[str, str]] = {}
    for example in night:
        for kind in kinds:
            cells = written.setdefault((_member(example), kind), {})
            own = {c: v for c, v in example.cells.items() if c.startswith(f"{kind}:")}
            cells |= {c.partition(":")[2]: v for c, v in own.items()}
    return written


def _without_none(row: dict[str, str]) -> Row:
    return {c: None if v == NONE else v for c, v in row.items()}


def _prefixed(row: Row, prefix: str) -> Row:
    return {c: prefix + v if v and c in _IDENTIFIERS else v for c, v in row.items()}


def _outcomes(result: Edited, claims: dict[int, Row], edit_id: str) -> dict[int, Outcome]:
    findings: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for finding in result.findings.iter_rows(named=True):
        findings[_key(finding)].append(finding)
    lines = {_key(line): line for line in result.lines.iter_rows(named=True)}
    rejected = {_key(row) for row in result.rejected_lines.iter_rows(named=True)}

    def outcome_of(key: tuple[str, str]) -> Outcome:
        if key not in lines:
            return Outcome("rejected" if key in rejected else "out of scope")
        own = next((f for f in findings[key] if f["edit_id"] == edit_id), None)
        return Outcome(
            lines[key]["disposition"],
            own["verdict"] if own else None,
            _PREFIX.sub("", own["message"]) if own else None,
            lines[key]["allowed_units"],
            tuple(f["edit_id"] for f in findings[key] if f is not own),
        )

    return {place: outcome_of(_key(claim)) for place, claim in claims.items()}


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return str(row["claim_id"]), str(row["claim_line_number"])
