"""How a run is cut into parts: how many, at which members, and which claims are of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from claims_edit.engines.spark.work import CLAIM, Parts
from claims_edit.parts import ONE_RANGE, Ranges, ranges_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A part that is far smaller is not worth a task of its own.
_SMALLEST_PART = 20_000
_SAMPLED_MEMBERS = 20_000


def parts_of(keys: DataFrame, cores: int, most_rows: int) -> Parts:
    """The parts of the rows whose claims and members `keys` counts."""
    rows, members = _size(keys)
    count = max(-(-rows // most_rows), min(2 * cores, rows // _SMALLEST_PART), 1)
    return Parts(_ranges(keys, members, count), _split(keys))


def _size(keys: DataFrame) -> tuple[int, int]:
    from pyspark.sql import functions as sql

    row = keys.agg(
        sql.coalesce(sql.sum("rows"), sql.lit(0)), sql.approx_count_distinct("member_id")
    ).first()
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


def _ranges(keys: DataFrame, members: int, count: int) -> Ranges:
    """Ranges of members that each have about as many rows: by a sample of members."""
    from pyspark.sql import functions as sql

    if count == 1:
        return ONE_RANGE
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
    return ranges_of(weights, -(-int(weights["rows"].sum()) // count))


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
    found = [(row["member_id"], row["claim_id"]) for row in claims.collect()]
    return pl.DataFrame(found, schema=CLAIM, orient="row").sort(list(CLAIM))
