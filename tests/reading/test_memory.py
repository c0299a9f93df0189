"""Memory grows with the lines in scope, not with the extract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.reading.measured import STATUS
from tests.reading.rows import claim
from tests.support import PROJECT

IN_SCOPE = 1_000
SMALL, LARGE = 1_000_000, 3_000_000
# Rows that replace or void a claim are held some ten thousands at a time, until they are looked at. The
# larger CSV file is 240 MiB larger; what is read ahead of it differs by some tens from time to time.
MOST_MIB, MOST_GROWTH_MIB = 600, 150

pytestmark = pytest.mark.skipif(
    not STATUS.exists(), reason="this kernel does not tell a process's own memory"
)


def generated(rows: int) -> pl.LazyFrame:
    """Rows of which a thousand, spread evenly, are in scope, every other by its NDC."""
    n = pl.int_range(pl.len(), dtype=pl.Int64)
    hit = n % (rows // IN_SCOPE) == 0
    odd = (n // (rows // IN_SCOPE)) % 2 == 1
    fixed = {c: v for c, v in claim().items() if c not in ("claim_id", "member_id", "hcpcs_code")}
    return (
        pl.LazyFrame({"row": pl.repeat(0, rows, dtype=pl.Int8, eager=True)})
        .with_columns(
            claim_id=pl.format("2026-{}-as-long-as-claim-ids-are", n),
            member_id=pl.format("M{}", n * 7919 % 100_000),
            hcpcs_code=pl.when(hit & ~odd)
            .then(pl.lit("x0001 "))
            .otherwise(pl.format("Y{}", n % 5000)),
            ndc_code=pl.when(hit & odd)
            .then(pl.lit("n41234-0056-01"))
            .otherwise(pl.format("99999-{}-01", 1000 + n % 9000)),
            diagnosis_code_1=pl.format("M{}", n % 997),
            claim_frequency_code=pl.when(n % 50 == 1).then(pl.lit("7")),
            original_claim_id=pl.when(n % 50 == 1).then(pl.format("2026-{}", n - 1)),
            **{c: pl.lit(v) for c, v in fixed.items()},
        )
        .drop("row")
    )


def peak_of_reading(path: Path) -> int:
    """The peak of a process that reads the file, in MiB.

    Of a CSV file polars reads some hundreds of MiB ahead: little, so that growth shows in small files.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.reading.measured", str(path)],
        cwd=PROJECT,
        env=os.environ | {"POLARS_CSV_CHUNK_SIZE": "1000000"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak = map(int, done.stdout.split())
    assert rows == IN_SCOPE
    return peak


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_lines_out_of_scope_cost_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"claims{suffix}"
    peaks = []
    for rows in (SMALL, LARGE):
        if suffix == ".csv":
            generated(rows).sink_csv(path)
        else:
            generated(rows).sink_parquet(path, row_group_size=200_000, compression="lz4")
        peaks.append(peak_of_reading(path))
    path.unlink()
    assert max(peaks) < MOST_MIB
    growth = peaks[1] - peaks[0]
    assert growth < MOST_GROWTH_MIB
