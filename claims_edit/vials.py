"""Whole vials: which sums of units they make."""

from __future__ import annotations

import math

import polars as pl

from claims_edit.normalise import millionths, number
from claims_edit.reference import in_force

VIALS_OF = ["hcpcs_code", "claim_line_start_date"]


def vials_of(lines: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """By HCPCS code and service date, the vials that there are: `sizes` in millionths of a unit, in
    order, and `vial_sizes` in words."""
    return (
        lines.select(VIALS_OF)
        .unique()
        .join(products, on="hcpcs_code")
        .filter(in_force(pl.col("claim_line_start_date"), pl.col("start_date"), pl.col("end_date")))
        .group_by(VIALS_OF)
        .agg(
            sizes=millionths(pl.col("units_per_package")).unique().sort(),
            vial_sizes=number(pl.col("units_per_package").unique().sort()),
        )
    )


def is_sum_of(total: int, sizes: list[int]) -> bool:
    """Whether `total` is a sum of whole multiples of `sizes`; nothing but 0 is a sum of no sizes."""
    if not sizes:
        return total == 0
    unit = math.gcd(*sizes)
    if total % unit:
        return False
    total, sizes = total // unit, [s // unit for s in sizes]
    # Sizes without a common divisor reach every number from the square of the largest on.
    if total >= max(sizes) ** 2:
        return True
    reached = 1
    for size in sizes:
        for _ in range(total // size):
            reached |= reached << size
    return bool(reached >> total & 1)


def smallest_sum(at_least: int, sizes: list[int]) -> int:
    """The smallest sum of whole multiples of `sizes` not below; of no sizes, `at_least` itself."""
    if not sizes:
        return at_least
    unit = math.gcd(*sizes)
    total = -(-at_least // unit) * unit
    while not is_sum_of(total, sizes):
        total += unit
    return total
