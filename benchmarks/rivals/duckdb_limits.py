"""The line edits and the two windows of the limits as DuckDB SQL; prints what the windows took."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

from benchmarks.rivals.command import Inputs, parsed
from benchmarks.rivals.duckdb_edits import edited

SQL = Path(__file__).with_name("limits.sql")


def run(inputs: Inputs) -> float:
    """Edit, limit, and write what each line is allowed; the seconds that the limits took."""
    with duckdb.connect() as connection:
        edited(connection, inputs)
        begun = time.perf_counter()
        connection.execute(SQL.read_text())
        seconds = time.perf_counter() - begun
        connection.execute(f"COPY limited TO '{inputs.out}' (FORMAT parquet, COMPRESSION zstd)")
    return seconds


if __name__ == "__main__":
    print(f"{run(parsed('duckdb_limits')):.3f}")
