"""An extract as Spark scans it: files of one kind together, and a filter before anything is moved.

The filter in Spark finds too many rows rather than too few; the workers then ask `Scope` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from claims_edit.engines.spark.files import FoundFile, Located
from claims_edit.errors import InputError
from claims_edit.extracts import SourceFile, of_frame, of_text
from claims_edit.intake import VERSION_CODES
from claims_edit.lifecycle import REPLACING
from claims_edit.normalise import shortest_labeler
from claims_edit.scope import Scope

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

# Lines of CSV text that are parsed at once.
_TEXT = 16 << 20
_QUOTE = b'"'
# Spark takes a path as it is, whatever characters stand in it.
_AS_IT_IS = {"__globPaths__": "false", "recursiveFileLookup": "false"}


@dataclass(frozen=True)
class Group:
    """Files of one format whose columns are of the same names and types: Spark reads them as one.

    `like` is one of them as it was opened; `header` its first line, and `shown` the files' names for
    the user by Spark's, where they are CSV; `columns` what every row is aligned with.
    """

    name: str
    like: SourceFile
    columns: dict[str, pl.DataType]
    shown: dict[str, str]
    header: bytes | None

    def frames(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[pl.DataFrame, str]]:
        """Batches of Spark's rows as aligned raw rows, those of CSV with the file that they are of."""
        if self.header is None:
            for batch in batches:
                yield of_frame(self._typed(batch), self.like, self.columns), ""
            return
        for file, lines in _pieces(batches):
            text = self.header + b"\n".join(lines)
            shown = self.shown.get(file, file)
            _require_whole_lines(self.name, shown, text, lines)
            for rows in of_text(self.name, shown, text, self.like, self.columns):
                yield rows, file

    def _typed(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """Rows of Parquet in the types that polars finds in the file."""
        found = pl.DataFrame(pl.from_arrow(batch))
        return found.select(
            pl.col(column).cast(dtype)
            if column in found.columns
            else pl.lit(None, dtype).alias(column)
            for column, dtype in self.like.columns.items()
        )


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, list[bytes]]]:
    """Lines of text by file, about `_TEXT` bytes at a time."""
    lines: list[bytes] = []
    current, size = "", 0
    for batch in batches:
        texts, files = (batch.column(i).to_pylist() for i in range(2))
        for text, file in zip(texts, files, strict=True):
            if lines and (file != current or size > _TEXT):
                yield current, lines
                lines, size = [], 0
            current = file
            lines.append(text)
            size += len(text)
    if lines:
        yield current, lines


def _require_whole_lines(name: str, shown: str, text: bytes, lines: list[bytes]) -> None:
    """Spark hands out text line by line: a line that ends within quotes would be two halves of a row."""
    if _QUOTE in text and any(line.count(_QUOTE) % 2 for line in lines):
        raise InputError(
            f"{name}: {shown}: a field holds a line break or a single quotation mark, and Spark reads "
            "CSV line by line; write the extract as Parquet, or run with --engine polars."
        )


def groups_of(located: Located) -> list[tuple[Group, list[FoundFile]]]:
    """The files of an extract by what Spark reads as one."""
    extract = located.extract
    grouped: dict[object, list[tuple[SourceFile, FoundFile]]] = {}
    for source, file in zip(extract.files, located.files, strict=True):
        header = None if file.is_parquet else source.path.read_bytes().rstrip(b"\r\n") + b"\n"
        types = tuple((c, source.names[c], t) for c, t in source.columns.items())
        grouped.setdefault((file.is_parquet, header, types), []).append((source, file))
    groups = []
    for (_, header, _), members in grouped.items():  # type: ignore[misc]
        files = [file for _, file in members]
        like = replace(members[0][0], frame=pl.LazyFrame())
        shown = {} if header is None else {file.uri: file.shown for file in files}
        groups.append((Group(extract.name, like, extract.columns, shown, header), files))
    return groups


def scanned(
    spark: SparkSession,
    located: Located,
    wanted: Callable[[dict[str, pl.DataType]], Column] | None,
    taken: Callable[[Group], Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]],
    schema: str,
) -> DataFrame:
    """What `taken` makes of the rows of an extract that are `wanted`, of the rows of any file."""
    frames = [
        _source(spark, group, files, wanted).mapInArrow(taken(group), schema)
        for group, files in groups_of(located)
    ]
    return reduce(lambda one, other: one.unionAll(other), frames)


def _source(
    spark: SparkSession,
    group: Group,
    files: list[FoundFile],
    wanted: Callable[[dict[str, pl.DataType]], Column] | None,
) -> DataFrame:
    from pyspark.sql import functions as sql

    reader = spark.read.options(**_AS_IT_IS)
    locations = [file.location for file in files]
    if group.header is not None:
        text = reader.option("lineSep", "\n").text(locations)
        return text.select(sql.col("value").cast("binary"), sql.input_file_name())
    names = group.like.names
    read = {c: t for c, t in group.like.columns.items() if t != pl.Null}
    rows = reader.parquet(*locations).select(
        *(sql.col(f"`{names[c].replace('`', '``')}`").alias(c) for c in read)
    )
    return rows if wanted is None else rows.filter(wanted(read))


def may_be_in_scope(scope: Scope) -> Callable[[dict[str, pl.DataType]], Column]:
    """Whether Spark may leave a row out: never one that `Scope.of_raw` or a replaced claim wants.

    Texts are searched, not compared, so that blanks, case and every notation are of no account.
    """

    def wanted(columns: dict[str, pl.DataType]) -> Column:
        from pyspark.sql import functions as sql

        def text(column: str) -> Column:
            dtype = columns.get(column)
            if dtype is None:
                return sql.lit(None).cast("string")
            if dtype.is_float():
                return sql.expr(f"cast(try_cast(`{column}` as decimal(20, 0)) as string)")
            return sql.col(column).cast("string")

        def holds(column: str, parts: set[str]) -> Column:
            upper = sql.upper(text(column))
            contains = (upper.contains(part.upper()) for part in sorted(parts))
            return reduce(or_, contains, sql.lit(False))

        code = holds("hcpcs_code", {scope.hcpcs_code, *scope.partner_codes})
        product = holds("ndc_code", {shortest_labeler(product) for product in scope.products})
        replacing = (holds(column, set(REPLACING)) for column in VERSION_CODES)
        replaces = reduce(or_, (sql.coalesce(test, sql.lit(False)) for test in replacing))
        version = text("original_claim_id").isNotNull() & replaces
        found = (sql.coalesce(test, sql.lit(False)) for test in (code, product, version))
        return reduce(or_, found)

    return wanted
