"""The least that a program on polars can do: read all columns, keep the drug's lines, write them.

It keeps those whose HCPCS code is spelt as it should be, and no others: no notation, no NDC.
"""

from __future__ import annotations

import polars as pl

from benchmarks.rivals.command import Inputs, parsed


def run(inputs: Inputs) -> None:
    """Filter by one equality, and write what is left."""
    packed = inputs.claims.suffix == ".gz"
    claims = (
        pl.scan_csv(inputs.claims, infer_schema=False)
        if packed
        else pl.scan_parquet(inputs.parquet)
    )
    kept = claims.filter(pl.col("hcpcs_code") == "J9207").collect()
    kept.write_parquet(inputs.out, compression="zstd")


if __name__ == "__main__":
    run(parsed("floor", facts=False))
