"""What is written of decided lines and rejected rows."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from .clinical import FactsRow
from .decisions import CODES, ORDER, Decision, Finding
from .quarantine import Line, Rejection
from .reading import AuthorizationRow, RawRow, text_of


def disposition(one: Decision) -> str:
    if one.fate is not None:
        return one.fate
    cut = any(finding.action == "cutback" for finding in one.findings)
    if one.denied or (cut and one.allowed == 0):
        return "deny"
    if cut and one.allowed < one.line.units:
        return "partial"
    return "flag" if one.findings else "pay"


def in_edit_order(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: ORDER.index(finding.edit_id))


def primary(findings: list[Finding]) -> str | None:
    for action in ("deny", "cutback", "flag"):
        for finding in in_edit_order(findings):
            if finding.action == action:
                return finding.edit_id
    return None


def denied_charge(line: Line, allowed: Decimal) -> Decimal:
    exact = Fraction(line.charge) * Fraction(line.units - allowed) / Fraction(line.units)
    cents = int(exact * 100 + Fraction(1, 2))  # nothing is below 0, so this is half up
    return Decimal(cents).scaleb(-2)


def line_of(one: Decision, policy_id: str) -> dict[str, Any]:
    line, findings = one.line, in_edit_order(one.findings)
    return {
        "claim_id": line.claim_id,
        "claim_line_number": line.claim_line_number,
        "member_id": line.member_id,
        "claim_line_start_date": line.start,
        "hcpcs_code": line.hcpcs_code,
        "line_of_business": line.line_of_business,
        "policy_id": policy_id,
        "policy_version": one.version.version if one.version else None,
        "disposition": disposition(one),
        "billed_units": line.units,
        "allowed_units": one.allowed,
        "denied_units": line.units - one.allowed,
        "charge_amount": line.charge,
        "denied_charge_amount": denied_charge(line, one.allowed),
        "primary_edit_id": primary(findings),
        "edit_ids": [found.edit_id for found in findings if found.verdict == "fail"],
        "unknown_edit_ids": [found.edit_id for found in findings if found.verdict == "unknown"],
        "matched_authorization_number": one.matched_number,
        "authorization_draws": one.draws,
    }


def findings_of(one: Decision, policy_id: str) -> list[dict[str, Any]]:
    rows = []
    for finding in in_edit_order(one.findings):
        group_code, carc, rarc = CODES[finding.edit_id]
        rows.append(
            {
                "claim_id": one.line.claim_id,
                "claim_line_number": one.line.claim_line_number,
                "edit_id": finding.edit_id,
                "verdict": finding.verdict,
                "action": finding.action,
                "group_code": group_code,
                "carc": carc,
                "rarc": rarc,
                "policy_id": policy_id,
                "policy_version": one.version.version if one.version else None,
                "policy_section": finding.section,
            }
        )
    return rows


def rejected_line(raw: RawRow, names: set[str]) -> Rejection:
    return text_of(raw, "claim_id"), text_of(raw, "claim_line_number"), frozenset(names)


def rejected_facts(row: FactsRow, names: set[str]) -> Rejection:
    return text_of(row.raw, "authorization_number"), None, frozenset(names)


def rejected_authorization(row: AuthorizationRow, names: set[str]) -> Rejection:
    return text_of(row.raw, "authorization_number"), None, frozenset(names)
