"""CSV files: whether they are whole, and their columns piece by piece; and what is said of a file that
cannot be read."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl

from claims_edit.errors import InputError

GZIP_CHUNK = 1 << 20
_TAIL = 1 << 16
_CSV_PIECE = 1 << 21


def require_whole_gzip(name: str, path: Path, most: int | None) -> None:
    """A gzip file that was cut short reads as fewer lines, without a word: look through it first, or
    through about the first `most` bytes of what is in it."""
    looked = 0
    with reading(path) as file:
        try:
            while (most is None or looked < most) and (chunk := file.read(GZIP_CHUNK)):
                looked += len(chunk)
        except (EOFError, zlib.error, OSError) as error:
            raise unreadable(name, path, error) from error


def reading(path: Path) -> BinaryIO:
    """The bytes of a file, or, of a gzip file, those that are in it."""
    from isal import igzip

    if path.name.lower().endswith(".gz"):
        return cast(BinaryIO, igzip.open(path, "rb"))  # type: ignore[no-untyped-call]
    return path.open("rb")


class Text:
    """The bytes of a CSV file, or of a piece of one, as they are read, and whether a quote was among
    them."""

    def __init__(self, file: Path | bytes) -> None:
        self._file = io.BytesIO(file) if isinstance(file, bytes) else reading(file)
        self.quoted = False

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._file.closed

    def read(self, many: int) -> bytes:
        """The next bytes."""
        read = self._file.read(many)
        self.quoted = self.quoted or b'"' in read
        return read

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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


def csv_pieces(name: str, path: Path, text: Text, columns: list[str]) -> Iterator[Any]:
    """Columns of a CSV file as texts, as Arrow record batches: a piece is read while the one before it is
    worked on. Every line must have as many fields as the header.

    polars fills a line that is short with nulls, and says nothing; pyarrow counts the fields.
    """
    from pyarrow import ArrowInvalid, csv, string

    options = {
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
        with closing(text), csv.open_csv(text, **options) as pieces, ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(next, pieces, None)
            while (piece := ahead.result()) is not None:
                ahead = pool.submit(next, pieces, None)
                yield piece
    except ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise _malformed(name, path, error) from error
    except (EOFError, zlib.error, OSError) as error:
        raise unreadable(name, path, error) from error


def _malformed(name: str, path: Path, error: BaseException) -> InputError:
    fields = re.search(r"Expected (\d+) columns, got (\d+)", str(error))
    if fields is None:
        return unreadable(name, path, error)
    header, line = int(fields[1]), int(fields[2])
    return InputError(
        f"{name}: {path}: a line has {line} fields, {'more' if line > header else 'fewer'} fields than "
        f"the header's {header}; write the file again with every field of every line, and those that "
        "hold a quote or comma quoted."
    )


def unreadable(name: str, path: Path, error: BaseException) -> InputError:
    """What is said of a file that cannot be read."""
    if isinstance(error, pl.exceptions.NoDataError):
        return InputError(f"{name}: {path}: the file is empty; it needs at least a header line.")
    text = str(error)
    if "utf-8" in text.lower():
        return InputError(f"{name}: {path}: not UTF-8 text; convert the file to UTF-8.")
    if path.name.lower().endswith(".parquet"):
        return InputError(f"{name}: {path}: not a whole Parquet file; write or copy it again.")
    if isinstance(error, EOFError):
        return InputError(f"{name}: {path}: the gzip file is cut short; send it again, whole.")
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return InputError(f"{name}: {path}: not a readable gzip file; send it again.")
    if isinstance(error, OSError):
        return InputError(
            f"{name}: {path}: cannot be read: {error.strerror or 'input/output error'}."
        )
    return InputError(
        f"{name}: {path}: not well-formed CSV (a stray quote, or a line with more fields than the "
        "header); write it again with every field that holds a quote or comma quoted."
    )
