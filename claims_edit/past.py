"""What earlier nights left: the lines they edited, versions out of scope, and lines allowed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from claims_edit.contracts import (
    ALLOWED_ELSEWHERE,
    LINES,
    OTHER_VERSIONS,
    PARTNER_LINES,
    PAST_COLUMNS,
    UNITS,
)
from claims_edit.decision_contracts import DECIDED_LINES
from claims_edit.schemas import empty

# Where a row arrived: elsewhere, then the runs by their place (1, 2, 3 …), then tonight.
ELSEWHERE, TONIGHT = 0, 1 << 31
RUN = pl.Int64
ALLOWED = ("member_id", "claim_line_start_date", "allowed_units", "authorization_draws")


@dataclass(frozen=True)
class Past:
    """History as tables, each with `run`, the place of the run its rows arrived in.

    `lines` are those of the published runs (`PAST_COLUMNS`), with `run_id`, as they count once people
    have decided on them, and `settled` where that is for good; `other_versions` their
    rows out of scope that replace or void a claim, and `partner_lines` those under the codes of partner
    drugs; `elsewhere` the lines that another system
    allowed, with `ndc_11` where the file has an NDC, and without the columns that the file lacks but
    for `authorization_draws`. `decided_lines` are the decisions that `lines` have in them, without `run`.
    """

    lines: pl.DataFrame
    other_versions: pl.DataFrame
    elsewhere: pl.DataFrame
    partner_lines: pl.DataFrame
    decided_lines: pl.DataFrame = field(default_factory=lambda: empty(DECIDED_LINES))

    def of(self, members: pl.Series) -> Past:
        """What it has of these members."""
        tables = (
            *(self.lines, self.other_versions, self.elsewhere, self.partner_lines),
            self.decided_lines,
        )
        return Past(*(t.filter(pl.col("member_id").is_in(members.implode())) for t in tables))

    def allowed(self, hcpcs_code: str) -> pl.DataFrame:
        """What the limits count of it under the drug's HCPCS, and all that was drawn (`ALLOWED`)."""
        of_drug = (pl.col("hcpcs_code") == hcpcs_code).fill_null(False)

        def counted(rows: pl.DataFrame, counts: pl.Expr) -> pl.DataFrame:
            units = pl.when(of_drug & counts).then("allowed_units").otherwise(pl.lit(0, UNITS))
            return rows.with_columns(allowed_units=units).select(ALLOWED)

        return pl.concat(
            [
                counted(self.lines, pl.col("takes_part_in_limits")),
                counted(self.elsewhere, pl.lit(True)),
            ]
        )


def no_past() -> Past:
    """The history of a first night."""
    return Past(no_lines(), no_other_versions(), no_elsewhere(), no_partner_lines())


def no_lines() -> pl.DataFrame:
    """A frame of no lines of earlier runs."""
    return (
        empty(LINES)
        .select(PAST_COLUMNS)
        .with_columns(
            run=pl.lit(None, RUN), run_id=pl.lit(None, pl.String), settled=pl.lit(None, pl.Boolean)
        )
    )


def no_other_versions() -> pl.DataFrame:
    """A frame of no versions out of scope of earlier runs."""
    return empty(OTHER_VERSIONS).with_columns(run=pl.lit(None, RUN))


def no_partner_lines() -> pl.DataFrame:
    """A frame of no partner lines of earlier runs."""
    return empty(PARTNER_LINES).with_columns(run=pl.lit(None, RUN))


def no_elsewhere() -> pl.DataFrame:
    """A frame of no lines allowed elsewhere."""
    return empty(ALLOWED_ELSEWHERE).with_columns(
        run=pl.lit(None, RUN), ndc_11=pl.lit(None, pl.String)
    )
