"""The naive oracle of the tests: plain Python, a line at a time, every other line looked at for each.

It edits the whole night with all limits. Prints the seconds that editing took, reading not counted.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.rivals.command import AS_OF, REFERENCE, Inputs, parsed
from tests.oracle.oracle import edit_night

Raw = dict[str, str | None]


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of Parquet files."""
    return list(pq.read_table(path).to_pylist())


def as_text(row: dict[str, Any]) -> Raw:
    """A row as a text file would have it."""
    return {name: None if value is None else str(value) for name, value in row.items()}


def run(inputs: Inputs) -> float:
    """Edit, and write what was found."""
    claims = [as_text(row) for row in rows(inputs.claims)]
    authorizations = [as_text(row) for row in rows(inputs.authorizations)]
    past = rows(inputs.history)
    begun = time.perf_counter()
    night = edit_night(
        claims,
        authorizations,
        None,
        reference_dir=REFERENCE,
        policy_id="prime-ic-0072",
        as_of=date.fromisoformat(AS_OF),
        elsewhere=past,
    )
    seconds = time.perf_counter() - begun
    columns = ("claim_id", "claim_line_number", "edit_ids", "unknown_edit_ids")
    of_text = pa.list_(pa.string())
    table = pa.table(
        {
            name: pa.array(
                [line[name] for line in night.lines],
                of_text if name.endswith("edit_ids") else None,
            )
            for name in columns
        }
    )
    pq.write_table(table, inputs.out, compression="zstd")
    return seconds


if __name__ == "__main__":
    print(f"{run(parsed('oracle')):.3f}")
