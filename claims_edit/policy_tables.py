"""The tables beside a policy: covered diagnoses, criteria, and the sentences of its document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from claims_edit.criteria import ESTABLISHED, REQUESTS, Node, OutlineError, outline
from claims_edit.errors import UsageError
from claims_edit.reference import ReferenceTable, read_table
from claims_edit.reference_contracts import COVERED_DIAGNOSES, CRITERIA, SENTENCES, TERMS
from claims_edit.schemas import empty

_TABLES = (
    (COVERED_DIAGNOSES, ["version", "code"]),
    (CRITERIA, ["version", "request_type", "place"]),
    (SENTENCES, ["version", "sentence"]),
)


@dataclass(frozen=True)
class PolicyTables:
    """The tables of a policy's folder by name, empty where there is no file, and the shared terms."""

    read: tuple[ReferenceTable, ...]
    tables: dict[str, pl.DataFrame]
    terms: dict[str, Node]

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name]

    def criteria_of(self, version: str) -> dict[str, Node]:
        """The trees of a version by kind of request. Raises UsageError for rows out of order."""
        rows = self["criteria"].filter(pl.col("version") == version)
        path = next((t.path for t in self.read if t.path.name == "criteria.csv"), Path())
        return {
            request: _tree(path, f"{version}, {request}", own, self.terms)
            for request in REQUESTS
            if not (own := rows.filter(pl.col("request_type") == request)).is_empty()
        }


def read_policy_tables(reference_folder: Path, folder: Path) -> PolicyTables:
    """Read the tables of a policy's folder; the shared terms with the criteria that read them."""
    read, tables = [], {}
    for schema, key in _TABLES:
        name = str(schema.name)
        path = folder / f"{name}.csv"
        tables[name] = empty(schema)
        if path.exists():
            read.append(read_table(path, schema, key))
            tables[name] = read[-1].rows
    terms: dict[str, Node] = {}
    if not tables["criteria"].is_empty():
        read.append(
            read_table(reference_folder / "criteria" / "terms.csv", TERMS, ["term", "place"])
        )
        terms = _terms(read[-1])
    return PolicyTables(tuple(read), tables, terms)


def _terms(table: ReferenceTable) -> dict[str, Node]:
    """The shared terms, each an outline; one may read those whose rows stand before it."""
    terms: dict[str, Node] = {}
    for (name,), rows in table.rows.group_by("term", maintain_order=True):
        if name in ESTABLISHED:
            raise UsageError(
                f"reference data: {table.path}: {name}: the program itself makes this term, of its two "
                "tests; name the rows otherwise."
            )
        terms[str(name)] = _tree(table.path, str(name), rows, terms)
    return terms


def _tree(path: Path, what: str, rows: pl.DataFrame, terms: dict[str, Node]) -> Node:
    try:
        return outline(what, rows.iter_rows(named=True), terms)
    except OutlineError as error:
        raise UsageError(f"reference data: {path}: {what}: {error}; mend the table.") from error
