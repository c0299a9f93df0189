"""Every edit of a single line as a small function: pass, fail, unknown, or None (not asked)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from . import lifecycle
from .clinical import ClinicalFacts
from .partners import PartnerLine
from .quarantine import Authorization, Line
from .reference import Reference, Version


@dataclass(frozen=True, eq=False)
class Facts:
    """What a line is looked at beside."""

    reference: Reference
    version: Version
    as_of: date
    known_lines: list[Line]  # all good in-scope lines of the extract
    drug_lines: list[Line]  # governed, not taken out, under the drug's HCPCS
    authorizations: list[Authorization]
    rejected_authorizations: list[tuple[str | None, str | None]]  # member, HCPCS
    known_before: set[
        lifecycle.Version
    ]  # claims with in-scope lines in earlier nights or elsewhere
    clinical: dict[str, ClinicalFacts] | None  # by authorization number; None is not given
    partner_lines: list[PartnerLine]  # that stand, of any night


Verdict = str | None
Edit = Callable[[Line, Facts], Verdict]


def fail_if(failed: bool) -> Verdict:
    return "fail" if failed else "pass"


# The claim and its dates


def is_original_known(line: Line, lines: list[Line], before: set[lifecycle.Version]) -> bool:
    """Its own id means a version of an earlier run."""
    return (line.member_id, line.original_claim_id) in before or any(
        other.claim_id == line.original_claim_id
        and other.member_id == line.member_id
        and other.claim_id != line.claim_id
        for other in lines
    )


def original_claim_unknown(line: Line, facts: Facts) -> Verdict:
    known = is_original_known(line, facts.known_lines, facts.known_before)
    return fail_if(line.frequency != "1" and not known)


def program_terms_govern(line: Line, facts: Facts) -> Verdict:
    return fail_if((line.line_of_business, line.member_state) in facts.version.program_terms)


def procedure_not_effective(line: Line, facts: Facts) -> Verdict:
    return fail_if(
        not facts.reference.is_procedure_in_force(facts.reference.hcpcs_code, line.start)
    )


def service_date_future(line: Line, facts: Facts) -> Verdict:
    after_received = line.received_date is not None and line.start > line.received_date
    return fail_if(after_received or line.start > facts.as_of)


def service_date_span(line: Line, facts: Facts) -> Verdict:
    return fail_if(line.end > line.start)


def service_date_unclear(line: Line, facts: Facts) -> Verdict:
    return fail_if(line.unclear)


def units_not_whole(line: Line, facts: Facts) -> Verdict:
    return fail_if(line.units % 1 != 0)


# The member


def member_under_age(line: Line, facts: Facts) -> Verdict:
    if facts.version.minimum_age is None:
        return None
    if line.birth_date is None:
        return "unknown"
    return fail_if(completed_years(line.birth_date, line.start) < facts.version.minimum_age)


def completed_years(birth: date, day: date) -> int:
    years = day.year - birth.year
    return years - 1 if (day.month, day.day) < (birth.month, birth.day) else years


# Diagnoses


def all_diagnoses(line: Line) -> list[str]:
    return [code for code in line.diagnoses if code is not None]


def pointed_positions(line: Line) -> list[int]:
    if line.claim_type != "professional":
        return []
    return [pointer for pointer in line.pointers if pointer is not None]


def considered_diagnoses(line: Line) -> list[str]:
    positions = pointed_positions(line)
    if not positions:
        return all_diagnoses(line)
    pointed = [line.diagnoses[position - 1] for position in positions]
    return [code for code in pointed if code is not None]


def covered_among(codes: list[str], line: Line, facts: Facts) -> list[str]:
    return [code for code in codes if facts.reference.is_covered(code, facts.version, line.start)]


def is_row_covered(line: Line, facts: Facts) -> bool:
    return bool(covered_among(all_diagnoses(line), line, facts))


def considered_of_family(line: Line, facts: Facts) -> list[str]:
    codes = considered_diagnoses(line)
    return [code for code in codes if code.startswith(facts.version.family_prefixes)]


def has_unlisted(line: Line, facts: Facts) -> bool:
    return not is_row_covered(line, facts) and any(
        facts.reference.is_valid_diagnosis(code, line.start)
        for code in considered_of_family(line, facts)
    )


def has_invalid(line: Line, facts: Facts) -> bool:
    return (
        not is_row_covered(line, facts)
        and not has_unlisted(line, facts)
        and any(
            not facts.reference.is_valid_diagnosis(code, line.start)
            for code in considered_of_family(line, facts)
        )
    )


def diagnosis_missing(line: Line, facts: Facts) -> Verdict:
    return fail_if(not all_diagnoses(line))


def diagnosis_pointer_invalid(line: Line, facts: Facts) -> Verdict:
    return fail_if(any(line.diagnoses[place - 1] is None for place in pointed_positions(line)))


def diagnosis_not_pointed(line: Line, facts: Facts) -> Verdict:
    considered = covered_among(considered_diagnoses(line), line, facts)
    return fail_if(not considered and is_row_covered(line, facts))


def diagnosis_unlisted(line: Line, facts: Facts) -> Verdict:
    return fail_if(has_unlisted(line, facts))


def diagnosis_invalid(line: Line, facts: Facts) -> Verdict:
    return fail_if(has_invalid(line, facts))


def diagnosis_not_covered(line: Line, facts: Facts) -> Verdict:
    return fail_if(
        bool(all_diagnoses(line))
        and not is_row_covered(line, facts)
        and not has_unlisted(line, facts)
        and not has_invalid(line, facts)
    )


def diagnosis_history_only(line: Line, facts: Facts) -> Verdict:
    covered = covered_among(considered_diagnoses(line), line, facts)
    all_history = bool(covered) and all(code in facts.version.history_codes for code in covered)
    active = any(
        code.startswith(facts.version.active_disease_prefixes) for code in all_diagnoses(line)
    )
    return fail_if(all_history and not active)


def diagnosis_sex_conflict(line: Line, facts: Facts) -> Verdict:
    covered = covered_among(considered_diagnoses(line), line, facts)
    sexes = {sex for code in covered for sex in facts.reference.sexes_named(code, line.start)}
    if not sexes:
        return "pass"
    if line.gender is None or line.gender == "unknown":
        return "unknown"
    return fail_if(sexes != {line.gender})


# NDC and wastage


def ndc_missing(line: Line, facts: Facts) -> Verdict:
    return fail_if(line.ndc_code is None)


def ndc_invalid(line: Line, facts: Facts) -> Verdict:
    return fail_if(line.ndc_code is not None and line.ndc is None)


def ndc_mismatch(line: Line, facts: Facts) -> Verdict:
    if line.ndc is None:
        return "pass"
    return fail_if(facts.reference.product_on(line.ndc, line.start) is None)


def ndc_units_conflict(line: Line, facts: Facts) -> Verdict:
    product = facts.reference.product_on(line.ndc, line.start) if line.ndc else None
    if line.ndc is None or product is None:
        return None
    group = [
        other
        for other in same_claim_and_day(line, facts)
        if other.ndc is not None and other.ndc[:9] == line.ndc[:9]
    ]
    if any(other.ndc_unit not in (None, "UN") for other in group):
        return "fail"
    for other in group:
        incomplete = other.ndc_quantity is None or other.ndc_unit is None
        if incomplete and "JW" not in other.modifiers:
            return "unknown"
    packages = sum((other.ndc_quantity or Decimal(0) for other in group), Decimal(0))
    return fail_if(packages * product.units_per_package != billed_units(group))


def same_claim_and_day(line: Line, facts: Facts) -> list[Line]:
    return [
        other
        for other in facts.drug_lines
        if other.claim_id == line.claim_id and other.start == line.start
    ]


def billed_units(lines: list[Line]) -> Decimal:
    return sum((line.units for line in lines), Decimal(0))


def wastage_contradiction(line: Line, facts: Facts) -> Verdict:
    group = same_claim_and_day(line, facts)
    some_wasted = any("JW" in other.modifiers for other in group)
    all_wasted = all("JW" in other.modifiers for other in group)
    none_wasted = any("JZ" in other.modifiers for other in group)
    products = facts.reference.drug_products_on(line.start)
    vials = [product.units_per_package for product in products]
    return fail_if(
        (some_wasted and none_wasted)
        or (none_wasted and not is_sum_of_vials(billed_units(group), vials))
        or all_wasted
    )


def is_sum_of_vials(total: Decimal, vials: list[Decimal]) -> bool:
    """Tries every count of the larger vials, and fills the rest with the smallest.

    A count is tried only until the larger vials make whole small ones again.
    """
    if not vials:
        return total == 0
    smallest, *larger = sorted(set(vials))
    sums = {Decimal(0)}
    for vial in larger:
        whole_again = next(count for count in range(1, 10**6) if count * vial % smallest == 0)
        sums = {one + count * vial for one in sums for count in range(whole_again)}
    return any(one <= total and (total - one) % smallest == 0 for one in sums)


def wastage_modifier_missing(line: Line, facts: Facts) -> Verdict:
    group = same_claim_and_day(line, facts)
    return fail_if(not any("JW" in other.modifiers or "JZ" in other.modifiers for other in group))


LINE_EDITS: dict[str, Edit] = {
    "original-claim-unknown": original_claim_unknown,
    "program-terms-govern": program_terms_govern,
    "procedure-not-effective": procedure_not_effective,
    "service-date-future": service_date_future,
    "service-date-span": service_date_span,
    "service-date-unclear": service_date_unclear,
    "units-not-whole": units_not_whole,
    "member-under-age": member_under_age,
    "diagnosis-missing": diagnosis_missing,
    "diagnosis-pointer-invalid": diagnosis_pointer_invalid,
    "diagnosis-not-pointed": diagnosis_not_pointed,
    "diagnosis-unlisted": diagnosis_unlisted,
    "diagnosis-invalid": diagnosis_invalid,
    "diagnosis-not-covered": diagnosis_not_covered,
    "diagnosis-history-only": diagnosis_history_only,
    "diagnosis-sex-conflict": diagnosis_sex_conflict,
    "ndc-missing": ndc_missing,
    "ndc-invalid": ndc_invalid,
    "ndc-mismatch": ndc_mismatch,
    "ndc-units-conflict": ndc_units_conflict,
    "wastage-contradiction": wastage_contradiction,
    "wastage-modifier-missing": wastage_modifier_missing,
}
