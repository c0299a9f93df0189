"""Files to LazyFrames. Formats are added here and nowhere else."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from claims_edit.csv_files import (
    GZIP_CHUNK,
    Text,
    csv_pieces,
    require_whole_csv,
    require_whole_gzip,
    unreadable,
)
from claims_edit.errors import InputError
from claims_edit.normalise import as_text, can_read
from claims_edit.pandera_alone import pa
from claims_edit.schemas import polars_type

_Frame = TypeVar("_Frame", pl.LazyFrame, pl.DataFrame)
SUFFIXES = (".parquet", ".csv", ".csv.gz")
_SHOWN = 10_000
_ROWS = 50_000
_PIECE = 1 << 18
# What polars raises on a file that it cannot read; on some damaged Parquet files it panics.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True)
class SourceFile:
    """One file of an extract, its columns that the schema knows, unread; or rows `held` in its place."""

    path: Path
    frame: pl.LazyFrame
    columns: dict[str, pl.DataType]
    names: dict[str, str]
    stamp: tuple[int, int]
    held: bool = False

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file; else it is CSV."""
        return self.path.name.lower().endswith(".parquet")

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Where the pieces of a Parquet file begin, and how many rows they have: whole row groups, since
        each is decoded from its beginning. Raises OSError where its footer cannot be read."""
        from pyarrow import ArrowException, parquet

        if self.held:
            yield 0, int(self.frame.select(pl.len()).collect().item())
            return
        try:
            metadata = parquet.read_metadata(self.path)
        except ArrowException as error:
            raise OSError(f"{self.path}: {error}") from error
        first = rows = 0
        for group in range(metadata.num_row_groups):
            rows += metadata.row_group(group).num_rows
            if rows >= _PIECE or group == metadata.num_row_groups - 1:
                yield first, rows
                first, rows = first + rows, 0


@dataclass(frozen=True)
class Extract:
    """The files of one input as one LazyFrame: every known column, in its files' own types."""

    name: str
    files: tuple[SourceFile, ...]
    frame: pl.LazyFrame
    columns: dict[str, pl.DataType]
    counted: dict[Path, int] = field(default_factory=dict)

    def has(self, column: str) -> bool:
        """Whether any file of the extract has the column."""
        return any(column in file.columns for file in self.files)

    def row_counts(self) -> list[int]:
        """Rows of each file, in the order of `files`; those that `batches` went through are known."""
        return [self._rows(file) for file in self.files]

    def _rows(self, file: SourceFile) -> int:
        if file.is_parquet:
            return int(self._read(file, lambda f: f.frame.select(pl.len())).item())
        if file.path not in self.counted:
            first = next(iter(file.names.values()))
            pieces = csv_pieces(self.name, file.path, Text(file.path), [first])
            self.counted[file.path] = sum(piece.num_rows for piece in pieces)
        return self.counted[file.path]

    def collect(self, query: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
        """What `query` makes of the extract. Raises InputError naming the file that cannot be read."""
        try:
            return on_their_own(query(self.frame)).collect()
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
        self, wanted: pl.Expr | None = None, rows: int | None = None, *, few: bool = False
    ) -> Iterator[pl.DataFrame]:
        """The rows of the extract, or those that are wanted, in its files' order: about `rows` rows at a
        time, and at least one frame. `few` says that few are wanted: then a scan may read ahead."""
        parquet = [file for file in self.files if file.is_parquet]
        if parquet:
            condition = pl.lit(True) if wanted is None else wanted
            try:
                if few:
                    found = pl.concat(_aligned(file, self.columns) for file in parquet)
                    yield from found.filter(condition).collect_batches(
                        chunk_size=rows, maintain_order=True
                    )
                else:
                    for file in parquet:
                        whole = _aligned(file, self.columns)
                        for first, many in file.pieces():
                            yield whole.slice(first, many).filter(condition).collect()
            except _UNREADABLE as error:
                raise self._unreadable(error) from error
        for file in self.files:
            if not file.is_parquet:
                yield from self._csv_batches(file, wanted, rows or _ROWS)
        yield self.frame.clear().collect()

    def _csv_batches(
        self, file: SourceFile, wanted: pl.Expr | None, rows: int
    ) -> Iterator[pl.DataFrame]:
        """The same of one CSV file, whose rows are counted on the way."""
        found: list[pl.DataFrame] = []
        count = 0
        text = Text(file.path)
        for piece in csv_pieces(self.name, file.path, text, list(file.names.values())):
            count += piece.num_rows
            found.append(self._wanted_of(file, piece.rename_columns(list(file.names)), wanted))
            if sum(f.height for f in found) >= rows:
                yield pl.concat(found)
                found.clear()
        self.counted[file.path] = count
        if text.quoted:  # pyarrow takes a stray quote for a letter
            self._read(file, lambda f: f.frame.select(pl.all().count()))
        if found:
            yield pl.concat(found)

    def _wanted_of(self, file: SourceFile, piece: Any, wanted: pl.Expr | None) -> pl.DataFrame:
        """The rows of a record batch that are wanted. Few are, so that only these become a frame."""
        if wanted is not None:
            asked = {c: t for c, t in self.columns.items() if c in wanted.meta.root_names()}
            read = pl.DataFrame(piece.select([c for c in asked if c in file.names])).lazy()
            piece = piece.filter(
                _aligned(file, asked, read).select(wanted).collect().to_series().to_arrow()
            )
        return _aligned(file, self.columns, pl.DataFrame(piece).lazy()).collect()

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
            raise unreadable(self.name, file.path, error) from error


def open_extract(
    name: str,
    paths: Sequence[str | Path],
    schema: pa.DataFrameSchema,
    *,
    sources: Sequence[str],
    fallbacks: dict[str, tuple[str, ...]],
    filled: frozenset[str] = frozenset(),
    in_batches: bool = False,
) -> Extract:
    """Open the files of one extract without reading their rows.

    One that is read `in_batches` first of all is not looked through for a cut end: that would be found
    then. `sources` are all columns that are read; `fallbacks` the columns that may stand in for a
    required one; `filled` the required columns that another extract can supply.
    Raises InputError for a path without files, an unreadable file, a missing required column, or a
    column of a type that cannot be read.
    """
    files = [_open(name, path, sources, whole=in_batches) for path in resolve(name, paths)]
    for file in files:
        _require_columns(name, file, schema, fallbacks, filled)
        _require_types(name, file, schema, fallbacks)
    columns = {column: _common_type(column, files) for column in sources}
    frames = [_aligned(file, columns) for file in files]
    return Extract(name, tuple(files), pl.concat(frames, how="vertical"), columns)


def of_text(
    name: str, shown: str, text: bytes, like: SourceFile, columns: dict[str, pl.DataType]
) -> Iterator[pl.DataFrame]:
    """Lines of a CSV file that is like another, its header first, as rows of an extract.

    Raises InputError naming the file that they are of, `shown`, where they cannot be read.
    """
    for piece in csv_pieces(name, Path(shown), Text(text), list(like.names.values())):
        rows = pl.DataFrame(piece.rename_columns(list(like.names)))
        yield _aligned(like, columns, rows.lazy()).collect()


def of_frame(rows: pl.DataFrame, like: SourceFile, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    """Rows of a file that is like another, typed as that one is, as rows of an extract."""
    return _aligned(like, columns, rows.lazy()).collect()


def of_rows(name: str, rows: Sequence[Mapping[str, str | None]], sources: Sequence[str]) -> Extract:
    """Rows of text as an extract of no files."""
    schema = dict.fromkeys(sources, pl.String())
    return of_held(name, pl.DataFrame(rows, schema=schema), dict(schema))


def of_held(name: str, rows: pl.DataFrame, present: dict[str, pl.DataType]) -> Extract:
    """Rows that are held, in their own types, as an extract of no files; `present` are its columns that
    are not null for want of a file that has them."""
    frame = rows.lazy()
    file = SourceFile(Path(f"{name}.parquet"), frame, present, {}, (-1, -1), held=True)
    return Extract(name, (file,), frame, dict(rows.schema))


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


def _open(name: str, path: Path, sources: Sequence[str], *, whole: bool) -> SourceFile:
    """Open one file; unless it is taken to be `whole`, look through a gzip file for that."""
    try:
        stamp = _stamp(path)
        if path.name.lower().endswith(".gz"):
            require_whole_gzip(name, path, most=GZIP_CHUNK if whole else None)
        elif path.name.lower().endswith(".csv"):
            require_whole_csv(name, path)
        frame = _scan(path)
        header = frame.collect_schema()
    except _UNREADABLE as error:
        raise unreadable(name, path, error) from error
    if any("\r" in column for column in header.names()):
        raise InputError(f"{name}: {path}: lines end in CR alone; end them in LF or CR LF.")
    names = {column.strip().lstrip("\ufeff"): column for column in header.names()}
    for column in names:
        base = column.removesuffix("_duplicated_0")
        if base != column and base in sources:
            raise InputError(f"{name}: {path}: the column {base} occurs twice; keep one.")
    known = {column: header[names[column]] for column in sources if column in names}
    chosen = frame.select(pl.col(names[c]).alias(c) for c in known)
    return SourceFile(path, chosen, known, {c: names[c] for c in known}, stamp)


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


def on_their_own(frame: _Frame) -> _Frame:
    """The same rows with texts of their own: a text that is read shares the memory of the piece of
    the file it stood in, and few rows would keep all of it."""
    texts = [c for c, t in frame.lazy().collect_schema().items() if t == pl.String]
    return frame.with_columns(pl.col(texts) + "")


def _common_type(column: str, files: Iterable[SourceFile]) -> pl.DataType:
    types = {file.columns[column] for file in files if column in file.columns}
    return types.pop() if len(types) == 1 else pl.String()


def _aligned(
    file: SourceFile, columns: dict[str, pl.DataType], frame: pl.LazyFrame | None = None
) -> pl.LazyFrame:
    """The file's frame, or a piece of it, with every column of `columns`, null where it lacks one."""

    def aligned(column: str, target: pl.DataType) -> pl.Expr:
        if column not in file.columns:
            return pl.lit(None, dtype=target).alias(column)
        source = file.columns[column]
        value = pl.col(column) if source == target else as_text(column, source)
        return value.alias(column)

    whole = file.frame if frame is None else frame
    return whole.select(aligned(c, t) for c, t in columns.items())
