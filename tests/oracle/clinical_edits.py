"""The edits that ask the clinical facts of the matched authorization."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from .authorizations import AUTHORIZATION_EDITS, matched
from .clinical import ClinicalFacts
from .criteria import criteria
from .edits import LINE_EDITS, Edit, Facts, Verdict, billed_units, fail_if
from .quarantine import Authorization, Line
from .reference import Dose, Partner

Asked = Callable[[Line, Facts, Authorization, ClinicalFacts], Verdict]


def if_documented(edit: Asked) -> Edit:
    """Not asked without a matched authorization; unknown where it has no facts."""

    def ask(line: Line, facts: Facts) -> Verdict:
        match = matched(line, facts)
        if facts.clinical is None or match is None:
            return None
        if match.number not in facts.clinical:
            return "unknown"
        return edit(line, facts, match, facts.clinical[match.number])

    return ask


def coverage_criteria(
    line: Line, facts: Facts, match: Authorization, documented: ClinicalFacts
) -> Verdict:
    policy_id, version = facts.reference.policy_id, facts.version.version
    met = criteria(policy_id, version, match.request_type, documented)
    return "unknown" if met is None else fail_if(not met)


def combination_partner_missing(
    line: Line, facts: Facts, match: Authorization, documented: ClinicalFacts
) -> Verdict:
    if documented.regimen is None:
        return "unknown"
    partner = observable_partner(documented.regimen, facts)
    if partner is None:
        return "pass"
    window = timedelta(days=partner.window_days)
    return fail_if(
        not any(
            one.member_id == line.member_id
            and abs(one.day - line.start) <= window
            and facts.reference.is_code_of_partner(one.hcpcs_code, partner.drug, one.day)
            for one in facts.partner_lines
        )
    )


def observable_partner(regimen: str, facts: Facts) -> Partner | None:
    for partner in facts.version.partners:
        if partner.regimen == regimen and partner.observable:
            return partner
    return None


def dose_exceeds_body_surface(not_denied: list[Line]) -> Edit:
    """Asked last, beside the governed lines of the drug that no other line edit denies."""

    def ask(line: Line, facts: Facts, match: Authorization, documented: ClinicalFacts) -> Verdict:
        dose = facts.version.dose
        if dose is None:
            return None
        if documented.bsa_m2 is None:
            return "unknown"
        given = billed_units(
            [
                other
                for other in not_denied
                if other.member_id == line.member_id
                and other.hcpcs_code == line.hcpcs_code
                and other.start == line.start
            ]
        )
        need = units_needed(documented.bsa_m2, dose)
        products = facts.reference.drug_products_on(line.start)
        vials = {product.units_per_package for product in products}
        return fail_if(given > smallest_sum_of_vials(need, vials))

    return if_documented(ask)


def units_needed(bsa_m2: float, dose: Dose) -> Decimal:
    surface = Decimal(repr(bsa_m2)).quantize(Decimal("0.000001"))
    return dose.units_per_m2 * min(surface, dose.max_bsa_m2)


def smallest_sum_of_vials(need: Decimal, vials: set[Decimal]) -> Decimal:
    """The smallest sum of whole vials that is not below the need; of no vials, the need itself."""
    if not vials:
        return need
    first, *others = vials
    if not others:
        return first * whole_vials(need, first)
    counts = range(whole_vials(need, first) + 1)
    return min(
        count * first + smallest_sum_of_vials(max(need - count * first, Decimal(0)), set(others))
        for count in counts
    )


def whole_vials(need: Decimal, vial: Decimal) -> int:
    count = 0
    while count * vial < need:
        count += 1
    return count


CLINICAL_EDITS = {
    "coverage-criteria": if_documented(coverage_criteria),
    "combination-partner-missing": if_documented(combination_partner_missing),
}
ALL_LINE_EDITS = {**LINE_EDITS, **AUTHORIZATION_EDITS, **CLINICAL_EDITS}
