"""The options that rivals share. Imports nothing that is not needed to parse them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
REFERENCE = PROJECT / "reference_data"
AS_OF = "2026-09-30"


@dataclass(frozen=True)
class Inputs:
    """What a rival reads, and the one table that it writes."""

    claims: Path
    out: Path
    authorizations: Path
    history: Path

    @property
    def parquet(self) -> str:
        """The claims as a pattern."""
        return f"{self.claims}/*.parquet"


def parsed(prog: str, *, facts: bool = True) -> Inputs:
    """The inputs that the command line names; with `facts`, also authorizations and history."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.rivals.{prog}")
    parser.add_argument("--claims", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("--authorizations", type=Path, required=facts)
    parser.add_argument("--history", type=Path, required=facts)
    options = parser.parse_args()
    nothing = Path()
    return Inputs(
        options.claims, options.out, options.authorizations or nothing, options.history or nothing
    )
