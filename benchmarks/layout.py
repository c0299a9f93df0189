"""The columns of a made-up claims extract, in the contract's order and types."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from claims_edit.contracts import CLAIMS, DIAGNOSIS_COLUMNS
from claims_edit.schemas import polars_type

# The header's dates, of the Tuva layout: a line without a date of its own reads them.
HEADER_DATES = {"claim_start_date": pl.Date(), "claim_end_date": pl.Date()}
NARROW = {"claim_line_number": pl.Int32(), "service_unit_quantity": pl.Decimal(18, 3)}
TYPES: dict[str, pl.DataType] = {
    name: NARROW.get(name, polars_type(column)) for name, column in CLAIMS.columns.items()
}


def laid_out(columns: Mapping[str, pl.Series], rows: int, *, header: bool = False) -> pl.DataFrame:
    """All columns of the contract; null where none is given. With `header`, also its dates."""
    types = TYPES | (HEADER_DATES if header else {})
    return pl.DataFrame(
        [
            columns[name].alias(name).cast(of_type)
            if name in columns
            else pl.Series(name, [None], of_type).new_from_index(0, rows)
            for name, of_type in types.items()
        ]
    )


def diagnoses(codes: list[pl.Series]) -> dict[str, pl.Series]:
    """The first diagnosis columns."""
    return dict(zip(DIAGNOSIS_COLUMNS, codes, strict=False))


def money(cents: pl.Series) -> pl.Series:
    """Whole cents as an amount."""
    return (cents.cast(pl.Decimal(18, 2)) / 100).cast(pl.Decimal(18, 2))
