"""Versions of a claim: which one counts, and which are replaced or void."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

Claim = tuple[str, str]
_CLAIM = ["member_id", "claim_id"]
REPLACING = ("7", "8")
_VOID = "8"


@dataclass(frozen=True)
class _Version:
    """One version of a claim over all its rows: its frequency (8 where one says so), and when it
    arrived (null before any date)."""

    claim: Claim
    frequency: str
    received: date | None

    @property
    def arrival(self) -> tuple[bool, date, str]:
        return self.received is not None, self.received or date.min, self.claim[1]


def resolved(lines: pl.DataFrame, other_versions: pl.DataFrame) -> pl.DataFrame:
    """Adds `taken_out` (`superseded`, `void` or null) and `original_known` to every line.

    `other_versions` are rows with frequency 7 or 8 that are out of scope and name a claim of
    `lines`: `member_id`, `claim_id`, `claim_frequency_code`, `original_claim_id`, `received_date`.
    """
    claims = lines.group_by(_CLAIM).agg(
        pl.col("claim_frequency_code", "original_claim_id").first(), pl.col("received_date").max()
    )
    known = claims.select("member_id", original_claim_id="claim_id", original_known=True)
    named = ["member_id", "original_claim_id"]
    links = _links(pl.concat([claims, other_versions.select(claims.columns)]))
    fates = _fates(_versions(claims, other_versions, links), links)
    taken_out = pl.DataFrame(
        [(member, claim, fate) for (member, claim), fate in fates.items()],
        schema={"member_id": pl.String, "claim_id": pl.String, "taken_out": pl.String},
        orient="row",
    )
    other_claim = pl.col("original_claim_id") != pl.col("claim_id")
    void = pl.col("claim_frequency_code") == _VOID
    return (
        lines.join(known, on=named, how="left", maintain_order="left")
        .join(taken_out, on=_CLAIM, how="left", maintain_order="left")
        .with_columns(
            original_known=(pl.col("original_known") & other_claim).fill_null(False),
            taken_out=pl.when(void).then(pl.lit("void")).otherwise("taken_out"),
        )
    )


def in_circles(claims: pl.DataFrame, other_versions: pl.DataFrame) -> list[Claim]:
    """The claims that replace each other in a circle; one that names itself is in none."""
    columns = [*_CLAIM, "claim_frequency_code", "original_claim_id"]
    both = pl.concat([claims.select(columns), other_versions.select(columns)])
    links = set(_links(both))
    while True:
        namers, named = {a for a, _ in links}, {b for _, b in links}
        inner = {(a, b) for a, b in links if a in named and b in namers}
        if len(inner) == len(links):
            return sorted(c for c in namers if len(namers) == len(links) or _returns(c, links))
        links = inner


def _returns(start: Claim, links: set[tuple[Claim, Claim]]) -> bool:
    """Whether following the links from a claim leads back to it."""
    named = defaultdict(list)
    for namer, original in links:
        named[namer].append(original)
    seen, ahead = set(), list(named[start])
    while ahead:
        claim = ahead.pop()
        if claim == start:
            return True
        if claim not in seen:
            seen.add(claim)
            ahead.extend(named[claim])
    return False


def _links(rows: pl.DataFrame) -> list[tuple[Claim, Claim]]:
    """Which version names which other claim as its original.

    The original need not be here: two that replace one unknown claim are versions of it all the same.
    """
    naming = rows.filter(
        pl.col("claim_frequency_code").is_in(REPLACING),
        pl.col("original_claim_id") != pl.col("claim_id"),
    )
    pairs = naming.select("member_id", "claim_id", "original_claim_id").unique()
    return [((m, claim), (m, original)) for m, claim, original in pairs.iter_rows()]


def _versions(
    claims: pl.DataFrame, other_versions: pl.DataFrame, links: Iterable[tuple[Claim, Claim]]
) -> dict[Claim, _Version]:
    linked = {claim for pair in links for claim in pair}
    if not linked:
        return {}
    wanted = pl.DataFrame(sorted(linked), schema=dict.fromkeys(_CLAIM, pl.String), orient="row")
    columns = [*_CLAIM, "claim_frequency_code", "received_date"]
    both = pl.concat([claims.select(columns), other_versions.select(columns)])
    rows = (
        both.join(wanted, on=_CLAIM, how="semi")
        .group_by(_CLAIM)
        .agg(pl.col("claim_frequency_code").max(), pl.col("received_date").max())
        .iter_rows()
    )
    return {(m, c): _Version((m, c), frequency, received) for m, c, frequency, received in rows}


def _fates(versions: dict[Claim, _Version], links: list[tuple[Claim, Claim]]) -> dict[Claim, str]:
    """`superseded` or `void` for every linked claim but the version that counts."""
    named = {original for _, original in links}
    fates: dict[Claim, str] = {}
    for group in _linked_groups(links):
        here = [versions[c] for c in group if c in versions]
        counts = max([v for v in here if v.claim not in named] or here, key=lambda v: v.arrival)
        void = counts.frequency == _VOID
        for version in here:
            if version is not counts or void:
                fates[version.claim] = "void" if void else "superseded"
    return fates


def _linked_groups(links: Iterable[tuple[Claim, Claim]]) -> list[list[Claim]]:
    neighbours: dict[Claim, list[Claim]] = defaultdict(list)
    for one, other in links:
        neighbours[one].append(other)
        neighbours[other].append(one)
    seen: set[Claim] = set()
    groups = []
    for start in neighbours:
        if start in seen:
            continue
        seen.add(start)
        group, ahead = [], [start]
        while ahead:
            claim = ahead.pop()
            group.append(claim)
            fresh = [c for c in neighbours[claim] if c not in seen]
            seen.update(fresh)
            ahead.extend(dict.fromkeys(fresh))
        groups.append(group)
    return groups
