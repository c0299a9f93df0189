"""The shipped criteria, and patients to judge by them, written as text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS, WORDS
from claims_edit.criteria import Node, met
from claims_edit.nearest import judged
from claims_edit.policies import PolicyVersion
from claims_edit.schemas import polars_type
from tests.support import IXABEPILONE, policy

Facts = Mapping[str, Any]
HERE = Path(__file__).parent
BCBST = "bcbst-ixabepilone"
TYPES = {
    name: polars_type(column)
    for name, column in CLINICAL_FACTS.columns.items()
    if name != "authorization_number"
}
MET = {"met": True, "not met": False, "undecided": None}
TERMS = policy().terms
VERSIONS: dict[str, PolicyVersion] = {
    f"{name}@{version.version}": version
    for name in (IXABEPILONE, BCBST)
    for version in policy(name).versions
}
TREES: dict[tuple[str, str], Node] = {
    (name, request): tree
    for name, version in VERSIONS.items()
    for request, tree in version.criteria.items()
}


def table(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table beside this file, without the lines that explain it."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


def facts_of(text: str) -> dict[str, Any]:
    """Facts written as `name value; name value`; a value of `none` is not given."""
    found: dict[str, Any] = {}
    for one in filter(None, (part.strip() for part in text.split(";"))):
        name, _, value = one.partition(" ")
        found[name] = None if value == "none" else fact(name, value)
    return found


def fact(name: str, value: str) -> Any:
    """A fact as its column types it. Raises ValueError for a word that it cannot be."""
    if name in WORDS and value not in WORDS[name]:
        raise ValueError(f"{name} is never {value}")
    dtype = TYPES[name]
    if dtype == pl.Boolean:
        return {"true": True, "false": False}[value]
    return {pl.Int64(): int, pl.Float64(): float, pl.String(): str}[dtype](value)


def frame(patients: Iterable[Facts]) -> pl.DataFrame:
    """Patients as rows of clinical facts; what is not named is null."""
    return pl.DataFrame([dict.fromkeys(TYPES) | dict(p) for p in patients], schema=TYPES)


def verdicts(node: Node, patients: Sequence[Facts]) -> list[bool | None]:
    """Whether each of the patients meets it."""
    return frame(patients).select(met(node, TERMS)).to_series().to_list()


def term_verdicts(term: str, patients: Sequence[Facts]) -> list[bool | None]:
    return verdicts(Node("1", "term", term, reads=term), patients)


def judge(tree: Node, patients: Sequence[Facts]) -> list[dict[str, Any]]:
    """Whether each of the patients meets a tree, and what came nearest."""
    return judged(tree, TERMS, frame(patients)).to_dicts()
