"""Makes the extracts that are measured, and keeps them for the next time.

    python -m benchmarks.generate sparse --lines 20000000
    python -m benchmarks.generate gzip --lines 5000000
    python -m benchmarks.generate dense --lines 5000000 [--variant heavy-member|all-over]

Each goes to a folder of its own under build/bench, with `made.json` written last: what it was made with,
and what is known of it. What stands there already, made with the same, is taken as it is.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from benchmarks.dense import Dense
from benchmarks.sparse import Sparse

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / "build" / "bench"
CHUNK = 1 << 20
ROW_GROUP = 1 << 18
CHUNKS_OF_FILE = 5
KINDS = ("sparse", "gzip", "dense")


@dataclass(frozen=True)
class Made:
    """An extract on disk, and what is known of it."""

    folder: Path
    known: dict[str, Any]

    @property
    def claims(self) -> Path:
        """The claims: a folder of Parquet files, or one gzipped CSV file."""
        packed = self.folder / "claims.csv.gz"
        return packed if packed.exists() else self.folder / "claims"

    @property
    def authorizations(self) -> Path:
        return self.folder / "authorizations.parquet"

    @property
    def history(self) -> Path | None:
        """Lines allowed elsewhere, where there are any."""
        path = self.folder / "history.parquet"
        return path if path.exists() else None


def make(kind: str, lines: int, variant: str = "", *, into: Path = FOLDER, seed: int = 1) -> Made:
    """The extract, made unless it stands."""
    name = "-".join(part for part in (kind, str(lines), variant) if part)
    folder = into / name
    wanted = {"kind": kind, "lines": lines, "variant": variant, "seed": seed, "code": _code()}
    noted = folder / "made.json"
    if noted.exists():
        known = json.loads(noted.read_text())
        if known["with"] == wanted:
            return Made(folder, known)
    begun = time.perf_counter()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = Dense(lines, variant, seed) if kind == "dense" else Sparse(lines, seed)
    if kind == "gzip":
        _write_gzip(folder / "claims.csv.gz", source.chunks(CHUNK))
    else:
        _write_parquet(folder / "claims", source.chunks(CHUNK))
    source.authorizations().write_parquet(folder / "authorizations.parquet", compression="zstd")
    if isinstance(source, Dense):
        source.history().write_parquet(folder / "history.parquet", compression="zstd")
    known = {
        "with": wanted,
        "facts": source.facts(),
        "bytes": sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    noted.write_text(json.dumps(known, indent=2) + "\n")
    return Made(folder, known)


def _code() -> str:
    """A digest of the generators: made by others, an extract is another."""
    sha = hashlib.sha256()
    for name in (
        "dice",
        "layout",
        "sparse",
        "dense",
        "dense_authorizations",
        "dense_stories",
        "generate",
    ):
        sha.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return sha.hexdigest()[:16]


def _write_parquet(folder: Path, chunks: Iterable[pl.DataFrame]) -> None:
    folder.mkdir()
    left = iter(chunks)
    for place, first in enumerate(left):
        path = folder / f"part-{place:03d}.parquet"
        with pq.ParquetWriter(path, first.to_arrow().schema, compression="zstd") as writer:
            for chunk in chain([first], islice(left, CHUNKS_OF_FILE - 1)):
                writer.write_table(chunk.to_arrow(), row_group_size=ROW_GROUP)


def _write_gzip(path: Path, chunks: Iterable[pl.DataFrame]) -> None:
    with gzip.open(path, "wb", compresslevel=6) as file:
        for place, chunk in enumerate(chunks):
            file.write(chunk.write_csv(include_header=place == 0).encode())


def main() -> None:
    """Make one extract and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--variant", default="", choices=["", "heavy-member", "all-over"])
    parser.add_argument("--into", type=Path, default=FOLDER)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    made = make(options.kind, options.lines, options.variant, into=options.into, seed=options.seed)
    print(made.folder)
    print(json.dumps(made.known, indent=2))


if __name__ == "__main__":
    main()
