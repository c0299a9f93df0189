"""Members in parts: `evaluate` looks at no two of them together, so that each can be edited alone."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Part:
    """The tables of a run as far as they are about some members, and how many rows in scope were read.

    Parts come in the order of their members; a table that has nothing to say may be left out.
    """

    tables: dict[str, pl.DataFrame]
    in_scope_rows: int


@dataclass(frozen=True)
class Ranges:
    """Ranges of member ids: `ends` has the last of each but the last range, in order."""

    ends: pl.Series

    @property
    def many(self) -> int:
        """How many there are."""
        return len(self.ends) + 1

    def of(self, members: pl.Series) -> pl.Series:
        """The number of each member's range, from 0; what has no member is in the first."""
        return self.ends.search_sorted(members.fill_null(""), side="left").cast(pl.UInt32)

    def split(self, rows: pl.DataFrame) -> list[pl.DataFrame]:
        """The rows of each range, by `member_id`, in their order."""
        if self.many == 1:
            return [rows]
        number = self.of(rows["member_id"])
        return [rows.filter(number == i) for i in range(self.many)]


ONE_RANGE = Ranges(pl.Series(dtype=pl.String))


def ranges_of(members: pl.DataFrame, most: int) -> Ranges:
    """Ranges of at most `most` rows each, or of a single member who has more.

    `members` has one row a `member_id`, and the number of its `rows`.
    """
    ends: list[str] = []
    so_far, last = 0, None
    for member, rows in members.sort("member_id").iter_rows():
        if last is not None and so_far + rows > most:
            ends.append(last)
            so_far = 0
        so_far, last = so_far + rows, member
    return Ranges(pl.Series(ends, dtype=pl.String))
