"""The report as an Excel workbook: numbers as numbers, ids as texts, and no formula and no link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from claims_edit.masking import NoMasking
from claims_edit.naming import AUTHORIZATION
from claims_edit.report import figures
from claims_edit.report.figures import Table
from claims_edit.report.page import highest_at_stake
from claims_edit.report.reading import REJECTED, Reading

ROWS = 1_048_576  # of a sheet, as Excel has it
_LONGEST = 32_767
_CUT = " … (cut)"
# A number of a cell has fifteen digits; what is larger is written as a text, so that no cent is lost.
_EXACT = 10**12
# What XML cannot hold.
_ILLEGAL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
_FORMATS = {
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "num_format": "@"},
    "title": {"bold": True, "font_size": 14, "num_format": "@"},
    "text": {"num_format": "@", "valign": "top"},
    "long": {"num_format": "@", "valign": "top", "text_wrap": True},
    "count": {"num_format": "#,##0", "valign": "top"},
    "units": {"num_format": "#,##0.######", "valign": "top"},
    "money": {"num_format": "#,##0.00", "valign": "top"},
    "share": {"num_format": "0.0%", "valign": "top"},
    "date": {"num_format": "yyyy-mm-dd", "valign": "top"},
}
_WIDTHS = {"text": 18, "long": 60, "count": 11, "units": 11, "money": 15, "share": 10, "date": 11}
_LONG = frozenset({"primary_reason", "all_reasons", "message", "reason", "reasons"})
_NARROW = {"claim_line_number": 7, "disposition": 11, "evidence": 40, "edit_ids": 30}


def write_workbook(
    path: Path,
    reading: Reading,
    masked: NoMasking,
    members_masked: NoMasking,
    *,
    rows: int = ROWS,
) -> None:
    """Write the workbook of a run. Equal runs give equal bytes. `rows` is what a sheet holds."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        as_of = datetime.fromisoformat(reading.manifest["as_of"]).replace(tzinfo=UTC)
        book.set_properties({"created": as_of, "title": f"Run {reading.manifest['run_id']}"})
        writer = _Writer(book, rows)
        tables = {name: masked.frame(t, reading.ids) for name, t in _sheets(reading).items()}
        writer.summary(reading, masked, members_masked, tables)
        for name, table in tables.items():
            writer.table(name, table)


def _sheets(reading: Reading) -> dict[str, pl.DataFrame]:
    """The tables that have a sheet each; of wide ones, the columns that hold something."""
    tables = reading.tables
    return {
        "Flagged lines": _with_values(highest_at_stake(tables["flagged_lines"])),
        "Findings": tables["findings"],
        **{_words(n): _with_values(tables[n]) for n in REJECTED},
        "Reconsider": tables["reconsider"],
    }


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _with_values(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(c for c in table.columns if table.height == 0 or table[c].count())


class _Writer:
    """Sheets of one workbook, written row by row."""

    def __init__(self, book: xlsxwriter.Workbook, rows: int) -> None:
        self._book, self._rows = book, rows
        self._formats = {name: book.add_format(form) for name, form in _FORMATS.items()}

    def table(self, name: str, table: pl.DataFrame) -> None:
        """A sheet with a header that stays and filters, as many rows as it holds."""
        sheet = self._sheet(name)
        kinds = {column: _kind(column, dtype) for column, dtype in table.schema.items()}
        for i, (column, kind) in enumerate(kinds.items()):
            sheet.set_column(i, i, _NARROW.get(column, _WIDTHS[kind]))
        sheet.freeze_panes(1, 2 if name == "Flagged lines" else 1)
        kept = min(table.height, self._rows - 1)
        if kinds:
            sheet.autofilter(0, 0, kept, len(kinds) - 1)
        self._row(sheet, 0, [(column, "head") for column in kinds])
        cells = as_cells(table.head(kept))
        write = [(_written(sheet, t), self._formats[kinds[n]]) for n, t in cells.schema.items()]
        for at, row in enumerate(cells.iter_rows(), 1):
            for place, (value, (put, form)) in enumerate(zip(row, write, strict=True)):
                if value is not None:
                    put(at, place, value, form)

    def summary(
        self,
        reading: Reading,
        masked: NoMasking,
        members_masked: NoMasking,
        tables: Mapping[str, pl.DataFrame],
    ) -> None:
        """The first sheet: what the night brought, in small tables, and what the other sheets hold."""
        sheet = self._sheet("Summary")
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 1, 44)
        sheet.set_column(2, 14, 15)
        manifest = reading.manifest
        shown = "by pseudonyms" if masked.active else "as they are (not masked)"
        policy = manifest["policy"]
        lines = [
            f"Policy {policy['id']}: {policy['title']}, document {policy['document']}",
            f"As of {manifest['as_of']}; members, claims and authorizations are shown {shown}",
        ]
        self._row(sheet, 0, [(f"Run {manifest['run_id']}", "title")])
        at = 1
        for line in lines:
            self._row(sheet, at, [(line, "text")])
            at += 1
        for small in [self._held(tables), *_small_tables(reading, members_masked)]:
            at = self._small(sheet, at + 1, small)
        sheet.freeze_panes(1, 0)

    def _held(self, tables: Mapping[str, pl.DataFrame]) -> Table:
        rows = []
        for name, table in tables.items():
            cut = table.height > self._rows - 1
            note = f"the first {self._rows - 1:,}: a sheet holds no more; all are in the run folder"
            rows.append((name, note if cut else "all", table.height))
        return Table("Sheets", {"sheet": "text", "holds": "long", "rows": "count"}, rows)

    def _small(self, sheet: Worksheet, at: int, table: Table) -> int:
        """A small table with its caption; the row after it."""
        self._row(sheet, at, [(table.caption, "title")])
        self._row(sheet, at + 1, [(name, "head") for name in table.columns])
        for i, row in enumerate(table.rows):
            self._row(sheet, at + 2 + i, zip(row, table.columns.values(), strict=True))
        return at + 2 + len(table.rows)

    def _sheet(self, name: str) -> Worksheet:
        sheet: Worksheet = self._book.add_worksheet(name)
        return sheet

    def _row(self, sheet: Worksheet, row: int, cells: Iterable[tuple[Any, str]]) -> None:
        for column, (value, kind) in enumerate(cells):
            if isinstance(value, int | float | Decimal):
                sheet.write_number(row, column, value, self._formats[kind])
            elif value is not None:
                sheet.write_string(row, column, value, self._formats[kind])


def _written(sheet: Worksheet, dtype: pl.DataType) -> Callable[..., object]:
    """How the cells of a column are written. What is a text is a text, whatever it begins with."""
    kinds = {pl.String: "string", pl.Date: "datetime", pl.Boolean: "boolean"}
    write: Callable[..., object] = getattr(sheet, f"write_{kinds.get(type(dtype), 'number')}")
    return write


def as_cells(table: pl.DataFrame) -> pl.DataFrame:
    """A table as cells hold it: texts, numbers, dates, and truth values.

    A text is cut where it is too long for a cell, and what XML cannot hold is replaced; lists are on one
    line; a column with numbers too large to be exact is one of texts.
    """
    return table.select(_as_cell(table[name]) for name in table.columns)


def _as_cell(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.List):
        column = _joined(column)
    if column.dtype.is_decimal():
        large = bool((column.abs() >= _EXACT).any())
        column = column.cast(pl.String if large else pl.Float64)
    if column.dtype != pl.String:
        return column
    text = column.str.replace_all("\r\n?", "\n").str.replace_all(_ILLEGAL, "\ufffd")
    cut = text.str.slice(0, _LONGEST - len(_CUT)) + _CUT
    long = text.str.len_chars().fill_null(0) > _LONGEST
    return text.zip_with(~long, cut)


def _joined(column: pl.Series) -> pl.Series:
    """Lists on one line: of texts, or of draws with their numbers and units."""
    element = pl.element()
    inner = column.dtype.inner  # type: ignore[attr-defined]
    if isinstance(inner, pl.Struct):
        number, units = element.struct.field(AUTHORIZATION), element.struct.field("units")
        plain = units.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
        element = pl.format("{}: {}", number, plain)
    joined = pl.col(column.name).list.eval(element.cast(pl.String)).list.join(", ")
    text = pl.when(joined != "").then(joined).alias(column.name)
    return column.to_frame().select(text).to_series()


def _kind(column: str, dtype: pl.DataType) -> str:
    if column in _LONG:
        return "long"
    if isinstance(dtype, pl.Decimal):
        return "money" if dtype.scale == 2 else "units"
    if dtype == pl.Date:
        return "date"
    return "count" if dtype.is_integer() else "text"


def _small_tables(reading: Reading, members_masked: NoMasking) -> list[Table]:
    tables = reading.tables
    flagged, lines = tables["flagged_lines"], tables["lines"]
    members = figures.members(lines, flagged)
    masked = [(members_masked.member(member), *counts) for member, *counts in members.rows]
    every = [
        figures.dispositions(reading.manifest),
        figures.edits(flagged, tables["findings"]),
        figures.providers(lines, flagged),
        Table(members.caption, members.columns, masked),
        figures.rejects({name: tables[name] for name in REJECTED}),
        figures.trend(reading.last_runs),
    ]
    if reading.decisions is not None:
        every.append(figures.decided(reading.decisions, reading.decisions_left_out))
    return [table for table in every if table.rows]
