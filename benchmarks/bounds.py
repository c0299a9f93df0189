"""What the machine can do at best: the bounds that runs are held against.

python -m benchmarks.bounds decode PATH     read every column of every row, and drop it
python -m benchmarks.bounds copy PATH OUT   read every column, and write it again
python -m benchmarks.bounds unpack PATH     decompress a gzip file, and drop it
python -m benchmarks.bounds memory          bytes a second that memory is copied with
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHUNK = 1 << 28


def decode(path: Path) -> None:
    """Decompress and decode everything."""
    import polars as pl

    for batch in pl.scan_parquet(path / "*.parquet").collect_batches(maintain_order=False):
        del batch


def copy(path: Path, out: Path) -> None:
    """Decode everything and encode it again."""
    import polars as pl

    pl.scan_parquet(path / "*.parquet").sink_parquet(out, compression="zstd")


def unpack(path: Path) -> None:
    """Decompress a gzip file."""
    decompressor = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            decompressor.decompress(chunk)


def memory(threads: int) -> float:
    """Bytes a second that so many threads copy together."""
    import numpy as np
    from numpy.typing import NDArray

    pairs = [(np.ones(CHUNK, np.uint8), np.zeros(CHUNK, np.uint8)) for _ in range(threads)]
    rounds = 8
    for source, target in pairs:
        np.copyto(target, source)

    def work(pair: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
        for _ in range(rounds):
            np.copyto(pair[1], pair[0])

    with ThreadPoolExecutor(threads) as pool:
        begun = time.perf_counter()
        list(pool.map(work, pairs))
        seconds = time.perf_counter() - begun
    return threads * rounds * CHUNK / seconds


def main() -> None:
    """Do one of them."""
    match sys.argv[1:]:
        case ["decode", path]:
            decode(Path(path))
        case ["copy", path, out]:
            copy(Path(path), Path(out))
        case ["unpack", path]:
            unpack(Path(path))
        case ["memory"]:
            print(f"{memory(1):.0f} {memory(os.cpu_count() or 1):.0f}")
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
