"""The whole story of one night after others, a line at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import lifecycle
from .authorizations import matched
from .clinical import ClinicalFacts, read_facts, sort_out_facts
from .clinical_edits import ALL_LINE_EDITS, dose_exceeds_body_surface
from .decisions import ORDER, Decision, Finding
from .edits import Facts, is_original_known, original_claim_unknown
from .history import (
    EarlierRun,
    History,
    Kept,
    KeptLine,
    PastLine,
    Ruling,
    history_of,
    standing,
)
from .limits import Earlier, Used, allow, is_duplicate, order_of, service_of
from .partners import (
    PartnerLine,
    partner_lines_of,
    standing_partner_lines,
    versions_beside_partners,
)
from .quarantine import Authorization, Line, Rejection, sort_out_authorizations, sort_out_claims
from .reading import ClaimRow, RawRow, read_authorization, read_claim, text_of, upper_of
from .reconsider import reconsider_rows
from .reference import Reference, Version, read_reference
from .written import (
    denied_charge,
    disposition,
    findings_of,
    line_of,
    rejected_authorization,
    rejected_facts,
    rejected_line,
)

__all__ = ["ORDER", "Night", "edit_night"]

FactsUnder = Callable[[Version], Facts]


@dataclass(frozen=True, eq=False)
class Judged:
    """A governed line of the drug, and what the clinical edits ask it beside."""

    line: Line
    version: Version
    match: Authorization | None
    facts: ClinicalFacts | None


@dataclass(frozen=True)
class Night:
    lines: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    rejected_lines: list[Rejection]
    rejected_authorizations: list[Rejection]
    rejected_clinical_facts: list[Rejection]
    out_of_scope: int
    reconsider: list[dict[str, Any]]
    partner_lines: list[dict[str, Any]]
    ruled: list[PastLine]  # of its members, on which a ruling binds
    rulings_left_out: int  # that are on lines of earlier runs which are no longer so
    kept: Kept = field(compare=False)  # what it leaves to later nights
    # What of it is asked, to see what it has reached:
    judged: list[Judged] = field(compare=False)
    partners_that_stand: list[PartnerLine] = field(compare=False)
    partner_versions: list[lifecycle.VersionRow] = field(compare=False)
    place: int = field(compare=False)


def edit_night(
    claims: list[RawRow],
    authorizations: list[RawRow],
    members: list[RawRow] | None,
    *,
    reference_dir: Path,
    policy_id: str,
    as_of: date,
    version: str | None = None,
    clinical: list[RawRow] | None = None,
    history: Sequence[EarlierRun] = (),
    elsewhere: Sequence[dict[str, Any]] = (),
    rulings: Sequence[Ruling] = (),
) -> Night:
    """Edits a night that sees these runs before it, and these lines that were allowed elsewhere.

    A version that is named governs alone, on every date, also if it is a draft.
    """
    reference = read_reference(reference_dir, policy_id, version)
    place = len(history) + 1
    extract = read_extract(claims, authorizations, members, reference, place)
    documented, bad_facts = sort_out_facts([read_facts(row) for row in clinical or []])
    lines = extract.lines
    past = history_of(history, elsewhere, reference, rulings)
    others = lifecycle.other_versions(extract.out_of_scope_versions, place)
    rows_before = rows_until(past, [], [])
    rows_now = rows_until(past, [lifecycle.row_of_line(one, place) for one in lines], others)
    before, now = standing(past.lines, rows_before), standing(past.lines, rows_now)
    all_partners = past.partner_lines + extract.partner_lines
    partner_versions = versions_beside_partners(
        all_partners,
        past.line_rows + [lifecycle.row_of_line(one, place) for one in lines],
        past.other_versions + others,
    )
    stand = standing_partner_lines(all_partners, partner_versions)

    decisions = [first_decision(line, reference) for line in lines]
    decide_lifecycle(decisions, lifecycle.fates(rows_now), past.known_claims)
    decide_governance(decisions, reference)

    def facts_under(version: Version) -> Facts:
        return Facts(
            reference=reference,
            version=version,
            as_of=as_of,
            known_lines=lines,
            drug_lines=[one.line for one in decisions if one.governed_drug_line],
            authorizations=extract.authorizations,
            rejected_authorizations=extract.rejected_for,
            known_before=past.known_claims,
            clinical=None if clinical is None else documented,
            partner_lines=stand,
        )

    decide_line_edits(decisions, facts_under)
    decide_doses(decisions, facts_under)
    decide_duplicates(decisions, now)
    tonight = decide_limits(decisions, facts_under, now)
    return Night(
        lines=[line_of(one, policy_id) for one in decisions],
        findings=[row for one in decisions for row in findings_of(one, policy_id)],
        rejected_lines=extract.rejected_lines,
        rejected_authorizations=extract.rejected_authorizations,
        rejected_clinical_facts=[rejected_facts(row, names) for row, names in bad_facts],
        out_of_scope=extract.rows_out_of_scope,
        reconsider=reconsider_rows(before, now, tonight, facts_under, reference),
        partner_lines=[one.written() for one in extract.partner_lines],
        ruled=ruled_of_members(past, lines, others),
        rulings_left_out=len(rulings_on(history, rulings)) - len(binding(past)),
        kept=Kept([kept_line(one) for one in decisions], others, extract.partner_lines),
        judged=[
            judged(one, one.version, facts_under(one.version))
            for one in decisions
            if one.governed_drug_line and one.version is not None
        ],
        partners_that_stand=stand,
        partner_versions=partner_versions,
        place=place,
    )


def rulings_on(history: Sequence[EarlierRun], rulings: Sequence[Ruling]) -> list[Ruling]:
    run_ids = {run.run_id for run in history}
    return [ruling for ruling in rulings if ruling.run_id in run_ids]


def binding(past: History) -> list[PastLine]:
    return [one for one in past.lines if one.ruling is not None]


def ruled_of_members(
    past: History, lines: list[Line], others: list[lifecycle.VersionRow]
) -> list[PastLine]:
    """Of the members of tonight's lines, and of rows out of scope that replace or void."""
    members = {line.member_id for line in lines} | {row.version[0] for row in others}
    return [one for one in binding(past) if one.member_id in members]


@dataclass(frozen=True)
class Extract:
    """What is left to edit of an extract, and what was rejected."""

    lines: list[Line]
    out_of_scope_versions: list[ClaimRow]
    authorizations: list[Authorization]
    rejected_for: list[tuple[str | None, str | None]]  # member, HCPCS of rejected authorizations
    rejected_lines: list[Rejection]
    rejected_authorizations: list[Rejection]
    rows_out_of_scope: int
    partner_lines: list[PartnerLine]


def read_extract(
    claims: list[RawRow],
    authorizations: list[RawRow],
    members: list[RawRow] | None,
    reference: Reference,
    place: int,
) -> Extract:
    rows = [read_claim(row, members or [], reference) for row in claims]
    in_scope = [row for row in rows if row.in_scope]
    out_of_scope = [row for row in rows if not row.in_scope]
    good, bad_rows = sort_out_claims(in_scope)
    lines, circular = without_circles(good, versions_of(out_of_scope, in_scope, good))
    approved, bad_authorizations = sort_out_authorizations(
        [read_authorization(row) for row in authorizations]
    )
    return Extract(
        lines=lines,
        out_of_scope_versions=versions_of(out_of_scope, in_scope, lines),
        authorizations=approved,
        rejected_for=[
            (text_of(row.raw, "member_id"), upper_of(row.raw, "hcpcs_code"))
            for row, _ in bad_authorizations
        ],
        rejected_lines=[rejected_line(row.raw, names) for row, names in bad_rows]
        + [rejected_line(line.raw, {"replacement_cycle"}) for line in circular],
        rejected_authorizations=[
            rejected_authorization(row, names) for row, names in bad_authorizations
        ],
        rows_out_of_scope=len(out_of_scope),
        partner_lines=partner_lines_of(rows, reference.partner_codes_to_keep(), place),
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
    """The lines of claims that do not come back to themselves in this extract, and the others."""
    rows = lifecycle.rows_that_count(
        [lifecycle.row_of_line(line, place=0) for line in lines],
        lifecycle.other_versions(out_of_scope, place=0),
    )
    circle = lifecycle.versions_in_a_circle(rows)
    circular = [line for line in lines if (line.member_id, line.claim_id) in circle]
    return [line for line in lines if line not in circular], circular


def rows_until(
    past: History, tonight: list[lifecycle.VersionRow], others: list[lifecycle.VersionRow]
) -> list[lifecycle.VersionRow]:
    """A row out of scope may have come long before the claim that it replaces or voids."""
    return lifecycle.rows_that_count(past.line_rows + tonight, past.other_versions + others)


def first_decision(line: Line, reference: Reference) -> Decision:
    return Decision(line=line, version=reference.version_in_force(line.start), allowed=line.units)


def decide_lifecycle(
    decisions: list[Decision],
    fate: dict[lifecycle.Version, str],
    known_before: set[lifecycle.Version],
) -> None:
    """Lines of versions that do not count are taken out, and all lines that void."""
    lines = [one.line for one in decisions]
    for one in decisions:
        line = one.line
        if line.frequency == "8":
            decide_voiding_line(one, is_original_known(line, lines, known_before))
        elif fate[line.member_id, line.claim_id] != "counts":
            one.fate = fate[line.member_id, line.claim_id]
            one.allowed = Decimal(0)


def decide_voiding_line(one: Decision, known: bool) -> None:
    """A void is void, or flagged when nobody knows what it voids; it allows nothing."""
    one.allowed = Decimal(0)
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


def decide_doses(decisions: list[Decision], facts_under: FactsUnder) -> None:
    """After all other line edits, since the lines that these deny are not given."""
    asked = [one for one in decisions if one.governed_drug_line]
    edit = dose_exceeds_body_surface([one.line for one in asked if not one.denied])
    for one in asked:
        if one.version is not None:
            one.find("dose-exceeds-body-surface", edit(one.line, facts_under(one.version)))


def taking_part(decisions: list[Decision]) -> list[Decision]:
    """Whose lines may repeat others and use up limits, in the order of lines."""
    able = [one for one in decisions if one.governed_drug_line and not one.line.unclear]
    return sorted(able, key=lambda one: order_of(one.line))


def decide_duplicates(decisions: list[Decision], past: list[PastLine]) -> None:
    """What was allowed in earlier nights or elsewhere is earlier than every line of tonight."""
    earlier = [
        Earlier(one.claim_id, one.service) for one in past if one.took_part and one.allowed > 0
    ]
    for one in taking_part(decisions):
        denied_by_line_edit = one.denied
        if is_duplicate(one.line, earlier):
            one.find("duplicate-line", "fail")
        if not denied_by_line_edit:
            earlier.append(Earlier(one.line.claim_id, service_of(one.line)))


def decide_limits(
    decisions: list[Decision], facts_under: FactsUnder, past: list[PastLine]
) -> list[Used]:
    """Gives every line in its turn what the limits leave; returns what tonight's lines use."""
    used = [one.used for one in past if one.took_part]
    tonight: list[Used] = []
    for one in taking_part(decisions):
        if one.denied or one.version is None:
            continue
        allowance = allow(one.line, facts_under(one.version), used + tonight)
        for edit_id in allowance.exceeded:
            one.find(edit_id, "fail")
        one.took_part, one.allowed, one.draws = True, allowance.allowed, allowance.draws
        line = one.line
        draws = tuple(allowance.draws)
        tonight.append(Used(line.member_id, line.hcpcs_code, line.start, one.allowed, draws))
    for one in decisions:
        if one.denied:
            one.allowed = Decimal(0)
    return tonight


def judged(one: Decision, version: Version, facts: Facts) -> Judged:
    match = matched(one.line, facts)
    documented = facts.clinical.get(match.number) if facts.clinical and match else None
    return Judged(one.line, version, match, documented)


def kept_line(one: Decision) -> KeptLine:
    charge = denied_charge(one.line, one.allowed)
    return KeptLine(
        one.line,
        one.allowed,
        charge,
        one.draws,
        one.took_part,
        disposition(one),
        one.governed_drug_line,
        one.matched_number,
    )
