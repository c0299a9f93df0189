"""Lines in scope that are too many to be held at once: on disk, by ranges of their members."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from claims_edit import intake
from claims_edit.extracts import Extract
from claims_edit.intake import Found, member_of
from claims_edit.normalise import as_text
from claims_edit.parts import Ranges
from claims_edit.scope import Scope

_RAW, _VERSIONS, _PARTNERS = "raw", "other_versions", "partner_lines"


@dataclass
class Spill:
    """What a scan of the claims found, in files by range and batch, each without the columns of which its
    batch has no value.

    A claim whose rows name members of several ranges is *split*: its rows are rejected, all of them, for
    that, and stand apart.
    """

    folder: Path
    extract: Extract
    ranges: Ranges
    nothing: Found
    claims: list[pl.DataFrame] = field(default_factory=list)

    def add(self, batch: int, found: Found) -> None:
        """Write what a batch found."""
        member = found.raw.select(member_of(found.raw.schema)).to_series()
        number = self.ranges.of(member)
        claim = found.raw.select(_claim(found.raw)).to_series()
        seen = pl.DataFrame({"claim": claim.hash(), "range": number}).filter(claim.is_not_null())
        self.claims.append(seen.unique())
        self._write(_RAW, batch, found.raw, number)
        for name, rows in ((_VERSIONS, found.other_versions), (_PARTNERS, found.partner_lines)):
            self._write(name, batch, rows, self.ranges.of(rows["member_id"]))

    def _write(self, name: str, batch: int, rows: pl.DataFrame, number: pl.Series) -> None:
        held = [c for c in rows.columns if rows[c].null_count() < rows.height]
        parts = (
            rows.select(held or rows.columns[:1])
            .with_columns(number.alias("_range"))
            .partition_by("_range", include_key=False, as_dict=True)
        )
        for (place,), part in parts.items():
            part.write_ipc(self.folder / f"{name}-{place}-{batch}.arrow")

    def parts(self) -> Iterator[Found]:
        """What was found of each range in turn; and the split claims, where there are any, last."""
        split = self._split_claims()
        apart = self._of_claims(split)
        pairs = apart.select(member_id=member_of(apart.schema), claim_id=_claim(apart)).unique()
        for place in range(self.ranges.many):
            raw = self._raw(place)
            versions = self._read(_VERSIONS, place, self.nothing.other_versions)
            partners = self._read(_PARTNERS, place, self.nothing.partner_lines)
            yield intake.together(
                [
                    Found(
                        raw.filter(~_is_of(raw, split)) if len(split) else raw,
                        versions.join(pairs, on=["member_id", "claim_id"], how="anti"),
                        partners,
                    )
                ]
            )
        if len(split):
            yield Found(apart, self.nothing.other_versions, self.nothing.partner_lines)

    def _split_claims(self) -> pl.Series:
        """The claims of several ranges; where a number says so, their texts are looked at."""
        seen = pl.concat(self.claims).unique()
        several = seen.filter(pl.col("claim").is_duplicated())["claim"].unique()
        if several.is_empty():
            return pl.Series(dtype=pl.String)
        claims = []
        for place in range(self.ranges.many):
            texts = (
                self._scanned(place).select(claim=_claim(self.nothing.raw)).unique().drop_nulls()
            )
            claims.append(texts.filter(pl.col("claim").hash().is_in(several.implode())).collect())
        return pl.concat(claims).filter(pl.col("claim").is_duplicated())["claim"].unique()

    def _of_claims(self, claims: pl.Series) -> pl.DataFrame:
        """The raw rows of these claims, of all ranges."""
        if claims.is_empty():
            return self.nothing.raw
        of_claims = _is_of(self.nothing.raw, claims)
        return pl.concat(
            [
                self.nothing.raw,
                *(self._scanned(p).filter(of_claims).collect() for p in range(self.ranges.many)),
            ],
            how="diagonal",
        ).select(self.nothing.raw.columns)

    def _scanned(self, place: int) -> pl.LazyFrame:
        """The raw rows of a range, unread; a column that no row of a batch has is missing there."""
        files = sorted(self.folder.glob(f"{_RAW}-{place}-*.arrow"))
        frames = [pl.scan_ipc(file) for file in files]
        return pl.concat([self.nothing.raw.lazy(), *frames], how="diagonal")

    def _raw(self, place: int) -> pl.DataFrame:
        return self._read(_RAW, place, self.nothing.raw)

    def _read(self, name: str, place: int, nothing: pl.DataFrame) -> pl.DataFrame:
        files = sorted(self.folder.glob(f"{name}-{place}-*.arrow"))
        frames = [pl.read_ipc(file) for file in files]
        rows = pl.concat([nothing, *frames], how="diagonal")
        return rows.select(nothing.columns)


def _claim(raw: pl.DataFrame) -> pl.Expr:
    return as_text("claim_id", raw.schema["claim_id"])


def _is_of(raw: pl.DataFrame, claims: pl.Series) -> pl.Expr:
    return _claim(raw).is_in(claims.implode()).fill_null(False)


def spilled(folder: Path, extract: Extract, scope: Scope, ranges: Ranges, rows: int) -> Spill:
    """Look through the claims, about so many rows in scope at a time, and write what is found."""
    folder.mkdir()
    spill = None
    for batch, found in enumerate(_ahead(intake.find(extract, scope, rows))):
        if spill is None:
            nothing = Found(
                found.raw.clear(), found.other_versions.clear(), found.partner_lines.clear()
            )
            spill = Spill(folder, extract, ranges, nothing)
        spill.add(batch, found)
    assert spill is not None, "a scan yields at least one frame"
    return spill


def _ahead(found: Iterator[Found]) -> Iterator[Found]:
    """What is found, the next looked for while one is looked at."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, found, None)
        while (here := coming.result()) is not None:
            coming = pool.submit(next, found, None)
            yield here
