"""The coverage criteria of the policies, written out by hand: met, not met, or not to be told."""

from .clinical import ClinicalFacts
from .kleene import Truth, among, and_, at_least, below, equal, not_, or_
from .made_up_criteria import made_up_criteria
from .terms import (
    anthracycline_resistant,
    fourth_line_or_later,
    her2_negative,
    her2_positive,
    her2_status,
    hormone_receptor_positive,
    liver_within_limits,
    single_agent,
    taxane_resistant,
    taxane_resistant_and_no_more_anthracycline,
    triple_negative,
    with_capecitabine,
    with_trastuzumab,
)

__all__ = ["BCBST", "PRIME", "criteria", "her2_status"]

PRIME = "prime-ic-0072"
BCBST = "bcbst-ixabepilone"


def criteria(policy_id: str, version: str, request_type: str, facts: ClinicalFacts) -> Truth:
    if policy_id == PRIME:
        return prime_initial(facts) if request_type == "initial" else prime_renewal(facts)
    if policy_id == BCBST:
        if request_type == "initial":
            return bcbst_initial(facts, version)
        return bcbst_renewal(facts)
    return made_up_criteria(version, request_type, facts)


# Prime, IC-0072


def no_cremophor_hypersensitivity(facts: ClinicalFacts) -> Truth:
    return not_(facts.cremophor_hypersensitivity)


def not_with_capecitabine(facts: ClinicalFacts) -> Truth:
    return not_(with_capecitabine(facts))


def prime_universal(facts: ClinicalFacts) -> Truth:
    return and_(
        no_cremophor_hypersensitivity(facts),
        or_(not_with_capecitabine(facts), liver_within_limits(facts)),
    )


def prime_her2_negative(facts: ClinicalFacts) -> Truth:
    return and_(her2_negative(facts), facts.her2_test_approved)


def prime_her2_positive(facts: ClinicalFacts) -> Truth:
    return and_(her2_positive(facts), facts.her2_test_approved)


def prime_extent_of_a(facts: ClinicalFacts) -> Truth:
    return or_(
        among(facts.disease_extent, "metastatic", "recurrent_unresectable"),
        and_(
            among(facts.disease_extent, "inflammatory"), facts.no_response_to_preoperative_therapy
        ),
    )


def visceral_crisis_or_endocrine_refractory(facts: ClinicalFacts) -> Truth:
    return or_(facts.visceral_crisis, facts.endocrine_refractory)


def prime_a1a(facts: ClinicalFacts) -> Truth:
    line = facts.line_of_therapy
    return and_(
        hormone_receptor_positive(facts),
        visceral_crisis_or_endocrine_refractory(facts),
        or_(
            and_(equal(line, 1), not_(facts.germline_brca_mutation)),
            and_(equal(line, 2), not_(facts.t_dxd_candidate)),
            at_least(line, 3),
        ),
    )


def prime_a1b(facts: ClinicalFacts) -> Truth:
    line = facts.line_of_therapy
    return and_(
        triple_negative(facts),
        or_(
            and_(equal(line, 1), below(facts.pd_l1_cps, 10), not_(facts.germline_brca_mutation)),
            at_least(line, 2),
        ),
    )


def prime_a(facts: ClinicalFacts) -> Truth:
    return and_(
        prime_extent_of_a(facts),
        or_(
            and_(
                prime_her2_negative(facts),
                single_agent(facts),
                or_(prime_a1a(facts), prime_a1b(facts)),
            ),
            and_(prime_her2_positive(facts), with_trastuzumab(facts), fourth_line_or_later(facts)),
        ),
    )


def locally_advanced_or_metastatic(facts: ClinicalFacts) -> Truth:
    """Inflammatory breast cancer is locally advanced by its staging."""
    return among(facts.disease_extent, "locally_advanced", "inflammatory", "metastatic")


def anthracycline_failed_or_resistant(facts: ClinicalFacts) -> Truth:
    return or_(facts.anthracycline_failed, anthracycline_resistant(facts))


def taxane_failed_or_resistant(facts: ClinicalFacts) -> Truth:
    return or_(facts.taxane_failed, taxane_resistant(facts))


def prime_b(facts: ClinicalFacts) -> Truth:
    return and_(
        locally_advanced_or_metastatic(facts),
        or_(
            and_(anthracycline_failed_or_resistant(facts), taxane_failed_or_resistant(facts)),
            taxane_resistant_and_no_more_anthracycline(facts),
        ),
        or_(with_capecitabine(facts), and_(single_agent(facts), facts.capecitabine_failed)),
    )


def prime_initial(facts: ClinicalFacts) -> Truth:
    return and_(prime_universal(facts), or_(prime_a(facts), prime_b(facts)))


def response_or_stable(facts: ClinicalFacts) -> Truth:
    return among(facts.disease_response, "response", "stable")


def no_unacceptable_toxicity(facts: ClinicalFacts) -> Truth:
    return not_(facts.unacceptable_toxicity)


def prime_renewal(facts: ClinicalFacts) -> Truth:
    return and_(
        prime_universal(facts),
        or_(
            single_agent(facts),
            with_capecitabine(facts),
            and_(with_trastuzumab(facts), prime_her2_positive(facts)),
        ),
        response_or_stable(facts),
        no_unacceptable_toxicity(facts),
    )


# BlueCross BlueShield of Tennessee


def bcbst_extent_of_a(facts: ClinicalFacts) -> Truth:
    return or_(
        among(
            facts.disease_extent,
            "locally_advanced",
            "inflammatory",
            "recurrent_unresectable",
            "metastatic",
        ),
        facts.no_response_to_preoperative_therapy,
    )


def bcbst_extent_of_b(facts: ClinicalFacts, version: str) -> Truth:
    extents = ["recurrent_unresectable", "metastatic"]
    if version == "current":
        extents.append("recurrent_resectable")
    return or_(among(facts.disease_extent, *extents), facts.no_response_to_preoperative_therapy)


def bcbst_b(facts: ClinicalFacts, version: str) -> Truth:
    late_enough = True if version == "current" else fourth_line_or_later(facts)
    return and_(
        her2_positive(facts),
        with_trastuzumab(facts),
        bcbst_extent_of_b(facts, version),
        late_enough,
    )


def bcbst_c(facts: ClinicalFacts, version: str) -> Truth:
    if version == "current":
        both = and_(facts.anthracycline_failed, facts.taxane_failed)
    else:
        both = and_(anthracycline_resistant(facts), taxane_resistant(facts))
    return and_(
        with_capecitabine(facts),
        locally_advanced_or_metastatic(facts),
        liver_within_limits(facts),
        or_(both, taxane_resistant_and_no_more_anthracycline(facts)),
    )


def bcbst_initial(facts: ClinicalFacts, version: str) -> Truth:
    return or_(
        and_(her2_negative(facts), bcbst_extent_of_a(facts), single_agent(facts)),
        bcbst_b(facts, version),
        bcbst_c(facts, version),
    )


def any_named_regimen(facts: ClinicalFacts) -> Truth:
    return or_(single_agent(facts), with_capecitabine(facts), with_trastuzumab(facts))


def no_progression(facts: ClinicalFacts) -> Truth:
    return not_(among(facts.disease_response, "progression"))


def bcbst_renewal(facts: ClinicalFacts) -> Truth:
    return and_(any_named_regimen(facts), no_unacceptable_toxicity(facts), no_progression(facts))
