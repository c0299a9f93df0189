"""Versions of a claim over all nights: which one counts, and which are replaced, void or sent again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from claims_edit.frames import matched
from claims_edit.past import ELSEWHERE, RUN, TONIGHT, Past

Claim = tuple[str, str]
_CLAIM = ["member_id", "claim_id"]
_ORIGINAL = ["member_id", "original_claim_id"]
REPLACING = ("7", "8")
_VOID = "8"
_ROW = [*_CLAIM, "claim_frequency_code", "original_claim_id", "received_date"]


@dataclass(frozen=True)
class _Version:
    """One version of a claim as it arrived last: its frequency (8 where a row says so), and when
    (null before any date)."""

    claim: Claim
    run: int
    frequency: str
    received: date | None

    @property
    def arrival(self) -> tuple[int, bool, date, str]:
        return self.run, self.received is not None, self.received or date.min, self.claim[1]


def arrivals(lines: pl.DataFrame, other_versions: pl.DataFrame, past: Past) -> pl.DataFrame:
    """Every row that says something of a version of a claim: where it arrived (`run`), whether it is
    `in_scope`, and what it says."""

    def rows(frame: pl.DataFrame, *, in_scope: bool, run: pl.Expr) -> pl.DataFrame:
        return frame.select(*_ROW, run=run.cast(RUN), in_scope=pl.lit(in_scope))

    of_elsewhere = past.elsewhere.with_columns(
        claim_frequency_code=pl.lit("1"),
        original_claim_id=pl.lit(None, pl.String),
        received_date=pl.lit(None, pl.Date),
    )
    tonight, earlier = pl.lit(TONIGHT), pl.col("run")
    return pl.concat(
        [
            rows(of_elsewhere, in_scope=True, run=pl.lit(ELSEWHERE)),
            rows(past.lines, in_scope=True, run=earlier),
            rows(past.other_versions, in_scope=False, run=earlier),
            rows(lines, in_scope=True, run=tonight),
            rows(other_versions, in_scope=False, run=tonight),
        ]
    )


def before_tonight(arrived: pl.DataFrame, members: pl.Series) -> pl.DataFrame:
    """The rows of earlier nights of these members."""
    of_members = pl.col("member_id").is_in(members.implode())
    return arrived.filter(pl.col("run") < TONIGHT, of_members)


def touched(arrived: pl.DataFrame) -> pl.Series:
    """The members with history of whom a claim of tonight replaces or voids one, or was sent again: what
    stands of all others stands as before."""
    earlier = arrived.filter(pl.col("run") < TONIGHT).select(_CLAIM)
    if earlier.is_empty():
        return earlier["member_id"]
    tonight = arrived.filter(pl.col("run") == TONIGHT)
    replacing = tonight.filter(pl.col("claim_frequency_code").is_in(REPLACING))["member_id"]
    again = earlier.join(tonight, on=_CLAIM, how="semi")["member_id"]
    return pl.concat([replacing, again]).unique()


def fates(arrived: pl.DataFrame) -> pl.DataFrame:
    """One row a claim of history, or one that has to do with another or voids: the `run` it arrived in
    last, and its `fate` (`superseded`, `void`, or null for the version that counts).

    A row out of scope counts where it names a claim that was ever in scope. Links between versions
    are of all nights; the frequency of a version is that of its last arrival.
    """
    counted = _counted(arrived)
    counted = counted.join(_with_a_fate(counted), on=_CLAIM, how="semi")
    last = (
        counted.group_by(*_CLAIM, "run")
        .agg(pl.col("claim_frequency_code", "received_date").max())
        .filter(pl.col("run") == pl.col("run").max().over(_CLAIM))
    )
    links = _links(counted)
    taken_out = pl.DataFrame(
        [(*claim, fate) for claim, fate in _fates(_versions(last, links), links).items()],
        schema={"member_id": pl.String, "claim_id": pl.String, "fate": pl.String},
        orient="row",
    )
    void = pl.when(pl.col("claim_frequency_code") == _VOID).then(pl.lit("void"))
    return last.join(taken_out, on=_CLAIM, how="left").select(
        *_CLAIM, "run", fate=pl.coalesce("fate", void)
    )


def grouped(arrived: pl.DataFrame) -> pl.DataFrame:
    """The rows that count, each with its `group`: the same claim id for all versions of one claim of a
    member, and another for each other claim of the member."""
    counted = _counted(arrived)
    groups = _linked_groups(_links(counted))
    linked = pl.DataFrame(
        [(*claim, min(group)[1]) for group in groups for claim in group],
        schema=dict.fromkeys((*_CLAIM, "group"), pl.String),
        orient="row",
    )
    return matched(counted, linked, _CLAIM).with_columns(
        pl.col("group").fill_null(pl.col("claim_id"))
    )


def _counted(arrived: pl.DataFrame) -> pl.DataFrame:
    """The rows in scope, and those out of scope that name a claim that was ever in scope."""
    in_scope, out_of_scope = arrived.filter("in_scope"), arrived.filter(~pl.col("in_scope"))
    if out_of_scope.height:
        ever_in_scope = in_scope.select("member_id", original_claim_id="claim_id")
        out_of_scope = out_of_scope.join(ever_in_scope, on=_ORIGINAL, how="semi")
    return pl.concat([in_scope, out_of_scope])


def _with_a_fate(counted: pl.DataFrame) -> pl.DataFrame:
    """The claims of history, and those that replace or void a claim, or that such a one names."""
    replacing = counted.filter(pl.col("claim_frequency_code").is_in(REPLACING))
    earlier = counted.filter(pl.col("run") < TONIGHT)
    named = replacing.select("member_id", claim_id="original_claim_id")
    return pl.concat([replacing.select(_CLAIM), earlier.select(_CLAIM), named]).unique()


def resolved(lines: pl.DataFrame, arrived: pl.DataFrame, fates: pl.DataFrame) -> pl.DataFrame:
    """Adds `taken_out` (`superseded`, `void` or null) and `original_known` to tonight's lines."""
    named = lines.select(_ORIGINAL).drop_nulls().unique()
    known = (
        arrived.filter("in_scope")
        .select("member_id", "run", original_claim_id="claim_id")
        .join(named, on=_ORIGINAL, how="semi")
        .group_by(_ORIGINAL)
        .agg(known_before=(pl.col("run") < TONIGHT).any(), known=pl.lit(True))
    )
    own = pl.col("original_claim_id") == pl.col("claim_id")
    void = pl.col("claim_frequency_code") == _VOID
    return (
        matched(matched(lines, known, _ORIGINAL), fates.select(*_CLAIM, "fate"), _CLAIM)
        .with_columns(
            original_known=pl.when(own).then("known_before").otherwise("known").fill_null(False),
            taken_out=pl.when(void).then(pl.lit("void")).otherwise("fate"),
        )
        .drop("known", "known_before", "fate")
    )


def standing(past: Past, fates: pl.DataFrame) -> Past:
    """What of history stands: the rows of the last arrival of a claim that counts."""

    def of(rows: pl.DataFrame) -> pl.DataFrame:
        return _standing(rows, fates)

    return replace(
        past,
        lines=of(past.lines),
        other_versions=of(past.other_versions),
        elsewhere=of(past.elsewhere),
        partner_lines=of(past.partner_lines),
    )


def _standing(rows: pl.DataFrame, fates: pl.DataFrame) -> pl.DataFrame:
    """Rows (with `run`) of claims that count, as they arrived last."""
    arrived_again = pl.col("run") != pl.col("last_run")
    gone = (
        rows.select(*_CLAIM, "run")
        .unique()
        .join(fates.rename({"run": "last_run"}), on=_CLAIM)
        .filter(arrived_again | pl.col("fate").is_not_null())
    )
    if gone.is_empty():
        return rows
    return rows.join(gone, on=[*_CLAIM, "run"], how="anti", maintain_order="left")


def standing_partner_lines(
    arrived: pl.DataFrame, tonight: pl.DataFrame, past: Past
) -> pl.DataFrame:
    """The partner lines of all nights whose claim counts.

    Their own fates are of all that arrived and of themselves, and bear on nothing but them.
    """
    both = pl.concat([past.partner_lines, tonight.with_columns(run=pl.lit(TONIGHT, RUN))])
    rows = both.select(*_ROW, "run", in_scope=pl.lit(True))
    theirs = arrived.join(both, on="member_id", how="semi")
    return _standing(both, fates(pl.concat([theirs, rows])))


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


def _versions(last: pl.DataFrame, links: Iterable[tuple[Claim, Claim]]) -> dict[Claim, _Version]:
    """The linked versions of which anything arrived, as they arrived last."""
    linked = {claim for pair in links for claim in pair}
    if not linked:
        return {}
    wanted = pl.DataFrame(sorted(linked), schema=dict.fromkeys(_CLAIM, pl.String), orient="row")
    rows = last.join(wanted, on=_CLAIM, how="semi").select(
        *_CLAIM, "run", "claim_frequency_code", "received_date"
    )
    return {(m, c): _Version((m, c), run, f, received) for m, c, run, f, received in rows.rows()}


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
