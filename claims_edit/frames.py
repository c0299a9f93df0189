"""Frames by line: facts put beside lines, and lists of them, without moving the lines themselves."""

from __future__ import annotations

import polars as pl

_FEW = 20_000


def beside(lines: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """`lines` with the columns of `facts`, which has at most one row a `line`; null where it has none."""
    columns = [c for c in facts.columns if c != "line"]
    if facts.is_empty():
        return lines.with_columns(pl.lit(None, facts.schema[c]).alias(c) for c in columns)
    found = lines.select("line").join(facts, on="line", how="left", maintain_order="left")
    return lines.hstack(found.select(columns))


def matched(lines: pl.DataFrame, facts: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """`lines` with the columns of `facts`, which has at most one row of each `on`; null where none.

    Where the facts are few, texts are numbered first: one join of numbers takes a third of the time.
    """
    columns = [c for c in facts.columns if c not in on]
    if facts.is_empty():
        return lines.with_columns(pl.lit(None, facts.schema[c]).alias(c) for c in columns)
    asked, told = lines.select(on), facts
    if facts.height < _FEW < lines.height:
        asked, told = _numbered(asked, facts, on)
        on = [c for c in told.columns if c not in columns]
    found = asked.join(told, on=on, how="left", nulls_equal=True, maintain_order="left")
    return lines.hstack(found.select(columns))


def _numbered(
    lines: pl.DataFrame, facts: pl.DataFrame, on: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with numbers for the texts that the facts have; a text that they do not have is -1."""
    for column in on:
        if lines.schema[column] == pl.String:
            texts = facts[column].unique().drop_nulls()
            number = pl.when(pl.col(column).is_not_null()).then(
                pl.col(column).replace_strict(
                    texts, pl.int_range(len(texts), eager=True), default=-1, return_dtype=pl.Int32
                )
            )
            lines, facts = lines.with_columns(number), facts.with_columns(number)
    return lines, facts


def lists(lines: pl.Series, of: pl.Series, values: pl.Series) -> pl.Series:
    """For each of `lines` the list of the `values` whose line (`of`, ascending) it is; none is empty.

    Both `lines` and `of` are ascending.
    """
    import pyarrow as pa

    after = pl.concat([lines, lines.tail(1) + 1])
    bounds = of.search_sorted(after, side="left").cast(pl.Int64)
    if lines.is_empty():
        return pl.Series(values.name, [], dtype=pl.List(values.dtype))
    grouped = pa.LargeListArray.from_arrays(bounds.to_arrow(), values.to_arrow())
    return pl.Series(values.name, grouped, dtype=pl.List(values.dtype))
