"""Authorizations judged on their own, without claims: the criteria, and their own dates and months.

Each is asked the edits that are about it alone, as a line of its effective date would be.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from claims_edit import policy_frames, scope
from claims_edit.contracts import CLAIMS, PARTNER_LINES
from claims_edit.disposition import in_order
from claims_edit.edits import authorization, criteria, governance, member
from claims_edit.edits.catalogue import EDITS
from claims_edit.evaluate import Requests, context_of
from claims_edit.findings import ask
from claims_edit.policies import Policy
from claims_edit.reference import ReferenceData
from claims_edit.report_contracts import DETERMINATIONS
from claims_edit.schemas import empty, polars_type

_GOVERNANCE = ("medicare-not-governed", "no-policy-in-force", "program-terms-govern")
_AGE, _SPAN, _CRITERIA = (
    "member-under-age",
    "authorization-span-exceeds-policy",
    "coverage-criteria",
)
OF_MEMBERS = ("birth_date", "gender", "member_state", "line_of_business")
_TEXTS = pl.List(pl.String)


def determinations(
    requests: Requests,
    members: pl.DataFrame | None,
    policy: Policy,
    reference: ReferenceData,
    as_of: date,
) -> pl.DataFrame:
    """The table `determinations`: one row an authorization of the policy's drug, by its number.

    `members` has `authorization_number` and the columns OF_MEMBERS; without it nobody's age, state or
    line of business is known, and age is not asked.
    """
    asked = requests.authorizations.filter(pl.col("hcpcs_code") == policy.hcpcs_code)
    lines = scope.governed(_as_lines(asked, members), policy)
    context = context_of(requests, empty(PARTNER_LINES), policy, reference, as_of)
    lines = lines.join(
        context.version_terms, on="policy_version", how="left", maintain_order="left"
    ).with_columns(asked_as=_asked_as(), matched_latest_end=authorization.latest_end())
    lines = member.facts(governance.facts(lines, context), context)
    lines = criteria.facts(lines, context)
    names = [*_GOVERNANCE, _SPAN]
    names += [] if members is None else [_AGE]
    names += [] if requests.clinical_facts is None else [_CRITERIA]
    edits = [edit for edit in EDITS.values() if edit.id in names]
    findings = in_order(ask(lines, edits, policy_frames.rules(policy)))
    asking = [v.version for v in policy.active_versions if _CRITERIA in v.edits]
    return _determined(
        lines.with_columns(asks_criteria=pl.col("policy_version").is_in(asking)),
        findings,
        clinical=requests.clinical_facts is not None,
    )


def _as_lines(authorizations: pl.DataFrame, members: pl.DataFrame | None) -> pl.DataFrame:
    """Each authorization as a line of its effective date that it was matched with."""
    matched = ("effective_date", "expiration_date", "request_type")
    lines = authorizations.sort("authorization_number").with_row_index("line")
    lines = lines.with_columns(
        pl.col("effective_date").alias("claim_line_start_date"),
        pl.col("authorization_number").alias("matched_authorization_number"),
        *(pl.col(c).alias(f"matched_{c}") for c in matched),
    )
    if members is None:
        nothing = (pl.lit(None, polars_type(CLAIMS.columns[c])).alias(c) for c in OF_MEMBERS)
        return lines.with_columns(nothing)
    return lines.join(members, on="authorization_number", how="left", maintain_order="left")


def _asked_as() -> pl.Expr:
    return (
        pl.when(pl.col("line_of_business") == "medicare")
        .then(pl.lit("medicare"))
        .when(pl.col("policy_version").is_null())
        .then(pl.lit("no-policy"))
        .otherwise(pl.lit("drug"))
    )


def _determined(lines: pl.DataFrame, findings: pl.DataFrame, *, clinical: bool) -> pl.DataFrame:
    failed = pl.col("verdict") == "fail"
    found = findings.group_by("line", maintain_order=True).agg(
        edit_ids=pl.col("edit_id").filter(failed),
        unknown_edit_ids=pl.col("edit_id").filter(~failed),
        why=pl.col("message").str.join("\n"),
    )
    nothing = pl.lit([], dtype=_TEXTS)
    lines = lines.join(found, on="line", how="left", maintain_order="left").with_columns(
        pl.col("edit_ids", "unknown_edit_ids", "criteria_missing").fill_null(nothing)
    )
    governed = (pl.col("edit_ids").list.set_intersection(list(_GOVERNANCE)).list.len() == 0) & (
        pl.col("policy_version").is_not_null()
    )
    undocumented = pl.lit("undocumented")
    of_criteria = (
        pl.when(~governed)
        .then(pl.lit("not_governed"))
        .when(~pl.col("asks_criteria"))
        .then(pl.lit("not_asked"))
        .when(pl.col("criteria_met"))
        .then(pl.lit("met"))
        .when(~pl.col("criteria_met"))
        .then(pl.lit("not_met"))
        .otherwise(undocumented)
    )
    lines = lines.with_columns(criteria=of_criteria)
    together = (
        pl.when(~governed)
        .then(pl.lit("not_governed"))
        .when((pl.col("edit_ids").list.len() > 0) | (pl.col("criteria") == "not_met"))
        .then(pl.lit("not_met"))
        .when((pl.col("unknown_edit_ids").list.len() > 0) | (pl.col("criteria") == "undocumented"))
        .then(undocumented)
        .otherwise(pl.lit("met"))
    )
    no_extract = pl.when((pl.col("criteria") == "undocumented") & (not clinical)).then(
        pl.lit("no clinical extract was given, so the criteria cannot be told")
    )
    why = pl.concat_str(["why", no_extract], separator="\n", ignore_nulls=True)
    return lines.with_columns(
        determination=together,
        why=pl.when(why != "").then(why),
        ask_for=_ask_for(governed, clinical=clinical),
        nearest_branch="criteria_branch",
        missing_facts="criteria_missing",
        latest_expiration_date="matched_latest_end",
    ).select(list(DETERMINATIONS.columns))


def _ask_for(governed: pl.Expr, *, clinical: bool) -> pl.Expr:
    """What would make it possible to tell: a birth date, facts that any way to meet the criteria lacks,
    or results that do not contradict each other."""
    no_facts = ~pl.col("facts_given") | (not clinical)
    lacking, clashing = pl.col("criteria_open_in_words"), pl.col("criteria_contradicted")
    facts = pl.concat_str(
        [
            pl.when(no_facts).then(pl.lit("the clinical facts of the request")),
            pl.when(lacking.list.len() > 0).then(lacking.list.join("; ")),
            pl.when(clashing.list.len() > 0).then(
                pl.format("a result that settles: {}", clashing.list.join(", "))
            ),
        ],
        separator="; ",
        ignore_nulls=True,
    )
    birth = pl.when(pl.col("unknown_edit_ids").list.contains(_AGE)).then(
        pl.lit("the member's birth date")
    )
    asked = pl.concat_str(
        [birth, pl.when(pl.col("criteria") == "undocumented").then(facts)],
        separator="; ",
        ignore_nulls=True,
    )
    return pl.when(governed & (asked != "")).then(asked)
