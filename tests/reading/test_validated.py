"""A table is asked all its checks in one pass; what breaks one is refused in pandera's words."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from claims_edit import schemas
from claims_edit.pandera_alone import errors
from claims_edit.schemas import validated

SCHEMA = schemas.schema(
    "visits",
    {
        "visit": schemas.text("its id", nullable=False),
        "units": schemas.integer("units", 1, 9),
        "begins": schemas.date("first day"),
        "ends": schemas.date("last day"),
    },
    schemas.row_check("ends_before_it_begins", pl.col("ends") >= pl.col("begins")),
)
SOUND = pl.DataFrame(
    {
        "visit": ["A", "B", "C"],
        "units": [1, 9, None],
        "begins": [date(2026, 1, 1), None, date(2026, 1, 1)],
        "ends": [date(2026, 1, 1), date(2026, 1, 1), None],
    }
)


def test_a_sound_table_is_handed_back_in_the_order_of_its_schema() -> None:
    assert validated(SCHEMA, SOUND.select(reversed(SOUND.columns))).equals(SOUND)
    assert validated(SCHEMA, SOUND.with_columns(more=1)).equals(SOUND)
    assert validated(SCHEMA, SOUND.clear()).equals(SOUND.clear())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"visit": pl.Series(["A", None, "C"])}, "null"),
        ({"units": pl.Series([1, 0, 3])}, "at_least_1"),
        ({"units": pl.Series([1, 10, 3])}, "at_most_9"),
        ({"units": pl.Series([1, 2, 3], dtype=pl.Int32)}, "Int32"),
        ({"begins": pl.Series([date(2026, 1, 2)] * 3)}, "ends_before_it_begins"),
    ],
)
def test_what_breaks_the_schema_is_refused(broken: dict[str, pl.Series], said: str) -> None:
    table = SOUND.with_columns(**broken)
    refused = pytest.raises((errors.SchemaError, errors.SchemaErrors), match=said)
    with refused:
        validated(SCHEMA, table)
    with refused:
        SCHEMA.validate(table)
