"""The whole story of one night without history and clinical facts, a line at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from . import lifecycle
from .authorizations import ALL_LINE_EDITS, matched
from .edits import Facts, is_original_known, original_claim_unknown
from .limits import Draw, Used, allow, is_duplicate, order_of
from .quarantine import Line, Rejection, sort_out_authorizations, sort_out_claims
from .reading import (
    AuthorizationRow,
    ClaimRow,
    RawRow,
    read_authorization,
    read_claim,
    text_of,
    upper_of,
)
from .reference import Reference, Version, read_reference

Codes = tuple[str | None, str | None, str | None]
FactsUnder = Callable[[Version], Facts]
NO_CODES: Codes = (None, None, None)

# In the order in which findings stand and a primary edit is chosen among equals.
CODES: dict[str, Codes] = {
    "medicare-not-governed": NO_CODES,
    "no-policy-in-force": NO_CODES,
    "original-claim-unknown": ("CO", "16", "M47"),
    "ndc-billed-under-other-code": ("CO", "16", "N846"),
    "program-terms-govern": NO_CODES,
    "procedure-not-effective": ("CO", "181", None),
    "service-date-future": ("CO", "110", None),
    "service-date-span": ("CO", "16", "M52"),
    "service-date-unclear": ("CO", "16", "M52"),
    "units-not-whole": ("CO", "16", "M53"),
    "duplicate-line": ("OA", "18", None),
    "member-under-age": ("CO", "6", "N129"),
    "diagnosis-missing": ("CO", "16", "M76"),
    "diagnosis-pointer-invalid": ("CO", "16", "M76"),
    "diagnosis-not-pointed": ("CO", "11", None),
    "diagnosis-unlisted": ("CO", "167", "N569"),
    "diagnosis-invalid": ("CO", "146", None),
    "diagnosis-not-covered": ("CO", "167", "N569"),
    "diagnosis-history-only": ("CO", "11", None),
    "diagnosis-sex-conflict": ("CO", "16", "M76"),
    "ndc-missing": ("CO", "16", "M119"),
    "ndc-invalid": ("CO", "16", "M119"),
    "ndc-mismatch": ("CO", "16", "N846"),
    "ndc-units-conflict": ("CO", "16", "N815"),
    "wastage-contradiction": ("CO", "4", None),
    "wastage-modifier-missing": ("CO", "16", "N822"),
    "authorization-absent": ("CO", "197", None),
    "authorization-pending": ("CO", "197", None),
    "authorization-denied": ("CO", "39", None),
    "authorization-expired": ("CO", "302", None),
    "authorization-not-started": ("CO", "197", None),
    "authorization-number-mismatch": ("CO", "16", "N54"),
    "authorization-provider-mismatch": ("CO", "296", None),
    "authorization-span-exceeds-policy": ("CO", "16", "N54"),
    "units-per-dose": ("CO", "151", "N362"),
    "units-per-period": ("CO", "151", "N640"),
    "authorization-units-exceeded": ("CO", "198", None),
}
ORDER = list(CODES)


@dataclass(frozen=True)
class Night:
    lines: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    rejected_lines: list[Rejection]
    rejected_authorizations: list[Rejection]
    out_of_scope: int


@dataclass(frozen=True)
class Finding:
    edit_id: str
    verdict: str
    action: str
    section: str | None


@dataclass(eq=False)
class Decision:
    """What is decided of one line, as it grows."""

    line: Line
    version: Version | None
    allowed: Decimal
    findings: list[Finding] = field(default_factory=list)
    fate: str | None = None  # void or superseded
    governed_drug_line: bool = False
    matched_number: str | None = None
    draws: list[Draw] = field(default_factory=list)

    @property
    def denied(self) -> bool:
        return any(finding.action == "deny" for finding in self.findings)

    def find(self, edit_id: str, verdict: str | None) -> None:
        """Adds a finding, if the version in force asks the edit and wants it told."""
        terms = self.version.edits.get(edit_id) if self.version else None
        if terms is None or verdict not in ("fail", "unknown"):
            return
        action = terms.fail if verdict == "fail" else terms.unknown
        if action != "off":
            self.findings.append(Finding(edit_id, verdict, action, terms.section))

    def find_governance(self, edit_id: str) -> None:
        terms = self.version.edits.get(edit_id) if self.version else None
        self.findings.append(Finding(edit_id, "fail", "flag", terms.section if terms else None))


def edit_night(
    claims: list[RawRow],
    authorizations: list[RawRow],
    members: list[RawRow] | None,
    *,
    reference_dir: Path,
    policy_id: str,
    as_of: date,
) -> Night:
    reference = read_reference(reference_dir, policy_id)
    rows = [read_claim(row, members or [], reference) for row in claims]
    in_scope = [row for row in rows if row.in_scope]
    out_of_scope = [row for row in rows if not row.in_scope]

    good, bad_rows = sort_out_claims(in_scope)
    lines, circular = without_circles(good, versions_of(out_of_scope, in_scope, good))
    approved, bad_authorizations = sort_out_authorizations(
        [read_authorization(row) for row in authorizations]
    )

    decisions = [first_decision(line, reference) for line in lines]
    decide_lifecycle(decisions, versions_of(out_of_scope, in_scope, lines))
    decide_governance(decisions, reference)
    rejected_for = [
        (text_of(row.raw, "member_id"), upper_of(row.raw, "hcpcs_code"))
        for row, _ in bad_authorizations
    ]

    def facts_under(version: Version) -> Facts:
        return Facts(
            reference=reference,
            version=version,
            as_of=as_of,
            known_lines=lines,
            drug_lines=[one.line for one in decisions if one.governed_drug_line],
            authorizations=approved,
            rejected_authorizations=rejected_for,
        )

    decide_line_edits(decisions, facts_under)
    decide_duplicates(decisions)
    decide_limits(decisions, facts_under)
    return Night(
        lines=[line_of(one, policy_id) for one in decisions],
        findings=[row for one in decisions for row in findings_of(one, policy_id)],
        rejected_lines=[rejected_line(row, names) for row, names in bad_rows]
        + [rejected_circular(line) for line in circular],
        rejected_authorizations=[
            rejected_authorization(row, names) for row, names in bad_authorizations
        ],
        out_of_scope=len(out_of_scope),
    )


def versions_of(
    out_of_scope: list[ClaimRow], in_scope: list[ClaimRow], lines: list[Line]
) -> list[ClaimRow]:
    """Rows out of scope, without those of claims whose rows of the drug are all rejected."""
    billed = {(row.values["member_id"], row.values["claim_id"]) for row in in_scope}
    rejected = billed - {(line.member_id, line.claim_id) for line in lines}
    return [
        row
        for row in out_of_scope
        if (row.values["member_id"], row.values["claim_id"]) not in rejected
    ]


def without_circles(
    lines: list[Line], out_of_scope: list[ClaimRow]
) -> tuple[list[Line], list[Line]]:
    circle = lifecycle.versions_in_a_circle(lifecycle.version_rows(lines, out_of_scope))
    circular = [line for line in lines if (line.member_id, line.claim_id) in circle]
    return [line for line in lines if line not in circular], circular


def first_decision(line: Line, reference: Reference) -> Decision:
    return Decision(line=line, version=reference.version_in_force(line.start), allowed=line.units)


def decide_lifecycle(decisions: list[Decision], out_of_scope: list[ClaimRow]) -> None:
    """Lines of versions that do not count are taken out, and all lines that void."""
    lines = [one.line for one in decisions]
    fate = lifecycle.fates(lifecycle.version_rows(lines, out_of_scope))
    for one in decisions:
        line = one.line
        if line.frequency == "8":
            decide_voiding_line(one, lines)
        elif fate[line.member_id, line.claim_id] != "counts":
            one.fate = fate[line.member_id, line.claim_id]
            one.allowed = Decimal(0)


def decide_voiding_line(one: Decision, lines: list[Line]) -> None:
    """A void is void, or flagged when nobody knows what it voids; it allows nothing."""
    one.allowed = Decimal(0)
    known = is_original_known(one.line, lines)
    if not known and one.version is None:
        one.findings.append(Finding("original-claim-unknown", "fail", "flag", None))
    elif not known:
        one.find("original-claim-unknown", "fail")
    if not one.findings:
        one.fate = "void"


def decide_governance(decisions: list[Decision], reference: Reference) -> None:
    for one in decisions:
        if one.fate is not None or one.line.frequency == "8":
            continue
        if one.line.line_of_business == "medicare":
            one.find_governance("medicare-not-governed")
        elif one.version is None:
            one.find_governance("no-policy-in-force")
        else:
            one.governed_drug_line = one.line.hcpcs_code == reference.hcpcs_code
            if not one.governed_drug_line:
                one.find("ndc-billed-under-other-code", "fail")


def decide_line_edits(decisions: list[Decision], facts_under: FactsUnder) -> None:
    for one in decisions:
        if one.fate is not None or one.line.frequency == "8" or one.version is None:
            continue
        if one.line.line_of_business == "medicare":
            continue
        facts = facts_under(one.version)
        if not one.governed_drug_line:
            one.find("original-claim-unknown", original_claim_unknown(one.line, facts))
            continue
        for edit_id, edit in ALL_LINE_EDITS.items():
            one.find(edit_id, edit(one.line, facts))
        match = matched(one.line, facts)
        one.matched_number = match.number if match else None


def taking_part(decisions: list[Decision]) -> list[Decision]:
    """Whose lines may repeat others and use up limits, in the order of lines."""
    able = [one for one in decisions if one.governed_drug_line and not one.line.unclear]
    return sorted(able, key=lambda one: order_of(one.line))


def decide_duplicates(decisions: list[Decision]) -> None:
    earlier: list[Line] = []
    for one in taking_part(decisions):
        denied_by_line_edit = one.denied
        if is_duplicate(one.line, earlier):
            one.find("duplicate-line", "fail")
        if not denied_by_line_edit:
            earlier.append(one.line)


def decide_limits(decisions: list[Decision], facts_under: FactsUnder) -> None:
    used: list[Used] = []
    draws: list[Draw] = []
    for one in taking_part(decisions):
        if one.denied or one.version is None:
            continue
        allowance = allow(one.line, facts_under(one.version), used, draws)
        for edit_id in allowance.exceeded:
            one.find(edit_id, "fail")
        one.allowed, one.draws = allowance.allowed, allowance.draws
        line = one.line
        used.append(Used(line.member_id, line.hcpcs_code, line.start, allowance.allowed))
        draws.extend(allowance.draws)
    for one in decisions:
        if one.denied:
            one.allowed = Decimal(0)


# What is written


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


def rejected_line(row: ClaimRow, names: set[str]) -> Rejection:
    return text_of(row.raw, "claim_id"), text_of(row.raw, "claim_line_number"), frozenset(names)


def rejected_circular(line: Line) -> Rejection:
    return (
        text_of(line.raw, "claim_id"),
        text_of(line.raw, "claim_line_number"),
        frozenset({"replacement_cycle"}),
    )


def rejected_authorization(row: AuthorizationRow, names: set[str]) -> Rejection:
    return text_of(row.raw, "authorization_number"), None, frozenset(names)
