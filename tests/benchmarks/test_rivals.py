"""The rivals find what the program finds, line by line; else they would not do the same work."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.compare import Compared, compared, limits_compared, same_lines
from benchmarks.rivals import (
    duckdb_edits,
    duckdb_filter,
    duckdb_limits,
    floor,
    oracle,
    pandas_edits,
    zen_edits,
)

from .conftest import Editing

LINES, FEW = 20_000, 5_000


def all_the_same(found: Compared, at_least: float) -> None:
    assert found.differing.rows() == []
    assert found.lines >= at_least


def test_duckdb_finds_the_same_line_edits(edited: Editing) -> None:
    night = edited("dense", LINES)
    inputs = night.rival("duckdb")
    duckdb_edits.run(inputs)
    all_the_same(compared(night.run, inputs.out), 0.99 * LINES)


@pytest.mark.parametrize("variant", ["", "all-over", "heavy-member"])
def test_pandas_finds_the_same_edits_and_limits(edited: Editing, variant: str) -> None:
    lines = FEW if variant else LINES
    night = edited("dense", lines, variant)
    inputs = night.rival("pandas")
    pandas_edits.run(inputs)
    all_the_same(compared(night.run, inputs.out, limits=True), 0.99 * lines)
    ours = pl.read_parquet(night.run / "lines.parquet")
    theirs = pl.read_parquet(inputs.out)
    both = ours.join(theirs, on=["claim_id", "claim_line_number"], suffix="_rival")
    assert both.filter(pl.col("disposition") != pl.col("disposition_rival")).is_empty()
    assert both.filter(pl.col("allowed_units") != pl.col("allowed_units_rival")).is_empty()


def test_a_rules_engine_finds_the_same_line_edits(edited: Editing) -> None:
    night = edited("dense", FEW)
    inputs = night.rival("zen")
    took = zen_edits.run(inputs)
    all_the_same(compared(night.run, inputs.out), 0.99 * FEW)
    assert took["lines"] == FEW
    assert took["evaluate"] > 0
    assert took["evaluate_batch"] > 0


def test_the_oracle_finds_the_same(edited: Editing) -> None:
    night = edited("dense", 600)
    inputs = night.rival("oracle")
    assert oracle.run(inputs) > 0
    all_the_same(compared(night.run, inputs.out, limits=True), 590)


@pytest.mark.parametrize("variant", ["", "all-over"])
def test_the_windows_in_sql_allow_the_same(edited: Editing, variant: str) -> None:
    night = edited("dense", FEW if variant else LINES, variant)
    inputs = night.rival("limits")
    assert duckdb_limits.run(inputs) > 0
    all_the_same(limits_compared(night.run, inputs.out), 2_000)


def test_the_filter_finds_the_lines_of_the_drug_in_every_notation(edited: Editing) -> None:
    night = edited("sparse", 400_000)
    inputs = night.rival("filter")
    duckdb_filter.run(inputs)
    all_the_same(same_lines(night.run, inputs.out), 300)


def test_the_floor_finds_those_that_are_spelt_as_they_should_be(edited: Editing) -> None:
    night = edited("sparse", 400_000)
    inputs = night.rival("floor")
    floor.run(inputs)
    found = pl.read_parquet(inputs.out)
    assert found.height == night.made.known["facts"]["HCPCS plain"]
    assert found.columns == list(pl.read_parquet_schema(night.made.claims / "part-000.parquet"))


def test_a_line_that_differs_is_seen(edited: Editing) -> None:
    night = edited("dense", 600)
    lines = pl.read_parquet(night.run / "lines.parquet")
    out = night.rival("spoiled").out
    spoiled = lines.with_row_index().with_columns(
        edit_ids=pl.when(pl.col("index") == 7)
        .then(pl.lit(["ndc-missing", "ndc-invalid"]))
        .otherwise("edit_ids")
    )
    spoiled.slice(1).write_parquet(out)
    found = compared(night.run, out, limits=True)
    assert found.lines == lines.height
    keys = set(found.differing.select(pl.coalesce("claim_id", "claim_id_rival")).to_series())
    assert keys == {lines["claim_id"][0], lines["claim_id"][7]}
