"""How a table is declared as a pandera schema, and how its declaration is read again.

A column's `metadata` says how its text is read: `case` is `as_is`, `upper`, `lower`, or `icd10`
(upper-cased, and written with the dot). Checks carry the name that a rejected row is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from claims_edit.pandera_alone import pa


def check(name: str, rule: Callable[[pl.Expr], pl.Expr]) -> pa.Check:
    """A check of one column; null passes, since whether null is allowed is the column's to say."""
    return pa.Check(lambda data: data.lazyframe.select(rule(pl.col(data.key))), name=name)


def row_check(name: str, rule: pl.Expr) -> pa.Check:
    """A check of several columns of one row; it passes where one of them is null."""
    return pa.Check(lambda data: data.lazyframe.select(rule), name=name)


def column(
    dtype: Any,
    description: str,
    *checks: pa.Check,
    nullable: bool = True,
    case: str = "as_is",
) -> pa.Column:
    """A column of any type."""
    return pa.Column(
        dtype,
        list(checks),
        nullable=nullable,
        required=True,
        description=description,
        metadata={"case": case},
    )


def text(description: str, *, nullable: bool = True, case: str = "as_is") -> pa.Column:
    """Text as it is, trimmed."""
    return column(pl.String, description, nullable=nullable, case=case)


def code(description: str, *checks: pa.Check, nullable: bool = True) -> pa.Column:
    """A code: upper-cased text."""
    return column(pl.String, description, *checks, nullable=nullable, case="upper")


def choice(description: str, *values: str, nullable: bool = True) -> pa.Column:
    """One of a few words, in any case."""
    known = check("known_value", lambda c: c.is_in(values))
    return column(
        pl.String, f"{description}: {', '.join(values)}", known, nullable=nullable, case="lower"
    )


def state(description: str) -> pa.Column:
    """A state of two letters."""
    return code(description, check("two_letters", lambda c: c.str.contains(r"^[A-Z]{2}$")))


def date(description: str, *, nullable: bool = True) -> pa.Column:
    """A date."""
    return column(pl.Date, description, nullable=nullable)


def moment(description: str, *, nullable: bool = True) -> pa.Column:
    """A moment in UTC, to the millisecond."""
    return column(pl.Datetime("ms", "UTC"), description, nullable=nullable)


def integer(
    description: str, low: int, high: int | None = None, *, nullable: bool = True
) -> pa.Column:
    """A whole number within bounds."""
    checks = [check(f"at_least_{low}", lambda c: c >= low)]
    if high is not None:
        checks.append(check(f"at_most_{high}", lambda c: c <= high))
    return column(pl.Int64, description, *checks, nullable=nullable)


def positive(dtype: Any, description: str, *, nullable: bool = True) -> pa.Column:
    """A number above 0."""
    return column(dtype, description, check("above_0", lambda c: c > 0), nullable=nullable)


def not_negative(dtype: Any, description: str, *, nullable: bool = True) -> pa.Column:
    """A number of 0 or more."""
    return column(dtype, description, check("not_below_0", lambda c: c >= 0), nullable=nullable)


def schema(name: str, columns: dict[str, pa.Column], *checks: pa.Check) -> pa.DataFrameSchema:
    """A table of exactly these columns, in this order."""
    return pa.DataFrameSchema(columns, checks=list(checks), name=name, strict=True, ordered=True)


# ---- declarations read again ----------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One check of a schema as an expression: true passes, null passes, false fails."""

    name: str
    passes: pl.Expr


class _ExpressionOf:
    """Stands in for the frame of a check, and hands back the expression it would select."""

    def select(self, expression: pl.Expr) -> pl.Expr:
        return expression


@dataclass(frozen=True)
class _CheckInput:
    key: str
    lazyframe: _ExpressionOf


def rules_of(schema: pa.DataFrameSchema) -> list[Rule]:
    """The checks of `schema` as expressions over its typed columns, in the order of its columns."""

    def rule(prefix: str, key: str, check: Any) -> Rule:
        passes = check._check_fn(_CheckInput(key, _ExpressionOf()), **check._check_kwargs)
        return Rule(f"{prefix}{check.name}", passes)

    rules: list[Rule] = []
    for name, column in schema.columns.items():
        if not column.nullable:
            rules.append(Rule(f"{name}:not_null", pl.col(name).is_not_null()))
        rules.extend(rule(f"{name}:", name, check) for check in column.checks)
    rules.extend(rule("", "*", check) for check in schema.checks)
    return rules


def polars_type(column: pa.Column) -> pl.DataType:
    """The polars type that a schema's column declares."""
    dtype: pl.DataType = column.dtype.type
    return dtype


def empty(schema: pa.DataFrameSchema) -> pl.DataFrame:
    """A frame of `schema` without rows."""
    return pl.DataFrame(schema={name: polars_type(c) for name, c in schema.columns.items()})


def validated(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` in the schema's column order; raises pandera's SchemaError where it breaks it.

    All checks are made in one pass; pandera, which goes through the rows anew for each, is asked only
    what is wrong where one is not met.
    """
    frame = frame.select(list(schema.columns))
    types = {name: polars_type(column) for name, column in schema.columns.items()}
    met = [rule.passes.fill_null(True).all() for rule in rules_of(schema)]
    if frame.schema != types or not all(frame.select(pl.all_horizontal(True, *met)).to_series()):
        schema.validate(frame)
    return frame
