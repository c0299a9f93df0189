"""`flagged_lines.parquet` as an analyst opens it: in DuckDB, pandas and pyarrow, and as text."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.runs.support import rows, table

# One column of every kind, and what it is elsewhere.
KINDS: dict[str, tuple[str, Any, type]] = {
    "claim_id": ("VARCHAR", pa.types.is_large_string, str),
    "claim_line_number": ("BIGINT", pa.types.is_int64, int),
    "claim_line_start_date": ("DATE", pa.types.is_date32, date),
    "billed_units": ("DECIMAL(18,6)", pa.types.is_decimal, Decimal),
    "charge_amount": ("DECIMAL(18,2)", pa.types.is_decimal, Decimal),
    "governed": ("BOOLEAN", pa.types.is_boolean, bool),
    "primary_reason": ("VARCHAR", pa.types.is_large_string, str),
    "edit_ids": ("VARCHAR[]", pa.types.is_large_list, list),
}


@pytest.fixture
def file(run: Path) -> Path:
    return run / "flagged_lines.parquet"


@pytest.fixture
def lines(run: Path) -> list[dict[str, Any]]:
    return rows(run, "flagged_lines")


def test_duckdb_has_its_types_and_values(file: Path, lines: list[dict[str, Any]]) -> None:
    with duckdb.connect() as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
        types = {name: kind for name, kind, *_ in described}
        assert {name: types[name] for name in KINDS} == {n: k for n, (k, _, _) in KINDS.items()}
        found = connection.execute(f"SELECT * FROM '{file}'")
        names = [column[0] for column in found.description or []]
        read = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert {row.pop("run_id") for row in read} == {"tonight"}  # out of the folder's name
    assert read == lines


def test_duckdb_answers_a_question_of_an_analyst(file: Path, lines: list[dict[str, Any]]) -> None:
    with duckdb.connect() as connection:
        answer = connection.execute(
            f"SELECT disposition, sum(charge_at_stake) FROM '{file}' "
            "WHERE claim_line_start_date >= DATE '2026-01-01' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    expected: dict[str, Decimal] = {}
    for line in lines:
        if line["claim_line_start_date"] >= date(2026, 1, 1):
            so_far = expected.get(line["disposition"], Decimal(0))
            expected[line["disposition"]] = so_far + line["charge_at_stake"]
    assert answer == sorted(expected.items())


def test_duckdb_opens_the_tables_of_a_run_together(run: Path) -> None:
    with duckdb.connect() as connection:
        unmatched = connection.execute(
            f"SELECT count(*) FROM '{run}/findings.parquet' "
            f"ANTI JOIN '{run}/lines.parquet' USING (claim_id, claim_line_number)"
        ).fetchone()
    assert unmatched == (0,)


def test_pyarrow_has_its_types_and_values(file: Path, lines: list[dict[str, Any]]) -> None:
    schema = pq.read_schema(file)
    assert [n for n, (_, is_kind, _) in KINDS.items() if not is_kind(schema.field(n).type)] == []
    assert pq.ParquetFile(file).read().to_pylist() == lines


def test_pandas_has_its_values(file: Path, lines: list[dict[str, Any]]) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(file)
    assert list(frame.columns) == list(lines[0])
    assert len(frame) == len(lines)
    for name, (_, _, kind) in KINDS.items():
        values = [list(v) if kind is list else v for v in frame[name]]
        assert values == [line[name] for line in lines]
    assert isinstance(frame["charge_amount"][0], Decimal)
    assert isinstance(frame["claim_line_start_date"][0], date)
    assert frame["received_date"].isna().sum() == sum(
        line["received_date"] is None for line in lines
    )


def test_what_an_analyst_reads_first_is_flat(run: Path) -> None:
    """The leading columns are numbers and text, so that a spreadsheet shows them as they are."""
    leading = table(run, "flagged_lines").select(pl.all().first()).columns[:13]
    assert leading == [
        "claim_id",
        "claim_line_number",
        "disposition",
        "charge_amount",
        "charge_at_stake",
        "primary_reason",
        "primary_edit_id",
        "primary_edit_title",
        "primary_action",
        "adjustment_codes",
        "policy_section",
        "reason_count",
        "all_reasons",
    ]


def test_a_spreadsheet_gets_every_value_as_text(
    file: Path, lines: list[dict[str, Any]], tmp_path: Path
) -> None:
    target = tmp_path / "flagged_lines.csv"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM '{file}') TO '{target}' (HEADER, DELIMITER ',')")
    with target.open(encoding="utf-8", newline="") as text:
        shown = list(csv.DictReader(text))
    assert len(shown) == len(lines)
    for row, line in zip(shown, lines, strict=True):
        for name in (
            "claim_id",
            "primary_reason",
            "all_reasons",
            "claim_line_start_date",
            "ndc_code",
        ):
            assert row[name] == ("" if line[name] is None else str(line[name]))
        for name in ("charge_amount", "charge_at_stake", "billed_units", "allowed_units"):
            assert Decimal(row[name]) == line[name]
        assert row["edit_ids"] == f"[{', '.join(line['edit_ids'])}]"


def test_a_spreadsheet_takes_no_cell_for_a_formula(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for name in ("primary_reason", "all_reasons", "adjustment_codes", "policy_section"):
            assert not (line[name] or "").startswith(("=", "+", "-", "@"))


def test_no_text_has_a_character_that_a_spreadsheet_cannot_hold(
    lines: list[dict[str, Any]],
) -> None:
    for line in lines:
        for value in line.values():
            if isinstance(value, str):
                assert all(c.isprintable() or c == "\n" for c in value)
                assert len(value) < 32_767
