"""The limits in numpy: the next line of every member at once, in the order of lines.

It rests on what holds of the measured extract: no line of history is later than the night's first of its
member, so that the fullest window is the one that ends on the service date.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
MOST, WINDOW = 90_000, 21
NO_LIMIT = np.int64(1) << 60


@dataclass(frozen=True)
class Limited:
    """The lines that took part, what each is allowed, and which are over each limit."""

    lines: Numbers
    allowed: Numbers
    exceeded: dict[str, Numbers]


def limited(lines: pd.DataFrame, covering: pd.DataFrame, past: pd.DataFrame) -> Limited:
    """Allow the lines in their order, after what history allowed."""
    rows = _in_order(lines, past[past["member"].isin(lines["member"])])
    member, day, units = (rows[c].to_numpy() for c in ("member", "day", "units"))
    count = len(rows)
    first = np.concatenate([[True], member[1:] != member[:-1]]) if count else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    turn = np.arange(count) - np.repeat(starts, np.diff(np.append(starts, count)))
    key = np.cumsum(first) * 100_000 + day
    since = [np.searchsorted(key, key - back) for back in (0, WINDOW - 1)]
    authorizations, approved = _authorizations(rows, covering)
    drawn = np.zeros(len(approved), dtype=np.int64)
    total = np.zeros(
        count + 1, dtype=np.int64
    )  # allowed to all before, by member one after another
    over = np.zeros((3, count), dtype=bool)
    is_past = rows["line"].to_numpy() < 0
    by_turn = np.argsort(turn, kind="stable")
    bounds = np.searchsorted(turn[by_turn], np.arange(turn.max() + 2 if count else 1))
    allowed = np.where(is_past, units, 0)
    for begin, end in pairwise(bounds):
        at = by_turn[begin:end]
        base = np.where(turn[at] == 0, 0, total[at])
        total[at] = base
        tonight = ~is_past[at]
        now, held = at[tonight], base[tonight]
        room_day, room_period = (MOST - (held - total[s[now]]) for s in since)
        choices = authorizations[now]
        left = np.where(choices >= 0, approved[choices] - drawn[choices], 0)
        room = np.where((choices >= 0).any(axis=1), left.sum(axis=1), NO_LIMIT)
        billed = units[now]
        over[0, now] = billed > room_day
        over[1, now] = (billed > room_period) & (room_period < room_day)
        over[2, now] = billed > room
        given = np.maximum(np.minimum.reduce([billed, room_day, room_period, room]), 0)
        allowed[now] = given
        for place in range(choices.shape[1]):
            taken = np.where(choices[:, place] >= 0, np.clip(left[:, place], 0, given), 0)
            np.add.at(drawn, choices[:, place], taken)
            given = given - taken
        total[at + 1] = base + allowed[at]
    names = ("units-per-dose", "units-per-period", "authorization-units-exceeded")
    line = rows["line"].to_numpy()
    return Limited(
        line[~is_past], allowed[~is_past], {n: line[o] for n, o in zip(names, over, strict=True)}
    )


def _in_order(lines: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    columns = ["member", "day", "received", "claim_id", "claim_line_number", "line", "units"]
    before = pd.DataFrame(
        {
            "member": past["member"],
            "day": past["day"],
            "received": -1,
            "claim_id": past["claim_id"],
            "claim_line_number": 0,
            "line": -1,
            "units": past["allowed"],
        }
    )
    rows = pd.concat([before, lines[columns]], ignore_index=True)
    return rows.sort_values(columns[:5], ignore_index=True)


def _authorizations(
    rows: pd.DataFrame, covering: pd.DataFrame
) -> tuple[NDArray[np.int64], Numbers]:
    """The authorizations of each row in matching order, -1 for none, and what each has approved."""
    places, numbers = pd.factorize(covering["number"])
    approved = np.full(len(numbers) + 1, NO_LIMIT, dtype=np.int64)
    units = covering["approved_units"].to_numpy()
    approved[places] = np.where(units < 0, NO_LIMIT, units)
    turn = covering.groupby("line").cumcount().to_numpy()
    table = np.full((len(rows), int(turn.max()) + 1 if len(turn) else 1), -1, dtype=np.int64)
    row_of = pd.Series(np.arange(len(rows)), index=rows["line"].to_numpy())
    row_of = row_of[row_of.index >= 0]
    at = row_of.reindex(covering["line"]).to_numpy()
    here = ~np.isnan(at)
    table[at[here].astype(np.int64), turn[here]] = places[here]
    return table, approved
