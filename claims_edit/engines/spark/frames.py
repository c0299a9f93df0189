"""Frames of polars as bytes in a row of Spark, so that every value arrives as it was typed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import polars as pl
import pyarrow as pa

# A row of Spark: the part it belongs to, what it is, how many rows it holds, and the frame.
SCHEMA = "part int, kind string, rows long, frame binary"
_ARROW = pa.schema(
    [("part", pa.int32()), ("kind", pa.string()), ("rows", pa.int64()), ("frame", pa.binary())]
)
# A frame is cut so that no row of Spark grows beyond what its buffers hold.
_ROWS = 50_000

Row = tuple[int, str, int, bytes]


def packed(part: int, kind: str, frame: pl.DataFrame) -> Iterator[Row]:
    """A frame as rows of Spark; none where it is empty."""
    for piece in frame.iter_slices(_ROWS):
        if piece.height:
            buffer = io.BytesIO()
            piece.write_ipc(buffer, compression="lz4")
            yield part, kind, piece.height, buffer.getvalue()


def unpacked(frame: bytes, columns: list[str] | None = None) -> pl.DataFrame:
    """The frame, or some columns of it."""
    return pl.read_ipc(io.BytesIO(frame), columns=columns)


def batches(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """Rows of Spark, each as a batch of Arrow of its own."""
    for part, kind, count, frame in rows:
        columns = [[part], [kind], [count], [frame]]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, _ARROW, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=_ARROW)


def rows_of(received: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    """The rows of Spark that batches of Arrow hold."""
    for batch in received:
        for row in batch.to_pylist():
            yield row["part"], row["kind"], row["rows"], row["frame"]


def together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Frames of one kind as one, in one piece."""
    return pl.concat(frames, how="vertical", rechunk=True)
