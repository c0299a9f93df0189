"""Codes in any case and among blanks reach the scope, through files of every format and type."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from claims_edit.intake import Claims
from tests.reading.rows import claim, parquet, read_file
from tests.support import Row, write_csv

# HCPCS, NDC, whether the line is in scope. The drug is X0001; its product is 01234-0056.
LINES = [
    ("X0001", "", True),
    ("x0001", "", True),
    (" X0001 ", "", True),
    ("\tx0001\u00a0", "", True),
    ("X0001", "not an NDC", True),
    ("X0002", "", False),
    ("X00011", "", False),
    ("X 0001", "", False),
    ("", "", False),
    ("", "01234-0056-01", True),
    ("X0002", "1234-0056-01", True),
    ("X0002", "01234-056-01", True),
    ("X0002", "01234-0056-1", True),
    ("X0002", "01234005601", True),
    ("X0002", "1234005601", True),
    ("X0002", " n401234-0056-01 ", True),
    ("X0002", "N401234005601", True),
    ("X0002", "\u00a0N41234-0056-01\t", True),
    ("X0002", "12345-6789-01", False),
    ("X0002", "01234-0056-001", False),
    ("X0002", "1234-056-01", False),
    ("X0002", "01234-0057-01", False),
    ("X0002", "101234005601", False),
    ("X0002", "N4 01234005601", False),
]
ROWS = [
    claim(claim_id=f"C{i:02}", hcpcs_code=hcpcs, ndc_code=ndc)
    for i, (hcpcs, ndc, _) in enumerate(LINES)
]
IN_SCOPE = [f"C{i:02}" for i, (_, _, in_scope) in enumerate(LINES) if in_scope]


def ids(read: Claims) -> list[str]:
    assert read.in_scope_rows == read.lines.height
    assert read.rejected.is_empty()
    return read.lines["claim_id"].sort().to_list()


def nulls(row: Row) -> Row:
    return {column: value or None for column, value in row.items()}


def test_csv(tmp_path: Path) -> None:
    assert ids(read_file(write_csv(tmp_path / "claims.csv", ROWS))) == IN_SCOPE


def test_gzipped_csv(tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "claims.txt", ROWS)
    path = tmp_path / "claims.csv.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    assert ids(read_file(path)) == IN_SCOPE


@pytest.mark.parametrize("row_group_size", [1, 5, 1000])
def test_parquet(tmp_path: Path, row_group_size: int) -> None:
    path = parquet(tmp_path / "c.parquet", list(map(nulls, ROWS)), row_group_size=row_group_size)
    assert ids(read_file(path)) == IN_SCOPE


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum])
def test_parquet_of_categories(tmp_path: Path, dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame(ROWS)
    for column in ("hcpcs_code", "ndc_code"):
        kinds = frame[column].unique().sort()
        frame = frame.with_columns(
            pl.col(column).cast(pl.Enum(kinds) if dtype is pl.Enum else pl.Categorical)
        )
    frame.write_parquet(tmp_path / "claims.parquet")
    assert ids(read_file(tmp_path / "claims.parquet")) == IN_SCOPE


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.Decimal(18, 0), pl.UInt64])
def test_ndcs_that_are_numbers(tmp_path: Path, dtype: pl.DataType) -> None:
    """A leading zero is lost then; ten digits are the product all the same."""
    rows = [claim(claim_id=f"C{i}", hcpcs_code="X0002") for i in range(3)]
    ndcs = pl.Series("ndc_code", [1234005601, 12345678901, None], dtype=pl.Int64).cast(dtype)
    pl.DataFrame(rows).with_columns(ndcs).write_parquet(tmp_path / "claims.parquet")
    assert ids(read_file(tmp_path / "claims.parquet")) == ["C0"]


def test_a_folder_of_every_format_and_of_different_columns(tmp_path: Path) -> None:
    """One file has no NDC column, one no HCPCS column, and one has its columns in another order."""
    without_ndc = [{c: v for c, v in row.items() if c != "ndc_code"} for row in ROWS[:8]]
    write_csv(tmp_path / "1.csv", without_ndc)
    without_hcpcs = [{c: v for c, v in row.items() if c != "hcpcs_code"} for row in ROWS[9:16]]
    parquet(tmp_path / "2.parquet", without_hcpcs)
    write_csv(tmp_path / "3.csv", [dict(reversed(row.items())) for row in ROWS[16:]])
    by_ndc = {row["claim_id"] for row in ROWS[8:]}
    by_hcpcs = {row["claim_id"] for row in ROWS[:8]}
    expected = [c for c in IN_SCOPE if c in by_ndc or c in by_hcpcs]
    assert ids(read_file(tmp_path)) == expected


def test_values_of_a_parquet_file_need_not_be_text(tmp_path: Path) -> None:
    frame = pl.DataFrame([claim()]).with_columns(
        pl.col("claim_line_number").cast(pl.Float64),
        pl.col("claim_line_start_date").str.to_datetime("%Y-%m-%d"),
        pl.col("birth_date").str.to_date(),
        pl.col("service_unit_quantity").cast(pl.Int32),
        pl.col("charge_amount").cast(pl.Float64),
        claim_id=pl.lit(123.0),
    )
    frame.write_parquet(tmp_path / "claims.parquet")
    (line,) = read_file(tmp_path / "claims.parquet").lines.iter_rows(named=True)
    assert (line["claim_id"], line["claim_line_number"]) == ("123", 1)
    assert (str(line["claim_line_start_date"]), str(line["birth_date"])) == (
        "2026-01-10",
        "1970-05-05",
    )
    assert (line["service_unit_quantity"], line["charge_amount"]) == (Decimal(10), Decimal(100))
