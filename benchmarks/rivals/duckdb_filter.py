"""DuckDB finds the lines of the drug in every notation, and writes all their columns."""

from __future__ import annotations

import duckdb

from benchmarks.rivals.command import Inputs, parsed

# Every notation of the two products: neither labeler nor product has a leading zero to leave out.
NDC = r"(?i)^\s*(N4)?70020-?191[01]-?[0-9]{1,2}\s*$"


def run(inputs: Inputs) -> None:
    """Filter by the normalised code and product, and write what is left."""
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"""
            COPY (
                SELECT * FROM read_parquet('{inputs.parquet}')
                WHERE upper(trim(hcpcs_code)) = 'J9207' OR regexp_matches(ndc_code, '{NDC}')
            ) TO '{inputs.out}' (FORMAT parquet, COMPRESSION zstd)
            """
        )


if __name__ == "__main__":
    run(parsed("duckdb_filter", facts=False))
