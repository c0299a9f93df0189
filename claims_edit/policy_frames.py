"""A policy's active versions as frames, one row a version or a term of it."""

from __future__ import annotations

from typing import Any

import polars as pl

from claims_edit.contracts import UNITS
from claims_edit.criteria import Node
from claims_edit.edits.catalogue import LIMITS
from claims_edit.ledger import VersionLimits, WindowLimit
from claims_edit.limits import AUTHORIZATION_UNITS
from claims_edit.policies import Policy, PolicyVersion

_MILLION = 1_000_000


def version_terms(policy: Policy) -> pl.DataFrame:
    """By version: the minimum age, the months of an authorization, and what a dose comes to."""
    return _frame(
        [
            (
                v.version,
                v.minimum_age,
                v.authorization_months,
                v.dose and v.dose.units_per_m2,
                v.dose and v.dose.max_bsa_m2,
            )
            for v in policy.active_versions
        ],
        {
            "policy_version": pl.String,
            "minimum_age": pl.Int64,
            "authorization_months": pl.Int64,
            "units_per_m2": UNITS,
            "max_bsa_m2": UNITS,
        },
    )


def diagnosis_terms(policy: Policy) -> pl.DataFrame:
    """By version: the prefixes and codes that the diagnosis edits go by."""
    lists = ("family_prefixes", "active_disease_prefixes", "history_codes")
    return _frame(
        [(v.version, *(list(getattr(v, c)) for c in lists)) for v in policy.active_versions],
        {"policy_version": pl.String} | dict.fromkeys(lists, pl.List(pl.String)),
    )


def program_terms(policy: Policy) -> pl.DataFrame:
    """By version, line of business and state: the program whose own terms govern."""
    return _frame(
        [
            (v.version, t.line_of_business, t.state, t.program)
            for v in policy.active_versions
            for t in v.program_terms
        ],
        dict.fromkeys(("policy_version", "line_of_business", "state", "program"), pl.String),
    )


def partner_terms(policy: Policy) -> pl.DataFrame:
    """By version and regimen: the drug that it adds, where that shows on medical claims."""
    return _frame(
        [
            (v.version, p.regimen, p.drug, p.window_days)
            for v in policy.active_versions
            for p in v.observable_partners
        ],
        {
            "policy_version": pl.String,
            "regimen": pl.String,
            "drug": pl.String,
            "window_days": pl.Int64,
        },
    )


def criteria(policy: Policy) -> dict[tuple[str, str], Node]:
    """The trees by version and kind of request, of the versions that ask them."""
    return {
        (v.version, request): tree
        for v in policy.active_versions
        for request, tree in v.criteria.items()
        if "coverage-criteria" in v.edits
    }


def rules(policy: Policy) -> pl.DataFrame:
    """By version and edit: what is done on a fail and on an unknown, and the document's section."""
    return _frame(
        [
            (v.version, edit_id, rule.fail, rule.unknown, rule.section)
            for v in policy.active_versions
            for edit_id, rule in v.edits.items()
        ],
        dict.fromkeys(("policy_version", "edit_id", "fail", "unknown", "section"), pl.String),
    )


def limits(policy: Policy) -> dict[str, VersionLimits]:
    """By version: its windows and what is done where they are exceeded."""

    def asked(version: PolicyVersion, edit_id: str) -> str | None:
        rule = version.edits.get(edit_id)
        return rule.fail if rule is not None and rule.fail != "off" else None

    return {
        v.version: VersionLimits(
            windows=tuple(
                WindowLimit(limit.edit_id, limit.max_units * _MILLION, limit.window_days, action)
                for limit in sorted(v.limits, key=lambda limit: LIMITS.index(limit.edit_id))
                if (action := asked(v, limit.edit_id)) is not None
            ),
            authorization_action=asked(v, AUTHORIZATION_UNITS),
        )
        for v in policy.active_versions
    }


def _frame(rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")
