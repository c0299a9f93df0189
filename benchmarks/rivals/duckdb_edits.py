"""The line edits and duplicates as DuckDB SQL, into one table: see line_edits.sql."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.rivals.command import AS_OF, REFERENCE, Inputs, parsed

SQL = Path(__file__).with_name("line_edits.sql")


def edited(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Leave the tables of line_edits.sql in the connection."""
    connection.execute("SET preserve_insertion_order = false")
    variables = {
        "claims": inputs.parquet,
        "authorizations": inputs.authorizations,
        "history": inputs.history,
        "reference": REFERENCE,
        "as_of": AS_OF,
    }
    for name, value in variables.items():
        connection.execute(f"SET VARIABLE {name} = '{value}'")
    connection.execute(SQL.read_text())


def run(inputs: Inputs) -> None:
    """Edit, and write the one table."""
    with duckdb.connect() as connection:
        edited(connection, inputs)
        connection.execute(f"COPY edited TO '{inputs.out}' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    run(parsed("duckdb_edits"))
