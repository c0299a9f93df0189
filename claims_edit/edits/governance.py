"""Whether the policy governs the line at all, and whose terms do where it does not."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, sentence
from claims_edit.frames import beside, matched
from claims_edit.reference import in_force


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds the MAC jurisdiction of Medicare lines and the program whose terms govern."""
    jurisdictions = (
        lines.lazy()
        .filter(pl.col("asked_as") == "medicare")
        .select("line", "claim_line_start_date", state="member_state")
        .collect()
        .join(context.mac_jurisdictions, on="state")
        .filter(in_force(pl.col("claim_line_start_date"), pl.col("start_date"), pl.col("end_date")))
        .group_by("line")
        .agg(
            mac_jurisdiction=pl.col("jurisdiction").sort().first(),
            mac_contractor=pl.col("contractor").sort_by("jurisdiction").first(),
            mac_note=pl.col("note").sort_by("jurisdiction").first(),
        )
    )
    programs = context.program_terms.rename({"state": "member_state"})
    placed = beside(lines, jurisdictions).with_columns(
        pl.col("mac_jurisdiction").fill_null("unknown")
    )
    return matched(placed, programs, ["policy_version", "line_of_business", "member_state"])


_CONTRACTOR = sentence(
    "coverage is for {}, MAC jurisdiction {} ({}){}",
    "mac_contractor",
    "mac_jurisdiction",
    "member_state",
    pl.when(pl.col("mac_note").is_not_null())
    .then(pl.format(" (note: {})", "mac_note"))
    .otherwise(pl.lit("")),
)
_UNKNOWN_STATE = sentence(
    "the MAC jurisdiction is unknown, since the member's state is {}",
    pl.col("member_state").fill_null("not given"),
)

EDITS = (
    Edit(
        id="medicare-not-governed",
        title="The line is not Medicare's, which the policy does not govern",
        kind="governance",
        asked_of=("medicare",),
        fails=pl.lit(True),
        message=pl.format(
            "the policy does not govern Medicare lines; {}",
            pl.when(pl.col("mac_contractor").is_not_null())
            .then(_CONTRACTOR)
            .otherwise(_UNKNOWN_STATE),
        ),
        evidence=(
            "line_of_business",
            "member_state",
            "mac_jurisdiction",
            "mac_contractor",
            "mac_note",
        ),
    ),
    Edit(
        id="no-policy-in-force",
        title="A version of the policy is in force on the service date",
        kind="governance",
        asked_of=("no-policy",),
        fails=pl.lit(True),
        message=sentence(
            "no active version of policy {} is in force on {}", "policy_id", "claim_line_start_date"
        ),
        evidence=("policy_id", "claim_line_start_date"),
    ),
    Edit(
        id="program-terms-govern",
        title="No government program's own terms govern the line",
        fails=pl.col("program").is_not_null(),
        message=sentence(
            "{} in {} is {}, whose own terms govern", "line_of_business", "member_state", "program"
        ),
        evidence=("line_of_business", "member_state", "program"),
    ),
)
