"""Tables written piece by piece. Their bytes depend on their rows alone, not on the pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import polars as pl

from claims_edit.errors import FaultError
from claims_edit.pandera_alone import errors, pa
from claims_edit.schemas import empty, validated

# Rows that a reader can take or leave together: lines of members beside each other.
ROW_GROUP = 250_000
# Columns of whose values a row group holds a range, or few: of others, bounds would let none be left out.
_LOOKED_UP_BY = ("member_id", "claim_line_start_date")


class Table(Protocol):
    """What takes the rows of a table, piece by piece."""

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows."""

    def close(self) -> None:
        """Write what is left, and the end of the file."""


class TableWriter(AbstractContextManager["TableWriter"]):
    """One Parquet file of a folder, in row groups of `ROW_GROUP` rows."""

    def __init__(self, folder: Path, name: str, schema: pa.DataFrameSchema) -> None:
        from pyarrow import parquet

        self._name, self._schema = name, schema
        self._waiting = empty(schema)
        self._file = (folder / f"{name}.parquet").open("wb")
        try:
            columns = self._waiting.to_arrow().schema
            self._writer = parquet.ParquetWriter(
                self._file,
                columns,
                compression="zstd",
                write_statistics=[c for c in _LOOKED_UP_BY if c in schema.columns],
            )
        except BaseException:
            with suppress(OSError):
                self._file.close()
            raise

    def add(self, rows: pl.DataFrame) -> None:
        """Write rows behind those before. Raises FaultError where they break the schema."""
        try:
            sound = validated(self._schema, rows)
        except (errors.SchemaError, errors.SchemaErrors) as error:
            raise FaultError(
                f"a fault of the program: the table {self._name} breaks its own schema; nothing was "
                "published. Please report it with this message."
            ) from error
        self._waiting = pl.concat([self._waiting, sound])
        while self._waiting.height >= ROW_GROUP:
            self._write(self._waiting.head(ROW_GROUP))
            self._waiting = self._waiting.slice(ROW_GROUP)

    def _write(self, rows: pl.DataFrame) -> None:
        """Write one row group. Its pages would follow the pieces of the rows: they are made one first."""
        if rows.height:
            self._writer.write_table(rows.rechunk().to_arrow(), row_group_size=ROW_GROUP)

    def close(self) -> None:
        """Write what is left, and the end of the file; once."""
        if self._file.closed:
            return
        try:
            self._write(self._waiting)
            self._writer.close()
            self._file.close()
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):
            self._writer.close()
        self._writer.is_open = False  # or it would try again when it is forgotten
        with suppress(OSError):
            self._file.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._give_up()


class OrderedTable:
    """Rows that come in any order and are written in one: held, or, where they are many, set aside in
    sorted files that are merged at the end."""

    def __init__(self, writer: Table, order: Order, aside: Path) -> None:
        self._writer, self._order, self._aside = writer, order, aside
        self._held: list[pl.DataFrame] = []
        self._files: list[Path] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows."""
        self._held.append(rows)
        if sum(rows.height for rows in self._held) > 2 * ROW_GROUP:
            self._set_aside()

    def close(self) -> None:
        """Write all rows in order, and the end of the file."""
        if self._files:
            if self._held:
                self._set_aside()
            for rows in merged(self._files, self._order):
                self._writer.add(rows)
        elif self._held:
            self._writer.add(self._order.sort(pl.concat(self._held)))
        self._writer.close()

    def _set_aside(self) -> None:
        self._aside.mkdir(exist_ok=True)
        file = self._aside / f"{len(self._files)}.arrow"
        self._order.sort(pl.concat(self._held)).write_ipc(file)
        self._held.clear()
        self._files.append(file)


@dataclass(frozen=True)
class Order:
    """Columns without nulls, each with whether it descends."""

    by: dict[str, bool]

    def sort(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows in this order."""
        return rows.sort(list(self.by), descending=list(self.by.values()))

    def up_to(self, row: dict[str, Any]) -> pl.Expr:
        """Whether a row is not behind the one that has these values."""
        found = pl.lit(True)
        for name, descends in reversed(self.by.items()):
            value, column = row[name], pl.col(name)
            before = column > value if descends else column < value
            found = before | ((column == value) & found)
        return found


def merged(files: Sequence[Path], order: Order) -> Iterator[pl.DataFrame]:
    """The rows of sorted files in order, a piece at a time: from each file no more than is read ahead."""
    ahead = [_Ahead(file, max(ROW_GROUP // len(files), 1)) for file in files]
    while heads := [a for a in ahead if a.rows.height]:
        unfinished = [a.rows.tail(1) for a in heads if a.more]
        take = pl.lit(True)
        if unfinished:
            take = order.up_to(order.sort(pl.concat(unfinished)).row(0, named=True))
        yield order.sort(pl.concat(a.take(take) for a in heads))


class _Ahead:
    """A sorted file of which some rows were read ahead."""

    def __init__(self, file: Path, many: int) -> None:
        self._file, self._many, self._read = file, many, 0
        self._height = int(pl.scan_ipc(file).select(pl.len()).collect().item())
        self.rows = self._next()

    @property
    def more(self) -> bool:
        """Whether there are rows that were not read yet."""
        return self._read < self._height

    def take(self, which: pl.Expr) -> pl.DataFrame:
        """The rows at the front that are wanted; others are read in their place where none is left."""
        taken, self.rows = self.rows.filter(which), self.rows.filter(~which)
        if self.rows.is_empty() and self.more:
            self.rows = self._next()
        return taken

    def _next(self) -> pl.DataFrame:
        rows = pl.scan_ipc(self._file).slice(self._read, self._many).collect()
        self._read += rows.height
        return rows
