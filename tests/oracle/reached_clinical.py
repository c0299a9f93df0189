"""What a night has reached of the edits that ask the clinical facts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from .branches import BRANCHES, judged
from .clinical_edits import smallest_sum_of_vials, units_needed
from .edits import billed_units
from .lifecycle import Version, VersionRow, fates
from .oracle import Judged, Night
from .partners import PartnerLine
from .quarantine import LineKey
from .reference import Partner, Reference

CRITERIA, DOSE = "coverage-criteria", "dose-exceeds-body-surface"
COMBINATION = "combination-partner-missing"
NOT_OF_LINES = {DOSE, "duplicate-line", "units-per-dose", "units-per-period"}
DOSES = {
    "dose: exactly",
    "dose: only together",
    "dose: but for a denied line",
    "dose: asked of a denied line",
    "dose: asked of a day that is not clear",
    "dose: only because of the greatest surface",
    "dose: only because of whole vials",
}
PARTNERS = {
    "partner: at the edge of the window",
    "partner: a day outside the window",
    "partner: of another member",
    "partner: void tonight",
    "partner: replaced tonight",
    "partner: taken out by a line of the drug",
    "partner: taken out by a version out of scope",
}
PARTNERS_BETWEEN_NIGHTS = {
    "partner: of an earlier night",
    "partner: void by a later night",
    "partner: replaced by a later night",
    "partner: sent again",
    "partner: void before it came",
    "partner: replaced before it came",
    "partner: taken out by a line of the drug",
}
RARE_PARTNERS = {
    "partner: sent again",
    "partner: void before it came",
    "partner: replaced before it came",
}


def reached_clinically(
    night: Night, reference: Reference, earlier: Sequence[PartnerLine] = ()
) -> set[str]:
    reached = set()
    known = [*earlier, *night.kept.partner_lines]
    for one in night.judged:
        if one.match is None or one.facts is None:
            continue
        tree = reference.policy_id, one.version.version, one.match.request_type
        if tree in BRANCHES and CRITERIA in one.version.edits:
            reached |= judged(tree, one.facts)
        reached |= of_dose(one, night, reference)
        for partner in one.version.partners:
            if partner.observable and partner.regimen == one.facts.regimen:
                reached |= of_partner(one, partner, known, night, reference)
    return reached


def failed(one: Judged, edit_id: str, night: Night) -> bool:
    return any(
        (row["claim_id"], row["claim_line_number"], row["edit_id"]) == (*one.line.key, edit_id)
        for row in night.findings
    )


def denied_by_line_edits(night: Night) -> set[LineKey]:
    return {
        (row["claim_id"], row["claim_line_number"])
        for row in night.findings
        if row["action"] == "deny" and row["edit_id"] not in NOT_OF_LINES
    }


def of_dose(one: Judged, night: Night, reference: Reference) -> set[str]:
    dose, line = one.version.dose, one.line
    if dose is None or one.facts is None or one.facts.bsa_m2 is None:
        return set()
    products = reference.drug_products_on(line.start)
    vials = {product.units_per_package for product in products}
    need = units_needed(one.facts.bsa_m2, dose)
    most = smallest_sum_of_vials(need, vials)
    of_whole_surface = smallest_sum_of_vials(
        units_needed(one.facts.bsa_m2, replace(dose, max_bsa_m2=Decimal(9))), vials
    )
    denied = denied_by_line_edits(night)
    together = [
        other.line
        for other in night.judged
        if (other.line.member_id, other.line.start) == (line.member_id, line.start)
    ]
    given = [other for other in together if other.key not in denied]
    reached = set()
    if not products:
        reached.add("dose: without products")
    if failed(one, DOSE, night):
        clear = [other for other in given if not other.unclear]
        if billed_units(clear) <= most:
            reached.add("dose: asked of a day that is not clear")
        if billed_units(given) <= of_whole_surface:
            reached.add("dose: only because of the greatest surface")
        if line.key in denied:
            reached.add("dose: asked of a denied line")
        if all(other.units <= most for other in given):
            reached.add("dose: only together")
        return reached
    if billed_units(given) == most:
        reached.add("dose: exactly")
    if billed_units(given) > need:
        reached.add("dose: only because of whole vials")
    if billed_units(together) > most:
        reached.add("dose: but for a denied line")
    return reached


def of_partner(
    one: Judged, partner: Partner, known: list[PartnerLine], night: Night, reference: Reference
) -> set[str]:
    line, reached = one.line, set()

    def is_of(member_too: bool, code_too: bool, other: PartnerLine) -> bool:
        code = reference.is_code_of_partner(other.hcpcs_code, partner.drug, other.day)
        return (code or not code_too) and (other.member_id == line.member_id or not member_too)

    def distance(other: PartnerLine) -> int:
        return abs((other.day - line.start).days)

    own = [other for other in known if is_of(True, True, other)]
    near = [other for other in own if distance(other) <= partner.window_days]
    stand = night.partners_that_stand
    if not failed(one, COMBINATION, night):
        found = [other for other in near if other in stand]
        if found and min(map(distance, found)) == partner.window_days:
            reached.add("partner: at the edge of the window")
        if found and all(other.place < night.place for other in found):
            reached.add("partner: of an earlier night")
        return reached
    if any(distance(other) == partner.window_days + 1 for other in own if other in stand):
        reached.add("partner: a day outside the window")
    for other in stand:
        if distance(other) <= partner.window_days:
            if is_of(False, True, other):
                reached.add("partner: of another member")
            if is_of(True, False, other):
                codes = {row.code for row in reference.partner_codes if row.drug == partner.drug}
                word = "not in force" if other.hcpcs_code in codes else "of another drug"
                reached.add(f"partner: code {word}")
    claims = {other.row.version for other in known}
    for other in near:
        reached |= taken_out(other, night.partner_versions, claims)
    return reached


def taken_out(one: PartnerLine, rows: list[VersionRow], claims: set[Version]) -> set[str]:
    """What took it out, which may be no partner line itself."""
    version = one.row.version
    fate = fates(rows)[version]
    if fate == "counts":
        return {"partner: sent again"}
    word, reached = "void" if fate == "void" else "replaced", set()
    for row in rows:
        if row.names == version:
            when = "tonight" if row.place == one.place else "by a later night"
            when = "before it came" if row.place < one.place else when
            reached.add(f"partner: {word} {when}")
            if row.version not in claims:
                other = row.version[1]
                kind = "line of the drug" if other.startswith("C") else "version out of scope"
                reached.add(f"partner: taken out by a {kind}")
    return reached
