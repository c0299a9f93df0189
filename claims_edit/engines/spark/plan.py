"""How a run is cut into parts: how many, at which members, and which claims are of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from claims_edit.engines.spark.work import Parts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A part has about so many rows in scope at most, and is not worth a task with far fewer.
PART_ROWS = 200_000
_SMALLEST_PART = 20_000
_SAMPLED_MEMBERS = 20_000
_KEY = {"claim_id": pl.String, "member_id": pl.String}


def parts_of(keys: DataFrame, cores: int, most_rows: int = PART_ROWS) -> Parts:
    """The parts of the rows whose claims and members `keys` counts."""
    rows, members = _size(keys)
    count = max(-(-rows // most_rows), min(2 * cores, rows // _SMALLEST_PART), 1)
    return Parts(_begins(keys, members, count), _split(keys))


def _size(keys: DataFrame) -> tuple[int, int]:
    from pyspark.sql import functions as sql

    row = keys.agg(
        sql.coalesce(sql.sum("rows"), sql.lit(0)), sql.approx_count_distinct("member_id")
    ).first()
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


def _begins(keys: DataFrame, members: int, count: int) -> tuple[str, ...]:
    """Where the ranges of members begin, so that each has about as many rows: by a sample of members."""
    from pyspark.sql import functions as sql

    if count == 1:
        return ()
    every = max(members // _SAMPLED_MEMBERS, 1)
    sampled = keys.filter(
        sql.col("member_id").isNotNull()
        & (sql.pmod(sql.xxhash64("member_id"), sql.lit(every)) == 0)
    )
    counted = sampled.groupBy("member_id").agg(sql.sum("rows").alias("rows")).collect()
    weights = pl.DataFrame(
        [(row["member_id"], row["rows"]) for row in counted],
        schema={"member_id": pl.String, "rows": pl.Int64},
        orient="row",
    ).sort("member_id")
    before = weights.with_columns(
        part=(pl.col("rows").cum_sum() - pl.col("rows")) * count // pl.col("rows").sum()
    )
    begins = before.group_by("part").agg(pl.col("member_id").min()).sort("part")["member_id"]
    return tuple(begins.to_list()[1:])


def _split(keys: DataFrame) -> pl.DataFrame:
    """The claims of several members (no member is one of its own), each with every member."""
    from pyspark.sql import functions as sql

    claims = (
        keys.filter(sql.col("claim_id").isNotNull())
        .groupBy("claim_id")
        .agg(
            sql.min("member_id").alias("first"),
            sql.max("member_id").alias("last"),
            sql.max(sql.col("member_id").isNull()).alias("without"),
            sql.collect_set("member_id").alias("members"),
        )
        .filter(
            (sql.col("first") != sql.col("last"))
            | (sql.col("without") & sql.col("first").isNotNull())
        )
        .select("claim_id", sql.explode("members").alias("member_id"))
    )
    found = [(row["claim_id"], row["member_id"]) for row in claims.collect()]
    return pl.DataFrame(found, schema=_KEY, orient="row").sort("claim_id", "member_id")
