"""Numbers that depend on a seed, a name and a key, and on nothing else.

So every value of a made-up extract is the same however many rows are made at a time, and two rows of
one claim agree where both ask with the claim's key.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Dice:
    """Throws that are told apart by name and key."""

    seed: int

    def uniform(self, name: str, keys: Keys) -> NDArray[np.float64]:
        """Numbers from 0 up to 1."""
        digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        mixed = _mixed(keys + np.uint64(int.from_bytes(digest, "little")))
        return (mixed >> np.uint64(11)).astype(np.float64) * 2**-53

    def below(self, name: str, keys: Keys, bound: int) -> Indices:
        """Whole numbers from 0 up to `bound`."""
        return (self.uniform(name, keys) * bound).astype(np.int64)

    def chance(self, name: str, keys: Keys, share: float) -> Flags:
        """True in such a share."""
        return self.uniform(name, keys) < share

    def skewed(self, name: str, keys: Keys, bound: int) -> Indices:
        """Whole numbers up to `bound`, few of them often and many of them seldom."""
        return (self.uniform(name, keys) ** 3 * bound).astype(np.int64)

    def kinds(self, name: str, keys: Keys, shares: Mapping[str, float]) -> Indices:
        """The place of one of `shares`, in such shares; the number of them where it is none."""
        steps = np.cumsum(list(shares.values()))
        return np.searchsorted(steps, self.uniform(name, keys), side="right").astype(np.int64)


def _mixed(keys: Keys) -> Keys:
    """The finaliser of splitmix64: every bit of a key bears on every bit of what comes out."""
    mixed = keys * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def shuffled(first: int, last: int, rows: int) -> Keys:
    """What stands in the places `first` up to `last` when `rows` rows are dealt out over the file."""
    step = int(rows * 0.6180339887)
    while math.gcd(step, rows) != 1:
        step += 1
    places = np.arange(first, last, dtype=np.uint64)
    return (places * np.uint64(step) + np.uint64(rows // 3)) % np.uint64(rows)


def of(vocabulary: Sequence[object] | pl.Series, places: Indices) -> pl.Series:
    """The values in these places; what is past the end is null."""
    values = pl.Series(vocabulary) if not isinstance(vocabulary, pl.Series) else vocabulary
    with_null = values.extend_constant(None, 1)
    return with_null.gather(np.minimum(places, len(values)))


def numbered(prefix: str, numbers: Keys | Indices, width: int = 9) -> pl.Series:
    """Ids: a prefix and a number of so many digits."""
    digits = pl.Series(numbers).cast(pl.String).str.zfill(width)
    return pl.select(pl.lit(prefix) + digits).to_series()


def only(values: pl.Series, where: Flags) -> pl.Series:
    """The values there, and null elsewhere."""
    return pl.select(pl.when(pl.Series(where)).then(values)).to_series()


def days(since: date, numbers: Indices) -> pl.Series:
    """The dates so many days after one."""
    return pl.Series(numbers + (since - date(1970, 1, 1)).days).cast(pl.Int32).cast(pl.Date)
