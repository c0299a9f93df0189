"""Asking the edits: verdicts where a line fails or cannot tell, and what the policy does with them."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from claims_edit.contracts import FINDINGS, LINE_KEY
from claims_edit.edits.edit import Edit
from claims_edit.schemas import polars_type

_OF_THE_LINE = (*LINE_KEY, "policy_id", "policy_version")
_FOUND = {"line": pl.UInt32()} | {
    name: polars_type(column)
    for name, column in FINDINGS.columns.items()
    if name not in _OF_THE_LINE
}


def none_found() -> pl.DataFrame:
    """A frame of no findings."""
    return pl.DataFrame(schema=_FOUND)


def ask(
    lines: pl.DataFrame, edits: Iterable[Edit], rules: pl.DataFrame, *, off: bool = False
) -> pl.DataFrame:
    """The findings of `edits` on `lines`: one row a fail or unknown whose action is not `off`; those
    whose action it is, too, where `off` says so.

    `rules` says by `policy_version` and `edit_id` what a version does on `fail` and on `unknown`,
    and its `section`; an edit without a row is not asked. Only a line that no version governs is
    asked without one: its findings flag.
    """
    edits = list(edits)
    not_passed = (
        lines.lazy().select(_does_not_pass(edit).alias(edit.id) for edit in edits).collect()
    )
    found = [
        _ask_one(lines.select(_read_by(edit, lines))[places], edit, rules)
        for edit in edits
        if len(places := not_passed[edit.id].arg_true())
    ]
    everything = pl.concat([none_found(), *found])
    return everything if off else everything.filter(pl.col("action") != "off")


def asked(lines: pl.DataFrame, edits: Iterable[Edit], rules: pl.DataFrame) -> pl.DataFrame:
    """Which of `edits` were asked of each of `lines`, as `line` and `edit_id`."""
    pairs = [
        lines.filter(_is_asked(edit)).select("line", "policy_version", edit_id=pl.lit(edit.id))
        for edit in edits
    ]
    ungoverned = pl.col("policy_version").is_null()
    listed = rules.select("policy_version", "edit_id", listed=pl.lit(True))
    found = pl.concat(pairs).join(
        listed, on=["policy_version", "edit_id"], how="left", maintain_order="left"
    )
    return found.filter(pl.col("listed").fill_null(False) | ungoverned).select("line", "edit_id")


def _is_asked(edit: Edit) -> pl.Expr:
    return pl.col("asked_as").is_in(edit.asked_of).fill_null(False)


def _does_not_pass(edit: Edit) -> pl.Expr:
    return _is_asked(edit) & edit.fails.fill_null(True)


def _read_by(edit: Edit, lines: pl.DataFrame) -> list[str]:
    """The columns that are read of the lines that do not pass an edit."""
    if edit.details is not None:
        return lines.columns
    said = [e for e in (edit.fails, edit.message, edit.unknown_message) if e is not None]
    read = {name for expression in said for name in expression.meta.root_names()}
    return sorted(read | {"line", "policy_version", *edit.evidence})


def _ask_one(not_passed: pl.DataFrame, edit: Edit, rules: pl.DataFrame) -> pl.DataFrame:
    """The findings of an edit on the lines that do not pass it."""
    not_passed = not_passed.with_columns(fails=edit.fails)
    if edit.details is not None:
        not_passed = edit.details(not_passed)
    failed = pl.col("fails").is_not_null()
    unknown_message = edit.message if edit.unknown_message is None else edit.unknown_message
    own_rules = rules.filter(pl.col("edit_id") == edit.id).drop("edit_id")
    return (
        not_passed.join(own_rules, on="policy_version", how="left", maintain_order="left")
        .with_columns(
            verdict=pl.when(failed).then(pl.lit("fail")).otherwise(pl.lit("unknown")),
            action=pl.when(pl.col("policy_version").is_null())
            .then(pl.lit("flag"))
            .when(failed)
            .then("fail")
            .otherwise("unknown"),
        )
        .filter(pl.col("action").is_not_null())
        .select(
            "line",
            "verdict",
            "action",
            edit_id=pl.lit(edit.id),
            group_code=pl.lit(edit.group_code, dtype=pl.String),
            carc=pl.lit(edit.carc, dtype=pl.String),
            rarc=pl.lit(edit.rarc, dtype=pl.String),
            message=pl.when(failed).then(edit.message).otherwise(unknown_message),
            policy_section="section",
            evidence=_evidence(edit, not_passed.schema),
        )
        .select(list(_FOUND))
    )


def _evidence(edit: Edit, schema: pl.Schema) -> pl.Expr:
    """The columns that were judged as JSON: numbers as numbers, dates as text."""
    return pl.struct(
        (pl.col(c).cast(pl.Float64) if isinstance(schema[c], pl.Decimal) else pl.col(c)).alias(
            c.rpartition(":")[2]
        )
        for c in edit.evidence
    ).struct.json_encode()
