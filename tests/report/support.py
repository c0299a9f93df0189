"""The sample extract under other ids, so that each can be looked for; and what files hold."""

from __future__ import annotations

import base64
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.masking import NO_MASKING, NoMasking
from claims_edit.naming import KINDS, kind_of
from claims_edit.report.page import Tell, page, told_by_stories
from claims_edit.report.reading import Reading
from tests.runs.support import SAMPLE, published, sample_as_text

KEY = b"0123456789abcdef" * 4
# Of a kind and a number, an id.
Naming = Callable[[str, int], str]
_FIRST_BIRTH, _GROWN_UP = date(1931, 2, 3), "2000"


def distinctive(kind: str, number: int) -> str:
    return f"{kind[:3].upper()}{number:05d}XQ"


def long_numbers(kind: str, number: int) -> str:
    return str(98_000_000 + 100_000 * KINDS.index(kind) + number)


def short_numbers(kind: str, number: int) -> str:
    """The same for a member, a claim and an authorization; and units, ages and lines have them, too."""
    return str(number + 1)


def with_blanks(kind: str, number: int) -> str:
    return f"{kind[0].upper()} {number}, X"


def renamed(folder: Path, naming: Naming) -> tuple[Path, list[str]]:
    """The run of the sample under other ids, each member born on another day; all these days."""
    tables = {
        "claims": sample_as_text(),
        **{
            name: pl.read_csv(SAMPLE / f"{name}.csv", infer_schema=False)
            for name in ("authorizations", "members", "clinical")
        },
    }
    names: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for table in tables.values():
        for column in table.columns:
            kind = kind_of(column)
            for raw in table[column].drop_nulls().unique(maintain_order=True) if kind else ():
                of_kind = names[str(kind)]
                of_kind.setdefault(raw, naming(str(kind), len(of_kind)))
    born: set[str] = set()
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        other = table.with_columns(
            pl.col(c).replace(names[str(kind_of(c))]) for c in table.columns if kind_of(c)
        )
        if "birth_date" in table.columns:
            member = pl.coalesce(c for c in ("member_id", "person_id") if c in table.columns)
            both = other.select(member.alias("member"), "birth_date").rows()
            births = [_born(member, birth, born) for member, birth in both]
            other = other.with_columns(birth_date=pl.Series(births, dtype=pl.String))
        other.write_csv(folder / f"{name}.csv")
    others: dict[str, Any] = {
        n: folder / f"{n}.csv" for n in ("authorizations", "members", "clinical")
    }
    return published(folder / "runs", folder / "claims.csv", **others), sorted(born)


def _born(member: str | None, birth: str | None, born: set[str]) -> str | None:
    """The birth date of a member: that of its id, or its own where the policy asks for the age."""
    if birth is None or member is None:
        return birth
    if birth < _GROWN_UP and birth.count("-") == 2:
        days = sum(ord(c) * 7**i for i, c in enumerate(member[::-1])) % 9_000
        birth = str(_FIRST_BIRTH + timedelta(days=days))
    if birth.count("-") == 2:
        born.add(birth)
    return birth


def contents(*files: Path) -> str:
    """All bytes of files, of a workbook those of its parts."""
    texts = []
    for file in files:
        if file.suffix == ".xlsx":
            with zipfile.ZipFile(file) as parts:
                texts += [parts.read(name).decode() for name in parts.namelist()]
        else:
            text = file.read_text(encoding="utf-8")
            texts += [text, *stories_in(text)]
    return "\n".join(texts)


def stories_in(page: str) -> list[str]:
    """The stories of a page, in the order of its lines."""
    (letters,) = re.findall(r'<template id="stories">([^<]*)</template>', page)
    content = json.loads(zlib.decompress(base64.b64decode(letters)))
    return ["\n".join(content["lines"][i] for i in story) for story in content["stories"]]


def page_of(
    reading: Reading,
    masked: NoMasking = NO_MASKING,
    *,
    lines: int = 2000,
    tell: Tell | None = None,
) -> str:
    """The page, told by stories unless it is said how."""
    tell = tell or told_by_stories(reading, masked)
    return page(reading, masked, masked, tell, lines=lines)
