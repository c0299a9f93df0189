"""The authorizations of the dense extract, and what is wrong with some of them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.dice import Keys, days, numbered, of, only

if TYPE_CHECKING:
    from benchmarks.dense import Dense

FIRST_DAY = date(2025, 9, 4)
_LAST_DOSE = 4 * 21
_SPAN = 180
_STATUSES = ("approved", "pending", "denied", "cancelled")


def authorizations_of(extract: Dense, member: Keys) -> pl.DataFrame:
    """The first of every member, and the second of every fifth."""
    first, second = _first(extract, member), _second(extract, member[::5])
    return pl.concat([first, second]).sample(fraction=1.0, shuffle=True, seed=extract.seed)


def _first(extract: Dense, member: Keys) -> pl.DataFrame:
    dice, story = extract.dice, extract.story(member)
    day, apart = extract.first_day(member), 1 + dice.below("authorized before", member, 20)
    status = np.select(
        [story.are(f"authorization {name}") for name in ("pending", "denied", "absent")],
        [1, 2, 3],
        0,
    )
    starts = np.where(story.are("authorization not started"), day + _LAST_DOSE + 5, day - apart)
    starts = np.where(story.are("authorization expired"), day - _SPAN - 10, starts)
    ends = starts + _SPAN + np.where(story.are("authorization too long"), 40, 0)
    open_ended = story.are("authorization too long") & dice.chance("open-ended", member, 0.5)
    readable = ~story.are("authorization unreadable")
    units = np.where(story.are("few units authorized"), 180, 600)
    unlimited = ~story.are("few units authorized") & dice.chance("unlimited", member, 0.3)
    if extract.heavy:  # one authorization holds all that the one member was given
        heavy = member == 0
        starts, open_ended = np.where(heavy, -90, starts), open_ended | heavy
        unlimited = unlimited | heavy
    other = story.are("other provider")
    bound = other | dice.chance("bound to a provider", member, 0.4)
    provider = pl.select(
        pl.when(pl.Series(other)).then(pl.lit("1999999999")).otherwise(extract.billing_npi(member))
    ).to_series()
    return pl.DataFrame(
        {
            "authorization_number": numbered("A", member),
            "member_id": numbered("M", member),
            "hcpcs_code": "J9207",
            "status": of(_STATUSES, status),
            "effective_date": only(days(FIRST_DAY, starts), readable),
            "expiration_date": only(days(FIRST_DAY, ends), ~open_ended),
            "approved_units": _units(units).set(pl.Series(unlimited), None),
            "request_type": "initial",
            "servicing_npi": only(provider, bound),
        }
    )


def _second(extract: Dense, member: Keys) -> pl.DataFrame:
    """A renewal that overlaps the first, or one of another status; cancelled where it would decide."""
    dice, story = extract.dice, extract.story(member)
    plain = ~story.are(*(name for name in story.shares if name.startswith("authorization")))
    status = np.where(plain, dice.below("second status", member, 4), 3)
    starts = extract.first_day(member) + 30 + dice.below("second day", member, 60)
    return pl.DataFrame(
        {
            "authorization_number": numbered("B", member),
            "member_id": numbered("M", member),
            "hcpcs_code": "J9207",
            "status": of(_STATUSES, status),
            "effective_date": days(FIRST_DAY, starts),
            "expiration_date": days(FIRST_DAY, starts + _SPAN),
            "approved_units": _units(np.full(len(member), 600)),
            "request_type": "renewal",
            "servicing_npi": pl.Series([None] * 1, dtype=pl.String).new_from_index(0, len(member)),
        }
    )


def _units(units: np.typing.NDArray[np.int64]) -> pl.Series:
    return pl.Series(units).cast(pl.Decimal(18, 3))
