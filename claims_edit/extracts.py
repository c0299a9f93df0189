"""Files to LazyFrames. Formats are added here and nowhere else."""

from __future__ import annotations

import glob
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import polars as pl

from claims_edit.errors import InputError
from claims_edit.normalise import as_text, can_read
from claims_edit.pandera_alone import pa
from claims_edit.schemas import polars_type

_Frame = TypeVar("_Frame", pl.LazyFrame, pl.DataFrame)
SUFFIXES = (".parquet", ".csv", ".csv.gz")
_SHOWN = 10_000
_GZIP_CHUNK = 1 << 20
_TAIL = 1 << 16
# What polars raises on a file that it cannot read; on some damaged Parquet files it panics.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True)
class SourceFile:
    """One file of an extract, its columns that the schema knows, unread.

    `names` are those columns' names in the file itself, where blanks may stand around them.
    """

    path: Path
    frame: pl.LazyFrame
    columns: dict[str, pl.DataType]
    first_column: str
    stamp: tuple[int, int]
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Extract:
    """The files of one input as one LazyFrame: every known column, in its files' own types."""

    name: str
    files: tuple[SourceFile, ...]
    frame: pl.LazyFrame
    columns: dict[str, pl.DataType]

    def has(self, column: str) -> bool:
        """Whether any file of the extract has the column."""
        return any(column in file.columns for file in self.files)

    def row_counts(self) -> list[int]:
        """Rows of each file, in the order of `files`."""
        return [self._rows(file) for file in self.files]

    def _rows(self, file: SourceFile) -> int:
        if file.path.name.lower().endswith(".parquet"):
            return int(self._read(file, lambda f: f.frame.select(pl.len())).item())
        return _csv_rows(self.name, file.path, file.path, file.first_column)

    def collect(self, query: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
        """What `query` makes of the extract. Raises InputError naming the file that cannot be read."""
        try:
            return _on_their_own(query(self.frame)).collect()
        except _UNREADABLE as error:
            raise self._unreadable(error) from error

    def share(self, condition: pl.Expr) -> float:
        """The share of the first rows that meet a condition."""
        shown = self.collect(lambda f: f.head(_SHOWN).select(condition.fill_null(False).mean()))
        return float(shown.item() or 0)

    def _unreadable(self, error: BaseException) -> InputError:
        """What is said of the first file that cannot be read."""
        for file in self.files:
            self._read(file, lambda f: f.frame.select(pl.all().count()))
        return InputError(
            f"{self.name}: cannot be read ({type(error).__name__}); check the files of the extract."
        )

    def batches(
        self,
        query: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda frame: frame,
        rows: int | None = None,
        *,
        own: bool = True,
    ) -> Iterator[pl.DataFrame]:
        """What `query` makes of the extract, row by row, in its files' order: about `rows` rows at a
        time, and at least one frame; with texts of their `own`, unless nearly all of them are kept."""
        none = self.frame.clear()
        try:
            batches = query(self.frame).collect_batches(chunk_size=rows, maintain_order=True)
            yield from map(_on_their_own, batches) if own else batches
        except _UNREADABLE as error:
            raise self._unreadable(error) from error
        yield query(none).collect()

    def require_unchanged(self) -> None:
        """Raises InputError where a file is no longer what it was when it was opened."""
        for file in self.files:
            if _stamp(file.path) != file.stamp:
                raise InputError(
                    f"{self.name}: {file.path}: changed while it was read; run again when it is whole."
                )

    def _read(self, file: SourceFile, query: Callable[[SourceFile], pl.LazyFrame]) -> pl.DataFrame:
        try:
            return query(file).collect()
        except _UNREADABLE as error:
            raise _unreadable(self.name, file.path, error) from error


def open_extract(
    name: str,
    paths: Sequence[str | Path],
    schema: pa.DataFrameSchema,
    *,
    sources: Sequence[str],
    fallbacks: dict[str, tuple[str, ...]],
    filled: frozenset[str] = frozenset(),
) -> Extract:
    """Open the files of one extract without reading their rows.

    `sources` are all columns that are read; `fallbacks` the columns that may stand in for a
    required one; `filled` the required columns that another extract can supply.
    Raises InputError for a path without files, an unreadable file, a missing required column, or a
    column of a type that cannot be read.
    """
    files = [_open(name, path, sources) for path in resolve(name, paths)]
    for file in files:
        _require_columns(name, file, schema, fallbacks, filled)
        _require_types(name, file, schema, fallbacks)
    columns = {column: _common_type(column, files) for column in sources}
    frames = [aligned(file, columns) for file in files]
    return Extract(name, tuple(files), pl.concat(frames, how="vertical"), columns)


def of_rows(name: str, rows: Sequence[Mapping[str, str | None]], sources: Sequence[str]) -> Extract:
    """Rows of text as an extract of no files."""
    schema = dict.fromkeys(sources, pl.String())
    frame = pl.DataFrame(rows, schema=schema).lazy()
    file = SourceFile(Path(name), frame, dict(schema), sources[0], (-1, -1))
    return Extract(name, (file,), frame, dict(schema))


def resolve(name: str, paths: Sequence[str | Path]) -> list[Path]:
    """The files that paths, folders and patterns name. Raises InputError for one that names none."""
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            matches = [p for p in path.rglob("*") if p.is_file() and _is_data(p, path)]
            problem = f"the folder holds no {', '.join(SUFFIXES)} file"
        elif path.exists():
            if not _has_known_suffix(path):
                raise InputError(
                    f"{name}: {path}: not a format that is read; give {', '.join(SUFFIXES)} files."
                )
            matches, problem = [path], ""
        else:
            hits = [Path(p) for p in glob.glob(str(given), recursive=True)]  # noqa: PTH207
            matches = [p for p in hits if p.is_file() and _has_known_suffix(p)]
            problem = "no such file, folder or match of the pattern"
        if not matches:
            raise InputError(f"{name}: {path}: {problem}; check --{name}.")
        found.extend(matches)
    return sorted({path.resolve(): path for path in reversed(found)}.values())


def _is_data(path: Path, folder: Path) -> bool:
    """A file of a format that is read, and not in a hidden or temporary place of the folder."""
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return not hidden and _has_known_suffix(path)


def _has_known_suffix(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def _open(name: str, path: Path, sources: Sequence[str]) -> SourceFile:
    try:
        stamp = _stamp(path)
        if path.name.lower().endswith(".gz"):
            _require_whole_gzip(name, path)
        elif path.name.lower().endswith(".csv"):
            _require_whole_csv(name, path)
        frame = _scan(path)
        header = frame.collect_schema()
    except _UNREADABLE as error:
        raise _unreadable(name, path, error) from error
    if any("\r" in column for column in header.names()):
        raise InputError(f"{name}: {path}: lines end in CR alone; end them in LF or CR LF.")
    names = {column.strip().lstrip("\ufeff"): column for column in header.names()}
    for column in names:
        base = column.removesuffix("_duplicated_0")
        if base != column and base in sources:
            raise InputError(f"{name}: {path}: the column {base} occurs twice; keep one.")
    known = {column: header[names[column]] for column in sources if column in names}
    names = {column: names[column] for column in known}
    return SourceFile(path, _chosen(frame, names), known, header.names()[0], stamp, names)


def _chosen(frame: pl.LazyFrame, names: Mapping[str, str]) -> pl.LazyFrame:
    return frame.select(pl.col(name).alias(column) for column, name in names.items())


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _scan(path: Path) -> pl.LazyFrame:
    if path.name.lower().endswith(".parquet"):
        return pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return pl.scan_csv(path, infer_schema=False, glob=False)


def _require_whole_gzip(name: str, path: Path) -> None:
    """A gzip file that was cut short reads as fewer lines, without a word: look at its end first."""
    decompressor = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_GZIP_CHUNK):
                while chunk:
                    decompressor.decompress(chunk)
                    chunk = decompressor.unused_data
                    if decompressor.eof and chunk:
                        decompressor = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise InputError(f"{name}: {path}: not a readable gzip file; send it again.") from error
    if not decompressor.eof:
        raise InputError(f"{name}: {path}: the gzip file is cut short; send it again, whole.")


def _require_whole_csv(name: str, path: Path) -> None:
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


def read_text(name: str, shown: str, text: bytes, like: SourceFile) -> tuple[SourceFile, int]:
    """CSV text, its header line first, as a file like another, and how many rows it has.

    Raises InputError naming the file that it is a piece of, `shown`, where it cannot be read.
    """
    rows = _csv_rows(name, shown, io.BytesIO(text), like.first_column)
    try:
        frame = _chosen(pl.read_csv(io.BytesIO(text), infer_schema=False).lazy(), like.names)
    except _UNREADABLE as error:
        raise _unreadable(name, shown, error) from error
    return replace(like, frame=frame), rows


def _csv_rows(name: str, shown: str | Path, source: Path | io.BytesIO, first_column: str) -> int:
    """Rows of CSV text, every one of which has as many fields as the header.

    polars fills a line that is short with nulls, and says nothing; pyarrow counts the fields.
    """
    from pyarrow import ArrowInvalid, csv, string

    reading = {
        "read_options": csv.ReadOptions(block_size=1 << 23),
        "parse_options": csv.ParseOptions(newlines_in_values=True),
        "convert_options": csv.ConvertOptions(
            include_columns=[first_column], column_types={first_column: string()}
        ),
    }
    try:
        with csv.open_csv(source, **reading) as batches:
            return sum(batch.num_rows for batch in batches)
    except ArrowInvalid as error:
        fields = re.search(r"Expected (\d+) columns, got (\d+)", str(error))
        if fields is None:
            if "Empty CSV" in str(error):
                return 0
            raise _unreadable(name, shown, error) from error
        raise InputError(
            f"{name}: {shown}: a line has {fields[2]} fields, and the header {fields[1]}; write the "
            "file again with every field of every line."
        ) from error


def _unreadable(name: str, path: str | Path, error: BaseException) -> InputError:
    if isinstance(error, pl.exceptions.NoDataError):
        return InputError(f"{name}: {path}: the file is empty; it needs at least a header line.")
    text = str(error)
    if "utf-8" in text.lower():
        return InputError(f"{name}: {path}: not UTF-8 text; convert the file to UTF-8.")
    if str(path).lower().endswith(".parquet"):
        return InputError(f"{name}: {path}: not a whole Parquet file; write or copy it again.")
    if isinstance(error, OSError):
        return InputError(
            f"{name}: {path}: cannot be read: {error.strerror or 'input/output error'}."
        )
    return InputError(
        f"{name}: {path}: not well-formed CSV (a stray quote, or a line with more fields than the "
        "header); write it again with every field that holds a quote or comma quoted."
    )


def _require_columns(
    name: str,
    file: SourceFile,
    schema: pa.DataFrameSchema,
    fallbacks: dict[str, tuple[str, ...]],
    filled: frozenset[str],
) -> None:
    for column, declared in schema.columns.items():
        stand_ins = fallbacks.get(column, ())
        if declared.nullable or column in filled:
            continue
        if not any(c in file.columns for c in (column, *stand_ins)):
            also = f" (or {' or '.join(stand_ins)})" if stand_ins else ""
            has = ", ".join(file.columns) or "none (is it comma-separated UTF-8?)"
            raise InputError(
                f"{name}: {file.path}: the required column {column}{also} is missing. "
                f"Known columns of the file: {has}."
            )


def _require_types(
    name: str,
    file: SourceFile,
    schema: pa.DataFrameSchema,
    fallbacks: dict[str, tuple[str, ...]],
) -> None:
    meaning = {
        stand_in: column for column, stand_ins in fallbacks.items() for stand_in in stand_ins
    }
    for column, source in file.columns.items():
        declared = schema.columns.get(meaning.get(column, column))
        target = polars_type(declared) if declared is not None else pl.Date()
        if not can_read(source, target):
            raise InputError(
                f"{name}: {file.path}: the column {column} is of type {source}, "
                f"which cannot be read as {target}; write it as text or {target}."
            )


def _on_their_own(frame: _Frame) -> _Frame:
    """The same rows with texts of their own: a text that is read shares the memory of the piece of
    the file it stood in, and few rows would keep all of it."""
    texts = [c for c, t in frame.lazy().collect_schema().items() if t == pl.String]
    return frame.with_columns(pl.col(texts) + "")


def _common_type(column: str, files: Iterable[SourceFile]) -> pl.DataType:
    types = {file.columns[column] for file in files if column in file.columns}
    return types.pop() if len(types) == 1 else pl.String()


def aligned(file: SourceFile, columns: dict[str, pl.DataType]) -> pl.LazyFrame:
    """The file's frame with every column of `columns`, null where it lacks one."""

    def of_file(column: str, target: pl.DataType) -> pl.Expr:
        if column not in file.columns:
            return pl.lit(None, dtype=target).alias(column)
        source = file.columns[column]
        value = pl.col(column) if source == target else as_text(column, source)
        return value.alias(column)

    return file.frame.select(of_file(c, t) for c, t in columns.items())
