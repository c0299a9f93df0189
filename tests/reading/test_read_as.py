"""How a column of each type is read as each type of the contracts, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_edit.clinical_contracts import CLINICAL_FACTS
from claims_edit.contracts import CLAIMS
from claims_edit.normalise import can_read, read_as
from claims_edit.pandera_alone import pa
from claims_edit.reference_contracts import ICD10CM

DATE = CLAIMS.columns["claim_line_start_date"]
UNITS = CLAIMS.columns["service_unit_quantity"]
MONEY = CLAIMS.columns["charge_amount"]
INTEGER = CLAIMS.columns["claim_line_number"]
AS_IT_IS = CLAIMS.columns["claim_id"]
UPPER = CLAIMS.columns["hcpcs_code"]
LOWER = CLAIMS.columns["gender"]
ICD10 = CLAIMS.columns["diagnosis_code_1"]
NUMBER = CLINICAL_FACTS.columns["bsa_m2"]
BOOLEAN = pa.Column(pl.Boolean)
TARGETS = {
    "date": DATE,
    "units": UNITS,
    "money": MONEY,
    "integer": INTEGER,
    "number": NUMBER,
    "text": AS_IT_IS,
    "upper": UPPER,
    "boolean": BOOLEAN,
}


def target_type(column: pa.Column) -> pl.DataType:
    dtype: pl.DataType = column.dtype.type
    return dtype


def read(values: pl.Series, column: pa.Column) -> pl.Series:
    frame = values.alias("value").to_frame()
    return frame.select(read_as("value", values.dtype, column)).to_series()


def texts(*values: str | None) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


# ---- text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-02", date(2026, 1, 2)),
        (" 2026-01-02\t", date(2026, 1, 2)),
        ("20260102", date(2026, 1, 2)),
        ("2024-02-29", date(2024, 2, 29)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("99991231", date(9999, 12, 31)),
        ("2025-02-29", None),
        ("2026-13-01", None),
        ("2026-00-10", None),
        ("20260132", None),
        ("0000-01-01", None),
        ("00000101", None),
        ("10000-01-01", None),
        ("-2026-01-02", None),
        ("2026-1-2", None),
        ("2026-0102", None),
        ("202601-02", None),
        ("2026/01/02", None),
        ("01/02/2026", None),
        ("2026-01-02 00:00:00", None),
        ("2026-01-02T00:00:00", None),
        ("260102", None),
        ("20260102.0", None),
        ("\u0662\u0660\u0662\u0666-01-02", None),
        ("", None),
        ("today", None),
        (None, None),
    ],
)
def test_dates_of_text(text: str | None, day: date | None) -> None:
    assert read(texts(text), DATE).to_list() == [day]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("7", "7"),
        (" 7.0 ", "7"),
        ("+7", "7"),
        ("-7.5", "-7.5"),
        ("-0", "0"),
        ("007", "7"),
        ("7.250000", "7.25"),
        ("7.2500000000", "7.25"),
        ("0.000001", "0.000001"),
        ("999999999999.999999", "999999999999.999999"),
        ("-999999999999.999999", "-999999999999.999999"),
        ("00000000000000000000000000000007", "7"),
        ("1.0000000000000000000000000000000000000000000000", "1"),
        ("0.0000001", None),
        ("1000000000000", None),
        ("99999999999999999999999999999999999999999999", None),
        (".5", None),
        ("5.", None),
        ("1,000", None),
        ("1e2", None),
        ("1E2", None),
        ("0x10", None),
        ("7 7", None),
        ("--7", None),
        ("$7", None),
        ("7-", None),
        ("nan", None),
        ("inf", None),
        ("\u0667", None),
        ("", None),
        (None, None),
    ],
)
def test_units_of_text(text: str | None, units: str | None) -> None:
    assert read(texts(text), UNITS).to_list() == [units and Decimal(units)]


@pytest.mark.parametrize(
    ("text", "charge"),
    [
        ("7", "7"),
        ("7.1", "7.1"),
        ("7.1000", "7.1"),
        ("9999999999999999.99", "9999999999999999.99"),
        ("0.01", "0.01"),
        ("0.001", None),
        ("7.125", None),
        ("10000000000000000", None),
        ("7.10 USD", None),
    ],
)
def test_charges_of_text(text: str, charge: str | None) -> None:
    assert read(texts(text), MONEY).to_list() == [charge and Decimal(charge)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        (" 3 ", 3),
        ("+3", 3),
        ("-3", -3),
        ("3.0", 3),
        ("3.000", 3),
        ("003", 3),
        ("999999999999999999", 999999999999999999),
        ("9999999999999999999", None),
        ("3.5", None),
        ("3.", None),
        (".0", None),
        ("3e0", None),
        ("three", None),
        ("\u0663", None),
        ("", None),
        (None, None),
    ],
)
def test_integers_of_text(text: str | None, number: int | None) -> None:
    assert read(texts(text), INTEGER).to_list() == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2.0),
        (" 2.05 ", 2.05),
        ("+2.5", 2.5),
        ("-0.1", -0.1),
        ("007.50", 7.5),
        ("0.1", 0.1),
        ("999999999999999", 999999999999999.0),
        ("1.9123456789012345678901234567890", 1.912345678901234567890),
        ("0.00000000000000000000001", 1e-23),
        ("1000000000000000", None),
        ("0000000000000002", None),
        (".5", None),
        ("5.", None),
        ("2,5", None),
        ("1e1", None),
        ("1E1", None),
        ("0x10", None),
        ("--2", None),
        ("2 m2", None),
        ("nan", None),
        ("inf", None),
        ("-Infinity", None),
        ("\u0662", None),
        ("", None),
        (None, None),
    ],
)
def test_numbers_of_text(text: str | None, number: float | None) -> None:
    assert read(texts(text), NUMBER).to_list() == [number]


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("true", True),
        ("TRUE", True),
        (" t ", True),
        ("Yes", True),
        ("y", True),
        ("1", True),
        ("false", False),
        ("F", False),
        ("no", False),
        ("N", False),
        ("0", False),
        ("2", None),
        ("ja", None),
        ("", None),
        (None, None),
    ],
)
def test_booleans_of_text(text: str | None, truth: bool | None) -> None:
    assert read(texts(text), BOOLEAN).to_list() == [truth]


@pytest.mark.parametrize(
    ("text", "as_it_is", "upper", "lower"),
    [
        (" aB-1 ", "aB-1", "AB-1", "ab-1"),
        ("\u00a0x\u2003", "x", "X", "x"),
        ("a  b", "a  b", "A  B", "a  b"),
        ("é", "é", "É", "é"),
        ("007", "007", "007", "007"),
        ("3.0", "3.0", "3.0", "3.0"),
        ("null", "null", "NULL", "null"),
        (" \t ", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
    ],
)
def test_texts(
    text: str | None, as_it_is: str | None, upper: str | None, lower: str | None
) -> None:
    assert read(texts(text), AS_IT_IS).to_list() == [as_it_is]
    assert read(texts(text), UPPER).to_list() == [upper]
    assert read(texts(text), LOWER).to_list() == [lower]


@pytest.mark.parametrize("column", [ICD10, ICD10CM.columns["code"]])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("M05.10", "M05.10"),
        ("m0510", "M05.10"),
        (" m05.10 ", "M05.10"),
        ("M0.510", "M05.10"),
        ("M05", "M05"),
        ("M05.", "M05"),
        ("I10", "I10"),
        ("T80.89XA", "T80.89XA"),
        ("t8089xa", "T80.89XA"),
        (".", None),
        ("", None),
        (None, None),
    ],
)
def test_diagnoses_are_written_with_the_dot(
    text: str | None, code: str | None, column: pa.Column
) -> None:
    assert read(texts(text), column).to_list() == [code]


# ---- other types ----------------------------------------------------------------------------

NOON = datetime(2026, 1, 2, 12)
MIDNIGHT = datetime(2026, 1, 2)
ZONED = pl.Series([datetime(2026, 1, 2, 5), datetime(2026, 1, 2)])
ZONED = ZONED.dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
NAN, INF = float("nan"), float("inf")


def decimals(scale: int, *values: str) -> pl.Series:
    return pl.Series([Decimal(v) for v in values], dtype=pl.Decimal(38, scale))


def floats(*values: float | None) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64)


def units(*values: str | None) -> list[Decimal | None]:
    return [v and Decimal(v) for v in values]  # type: ignore[misc]


TABLE: list[tuple[str, pl.Series, pa.Column, Sequence[Any]]] = [
    # Dates.
    (
        "date",
        pl.Series([date(2026, 1, 2), date(1, 1, 1), None]),
        DATE,
        [date(2026, 1, 2), date(1, 1, 1), None],
    ),
    ("datetime", pl.Series([MIDNIGHT, NOON, None]), DATE, [date(2026, 1, 2), None, None]),
    (
        "milliseconds",
        pl.Series([MIDNIGHT, NOON], dtype=pl.Datetime("ms")),
        DATE,
        [date(2026, 1, 2), None],
    ),
    (
        "nanoseconds",
        pl.Series([MIDNIGHT, NOON], dtype=pl.Datetime("ns")),
        DATE,
        [date(2026, 1, 2), None],
    ),
    ("midnight there", ZONED, DATE, [date(2026, 1, 2), None]),
    (
        "integer",
        pl.Series([20260102, 20260230, 2026, 0, -20260102, None]),
        DATE,
        [date(2026, 1, 2), None, None, None, None, None],
    ),
    ("short integer", pl.Series([20260102], dtype=pl.UInt32), DATE, [date(2026, 1, 2)]),
    # Decimals.
    (
        "integer",
        pl.Series([7, 0, -7, 10**12, 2**63 - 1, None]),
        UNITS,
        units("7", "0", "-7", None, None, None),
    ),
    ("big integer", pl.Series([7, 2**64 - 1], dtype=pl.UInt64), UNITS, units("7", None)),
    ("huge integer", pl.Series([7, 2**126], dtype=pl.Int128), UNITS, units("7", None)),
    ("small integer", pl.Series([7, -128], dtype=pl.Int8), UNITS, units("7", "-128")),
    (
        "float",
        floats(7.0, 7.5, 0.1, -0.0, 1234567.123456, None),
        UNITS,
        units("7", "7.5", "0.1", "0", "1234567.123456", None),
    ),
    (
        "float",
        floats(0.1 + 0.2, 1e-7, 1.0000001, 1e12, 1e300, -1e300, NAN, INF, -INF),
        UNITS,
        units("0.3", *[None] * 8),
    ),
    (
        "float",
        floats(7.1, 100.10, 1e15, 0.005, 1e16),
        MONEY,
        units("7.1", "100.1", "1000000000000000", None, None),
    ),
    (
        "single",
        pl.Series([7.0, 7.5, NAN, INF, 1e30], dtype=pl.Float32),
        UNITS,
        units("7", "7.5", None, None, None),
    ),
    ("decimal 0", decimals(0, "7", "1" + "0" * 30), UNITS, units("7", None)),
    (
        "decimal 2",
        decimals(2, "7.10", "999999999999.99", "1000000000000.00"),
        UNITS,
        units("7.1", "999999999999.99", None),
    ),
    (
        "decimal 10",
        decimals(10, "7.1234560000", "7.1234560001", "-1"),
        UNITS,
        units("7.123456", None, "-1"),
    ),
    ("decimal 6", decimals(6, "7.100000", "7.125000"), MONEY, units("7.1", None)),
    # Integers.
    ("integer", pl.Series([3, 0, -3, 10**17, None]), INTEGER, [3, 0, -3, 10**17, None]),
    ("small integer", pl.Series([3, 255], dtype=pl.UInt8), INTEGER, [3, 255]),
    (
        "float",
        floats(3.0, 3.5, -0.0, NAN, INF, 1e300, None),
        INTEGER,
        [3, None, 0, None, None, None, None],
    ),
    ("decimal", decimals(2, "3.00", "3.50"), INTEGER, [3, None]),
    # Numbers of floating point.
    (
        "float",
        floats(2.5, -0.0, 0.1 + 0.2, 1e300, 5e-324, NAN, INF, -INF, None),
        NUMBER,
        [2.5, 0.0, 0.1 + 0.2, 1e300, 5e-324, None, None, None, None],
    ),
    ("single", pl.Series([2.5, 1.7, NAN, INF], dtype=pl.Float32), NUMBER, [2.5, 1.7, None, None]),
    ("integer", pl.Series([2, -3, 2**62, None]), NUMBER, [2.0, -3.0, None, None]),
    ("decimal", decimals(4, "1.7000", "-0.0001"), NUMBER, [1.7, -0.0001]),
    # Text.
    ("integer", pl.Series([123, -1, None]), AS_IT_IS, ["123", "-1", None]),
    ("big integer", pl.Series([2**64 - 1], dtype=pl.UInt64), AS_IT_IS, ["18446744073709551615"]),
    ("float", floats(123.0, 1234567890.0, 0.5, None), AS_IT_IS, ["123", "1234567890", "0.5", None]),
    ("decimal", decimals(0, "123"), AS_IT_IS, ["123"]),
    ("date", pl.Series([date(2026, 1, 2)]), AS_IT_IS, ["2026-01-02"]),
    ("boolean", pl.Series([True, False, None]), UPPER, ["TRUE", "FALSE", None]),
    # Truth.
    ("boolean", pl.Series([True, False, None]), BOOLEAN, [True, False, None]),
    ("integer", pl.Series([1, 0, 2, None]), BOOLEAN, [True, False, None, None]),
    # Nothing at all.
    ("null", pl.Series([None, None]), DATE, [None, None]),
    ("null", pl.Series([None, None]), UNITS, [None, None]),
    ("null", pl.Series([None, None]), AS_IT_IS, [None, None]),
    ("null", pl.Series([None, None]), BOOLEAN, [None, None]),
]


@pytest.mark.parametrize(
    ("name", "values", "column", "expected"),
    TABLE,
    ids=[f"{name} as {target_type(column)} {i}" for i, (name, _, column, _) in enumerate(TABLE)],
)
def test_other_types(
    name: str, values: pl.Series, column: pa.Column, expected: Sequence[Any]
) -> None:
    assert can_read(values.dtype, target_type(column)), name
    result = read(values, column)
    assert result.dtype == target_type(column)
    assert result.to_list() == list(expected)


@pytest.mark.parametrize("column", TARGETS.values(), ids=list(TARGETS))
def test_categories_read_like_their_texts(column: pa.Column) -> None:
    values = ["2026-01-02", "20260102", " 7.50", "3.0", "YES", "f", "aB", "x"]
    expected = read(texts(*values), column).to_list()
    for dtype in (pl.Categorical(), pl.Enum(values)):
        assert can_read(dtype, target_type(column))
        assert read(pl.Series(values, dtype=dtype), column).to_list() == expected


# ---- what is accepted can be read -----------------------------------------------------------

EXTREMES: list[pl.Series] = [
    texts(
        "", " ", "9" * 400, "-" + "9" * 40, "1e308", "nan", "0" * 300 + "7", "\x00", "é" * 50, None
    ),
    pl.Series([-128, 127, None], dtype=pl.Int8),
    pl.Series([0, 2**32 - 1, None], dtype=pl.UInt32),
    pl.Series([-(2**63), 2**63 - 1, 0, None], dtype=pl.Int64),
    pl.Series([0, 2**64 - 1, None], dtype=pl.UInt64),
    pl.Series([-(2**127), 2**127 - 1, None], dtype=pl.Int128),
    floats(
        NAN, INF, -INF, 1e300, -1e300, 5e-324, 1.7976931348623157e308, 2.0**63, -(2.0**63), None
    ),
    pl.Series([NAN, INF, -INF, 3e38, 1e-45, None], dtype=pl.Float32),
    decimals(0, "9" * 38, "-" + "9" * 38),
    decimals(38, "0." + "9" * 38),
    decimals(6, "9" * 32 + ".999999"),
    pl.Series([date.min, date.max, None]),
    pl.Series([-(10**7), 10**7, None], dtype=pl.Int32).cast(pl.Date),
    pl.Series([datetime.min, datetime.max, None]),
    pl.Series([-(10**18), 10**18, None], dtype=pl.Int64).cast(pl.Datetime("us")),
    pl.Series([-(2**63) + 1, 2**63 - 1, None], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")),
    pl.Series([True, False, None]),
    pl.Series([None]),
    pl.Series(["", "x", None], dtype=pl.Categorical),
    pl.Series(["", "x", None], dtype=pl.Enum(["", "x"])),
    pl.Series([time(1), None]),
    pl.Series([timedelta(1), None]),
    pl.Series([b"x", None]),
    pl.Series([["x"], None]),
    pl.Series([{"x": 1}, None]),
]


@pytest.mark.parametrize("column", TARGETS.values(), ids=list(TARGETS))
@pytest.mark.parametrize("values", EXTREMES, ids=[f"{i}-{s.dtype}" for i, s in enumerate(EXTREMES)])
def test_what_is_accepted_is_read_without_an_error(values: pl.Series, column: pa.Column) -> None:
    if can_read(values.dtype, target_type(column)):
        result = read(values, column)
        assert result.dtype == target_type(column)
        assert result.len() == values.len()
        assert result.filter(values.is_null()).null_count() == values.null_count()


BEYOND_ALL_CALENDARS = [
    pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date),
    pl.Series([2**63 - 1], dtype=pl.Int64).cast(pl.Datetime("us")),
    pl.Series([2**63 - 1], dtype=pl.Int64).cast(pl.Datetime("ms")),
]


@pytest.mark.parametrize("values", BEYOND_ALL_CALENDARS, ids=["date", "us", "ms"])
def test_a_date_beyond_all_calendars_cannot_be_read(values: pl.Series) -> None:
    assert read(values, DATE).null_count() == 1


def test_dates_of_a_file_lie_in_the_years_that_dates_can_have() -> None:
    days = pl.Series([-(10**6), 2932897], dtype=pl.Int32).cast(pl.Date)  # year -768, year 10000
    assert read(days, DATE).null_count() == 2


def test_decimals_of_single_precision() -> None:
    assert read(pl.Series([0.1, 100.10], dtype=pl.Float32), MONEY).to_list() == units(
        "0.1", "100.1"
    )


def test_units_of_single_precision() -> None:
    assert read(pl.Series([0.1, 100.1], dtype=pl.Float32), UNITS).to_list() == units("0.1", "100.1")


ACCEPTED = {
    "date": {"String", "Null", "Categorical", "Enum", "Date", "Datetime", "integer"},
    "units": {"String", "Null", "Categorical", "Enum", "integer", "float", "Decimal"},
    "money": {"String", "Null", "Categorical", "Enum", "integer", "float", "Decimal"},
    "integer": {"String", "Null", "Categorical", "Enum", "integer", "float", "Decimal"},
    "number": {"String", "Null", "Categorical", "Enum", "integer", "float", "Decimal"},
    "boolean": {"String", "Null", "Categorical", "Enum", "integer", "Boolean"},
}
TEXTUAL = {
    "String",
    "Null",
    "Categorical",
    "Enum",
    "Date",
    "integer",
    "float",
    "Decimal",
    "Boolean",
}


@pytest.mark.parametrize("name", TARGETS)
def test_which_types_are_accepted(name: str) -> None:
    def kind(dtype: pl.DataType) -> str:
        if dtype.is_integer():
            return "integer"
        return "float" if dtype.is_float() else str(dtype.base_type())

    accepted = {
        kind(values.dtype)
        for values in EXTREMES
        if can_read(values.dtype, target_type(TARGETS[name]))
    }
    assert accepted == ACCEPTED.get(name, TEXTUAL)


# ---- whatever is written is read back -------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dates(), min_size=1, max_size=50))
def test_every_date_is_read_back(days: list[date]) -> None:
    for text in ("%Y-%m-%d", "%Y%m%d"):
        written = texts(*(day.strftime(text).rjust(10 if "-" in text else 8, "0") for day in days))
        assert read(written, DATE).to_list() == days
    assert read(pl.Series(days), DATE).to_list() == days


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals("-999999999999.999999", "999999999999.999999", places=6), min_size=1))
def test_every_number_of_units_is_read_back(numbers: list[Decimal]) -> None:
    assert read(texts(*(f"{n:f}" for n in numbers)), UNITS).to_list() == numbers
    assert read(pl.Series(numbers, dtype=pl.Decimal(38, 10)), UNITS).to_list() == numbers


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals("-9999999", "9999999", places=2), min_size=1))
def test_every_charge_is_read_back_from_a_float(charges: list[Decimal]) -> None:
    assert read(floats(*map(float, charges)), MONEY).to_list() == charges


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals("-999999999", "999999999", places=6), min_size=1))
def test_every_number_is_read_back(numbers: list[Decimal]) -> None:
    written = list(map(float, numbers))
    assert read(texts(*(f"{n:f}" for n in numbers)), NUMBER).to_list() == written
    assert read(floats(*written), NUMBER).to_list() == written
    assert read(pl.Series(numbers, dtype=pl.Decimal(38, 10)), NUMBER).to_list() == written
