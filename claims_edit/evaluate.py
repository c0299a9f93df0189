"""The whole story: scope, lifecycle, edits, limits, disposition. Pure; no two members meet in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from claims_edit import contracts, lifecycle, scope
from claims_edit.contracts import DRAWS
from claims_edit.disposition import denied_lines, disposed, in_order
from claims_edit.edits import (
    authorization,
    claim,
    diagnosis,
    duplicate,
    governance,
    member,
    ndc,
    wastage,
)
from claims_edit.edits.catalogue import EDITS, LIMITS
from claims_edit.edits.edit import Context, Kind
from claims_edit.findings import ask
from claims_edit.ledger import VersionLimits, WindowLimit
from claims_edit.limits import AUTHORIZATION_UNITS, allowed_units, ledgers_of
from claims_edit.past import ALLOWED, Past, no_past
from claims_edit.policies import Policy, PolicyVersion
from claims_edit.reconsider import cut_lines, reconsidered
from claims_edit.reference import ReferenceData

_ORDER = ("claim_line_start_date", "received_date", "claim_id", "claim_line_number")


@dataclass(frozen=True)
class Night:
    """One extract, read and checked, and what earlier nights left: what `evaluate` decides upon.

    `lines` has the columns of the claims schema, `service_date_unclear` and `ndc_11`; `other_versions`
    the rows out of scope that replace or void a claim; `rejected_authorizations` the `member_id` and
    `hcpcs_code` that a rejected authorization can be read as.
    """

    lines: pl.DataFrame
    other_versions: pl.DataFrame
    authorizations: pl.DataFrame
    rejected_authorizations: pl.DataFrame
    past: Past = field(default_factory=no_past)


@dataclass(frozen=True)
class Outcome:
    """The tables `lines`, `findings` and `reconsider` of the contracts, in the order of their keys."""

    lines: pl.DataFrame
    findings: pl.DataFrame
    reconsider: pl.DataFrame


def evaluate(night: Night, policy: Policy, reference: ReferenceData, as_of: date) -> Outcome:
    """Edit every line of a night under the active versions of one policy."""
    context = _context(night, policy, reference, as_of)
    rules = _rules(policy)

    lines = scope.governed(night.lines.sort(*_ORDER, nulls_last=True), policy)
    arrived = lifecycle.arrivals(lines, night.other_versions, night.past)
    fates = lifecycle.fates(arrived)
    standing = lifecycle.standing(night.past, fates)
    lines = lifecycle.resolved(lines.with_row_index("line"), arrived, fates)
    lines = lines.with_columns(scope.asked_as().alias("asked_as"))

    lines = _with_facts(lines, context)
    findings = ask(lines, _of_kind("governance", "line"), rules)

    candidates = _candidates(lines, findings)
    lines = duplicate.facts(lines, candidates, standing.lines, standing.elsewhere)
    findings = pl.concat([findings, ask(lines, _of_kind("duplicate"), rules)])

    limited = candidates.filter(~pl.col("line").is_in(denied_lines(findings).implode()))
    limited = lines.join(limited, on="line", how="semi")
    limits = _limits(policy)
    ledgers = ledgers_of(_of_members(standing.allowed(policy.hcpcs_code), limited))
    results = allowed_units(limited, limits, ledgers)
    lines = _with_allowed(results.joined(lines), results.allowed, denied_lines(findings))
    findings = in_order(pl.concat([findings, ask(lines, _of_kind("limit"), rules)]))

    edited = _lines(disposed(lines, findings))
    before = lifecycle.standing(night.past, lifecycle.fates(lifecycle.before_tonight(arrived)))
    reconsider = _reconsider(before, standing, edited, policy, context)
    return Outcome(edited, _findings(lines, findings), reconsider)


def _of_kind(*kinds: Kind) -> list[Any]:
    return [edit for edit in EDITS.values() if edit.kind in kinds]


def _with_facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    terms = context.version_terms
    lines = lines.join(terms, on="policy_version", how="left", maintain_order="left")
    lines = governance.facts(lines, context)
    lines = claim.facts(lines, context)
    lines = member.facts(lines)
    lines = diagnosis.facts(lines, context)
    lines = ndc.facts(lines, context)
    lines = wastage.facts(lines, context)
    return authorization.facts(lines, context)


def _candidates(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The lines that take part in duplicates, and, unless `denied`, in limits."""
    denied = denied_lines(findings)
    return lines.filter(pl.col("asked_as") == "drug", ~pl.col("service_date_unclear")).select(
        "line", denied=pl.col("line").is_in(denied.implode())
    )


def _with_allowed(lines: pl.DataFrame, allowed: pl.DataFrame, denied: pl.Series) -> pl.DataFrame:
    """Adds `allowed_units`: as limited; all that is billed of a line that has no limit."""
    nothing = (
        pl.col("taken_out").is_not_null()
        | (pl.col("asked_as") == "void").fill_null(False)
        | pl.col("line").is_in(denied.implode())
    )
    zero = pl.lit(0, dtype=contracts.UNITS)
    return lines.join(allowed, on="line", how="left", maintain_order="left").with_columns(
        takes_part_in_limits=pl.col("allowed_units").is_not_null(),
        allowed_units=pl.when(nothing)
        .then(zero)
        .otherwise(pl.coalesce("allowed_units", "service_unit_quantity")),
        authorization_draws=pl.col("authorization_draws").fill_null(pl.lit([], dtype=DRAWS)),
    )


def _allowed(edited: pl.DataFrame) -> pl.DataFrame:
    """What the limits count of the lines of tonight, as `Past.allowed` has it of history."""
    return edited.filter("takes_part_in_limits").select(ALLOWED)


def _of_members(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    return rows.join(lines, on="member_id", how="semi")


def _reconsider(
    before: Past, now: Past, edited: pl.DataFrame, policy: Policy, context: Context
) -> pl.DataFrame:
    """Lines of earlier runs under the version and the authorizations that they have tonight."""
    lines = scope.governed(cut_lines(before, now), policy).drop_nulls("policy_version")
    terms = context.version_terms
    lines = lines.join(terms, on="policy_version", how="left", maintain_order="left")
    cut = authorization.facts(lines.with_columns(asked_as=pl.lit("drug")), context)
    allowed_now = pl.concat([now.allowed(policy.hcpcs_code), _allowed(edited)])
    allowed_before = before.allowed(policy.hcpcs_code)
    return reconsidered(
        cut, _of_members(allowed_before, cut), _of_members(allowed_now, cut), _limits(policy)
    )


def _lines(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.with_columns(
            governed=pl.col("policy_version").is_not_null()
            & (pl.col("line_of_business") != "medicare"),
            billed_units=pl.col("service_unit_quantity"),
        )
        .select(list(contracts.LINES.columns))
        .sort(*contracts.LINE_KEY)
    )


def _findings(lines: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    of_line = lines.select("line", *contracts.LINE_KEY, "policy_id", "policy_version")
    return (
        findings.join(of_line, on="line", how="left", maintain_order="left")
        .select(list(contracts.FINDINGS.columns))
        .sort(*contracts.LINE_KEY, maintain_order=True)
    )


# ---- the policy as frames -------------------------------------------------------------------


def _context(night: Night, policy: Policy, reference: ReferenceData, as_of: date) -> Context:
    versions = policy.active_versions
    return Context(
        as_of=as_of,
        hcpcs=reference["hcpcs"],
        icd10cm=reference["icd10cm"],
        ndc_products=reference["ndc_products"],
        mac_jurisdictions=reference["mac_jurisdictions"],
        covered_diagnoses=policy.covered_diagnoses.rename({"version": "policy_version"}),
        version_terms=pl.DataFrame(
            [(v.version, v.minimum_age, v.authorization_months) for v in versions],
            schema={
                "policy_version": pl.String,
                "minimum_age": pl.Int64,
                "authorization_months": pl.Int64,
            },
            orient="row",
        ),
        diagnosis_terms=_diagnosis_terms(versions),
        program_terms=pl.DataFrame(
            [
                (v.version, t.line_of_business, t.state, t.program)
                for v in versions
                for t in v.program_terms
            ],
            schema=dict.fromkeys(
                ("policy_version", "line_of_business", "state", "program"), pl.String
            ),
            orient="row",
        ),
        authorizations=night.authorizations,
        rejected_authorizations=night.rejected_authorizations,
    )


def _diagnosis_terms(versions: tuple[PolicyVersion, ...]) -> pl.DataFrame:
    lists = ("family_prefixes", "active_disease_prefixes", "history_codes")
    return pl.DataFrame(
        [(v.version, *(list(getattr(v, c)) for c in lists)) for v in versions],
        schema={"policy_version": pl.String} | dict.fromkeys(lists, pl.List(pl.String)),
        orient="row",
    )


def _rules(policy: Policy) -> pl.DataFrame:
    """By version and edit: what is done on a fail and on an unknown, and the document's section."""
    return pl.DataFrame(
        [
            (v.version, edit_id, rule.fail, rule.unknown, rule.section)
            for v in policy.active_versions
            for edit_id, rule in v.edits.items()
        ],
        schema=dict.fromkeys(
            ("policy_version", "edit_id", "fail", "unknown", "section"), pl.String
        ),
        orient="row",
    )


def _limits(policy: Policy) -> dict[str, VersionLimits]:
    def asked(version: PolicyVersion, edit_id: str) -> str | None:
        rule = version.edits.get(edit_id)
        return rule.fail if rule is not None and rule.fail != "off" else None

    return {
        v.version: VersionLimits(
            windows=tuple(
                WindowLimit(limit.edit_id, limit.max_units * 1_000_000, limit.window_days, action)
                for limit in sorted(v.limits, key=lambda limit: LIMITS.index(limit.edit_id))
                if (action := asked(v, limit.edit_id)) is not None
            ),
            authorization_action=asked(v, AUTHORIZATION_UNITS),
        )
        for v in policy.active_versions
    }
