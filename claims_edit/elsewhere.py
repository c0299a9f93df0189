"""A file of lines that another system allowed, given to a run as history."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from claims_edit.contracts import ALLOWED_ELSEWHERE, LINE_KEY
from claims_edit.extracts import Extract, open_extract
from claims_edit.past import ELSEWHERE, RUN, no_elsewhere
from claims_edit.schemas import schema
from claims_edit.whole import read_whole


def open_elsewhere(path: Path) -> Extract:
    """Open a file of lines that another system allowed."""
    return open_extract(
        "history",
        [path],
        ALLOWED_ELSEWHERE,
        sources=tuple(ALLOWED_ELSEWHERE.columns),
        fallbacks={},
    )


def columns_of(extract: Extract) -> list[str]:
    """The columns of the contract that the file has."""
    return [c for c in ALLOWED_ELSEWHERE.columns if extract.has(c)]


def read_elsewhere(extract: Extract) -> pl.DataFrame:
    """The lines allowed elsewhere, with `run`, and without the columns that the file lacks.

    Raises InputError for any row that breaks the schema: what was allowed cannot be set aside.
    """
    present = {c: ALLOWED_ELSEWHERE.columns[c] for c in columns_of(extract)}
    raw = extract.collect(lambda frame: frame.select(list(present)))
    if "authorization_draws" in present:
        raw = raw.with_columns(authorization_draws=_with_codes(pl.col("authorization_draws")))
    rows = read_whole(extract, raw, schema("history", present), LINE_KEY, "allowed")
    draws = pl.col("authorization_draws") if "authorization_draws" in present else None
    empty_draws = no_elsewhere()["authorization_draws"].dtype
    return rows.with_columns(
        run=pl.lit(ELSEWHERE, RUN),
        authorization_draws=pl.lit(None, empty_draws) if draws is None else draws,
    )


def _with_codes(draws: pl.Expr) -> pl.Expr:
    """Draws with their authorization numbers read as codes: trimmed, upper-cased, null where empty."""
    number = pl.element().struct.field("authorization_number").str.strip_chars().str.to_uppercase()
    code = pl.when(number != "").then(number).alias("authorization_number")
    return draws.list.eval(pl.struct(code, pl.element().struct.field("units")))
