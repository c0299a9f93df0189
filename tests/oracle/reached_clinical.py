"""What a night has reached of the edits that ask the clinical facts."""

from collections.abc import Sequence

from .branches import BRANCHES, judged
from .clinical_edits import smallest_sum_of_vials, units_needed
from .edits import billed_units
from .lifecycle import VersionRow, fates
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
    "dose: above the greatest surface",
}
PARTNERS = {
    "partner: at the edge of the window",
    "partner: a day outside the window",
    "partner: of another member",
    "partner: void tonight",
    "partner: replaced tonight",
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
    most = smallest_sum_of_vials(
        units_needed(one.facts.bsa_m2, dose), {product.units_per_package for product in products}
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
    if one.facts.bsa_m2 > dose.max_bsa_m2:
        reached.add("dose: above the greatest surface")
    if failed(one, DOSE, night):
        if line.key in denied:
            reached.add("dose: asked of a denied line")
        if all(other.units <= most for other in given):
            reached.add("dose: only together")
    elif billed_units(given) == most:
        reached.add("dose: exactly")
    elif billed_units(together) > most:
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
                reached.add("partner: code not in force")
    for other in near:
        reached |= taken_out(other, night.partner_versions)
    return reached


def taken_out(one: PartnerLine, rows: list[VersionRow]) -> set[str]:
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
            if row.version[1].startswith("C"):
                reached.add("partner: taken out by a line of the drug")
    return reached
