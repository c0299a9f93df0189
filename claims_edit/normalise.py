"""From values as they come to values as the schemas type them: text, codes, NDC, dates, numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from claims_edit.pandera_alone import pa
from claims_edit.schemas import polars_type

# `[0-9]`, since `\d` is any digit of any script.
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_COMPACT_DATE = r"^[0-9]{8}$"
_INTEGER = r"^[+-]?[0-9]{1,18}(\.0+)?$"
_FLOAT = r"^[+-]?[0-9]{1,15}(\.[0-9]+)?$"
# The digits that a number of double precision keeps, whatever was computed with it.
_FLOAT_DIGITS = 15
_EPOCH = date(1970, 1, 1)
_TICKS_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")

# Labeler-product-package lengths of the hyphenated notations that name one NDC.
NDC_NOTATIONS = ((4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2))
_NDC_PADDED = (5, 4, 2)


def can_read(source: pl.DataType, target: pl.DataType) -> bool:
    """Whether a file's column of type `source` can stand for a column of type `target` at all."""
    if isinstance(target, pl.List):
        return _is_list_of(source, target.inner)
    if isinstance(target, pl.Datetime):
        return isinstance(source, pl.Datetime) and source.time_zone is not None
    if source in (pl.String, pl.Null) or isinstance(source, pl.Categorical | pl.Enum):
        return True
    if target == pl.String:
        return source.is_numeric() or source in (pl.Boolean, pl.Date)
    if target == pl.Date:
        return source == pl.Date or isinstance(source, pl.Datetime) or source.is_integer()
    if target == pl.Boolean:
        return source == pl.Boolean or source.is_integer()
    return source.is_numeric()


def _is_list_of(source: pl.DataType, wanted: Any) -> bool:
    """Whether the source is a list of texts, or of structs with the wanted fields, numbers exact."""
    if isinstance(source, pl.List) and wanted == pl.String:
        return source.inner in (pl.String, pl.Null)
    if not (isinstance(source, pl.List) and isinstance(source.inner, pl.Struct)):
        return False
    fields = {field.name: field.dtype for field in source.inner.fields}

    def stands_for(found: Any, field: Any) -> bool:
        if isinstance(field, pl.Decimal):
            exact = isinstance(found, pl.Decimal) and found.scale <= field.scale
            return exact or (found is not None and found.is_integer())
        return bool(found == field)

    return all(stands_for(fields.get(f.name), f.dtype) for f in wanted.fields)


def as_text(column: str, source: pl.DataType) -> pl.Expr:
    """The column's value as trimmed text; empty text is null.

    Whole floating-point numbers lose their `.0`: identifiers come that way out of other tools; others
    lose the noise behind their fifteenth digit.
    """
    value = _in_calendar(column, source)
    if source.is_float():
        whole = value.is_finite() & (value == value.round()) & (value.abs() < 1e15)
        integer = value.cast(pl.Int64, strict=False).cast(pl.String)
        precise = value.round_sig_figs(_FLOAT_DIGITS) if source == pl.Float64 else value
        return pl.when(whole).then(integer).otherwise(precise.cast(pl.String))
    if isinstance(source, pl.Datetime):
        midnight = value.dt.time() == pl.time(0)
        return (
            pl.when(midnight).then(value.dt.date().cast(pl.String)).otherwise(value.cast(pl.String))
        )
    text = value.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def as_it_came(column: str, source: pl.DataType) -> pl.Expr:
    """The raw value as text, untrimmed; a date beyond the calendar as its number."""
    text = _in_calendar(column, source).cast(pl.String)
    if source.is_temporal():
        return pl.coalesce(text, pl.col(column).to_physical().cast(pl.String))
    return text


def _in_calendar(column: str, source: pl.DataType) -> pl.Expr:
    """The column; dates outside the years 1 to 9999 are null, since polars cannot write them."""
    if not isinstance(source, pl.Date | pl.Datetime):
        return pl.col(column)
    ticks = _TICKS_A_DAY[source.time_unit] if isinstance(source, pl.Datetime) else 1
    first, last = ((day - _EPOCH).days for day in (date.min, date.max))
    number = pl.col(column).to_physical()
    return pl.when((number >= first * ticks) & (number < (last + 1) * ticks)).then(pl.col(column))


def icd10(code: pl.Expr) -> pl.Expr:
    """An ICD-10 code written with its dot, whatever it was written with."""
    bare = code.str.to_uppercase().str.replace_all(".", "", literal=True)
    dotted = bare.str.slice(0, 3) + "." + bare.str.slice(3)
    return pl.when(bare.str.len_chars() > 3).then(dotted).when(bare != "").then(bare)


def _cased(text: pl.Expr, case: str) -> pl.Expr:
    match case:
        case "upper":
            return text.str.to_uppercase()
        case "lower":
            return text.str.to_lowercase()
        case "icd10":
            return icd10(text)
    return text


def _date(text: pl.Expr) -> pl.Expr:
    dashed = pl.when(text.str.contains(_DATE)).then(text.str.to_date("%Y-%m-%d", strict=False))
    compact = pl.when(text.str.contains(_COMPACT_DATE)).then(
        text.str.to_date("%Y%m%d", strict=False)
    )
    date = pl.coalesce(dashed, compact)
    return pl.when(date.dt.year() >= 1).then(date)


def _decimal(text: pl.Expr, target: pl.Decimal) -> pl.Expr:
    before, after = target.precision - target.scale, target.scale
    exact = rf"^[+-]?0*[0-9]{{1,{before}}}(\.[0-9]{{1,{after}}}0*)?$"
    return pl.when(text.str.contains(exact)).then(text).cast(target, strict=False)


def _integer(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(_INTEGER)).then(text.str.extract(r"^([^.]*)", 1))


def _float(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(_FLOAT)).then(text).cast(pl.Float64, strict=False)


def _boolean(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE)).then(False)


def _number(column: str, source: pl.DataType, target: pl.DataType) -> pl.Expr:
    """A whole number, or one of floating point that is finite."""
    value, text = pl.col(column), as_text(column, source)
    if target == pl.Int64:
        whole = value if source.is_integer() else _integer(text)
        return whole.cast(pl.Int64, strict=False)
    return pl.when(value.is_finite()).then(value) if source == pl.Float64 else _float(text)


def read_as(column: str, source: pl.DataType, schema_column: pa.Column) -> pl.Expr:
    """The column read as its schema types it; null where it is null or cannot be read."""
    target = polars_type(schema_column)
    if isinstance(target, pl.List):
        return pl.col(column).cast(target, strict=False)
    if isinstance(target, pl.Decimal) and _is_exact(source, target):
        return pl.col(column).cast(target, strict=False)
    if isinstance(target, pl.Datetime):
        return pl.col(column).cast(target, strict=False)
    text = as_text(column, source)
    if target == pl.Date:
        return _in_calendar(column, source) if source == pl.Date else _date(text)
    if target == pl.Boolean:
        return pl.col(column) if source == pl.Boolean else _boolean(text)
    if isinstance(target, pl.Decimal):
        return _decimal(text, target)
    if target in (pl.Float64, pl.Int64):
        return _number(column, source, target)
    return _cased(text, schema_column.metadata["case"])


def _is_exact(source: pl.DataType, target: pl.Decimal) -> bool:
    """Whether every number of the type is one of the target, or is too large for it."""
    return isinstance(source, pl.Decimal) and source.scale <= target.scale


def number(value: pl.Expr) -> pl.Expr:
    """A decimal as people write it: `90`, `90.5`."""
    return value.cast(pl.Decimal(38, 6)).cast(pl.String).str.replace(r"\.?0+$", "")


def millionths(value: pl.Expr) -> pl.Expr:
    """A decimal of scale 6 as the integer number of its millionths, so that sums are exact.

    Of 128 bits, so that no sum of units that can be read overflows.
    """
    return value.to_physical().cast(pl.Int128)


def from_millionths(value: pl.Expr) -> pl.Expr:
    """A whole number of millionths as the decimal it is."""
    return value.cast(pl.Decimal(38, 6)) / 1_000_000


# ---- National Drug Codes --------------------------------------------------------------------


def _unqualified(ndc: pl.Expr) -> pl.Expr:
    return ndc.str.to_uppercase().str.strip_prefix("N4")


def _padded(parts: Iterable[tuple[pl.Expr, int]]) -> pl.Expr:
    return pl.concat_str([part.str.zfill(width) for part, width in parts])


def ndc_11(ndc: pl.Expr, products: list[str]) -> pl.Expr:
    """The eleven digits of an NDC in any notation; null where it is not an NDC.

    Ten bare digits are an NDC only if exactly one of the three ways to pad them gives one of
    `products` (nine digits each).
    """
    text = _unqualified(ndc)
    hyphenated = []
    for notation in NDC_NOTATIONS:
        pattern = "^" + "-".join(rf"([0-9]{{{n}}})" for n in notation) + "$"
        parts = [text.str.extract(pattern, i + 1) for i in range(3)]
        hyphenated.append(_padded(zip(parts, _NDC_PADDED, strict=True)))
    ways = []
    for labeler, product, _ in NDC_NOTATIONS[:3]:
        parts = [
            text.str.slice(0, labeler),
            text.str.slice(labeler, product),
            text.str.slice(labeler + product),
        ]
        padded = _padded(zip(parts, _NDC_PADDED, strict=True))
        ways.append(pl.when(padded.str.slice(0, 9).is_in(products)).then(padded))
    one_way = pl.sum_horizontal(way.is_not_null().cast(pl.Int8) for way in ways) == 1
    return pl.coalesce(
        *hyphenated,
        pl.when(text.str.contains(r"^[0-9]{11}$")).then(text),
        pl.when(text.str.contains(r"^[0-9]{10}$") & one_way).then(pl.coalesce(*ways)),
    )


def with_ndc_11(rows: pl.DataFrame, text: pl.Expr, products: list[str]) -> pl.DataFrame:
    """`rows` with `ndc_11` of the NDC that `text` says; each distinct text is looked at once."""
    texts = rows.select(text.alias("ndc"))["ndc"]
    distinct = texts.unique().drop_nulls()
    found = distinct.to_frame().select(ndc_11(pl.col("ndc"), products)).to_series()
    ndc = texts.replace_strict(distinct, found, default=None, return_dtype=pl.String)
    return rows.with_columns(ndc.alias("ndc_11"))


def shortest_labeler(product: str) -> str:
    """The part of a product's labeler that every notation of its NDC holds: one leading 0 may lack."""
    labeler = product[:5]
    return labeler[1:] if labeler.startswith("0") else labeler
