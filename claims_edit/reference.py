"""Dated code sets. The only place where "in force on this date" is written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit import reference_contracts
from claims_edit.errors import UsageError
from claims_edit.normalise import read_as
from claims_edit.pandera_alone import pa
from claims_edit.schemas import polars_type, rules_of


@dataclass(frozen=True)
class ReferenceTable:
    """One table of the reference data with what the manifest says of its file."""

    path: Path
    rows: pl.DataFrame
    size: int
    digest: str


@dataclass(frozen=True)
class ReferenceData:
    """The code tables of a reference data folder: dated rows, each with its source."""

    folder: Path
    tables: dict[str, ReferenceTable]

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name].rows

    def products(self, hcpcs_code: str | None = None) -> list[str]:
        """Products (nine digits) of a HCPCS code, or all, whatever their dates."""
        rows = self["ndc_products"]
        if hcpcs_code is not None:
            rows = rows.filter(pl.col("hcpcs_code") == hcpcs_code)
        return rows["product"].str.replace("-", "").unique().sort().to_list()


# Each code table and what names one thing in it: of that, one row is in force on a day.
CODE_TABLES = (
    (reference_contracts.ICD10CM, ["code"]),
    (reference_contracts.HCPCS, ["code"]),
    (reference_contracts.NDC_PRODUCTS, ["product", "hcpcs_code"]),
    (reference_contracts.ADJUSTMENT_CODES, ["type", "code"]),
    (reference_contracts.MAC_JURISDICTIONS, ["state"]),
    (reference_contracts.PARTNER_DRUGS, ["drug", "hcpcs_code"]),
    (reference_contracts.STATES, ["name"]),
)


def in_force(on: pl.Expr, start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Whether `on` lies in a dated row, bounds inclusive; no start is always so far, no end still.

    False, never null, where `on` is null.
    """
    begun = start.is_null() | (start <= on)
    not_ended = end.is_null() | (on <= end)
    return on.is_not_null() & begun & not_ended


def in_force_on(day: date, start: date | None, end: date | None) -> bool:
    """The same of one day."""
    return (start is None or start <= day) and (end is None or day <= end)


def shipped_folder() -> Path:
    """The reference data that came with the program, from wherever it was started."""
    packaged = Path(str(resources.files("claims_edit"))) / "reference_data"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "reference_data"


def load_reference(folder: Path) -> ReferenceData:
    """Read and check the code tables under `folder`/codes. Raises UsageError naming file and row."""
    tables = {
        str(schema.name): read_table(folder / "codes" / f"{schema.name}.csv", schema, key)
        for schema, key in CODE_TABLES
    }
    return ReferenceData(folder, tables)


def read_table(path: Path, schema: pa.DataFrameSchema, key: list[str]) -> ReferenceTable:
    """Read one reference table whole. Raises UsageError for a row that breaks its schema, or that is
    in force on a day on which another row of the same `key` is."""
    try:
        content = path.read_bytes()
        raw = pl.read_csv(content, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"reference data: {path}: cannot be read as a CSV table; check --reference-data."
        ) from error
    missing = [c for c in schema.columns if c not in raw.columns]
    if missing:
        raise UsageError(f"reference data: {path}: the column {missing[0]} is missing; add it.")
    rows = raw.select(read_as(c, raw.schema[c], col).alias(c) for c, col in schema.columns.items())
    _require_readable(path, raw, rows, schema)
    _require_rules(path, rows, schema)
    _require_one_row_a_day(path, rows, key)
    return ReferenceTable(path, rows, len(content), hashlib.sha256(content).hexdigest())


def _require_readable(
    path: Path, raw: pl.DataFrame, rows: pl.DataFrame, schema: pa.DataFrameSchema
) -> None:
    for column, declared in schema.columns.items():
        given = raw[column].str.strip_chars().fill_null("") != ""
        lost = (given & rows[column].is_null()).arg_true()
        if len(lost):
            _refuse(path, lost[0], f"{column} cannot be read as {polars_type(declared)}")


def _require_rules(path: Path, rows: pl.DataFrame, schema: pa.DataFrameSchema) -> None:
    for rule in rules_of(schema):
        broken = rows.select(~rule.passes.fill_null(True)).to_series().arg_true()
        if len(broken):
            _refuse(path, broken[0], f"breaks the rule {rule.name}")


def _require_one_row_a_day(path: Path, rows: pl.DataFrame, key: list[str]) -> None:
    numbered = rows.with_row_index("_row")
    if "start_date" not in rows.columns:
        again = numbered.filter(~pl.struct(key).is_first_distinct())
    else:
        ended_before = pl.col("end_date").shift(1).over(key) < pl.col("start_date")
        first = pl.int_range(pl.len()).over(key) == 0
        dated = numbered.sort(*key, "start_date", nulls_last=False, maintain_order=True)
        again = dated.filter(~first & ~ended_before.fill_null(False))
    if not again.is_empty():
        _refuse(path, again["_row"][0], f"another row of the same {' and '.join(key)} overlaps it")


def _refuse(path: Path, row: Any, problem: str) -> None:
    raise UsageError(f"reference data: {path}: line {row + 2}: {problem}; mend the table.")
