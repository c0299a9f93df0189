"""The members extract: what the claims lack of a member, read for the members that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from claims_edit import contracts
from claims_edit.contracts import CLAIMS, MEMBERS
from claims_edit.extracts import Extract, open_extract
from claims_edit.normalise import as_text, read_as
from claims_edit.reference import in_force


@dataclass(frozen=True)
class Members:
    """The members extract, of which only the members that are asked for are read."""

    extract: Extract
    states: pl.DataFrame

    def of(self, member_ids: pl.Series) -> pl.DataFrame:
        """The members' values as text, states in two letters, with the dates of enrollment."""
        types = self.extract.columns
        text = {c: as_text(c, t) for c, t in types.items()}
        dates = ("enrollment_start_date", "enrollment_end_date")

        def query(frame: pl.LazyFrame) -> pl.LazyFrame:
            return (
                frame.select(
                    member_id=pl.coalesce(
                        text["member_id"], *(text[c] for c in contracts.MEMBER_ID_FALLBACKS)
                    ),
                    birth_date=text["birth_date"],
                    gender=text["gender"],
                    state=self._two_letters(text["state"]),
                    payer_type=text["payer_type"],
                    **{c: read_as(c, types[c], MEMBERS.columns[c]) for c in dates},
                )
                .filter(pl.col("member_id").is_in(member_ids.implode()))
                .unique()
            )

        return self.extract.collect(query)

    def _two_letters(self, state: pl.Expr) -> pl.Expr:
        codes = {
            name.lower(): code for code, name in self.states.select("code", "name").iter_rows()
        }
        named = state.str.to_lowercase().replace_strict(codes, default=None, return_dtype=pl.String)
        return pl.when(state.str.contains(r"^[A-Za-z]{2}$")).then(state).otherwise(named)


def open_members(path: str | Path) -> Extract:
    """Open the members extract."""
    return open_extract(
        "members",
        [path],
        MEMBERS,
        sources=contracts.MEMBER_SOURCE_COLUMNS,
        fallbacks=contracts.MEMBER_FALLBACKS,
    )


def with_members(chosen: pl.DataFrame, members: Members) -> pl.DataFrame:
    """Fill what the claims lack from the member's row that covers the service date, or the latest.

    `chosen` has `row`, `member_id`, `claim_line_start_date` as text, and the columns that are filled.
    """
    texts = {c: as_text(c, chosen.schema[c]) for c in contracts.FILLED_FROM_MEMBERS}
    service = read_as("claim_line_start_date", pl.String(), CLAIMS.columns["claim_line_start_date"])
    lacking = chosen.filter(pl.any_horizontal(t.is_null() for t in texts.values()))
    covers = in_force(service, pl.col("enrollment_start_date"), pl.col("enrollment_end_date"))
    values = list(contracts.FILLED_FROM_MEMBERS.values())
    best = (
        lacking.select("row", "member_id", "claim_line_start_date")
        .join(members.of(lacking["member_id"].drop_nulls().unique()), on="member_id")
        .with_columns(covers=covers)
        .sort(
            "row",
            ~pl.col("covers"),
            "enrollment_start_date",
            "enrollment_end_date",
            *values,
            descending=[False, False, True, True, *(False for _ in values)],
            nulls_last=[False, False, True, False, *(True for _ in values)],
        )
        .unique("row", keep="first", maintain_order=True)
        .select(
            "row",
            *(pl.col(m).alias(f"member:{c}") for c, m in contracts.FILLED_FROM_MEMBERS.items()),
        )
    )
    return (
        chosen.join(best, on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce(text, f"member:{c}").alias(c) for c, text in texts.items())
        .drop(f"member:{c}" for c in texts)
    )
