"""CSV files: whether they are whole, and their columns piece by piece; and what is said of a file that
cannot be read."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from claims_edit.errors import InputError

GZIP_CHUNK = 1 << 20
_TAIL = 1 << 16
_CSV_PIECE = 1 << 23


def require_whole_gzip(name: str, path: Path, most: int | None) -> None:
    """A gzip file that was cut short reads as fewer lines, without a word: look through it first, or
    through the `most` bytes of its beginning."""
    decompressor = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while (most is None or file.tell() < most) and (chunk := file.read(GZIP_CHUNK)):
                while chunk:
                    decompressor.decompress(chunk)
                    chunk = decompressor.unused_data
                    if decompressor.eof and chunk:
                        decompressor = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise InputError(f"{name}: {path}: not a readable gzip file; send it again.") from error
    if not decompressor.eof and (most is None or path.stat().st_size <= most):
        raise InputError(f"{name}: {path}: the gzip file is cut short; send it again, whole.")


def require_whole_csv(name: str, path: Path) -> None:
    """A CSV file that was cut short ends within a line, and the rest of that line reads as null."""
    with path.open("rb") as file:
        header = file.readline()
        file.seek(max(path.stat().st_size - _TAIL, 0))
        tail = file.read()
    last = tail.rpartition(b"\n")[2]
    plain = b'"' not in last + header and b"\0" not in header
    if last and plain and last.count(b",") < header.count(b","):
        raise InputError(
            f"{name}: {path}: the file ends within a line, as if cut short; send it again, whole."
        )


def csv_pieces(
    name: str, path: Path, columns: list[str], text: BinaryIO | None = None
) -> Iterator[Any]:
    """Columns of a CSV file, or of a `text` that is a piece of it, as texts, as Arrow record batches: one
    is read while the one before it is worked on. Every line must have as many fields as the header.

    polars fills a line that is short with nulls, and says nothing; pyarrow counts the fields.
    """
    from pyarrow import ArrowInvalid, csv, string

    reading = {
        "read_options": csv.ReadOptions(block_size=_CSV_PIECE),
        "parse_options": csv.ParseOptions(newlines_in_values=True),
        "convert_options": csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    }
    try:
        with (
            csv.open_csv(path if text is None else text, **reading) as pieces,
            ThreadPoolExecutor(1) as pool,
        ):
            ahead = pool.submit(next, pieces, None)
            while (piece := ahead.result()) is not None:
                ahead = pool.submit(next, pieces, None)
                yield piece
    except ArrowInvalid as error:
        fields = re.search(r"Expected (\d+) columns, got (\d+)", str(error))
        if fields is None:
            if "Empty CSV" in str(error):
                return
            raise unreadable(name, path, error) from error
        raise InputError(
            f"{name}: {path}: a line has {fields[2]} fields, and the header {fields[1]}; write the "
            "file again with every field of every line."
        ) from error
    except OSError as error:
        raise unreadable(name, path, error) from error


def unreadable(name: str, path: Path, error: BaseException) -> InputError:
    """What is said of a file that cannot be read."""
    if isinstance(error, pl.exceptions.NoDataError):
        return InputError(f"{name}: {path}: the file is empty; it needs at least a header line.")
    text = str(error)
    if "utf-8" in text.lower():
        return InputError(f"{name}: {path}: not UTF-8 text; convert the file to UTF-8.")
    if path.name.lower().endswith(".parquet"):
        return InputError(f"{name}: {path}: not a whole Parquet file; write or copy it again.")
    if "Truncated compressed" in text:
        return InputError(f"{name}: {path}: the gzip file is cut short; send it again, whole.")
    if "zlib" in text:
        return InputError(f"{name}: {path}: not a readable gzip file; send it again.")
    if isinstance(error, OSError):
        return InputError(
            f"{name}: {path}: cannot be read: {error.strerror or 'input/output error'}."
        )
    return InputError(
        f"{name}: {path}: not well-formed CSV (a stray quote, or a line with more fields than the "
        "header); write it again with every field that holds a quote or comma quoted."
    )
