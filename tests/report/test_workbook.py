"""The workbook: what its cells hold, and what they can never become."""

from __future__ import annotations

import re
import time
import zipfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from claims_edit.masking import NO_MASKING, Masking, NoMasking
from claims_edit.report.reading import Reading, read
from claims_edit.report.workbook import as_cells, write_workbook
from tests.report.support import KEY, contents

MASKED = Masking(KEY)
FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://example.org","x")',
    "{=1+1}",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=cmd|' /C calc'!A0",
    "http://example.org/",
    "https://example.org",
    "mailto:a@example.org",
    "internal:Summary!A1",
    "external:c:\\x.xlsx",
    "file:///etc/passwd",
    "0123456789",
    "1e5",
    "TRUE",
    "<b>&amp;</b>",
    "_x0041_",
)


@pytest.fixture(scope="module")
def reading(run: Path) -> Reading:
    return read(run)


def _written(
    path: Path, reading: Reading, masked: NoMasking = NO_MASKING, *, rows: int = 1_048_576
) -> openpyxl.Workbook:
    write_workbook(path, reading, masked, MASKED, rows=rows)
    return openpyxl.load_workbook(path)


def _columns(sheet: Worksheet) -> dict[str, list[object]]:
    head, *rows = sheet.iter_rows(values_only=True)
    return {str(name): [row[i] for row in rows] for i, name in enumerate(head)}


def _with(reading: Reading, name: str, **columns: pl.Series) -> Reading:
    table = reading.tables[name].head(len(next(iter(columns.values())))).with_columns(**columns)
    return replace(reading, tables={**reading.tables, name: table})


# ---- sheets ---------------------------------------------------------------------------------


def test_sheets_have_headers_that_stay_and_filter(reading: Reading, tmp_path: Path) -> None:
    book = _written(tmp_path / "report.xlsx", reading)
    assert book.sheetnames == [
        "Summary",
        "Flagged lines",
        "Findings",
        "Rejected lines",
        "Rejected authorizations",
        "Rejected clinical facts",
        "Reconsider",
    ]
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(cell.font.bold for cell in sheet[1])
        widths = [d.width for d in sheet.column_dimensions.values()]
        assert all(7 <= width <= 62 for width in widths)


def test_every_flagged_line_is_there_with_most_at_stake_first(
    reading: Reading, tmp_path: Path
) -> None:
    columns = _columns(_written(tmp_path / "report.xlsx", reading)["Flagged lines"])
    flagged = reading.tables["flagged_lines"]
    assert sorted(map(str, columns["claim_id"])) == sorted(flagged["claim_id"])
    at_stake = [float(str(value)) for value in columns["charge_at_stake"]]
    assert at_stake == sorted(at_stake, reverse=True)
    assert sum(at_stake) == pytest.approx(float(flagged["charge_at_stake"].sum()))


def test_numbers_dates_and_ids_are_what_they_are(reading: Reading, tmp_path: Path) -> None:
    zeros = pl.Series(["0000012345"])
    other = _with(reading, "flagged_lines", claim_id=zeros, rendering_npi=zeros, ndc_11=zeros)
    sheet = _written(tmp_path / "report.xlsx", other)["Flagged lines"]
    cells = {str(head.value): cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    for name in ("claim_id", "rendering_npi", "ndc_11", "member_id", "hcpcs_code"):
        assert (cells[name].data_type, cells[name].number_format) == ("s", "@")
    assert cells["claim_id"].value == cells["ndc_11"].value == "0000012345"
    charge = float(reading.tables["flagged_lines"]["charge_amount"][0])
    assert cells["charge_amount"].value == charge
    assert cells["charge_amount"].number_format == "#,##0.00"
    assert cells["claim_line_start_date"].value == datetime(2026, 1, 12)
    assert cells["claim_line_start_date"].number_format == "yyyy-mm-dd"
    assert cells["all_reasons"].alignment.wrap_text
    assert cells["governed"].value in (True, False)


def test_the_summary_says_what_the_night_brought_and_what_each_sheet_holds(
    reading: Reading, tmp_path: Path
) -> None:
    sheet = _written(tmp_path / "report.xlsx", reading)["Summary"]
    rows = [row[:4] for row in sheet.iter_rows(values_only=True)]
    assert rows[0][0] == "Run tonight"
    assert "(not masked)" in str(rows[2][0])
    assert ("pay", 27, 211500, 0) in rows
    assert ("Flagged lines", "all", 64, None) in rows


def test_masked_members_claims_and_birth_dates(reading: Reading, tmp_path: Path) -> None:
    book = _written(tmp_path / "report.xlsx", reading, MASKED)
    columns = _columns(book["Flagged lines"])
    assert "birth_date" not in columns
    assert set(columns["member_id"]) == {
        MASKED.member(m) for m in reading.tables["flagged_lines"]["member_id"]
    }
    assert "by pseudonyms" in str(book["Summary"]["A3"].value)


# ---- no formula and no link -----------------------------------------------------------------


def test_no_cell_is_a_formula_or_a_link_whatever_the_data_says(
    reading: Reading, tmp_path: Path
) -> None:
    bad = pl.Series(FORMULAS)
    checks = [[text] for text in FORMULAS]
    other = replace(
        reading,
        tables={
            **reading.tables,
            "flagged_lines": _many(reading, "flagged_lines").with_columns(
                claim_id=bad,
                member_id=bad,
                all_reasons=bad,
                ndc_code=bad,
                edit_ids=pl.Series(checks),
            ),
            "findings": _many(reading, "findings").with_columns(message=bad, claim_id=bad),
            "rejected_lines": _many(reading, "rejected_lines").with_columns(
                **{
                    c: bad
                    for c in reading.tables["rejected_lines"].columns
                    if c not in ("failed_checks",)
                },
                failed_checks=pl.Series(checks),
            ),
        },
    )
    path = tmp_path / "report.xlsx"
    book = _written(path, other)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert [c.coordinate for c in row if c.data_type == "f" or c.hyperlink] == []
    text = contents(path)
    for element in ("<f>", "<f ", "<hyperlink", "ddeLink", "externalLink", "TargetMode"):
        assert element not in text
    told = [_shown(text) for text in _columns(book["Flagged lines"])["claim_id"]]
    assert sorted(told) == sorted(f.replace("\r", "\n") for f in FORMULAS)
    for sheet in book.worksheets[1:4]:
        texts = [c for row in sheet.iter_rows(min_row=2) for c in row if c.data_type == "s"]
        assert {c.number_format for c in texts} == {"@"}


def _shown(text: object) -> str:
    """A text as Excel shows it, which reads `_x005F_` as a low line."""
    return str(text).replace("_x005F_", "_")


def _many(reading: Reading, name: str) -> pl.DataFrame:
    """As many rows of a table as there are formulas."""
    table = reading.tables[name]
    return pl.concat([table] * (len(FORMULAS) // table.height + 1)).head(len(FORMULAS))


# ---- what a cell cannot hold ----------------------------------------------------------------


def test_what_xml_cannot_hold_is_replaced_and_what_is_too_long_is_cut(
    reading: Reading, tmp_path: Path
) -> None:
    bad = pl.Series(["a\x00b\x0bc\x1fd\ufffee", "x" * 40_000, "line\r\nline\ttab ✓ \U0001f642"])
    path = tmp_path / "report.xlsx"
    other = _with(reading, "flagged_lines", all_reasons=bad, charge_at_stake=_money(3, 2, 1))
    told = _columns(_written(path, other)["Flagged lines"])["all_reasons"]
    assert told[0] == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert len(str(told[1])) == 32_767
    assert str(told[1]).endswith("x … (cut)")
    assert told[2] == "line\nline\ttab ✓ \U0001f642"


def _money(*amounts: int) -> pl.Series:
    return pl.Series(amounts).cast(pl.Decimal(18, 2))


def test_an_amount_that_a_number_cannot_hold_is_a_text() -> None:
    large = pl.DataFrame({"charge_amount": [Decimal("1234567890123456.78"), Decimal("1.00")]})
    assert as_cells(large)["charge_amount"].to_list() == ["1234567890123456.78", "1.00"]


def test_lists_and_draws_are_on_one_line() -> None:
    draw = pl.Struct({"authorization_number": pl.String, "units": pl.Decimal(18, 6)})
    draws = [
        [{"authorization_number": "A", "units": 60}, {"authorization_number": "B", "units": 30}]
    ]
    table = pl.DataFrame(
        {
            "edit_ids": [["a", "b"], []],
            "authorization_draws": pl.Series([*draws, []], dtype=pl.List(draw)),
            "day": [date(2026, 1, 2), None],
        }
    )
    assert as_cells(table).rows() == [
        ("a, b", "A: 60, B: 30", date(2026, 1, 2)),
        (None, None, None),
    ]


def test_more_rows_than_a_sheet_holds_are_left_out_and_the_summary_says_so(
    reading: Reading, tmp_path: Path
) -> None:
    book = _written(tmp_path / "report.xlsx", reading, rows=11)
    assert book["Flagged lines"].max_row == 11
    assert book["Flagged lines"].auto_filter.ref.endswith("11")
    rows = [row[:3] for row in book["Summary"].iter_rows(values_only=True)]
    note = "the first 10: a sheet holds no more; all are in the run folder"
    assert ("Flagged lines", note, 64) in rows
    assert ("Rejected lines", "all", 9) in rows


# ---- bytes ----------------------------------------------------------------------------------


def test_equal_runs_give_equal_bytes(reading: Reading, tmp_path: Path) -> None:
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    write_workbook(one, reading, NO_MASKING, MASKED)
    time.sleep(2.1)  # an archive has times of two seconds
    write_workbook(other, reading, NO_MASKING, MASKED)
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as parts:
        core = parts.read("docProps/core.xml").decode()
    assert set(re.findall(r">(\d{4}-\d\d-\d\dT[^<]*)<", core)) == {"2026-02-28T00:00:00Z"}
