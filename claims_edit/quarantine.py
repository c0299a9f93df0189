"""Contract to good rows, and bad rows with the names of every check that they failed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from claims_edit.contracts import CLAIMS, FILLED_FROM_MEMBERS
from claims_edit.normalise import as_it_came, as_text, read_as
from claims_edit.pandera_alone import pa
from claims_edit.schemas import empty, polars_type, rules_of

DUPLICATE_ROW = "duplicate_row"
CONFLICTING_KEY = "conflicting_key"
CONFLICTING_CLAIM = "conflicting_claim"
REPLACEMENT_CYCLE = "replacement_cycle"

_FAILURES = {"row": pl.UInt32, "check": pl.String}
_UNREADABLE = "unreadable:"
_SHOWN = 10_000
_WORDS = {
    "not_null": "is missing",
    "above_0": "must be above 0",
    "not_below_0": "must not be below 0",
    "two_letters": "must be two letters",
    "not_after_service": "is after the service date",
    "not_before_start": "is before the start date",
    "not_before_effective": "is before the effective date",
    DUPLICATE_ROW: "the row repeats another of the same key, which was kept",
    CONFLICTING_KEY: "another row of the same key has other values",
    CONFLICTING_CLAIM: "the lines of the claim disagree on member, frequency or original claim",
    REPLACEMENT_CYCLE: "the claim replaces another that replaces it in turn",
}


@dataclass(frozen=True)
class Typed:
    """Rows read as a schema types them, and what could not be read or breaks a check.

    `rows` has `row` and the schema's columns; `failures` one row a failed check: `row`, `check`.
    """

    rows: pl.DataFrame
    failures: pl.DataFrame


def read_typed(chosen: pl.DataFrame, schema: pa.DataFrameSchema) -> Typed:
    """Read the columns of `chosen` (with `row`) as `schema` types them, and check every row."""
    repeating = _repeating(chosen, schema)
    values: list[pl.Expr] = [pl.col("row")]
    for name, column in schema.columns.items():
        if _is_null(chosen[name]):
            values.append(pl.lit(None, polars_type(column)).alias(name))
        elif name in repeating:
            texts = repeating[name]
            read = texts.to_frame().select(_reads(name, pl.String(), column))
            values += [
                pl.col(name)
                .replace_strict(texts, found, default=None, return_dtype=found.dtype)
                .alias(found.name)
                for found in read
            ]
        else:
            values += _reads(name, chosen.schema[name], column)
    frame = chosen.lazy().select(values).collect()
    failures = _failures(frame, schema)
    return Typed(frame.drop(c for c in frame.columns if c.startswith(_UNREADABLE)), failures)


def _reads(name: str, source: pl.DataType, column: pa.Column) -> list[pl.Expr]:
    """The column read, and, where it is not read as text, whether it is given and cannot be read."""
    value = read_as(name, source, column).alias(name)
    if polars_type(column) == pl.String:
        return [value]
    written = source == pl.String or isinstance(source, pl.Categorical | pl.Enum)
    given = as_text(name, source) if written else pl.col(name)
    return [value, (given.is_not_null() & value.is_null()).alias(_UNREADABLE + name)]


def _repeating(chosen: pl.DataFrame, schema: pa.DataFrameSchema) -> dict[str, pl.Series]:
    """The texts of columns in which few texts stand often, as the first rows show: those are read once.

    Ids are only trimmed, which costs less than to look for them.
    """
    texts = [
        name
        for name, column in schema.columns.items()
        if chosen.schema[name] == pl.String
        and (polars_type(column) != pl.String or column.metadata["case"] != "as_is")
        and chosen.height > _SHOWN
        and chosen[name].head(_SHOWN).n_unique() < _SHOWN // 4
    ]
    distinct = chosen.lazy().select(pl.col(name).unique().implode() for name in texts).collect()
    return {name: distinct[name].explode().drop_nulls() for name in texts}


def _failures(frame: pl.DataFrame, schema: pa.DataFrameSchema) -> pl.DataFrame:
    checks = [
        (f"{c.removeprefix(_UNREADABLE)}:readable", pl.col(c))
        for c in frame.columns
        if c.startswith(_UNREADABLE)
    ]
    for rule in rules_of(schema):
        fails = ~rule.passes.fill_null(True)
        column, _, kind = rule.name.partition(":")
        if kind != "not_null" and column in frame.columns and _is_null(frame[column]):
            continue
        if kind == "not_null" and _UNREADABLE + column in frame.columns:
            fails = fails & ~pl.col(_UNREADABLE + column)
        checks.append((rule.name, fails))
    fails_any = frame.lazy().select(pl.any_horizontal(fails for _, fails in checks)).collect()
    if not fails_any.to_series().any():
        return no_failures()
    bad = frame.filter(fails_any.to_series())
    failed = [bad.filter(fails).select("row", check=pl.lit(name)) for name, fails in checks]
    return pl.concat([no_failures(), *failed])


def _is_null(values: pl.Series) -> bool:
    return values.null_count() == len(values)


def no_failures() -> pl.DataFrame:
    """A frame of no failures."""
    return pl.DataFrame(schema=_FAILURES)


def failing(rows: pl.DataFrame, check: str) -> pl.DataFrame:
    """Every row of `rows` as a failure of one check."""
    return rows.select("row", check=pl.lit(check))


def without(rows: pl.DataFrame, failures: pl.DataFrame) -> pl.DataFrame:
    """`rows` that failed nothing, in their order."""
    if failures.is_empty():
        return rows
    return rows.filter(~pl.col("row").is_in(failures["row"].implode()))


def _of_rows(rows: pl.DataFrame, some: pl.Series) -> pl.DataFrame:
    """Those of `rows` whose `row` is one of a few, in their order."""
    return rows.filter(pl.col("row").is_in(some.implode()))


def repeated_keys(
    raw: pl.DataFrame, chosen: pl.DataFrame, rows: pl.DataFrame, key: list[str]
) -> pl.DataFrame:
    """Failures of rows that share a readable key: all but one where they are equal, else all.

    Rows are equal where all they were read as is equal, and what could not be read is the same
    text. Of equal rows the one whose raw values come first stays, whatever the files' order.
    """
    shared = rows.filter(rows.select(key).is_duplicated()).drop_nulls(key)
    if shared.is_empty():
        return no_failures()
    raw, chosen = (_of_rows(f, shared["row"]) for f in (raw, chosen))
    values = [c for c in rows.columns if c != "row"]
    texts = chosen.select("row", *(as_text(c, chosen.schema[c]).alias(f"text:{c}") for c in values))
    compared = shared.join(texts, on="row").with_columns(
        pl.coalesce(pl.col(c).cast(pl.String), f"text:{c}") for c in values if c not in key
    )
    counted = compared.with_columns(kinds=pl.struct(values).n_unique().over(key))
    came = raw.select(
        "row",
        as_it_came=pl.struct(
            as_it_came(c, t).alias(c) for c, t in raw.schema.items() if c != "row"
        ),
    )
    equal = counted.filter(pl.col("kinds") == 1).join(came, on="row")
    kept = equal.sort("as_it_came", "row").unique(key, keep="first", maintain_order=True)
    return pl.concat(
        [
            failing(equal.join(kept, on="row", how="anti"), DUPLICATE_ROW),
            failing(counted.filter(pl.col("kinds") > 1), CONFLICTING_KEY),
        ]
    )


def disagreeing(rows: pl.DataFrame, group: str, columns: list[str], check: str) -> pl.DataFrame:
    """Failures of all rows of a group that disagree on `columns`; null is a value of its own."""
    said = [c for c in columns if not _is_null(rows[c])]
    kinds = rows.select(group, *said).drop_nulls(group).unique()
    several = kinds.filter(pl.col(group).is_duplicated())[group].unique()
    return failing(rows.filter(pl.col(group).is_in(several.implode())), check)


def rejected(
    raw: pl.DataFrame, failures: pl.DataFrame, schema: pa.DataFrameSchema, read: pa.DataFrameSchema
) -> pl.DataFrame:
    """The table of rejected rows: as they came, with every check they failed, by name and in words.

    `schema` is that of the table, `read` the one whose checks were made.
    """
    if failures.is_empty():
        return empty(schema)
    words = {name: _in_words(name, read) for name in failures["check"].unique()}
    if read is CLAIMS:
        words = {name: said + _where(name) for name, said in words.items()}
    checks = (
        failures.unique()
        .sort("row", "check")
        .with_columns(
            words=pl.col("check").replace_strict(words, return_dtype=pl.String)
            if words
            else pl.col("check")
        )
        .group_by("row", maintain_order=True)
        .agg(failed_checks=pl.col("check"), reasons=pl.col("words").str.join("; "))
    )
    columns = list(schema.columns)
    table = (
        _of_rows(raw, checks["row"])
        .join(checks, on="row")
        .with_columns(as_it_came(c, raw.schema[c]).alias(c) for c in columns if c in raw.columns)
    )
    return in_order_as_they_came(table.select(columns))


def in_order_as_they_came(rejected: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows in the order of their raw values."""
    return rejected.sort(*rejected.columns[2:], "failed_checks", nulls_last=True)


def _in_words(check: str, read: pa.DataFrameSchema) -> str:
    column, _, kind = check.partition(":")
    if check in _WORDS:
        return _WORDS[check]
    if kind == "readable":
        return f"{column} cannot be read as {_type_in_words(read.columns[column])}"
    if kind == "known_value":
        return f"{column} is not a {read.columns[column].description}"
    must = "must be " + kind.replace("_", " ")
    return f"{column} {_WORDS.get(kind, must)}"


def _where(check: str) -> str:
    """A claim's value may be the members extract's."""
    filled = check.partition(":")[0] in FILLED_FROM_MEMBERS
    return " (here, or in the members extract)" if filled else ""


def _type_in_words(column: pa.Column) -> str:
    target = polars_type(column)
    if target == pl.Date:
        return "a date (YYYY-MM-DD or YYYYMMDD)"
    if isinstance(target, pl.Decimal):
        before = target.precision - target.scale
        return f"a number of at most {before} digits before the point and {target.scale} after it"
    if target == pl.Float64:
        return "a number"
    return "a whole number" if target == pl.Int64 else "true or false"
