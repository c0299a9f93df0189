"""Lines that were cut in earlier nights, and would be cut less now that others are taken out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from .edits import Facts
from .history import KeptLine, PastLine
from .limits import Allowance, Used, allow, order_of
from .quarantine import Line
from .reference import Reference, Version

FactsUnder = Callable[[Version], Facts]
Taken = dict[PastLine, Used]  # what every line of the past that stands takes


@dataclass(frozen=True)
class Cut:
    """A line that a limit cut, and by nothing else was lessened."""

    past: PastLine
    kept: KeptLine
    version: Version  # of tonight's policy, on the service date

    @property
    def line(self) -> Line:
        return self.kept.line


def reconsider_rows(
    before: list[PastLine],
    now: list[PastLine],
    tonight: list[Used],
    facts_under: FactsUnder,
    reference: Reference,
) -> list[dict[str, Any]]:
    """Of every cut line that may have more, what it would be allowed alone, and in its turn."""
    released = [one for one in before if one.allowed > 0 and one not in now]
    taken_before = {one: one.used for one in before if one.took_part}
    taken_now = {one: one.used for one in now if one.took_part}
    listed, alone = [], []
    for cut in cut_lines(now, {one.member_id for one in released}, reference):
        facts = facts_under(cut.version)
        alone_before = would(cut, facts, taken_before, []).allowed
        alone_now = would(cut, facts, taken_now, tonight).allowed
        if alone_now > max(cut.kept.allowed, alone_before):
            listed.append(cut)
            alone.append(alone_now)
    in_turn = units_in_turn(listed, taken_now, tonight, facts_under)
    rows = list(zip(listed, alone, in_turn, strict=True))
    rows.sort(key=lambda row: (*row[0].line.key, row[0].past.row.place))
    return [reconsider_row(*row, released) for row in rows]


def cut_lines(now: list[PastLine], members: set[str], reference: Reference) -> list[Cut]:
    """In the order of lines."""
    cuts = []
    for one in now:
        version = reference.version_in_force(one.day)
        if one.kept is None or version is None or one.member_id not in members:
            continue
        if one.took_part and one.allowed < one.kept.line.units and not one.upheld:
            cuts.append(Cut(one, one.kept, version))
    return sorted(cuts, key=lambda cut: order_of(cut.line))


def would(cut: Cut, facts: Facts, taken: Taken, tonight: list[Used]) -> Allowance:
    """What the limits alone would allow it beside what all others take."""
    others = [used for one, used in taken.items() if one is not cut.past]
    return allow(cut.line, facts, others + tonight)


def units_in_turn(
    cuts: list[Cut], taken: Taken, tonight: list[Used], facts_under: FactsUnder
) -> list[Decimal]:
    """One after the other, each beside those before it that have been given more."""
    taken, given = dict(taken), []
    for cut in cuts:
        allowance = would(cut, facts_under(cut.version), taken, tonight)
        if allowance.allowed > cut.kept.allowed:
            draws = tuple(allowance.draws)
            taken[cut.past] = replace(cut.past.used, units=allowance.allowed, draws=draws)
        given.append(max(cut.kept.allowed, allowance.allowed))
    return given


def reconsider_row(
    cut: Cut, alone: Decimal, in_turn: Decimal, released: list[PastLine]
) -> dict[str, Any]:
    line = cut.line
    claims = {one.claim_id for one in released if one.member_id == line.member_id}
    return {
        "claim_id": line.claim_id,
        "claim_line_number": line.claim_line_number,
        "cut_by_run_id": cut.past.run_id,
        "member_id": line.member_id,
        "claim_line_start_date": line.start,
        "hcpcs_code": line.hcpcs_code,
        "billed_units": line.units,
        "allowed_units": cut.kept.allowed,
        "cut_units": line.units - cut.kept.allowed,
        "charge_amount": line.charge,
        "denied_charge_amount": cut.kept.denied_charge,
        "would_be_allowed_units": alone,
        "would_be_allowed_in_turn_units": in_turn,
        "released_claim_ids": sorted(claims),
        "policy_version": cut.version.version,
    }
